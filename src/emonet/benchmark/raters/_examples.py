"""Worked examples for multi-shot prompts, described in words so that no file has to be shown with them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from emonet.taxonomy import Modality


@dataclass(frozen=True, slots=True)
class Example:
    """`strength`: by emotion, 0..1 of the way from absent to the strongest; what is not named is absent."""

    description: str
    strength: Mapping[str, float]


EXAMPLES: Mapping[Modality, tuple[Example, ...]] = {
    "face": (
        Example(
            "Head thrown back, mouth wide open with both rows of teeth showing, cheeks raised, eyes squeezed to slits "
            "with creases at their outer corners.",
            {"amusement": 0.9, "elation": 0.75, "contentment": 0.2},
        ),
        Example(
            "Brows drawn together and down, a steady narrow gaze at something near, lips pressed lightly, no other "
            "tension.",
            {"concentration": 0.75, "contemplation": 0.35, "doubt": 0.15},
        ),
        Example(
            "Inner ends of the brows raised, eyelids heavy, gaze cast down, corners of the mouth drawn down, wet "
            "cheeks.",
            {"sadness": 0.9, "distress": 0.45, "disappointment": 0.3, "helplessness": 0.3},
        ),
        Example(
            "Brows high and curved, eyes wide with white above the iris, jaw dropped, lips loose.",
            {"astonishment_surprise": 0.9, "awe": 0.3, "fear": 0.15},
        ),
        Example("Brow smooth, gaze level, lips closed without tension, as in a passport photograph.", {}),
    ),
    "voice": (
        Example(
            "Words break off into bursts of laughter, the pitch leaps up, breath is snatched between the phrases.",
            {"amusement": 0.9, "elation": 0.7},
        ),
        Example(
            "Loud and clipped, each word pushed out with a hard onset, pitch rising towards the end of every phrase.",
            {"anger": 0.9, "impatience_and_irritability": 0.6, "bitterness": 0.2},
        ),
        Example(
            "Quiet and slow, low in pitch, the voice trembles and the last words almost fade into a sob.",
            {"sadness": 0.9, "distress": 0.4, "helplessness": 0.35},
        ),
        Example(
            "Soft, close to the microphone, with slow falling phrases and a small smile in the vowels.",
            {"affection": 0.6, "contentment": 0.5, "relief": 0.1},
        ),
        Example("Even pitch and pace, as when reading out a list of numbers.", {}),
    ),
}
