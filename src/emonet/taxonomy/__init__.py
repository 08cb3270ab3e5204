"""What is rated: 40 emotions in 7 groups, attributes of faces and voices, and their names in every release."""

from emonet.taxonomy._lookup import (
    attribute,
    checkpoint_name,
    coarse_class,
    dimension_key,
    display_name,
    emotion,
    resolve,
)
from emonet.taxonomy._records import (
    ATTRIBUTES,
    EMOTION_LEVELS,
    EMOTIONS,
    GROUPS,
    SOURCE,
    VERSION,
    Attribute,
    Emotion,
    Modality,
)

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
    "attribute",
    "checkpoint_name",
    "coarse_class",
    "dimension_key",
    "display_name",
    "emotion",
    "resolve",
]
