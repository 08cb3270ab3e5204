"""Numbers and names of the lead's desk in words; templates reach these functions as `f`."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import SimpleNamespace

from emonet.annotation.desk import Funnel, FunnelStage
from emonet.annotation.protocols import Protocol, Unit
from emonet.annotation.web._charts import ending_class, stage_parts
from emonet.errors import UnknownNameError
from emonet.statistics import Interval
from emonet.taxonomy import display_name

_NONE = "–"
_ROLES = {"target": "Prompted emotion", "contrast": "Opposing emotion", "plain": "Asked openly"}
_PARTS = {
    "passed": "went on",
    "present": "agreed present",
    "absent": "agreed absent",
    "single-present": "one yes",
    "single-absent": "one no",
    "rated": "rated",
    "disputed": "disputed",
    "waiting": "under way",
    "untouched": "not begun",
}


def known(value: float | None) -> bool:
    """Whether there is a number."""
    return value is not None and math.isfinite(value)


def number(value: float | None, digits: int = 2) -> str:
    """With so many decimals and a true minus sign."""
    if value is None or not math.isfinite(value):
        return _NONE
    text = f"{value:.{digits}f}"
    return text.removeprefix("-") if float(text) == 0 else text.replace("-", "−")


def whole(value: float) -> str:
    """With thin spaces between thousands."""
    return f"{value:,.0f}".replace(",", "\u202f")


def percent(value: float | None) -> str:
    """A share in per cent."""
    return _NONE if value is None or not math.isfinite(value) else f"{value:.0%}".replace("%", "\u202f%")


def range_of(figure: Interval, *, percent: bool = False) -> str:
    """The interval's ends; empty where they are unknown."""
    if not (math.isfinite(figure.low) and math.isfinite(figure.high)):
        return ""
    if percent:
        return f"{100 * figure.low:.0f} to {100 * figure.high:.0f}"
    return f"{number(figure.low)} to {number(figure.high)}"


def seconds(milliseconds: float) -> str:
    """A time in seconds, in minutes from two on."""
    if not math.isfinite(milliseconds):
        return _NONE
    value = milliseconds / 1000
    return f"{value:.1f} s" if value < 120 else f"{value / 60:.1f} min"


def hours(value: float) -> str:
    """A time in hours, in minutes below two."""
    if not math.isfinite(value):
        return _NONE
    if value < 1 / 60:
        return "under 1 min"
    return f"{60 * value:.0f} min" if value < 2 else f"{value:.1f} h" if value < 10 else f"{value:.0f} h"


def sortable(value: float | None) -> str:
    """For `data-sort`; empty sorts to the end."""
    return "" if value is None or not math.isfinite(value) else f"{value:.6g}"


def heat(share: float) -> int:
    """Class of a cell's tint, 0 to 5."""
    return 0 if not math.isfinite(share) else min(5, math.ceil(5 * share))


def dimension(key: str) -> str:
    """The taxonomy's name; a dimension of one's own is its own name."""
    try:
        return display_name(key)
    except UnknownNameError:
        return key or "all"


def role(name: str) -> str:
    """Of units, for people."""
    return _ROLES.get(name, name)


def parts(funnel: Funnel, stage: FunnelStage) -> list[tuple[str, str, int]]:
    """Class, words and number of each part of a stage."""
    return [(name, _PARTS[name], count) for name, count in stage_parts(funnel, stage)]


def moment(time: datetime, step: timedelta = timedelta(hours=1)) -> str:
    """A time in UTC as exact as its step."""
    return f"{time:%d %b %H:%M}" if step < timedelta(days=1) else f"{time:%d %b %Y}"


def step(length: timedelta) -> str:
    """Of a chart over time."""
    if length < timedelta(days=1):
        return "by hour"
    return "by day" if length.days == 1 else f"by {length.days} days"


@dataclass(frozen=True, slots=True)
class Vote:
    """One answer in words. `kind`: "yes" for fully present, "some" for less, "no" for absent."""

    text: str
    kind: str


MOST_VOTES = 6


def votes(protocol: Protocol, unit: Unit, values: Mapping[str, float]) -> list[Vote]:
    """An answer in words; of sliders what was moved above zero, strongest first."""
    if protocol.question == "levels":
        return [_level(protocol, value) for value in values.values()]
    if protocol.question == "sliders":
        chosen = [(name, value) for name, value in values.items() if value > 0]
        chosen.sort(key=lambda entry: -entry[1])
        top = protocol.scale[1]
        told = [graded(value, top, dimension(name)) for name, value in chosen[:MOST_VOTES]]
        return told or [Vote("nothing", "no")]
    taken = [item for item in unit.items if values.get(item, 0.0) > 0]
    left = [item for item in unit.items if values.get(item, 0.0) < 0]
    named = {item: f"number {place}" for place, item in enumerate(unit.items, start=1)}
    if protocol.question == "pair":
        return [Vote(named[item], "yes") for item in taken]
    return [*(Vote(f"most: {named[i]}", "yes") for i in taken), *(Vote(f"least: {named[i]}", "no") for i in left)]


def graded(value: float, top: float, name: str = "") -> Vote:
    """The value of a slider, with its name or without."""
    return Vote(f"{name} {value:g}".strip(), "yes" if value > top / 2 else "some" if value > 0 else "no")


def told(protocol: Protocol, unit: Unit, values: Mapping[str, float]) -> str:
    """An answer in one line."""
    return ", ".join(vote.text for vote in votes(protocol, unit, values))


def level_names(protocol: Protocol, levels: Sequence[float]) -> list[str]:
    """Names of values: the protocol's labels, else the numbers."""
    labels = {choice.value: choice.label for choice in protocol.choices}
    return [labels.get(level, f"{level:g}") for level in levels]


def _level(protocol: Protocol, value: float) -> Vote:
    top = max(choice.value for choice in protocol.choices)
    kind = "no" if value <= 0 else "yes" if value == top else "some"
    return Vote(level_names(protocol, [value])[0], kind)


WORDS = SimpleNamespace(
    known=known,
    number=number,
    whole=whole,
    percent=percent,
    range=range_of,
    seconds=seconds,
    hours=hours,
    sortable=sortable,
    heat=heat,
    dimension=dimension,
    role=role,
    parts=parts,
    moment=moment,
    step=step,
    ending_class=ending_class,
)
"""The functions above under the short names that the templates use."""
