"""What is rated: 40 emotions in 7 groups, attributes of faces and voices, and their names in every release.

The environment variable EMONET_TAXONOMY puts a file of one's own in their place (`read_taxonomy`); `derivation` makes
such a file from a book.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from emonet.taxonomy import _records
from emonet.taxonomy._custom import read_taxonomy, write_taxonomy
from emonet.taxonomy._lookup import (
    attribute,
    checkpoint_name,
    coarse_class,
    dimension_key,
    dimension_record,
    display_name,
    emotion,
    resolve,
)
from emonet.taxonomy._records import Attribute, Emotion, Modality, Taxonomy, built_in, known_emotions

if TYPE_CHECKING:
    from emonet.taxonomy._records import ATTRIBUTES, EMOTION_LEVELS, EMOTIONS, GROUPS, SOURCE, VERSION

__all__ = [
    "ATTRIBUTES",
    "EMOTIONS",
    "EMOTION_LEVELS",
    "GROUPS",
    "SOURCE",
    "VERSION",
    "Attribute",
    "Emotion",
    "Modality",
    "Taxonomy",
    "attribute",
    "built_in",
    "checkpoint_name",
    "coarse_class",
    "dimension_key",
    "dimension_record",
    "display_name",
    "emotion",
    "known_emotions",
    "read_taxonomy",
    "resolve",
    "write_taxonomy",
]


def __getattr__(name: str) -> Any:
    return getattr(_records, name) if name in __all__ else _missing(name)


def _missing(name: str) -> Any:
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
