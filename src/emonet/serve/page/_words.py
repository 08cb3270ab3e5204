"""What the page's scripts know beforehand: the taxonomy in the order of the chart."""

from __future__ import annotations

import re
from typing import Any

from emonet.reports import GROUP_COLORS, NOTE
from emonet.taxonomy import ATTRIBUTES, EMOTIONS, GROUPS, VERSION

_SHORT_GROUPS = {
    "Positive High-Energy Emotions": "Positive, high energy",
    "Positive Low-Energy Emotions": "Positive, low energy",
    "Negative High-Energy Emotions": "Negative, high energy",
    "Negative Low-Energy Emotions": "Negative, low energy",
    "Cognitive States and Processes": "Thinking",
    "Physical and Exhaustive States": "Body and exhaustion",
    "Longing & Lust": "Longing & lust",
}
"""Groups of a taxonomy of one's own keep their names."""


def short_name(name: str) -> str:
    """The first of several names, or the noun of a long one, for the spokes: "Jealousy & Envy" → "Jealousy"."""
    first = re.split(r"/| and | & ", name)[0]
    return first.split()[-1] if len(first) > 16 else first


def _setup() -> dict[str, Any]:
    groups = [{"name": name, "short": _SHORT_GROUPS.get(name, name), "color": GROUP_COLORS[name]} for name in GROUPS]
    emotions = [
        {
            "key": emotion.key,
            "name": emotion.name,
            "short": short_name(emotion.name),
            "group": GROUPS.index(emotion.group),
            "words": list(emotion.words),
        }
        for emotion in sorted(EMOTIONS, key=lambda emotion: GROUPS.index(emotion.group))
    ]
    attributes = [
        {
            "key": item.key,
            "name": item.name,
            "low": item.low,
            "high": item.high,
            "ends": [item.low_pole, item.high_pole],
        }
        for item in ATTRIBUTES
    ]
    return {"taxonomy": VERSION, "note": NOTE, "groups": groups, "emotions": emotions, "attributes": attributes}


SETUP = _setup()
