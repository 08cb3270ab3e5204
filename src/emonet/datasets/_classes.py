"""Class names of older corpora as EmoNet's emotions."""

from __future__ import annotations

import re

from emonet.errors import UnknownNameError, UsageError
from emonet.taxonomy import Modality, dimension_key

NEAREST = {
    "happiness": "elation",
    "happy": "elation",
    "joy": "elation",
    "sad": "sadness",
    "angry": "anger",
    "fearful": "fear",
    "surprise": "astonishment_surprise",
    "surprised": "astonishment_surprise",
    "disgusted": "disgust",
    "calm": "contentment",
    "hopeful": "hope_enthusiasm_optimism",
}
"""Nearest of the 40 emotions to a class name that is not itself one. A suggestion: "happiness" may as well be
amusement or contentment, which is why readers that use it take a mapping of one's own."""
NEUTRAL = ("neutral", "n")
"""Class names that mean: none of the emotions."""


def class_key(name: str, modality: Modality) -> str | None:
    """Key of the nearest emotion, None for a neutral class. Raises `UsageError` when there is none near."""
    plain = re.sub(r"[\W_]+", " ", name).strip().casefold()
    if plain in NEUTRAL:
        return None
    if plain in NEAREST:
        return NEAREST[plain]
    try:
        return dimension_key(name, modality)
    except UnknownNameError as error:
        raise UsageError(
            f"The class {name!r} is none of the 40 emotions and has no nearest one here; say which it stands for."
        ) from error
