"""From collected or rated media to a data set that can be handed on: rules, splits, checks, card, upload.

Rules are functions from a table of items to what they keep, with a reason for each item that goes. A recipe (TOML)
applies them in a fixed order. How to use them: docs/datasets.md.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from emonet.datasets.curation._balance import Balance, balance_items, balance_of
    from emonet.datasets.curation._build import build_dataset
    from emonet.datasets.curation._card import write_card
    from emonet.datasets.curation._categories import check_categories, count_categories, drop_scarce
    from emonet.datasets.curation._consensus import label_items, pairs_of, strict_agreement, threshold
    from emonet.datasets.curation._copies import (
        PictureRule,
        SoundRule,
        drop_copies,
        group_copies,
        picture_copies,
        sound_copies,
    )
    from emonet.datasets.curation._decide import Decision, decide
    from emonet.datasets.curation._inspect import Inspection, inspect_dataset
    from emonet.datasets.curation._measures import PictureMeasures, SoundMeasures, measure_picture, measure_sound
    from emonet.datasets.curation._picture_signature import PictureSignature, picture_signature
    from emonet.datasets.curation._push import Push, push_dataset, read_validation, write_validation
    from emonet.datasets.curation._quality import PictureLimits, SoundLimits, filter_quality
    from emonet.datasets.curation._recipe import Recipe, read_recipe
    from emonet.datasets.curation._report import Report, Selection, Step
    from emonet.datasets.curation._resplit import split_dataset
    from emonet.datasets.curation._set import SetFacts, read_set
    from emonet.datasets.curation._sound_signature import SoundSignature, sound_signature
    from emonet.datasets.curation._splits import Split, split_items
    from emonet.datasets.curation._validate import Finding, Validation, validate_dataset

_WHERE = {
    "_balance": "Balance balance_items balance_of",
    "_build": "build_dataset",
    "_card": "write_card",
    "_categories": "check_categories count_categories drop_scarce",
    "_consensus": "label_items pairs_of strict_agreement threshold",
    "_copies": "PictureRule SoundRule drop_copies group_copies picture_copies sound_copies",
    "_decide": "Decision decide",
    "_inspect": "Inspection inspect_dataset",
    "_measures": "PictureMeasures SoundMeasures measure_picture measure_sound",
    "_picture_signature": "PictureSignature picture_signature",
    "_push": "Push push_dataset read_validation write_validation",
    "_quality": "PictureLimits SoundLimits filter_quality",
    "_recipe": "Recipe read_recipe",
    "_report": "Report Selection Step",
    "_resplit": "split_dataset",
    "_set": "SetFacts read_set",
    "_sound_signature": "SoundSignature sound_signature",
    "_splits": "Split split_items",
    "_validate": "Finding Validation validate_dataset",
}
_MODULE = {name: module for module, names in _WHERE.items() for name in names.split()}

__all__ = [
    "Balance",
    "Decision",
    "Finding",
    "Inspection",
    "PictureLimits",
    "PictureMeasures",
    "PictureRule",
    "PictureSignature",
    "Push",
    "Recipe",
    "Report",
    "Selection",
    "SetFacts",
    "SoundLimits",
    "SoundMeasures",
    "SoundRule",
    "SoundSignature",
    "Split",
    "Step",
    "Validation",
    "balance_items",
    "balance_of",
    "build_dataset",
    "check_categories",
    "count_categories",
    "decide",
    "drop_copies",
    "drop_scarce",
    "filter_quality",
    "group_copies",
    "inspect_dataset",
    "label_items",
    "measure_picture",
    "measure_sound",
    "pairs_of",
    "picture_copies",
    "picture_signature",
    "push_dataset",
    "read_recipe",
    "read_set",
    "read_validation",
    "sound_copies",
    "sound_signature",
    "split_dataset",
    "split_items",
    "strict_agreement",
    "threshold",
    "validate_dataset",
    "write_card",
    "write_validation",
]


def __getattr__(name: str) -> Any:
    if name in _MODULE:
        return getattr(import_module(f"emonet.datasets.curation.{_MODULE[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
