"""One estimate arranged for reading: bars under the seven groups, what is not judged, and how much to trust it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import cycle

import numpy as np

from emonet.estimation import Estimate
from emonet.models import Card
from emonet.taxonomy import GROUPS, Attribute, dimension_record, display_name, known_emotions

_GROUPS = tuple(dict.fromkeys([*GROUPS, *(record.group for record in known_emotions())]))
"""Those of the taxonomy in use, then those of built-in emotions that it lacks but a model may score."""
_COLORS = ("#e8912d", "#3f9d6b", "#cf3f4f", "#5877c8", "#8a63c4", "#8b8478", "#d0609c")
GROUP_COLORS: dict[str, str] = dict(zip(_GROUPS, cycle(_COLORS), strict=False))
"""A colour for each group, legible on white and on near-black; seven, over again when there are more groups."""
ATTRIBUTE_COLOR = "#5f8296"
SCALE_WORDS = {
    "relative": "above or below a neutral {thing}",
    "raw": "raw model output",
    "softmax": "share of all emotions",
    "calibrated": "calibrated probability",
}
NOTE = (
    "Scores estimate how strongly people would perceive an emotion in a face or voice. They are not facts about what a "
    "person feels, and they can be wrong, more often for some groups of people than for others."
)


@dataclass(frozen=True, slots=True)
class Bar:
    """One dimension. `weak`: its evidence is a teacher's scores, not labels of this emotion. `ends`: the scale's
    meaning, for attributes."""

    key: str
    name: str
    value: float
    calibrated: float | None
    weak: bool
    ends: str = ""
    low: float = 0.0
    high: float = 0.0


@dataclass(frozen=True, slots=True)
class Section:
    """A group with its judged emotions, strongest first."""

    title: str
    color: str
    bars: tuple[Bar, ...]


def sections(estimate: Estimate, card: Card | None) -> list[Section]:
    """The groups that have a judged emotion, in the taxonomy's order; attributes, if any, last (always raw)."""
    values, raw, probabilities = estimate.scores(), estimate.scores("raw"), estimate.scores("calibrated")
    weak = {key for key, evidence in card.evidence.items() if evidence.kind == "teacher"} if card else set()
    out = []
    for group in _GROUPS:
        keys = [record.key for record in known_emotions() if record.group == group and record.key in values]
        keys.sort(key=lambda key: -values[key])
        bars = [Bar(key, display_name(key), values[key], probabilities.get(key), key in weak) for key in keys]
        if bars:
            out.append(Section(group, GROUP_COLORS[group], tuple(bars)))
    attributes = [dimension_record(key, modality=estimate.modality) for key in raw]
    bars = [
        Bar(a.key, a.name, raw[a.key], None, a.key in weak, f"{a.low_pole} – {a.high_pole}", a.low, a.high)
        for a in attributes
        if isinstance(a, Attribute)
    ]
    if bars:
        out.append(Section("Attributes (on their own scales)", ATTRIBUTE_COLOR, tuple(bars)))
    return out


def extent(estimates: Iterable[Estimate]) -> tuple[float, float]:
    """Lowest (at most 0) and highest (at least 0.5) emotion score, so that the bars of one report share a scale."""
    low, high = 0.0, 0.5
    emotions = {record.key for record in known_emotions()}
    for estimate in estimates:
        values = [value for key, value in estimate.scores().items() if key in emotions] if estimate.ok else []
        if values:
            low, high = min(low, float(np.min(values))), max(high, float(np.max(values)))
    return low, high


def subject(item: Estimate, row: int) -> int | str:
    """What a row is about: rows of one file with the same answer are one voice or one face, followed over time."""
    if item.modality == "voice":
        return "voice"
    if item.region.track is not None:
        return item.region.track
    return "frames" if item.region.start_s is not None else f"row {row}"


def subjects(estimates: Iterable[Estimate]) -> list[list[Estimate]]:
    """The scored rows, together when they are about the same face or voice of the same file and by the same model."""
    found: dict[tuple[str, str, int | str], list[Estimate]] = {}
    for row, item in enumerate(estimates):
        if item.ok:
            found.setdefault((item.source, item.model, subject(item, row)), []).append(item)
    return list(found.values())


def calibration_notes(card: Card) -> list[str]:
    """What the percentages of a model mean: on which data each calibration was fitted, each text once."""
    return list(dict.fromkeys(fitted.data for fitted in card.calibration.values()))


def not_judged(card: Card) -> list[tuple[str, str]]:
    """(name, reason) of each dimension the model does not score."""
    return [(display_name(key, card.modality), reason) for key, reason in card.missing.items()]


def scale_words(estimate: Estimate) -> str:
    """What the numbers mean, for a caption."""
    return SCALE_WORDS[estimate.ranked_by].format(thing=estimate.modality or "sample")
