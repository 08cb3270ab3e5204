"""BUD-E Whisper: a Whisper that describes how a voice sounds instead of what it says.

`load_captioner` runs a checkpoint (transformers or CTranslate2), `parse_caption` turns its text into fields that the
text itself holds, `train_captioner` fine-tunes any Whisper, `evaluate_captions` measures captions against scores and
references. Nothing heavy is imported before one of them is called; extra `caption`. docs/bud-e-whisper.md.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from emonet.captions.whisper._agreement import EmotionAgreement
    from emonet.captions.whisper._bursts import BurstClass, burst_classes
    from emonet.captions.whisper._captioner import Captioner, load_captioner
    from emonet.captions.whisper._clean import clean_caption
    from emonet.captions.whisper._convert import convert_captioner
    from emonet.captions.whisper._evaluation import CaptionEvaluation, evaluate_captions
    from emonet.captions.whisper._recipe import CaptionerRecipe, read_captioner_recipe
    from emonet.captions.whisper._records import CaptionedWindow, PartialCaption
    from emonet.captions.whisper._structure import (
        Burst,
        Evidence,
        StructuredCaption,
        Tone,
        Trait,
        parse_caption,
    )
    from emonet.captions.whisper._text_quality import TextQuality
    from emonet.captions.whisper._training import TrainedCaptioner, train_captioner

__all__ = [
    "Burst",
    "BurstClass",
    "CaptionEvaluation",
    "CaptionedWindow",
    "Captioner",
    "CaptionerRecipe",
    "EmotionAgreement",
    "Evidence",
    "PartialCaption",
    "StructuredCaption",
    "TextQuality",
    "Tone",
    "TrainedCaptioner",
    "Trait",
    "burst_classes",
    "clean_caption",
    "convert_captioner",
    "evaluate_captions",
    "load_captioner",
    "parse_caption",
    "read_captioner_recipe",
    "train_captioner",
]

_HOME = {
    "_agreement": ("EmotionAgreement",),
    "_bursts": ("BurstClass", "burst_classes"),
    "_captioner": ("Captioner", "load_captioner"),
    "_clean": ("clean_caption",),
    "_convert": ("convert_captioner",),
    "_evaluation": ("CaptionEvaluation", "evaluate_captions"),
    "_recipe": ("CaptionerRecipe", "read_captioner_recipe"),
    "_records": ("CaptionedWindow", "PartialCaption"),
    "_structure": ("Burst", "Evidence", "StructuredCaption", "Tone", "Trait", "parse_caption"),
    "_text_quality": ("TextQuality",),
    "_training": ("TrainedCaptioner", "train_captioner"),
}


def __getattr__(name: str) -> Any:
    for module, names in _HOME.items():
        if name in names:
            return getattr(import_module(f"{__name__}.{module}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
