"""The opposing emotion of each emotion: what EmoNet-Face Binary asked beside the emotion a picture was made for."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

PAIRS: tuple[tuple[str, str], ...] = (
    ("affection", "bitterness"),
    ("amusement", "distress"),
    ("anger", "contentment"),
    ("astonishment_surprise", "impatience_and_irritability"),
    ("awe", "contempt"),
    ("concentration", "intoxication_altered_states_of_consciousness"),
    ("confusion", "contemplation"),
    ("disappointment", "triumph"),
    ("disgust", "infatuation"),
    ("doubt", "pride"),
    ("elation", "sadness"),
    ("embarrassment", "teasing"),
    ("emotional_numbness", "interest"),
    ("fatigue_exhaustion", "longing"),
    ("fear", "pleasure_ecstasy"),
    ("helplessness", "hope_enthusiasm_optimism"),
    ("jealousy_envy", "thankfulness_gratitude"),
    ("malevolence_malice", "sourness"),
    ("pain", "relief"),
    ("sexual_lust", "shame"),
)
"""Every emotion in exactly one pair, as the release's table of judgements holds them (EmoNet-Face Binary)."""


def matching() -> Mapping[str, str]:
    """Emotion to its opposing emotion, in both directions: 40 entries of 20 pairs."""
    return MappingProxyType({**dict(PAIRS), **{second: first for first, second in PAIRS}})
