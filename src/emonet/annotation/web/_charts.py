"""Drawings of the lead's desk as inline SVG: no scripts, no styles in attributes, colours from `lead.css`.

Drawings inside tables stretch with their cell and carry no text, so that names and numbers stay real text around them;
the table says everything they show, and they are hidden from screen readers. The others have a title.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from markupsafe import Markup, escape

from emonet.annotation.desk import Activity, Funnel, FunnelStage, RaterRow
from emonet.statistics import Interval

_WIDE, _HIGH = 100.0, 16.0
TENTATIVE, RELIABLE = 0.667, 0.8
"""Krippendorff's customary limits for tentative and for firm conclusions (Content Analysis, chapter 12)."""
_ENDING_CLASS = {
    "agreed present": "present",
    "agreed absent": "absent",
    "agreed": "present",
    "one yes": "single-present",
    "one no": "single-absent",
    "rated": "rated",
    "disputed": "disputed",
}


def interval_bar(figure: Interval, *, low: float = 0.0, high: float = 1.0, marks: Sequence[float] = ()) -> Markup:
    """A dot with its interval on an axis from `low` to `high`, thin lines at `marks`. Values beyond are cut at the
    ends; nothing is drawn for an undefined figure."""
    if not math.isfinite(figure.value):
        return Markup("")

    def x(value: float) -> str:
        return _n(_WIDE * (min(max(value, low), high) - low) / (high - low))

    parts = [f'<path class="mark" d="M{x(value)} 0V{_n(_HIGH)}"/>' for value in marks]
    if math.isfinite(figure.low) and math.isfinite(figure.high):
        parts.append(f'<path class="reach" d="M{x(figure.low)} 8H{x(figure.high)}"/>')
    parts.append(f'<path class="point" d="M{x(figure.value)} 8h0"/>')
    return _stretched("interval", parts)


def stage_bar(funnel: Funnel, stage: FunnelStage) -> Markup:
    """The units of a stage as a bar, as long as its share of all units of the role: passed on, ended, still open."""
    total = funnel.units or 1
    left, parts = 0.0, []
    for name, count in stage_parts(funnel, stage):
        wide = _WIDE * count / total
        parts.append(f'<rect class="{name}" x="{_n(left)}" width="{_n(wide)}" height="{_n(_HIGH)}"/>')
        left += wide
    return _stretched("stage", parts)


def stage_parts(funnel: Funnel, stage: FunnelStage) -> list[tuple[str, int]]:
    """Class and number of units of each part of a stage's bar that is not empty."""
    later = next((other.entered for other in funnel.stages if other.stage == stage.stage + 1), 0)
    ended = [(_ENDING_CLASS[name], count) for name, count in stage.ended]
    rows = [("passed", later), *ended, ("waiting", stage.waiting), ("untouched", stage.untouched)]
    return [(name, count) for name, count in rows if count]


def ending_class(ending: str) -> str:
    """The CSS class of an ending's colour."""
    return _ENDING_CLASS.get(ending, "waiting")


def share_bar(share: float, kind: str = "present") -> Markup:
    """A bar of a share of 1."""
    if not math.isfinite(share):
        return Markup("")
    bar = f'<rect class="{kind}" width="{_n(_WIDE * share)}" height="{_n(_HIGH)}"/>'
    return _stretched("share", [bar])


def activity_chart(activity: Activity) -> Markup:
    """Answers per step of time as columns, oldest left."""
    if not activity.counts:
        return Markup("")
    most = max(activity.counts) or 1
    wide = _WIDE / max(len(activity.counts), 8)
    columns = []
    for place, (start, count) in enumerate(zip(activity.starts, activity.counts, strict=True)):
        high = 40 * count / most
        when = f"{start:%d %b %H:%M}" if activity.step.days < 1 else f"{start:%d %b %Y}"
        columns.append(
            f'<rect class="column" x="{_n(place * wide + 0.1 * wide)}" y="{_n(40 - high)}" width="{_n(0.8 * wide)}" '
            f'height="{_n(high)}"><title>{when} UTC: {count}</title></rect>'
        )
    return _svg("activity", f"0 0 {_n(_WIDE)} 40", columns, stretch=True, label="Answers over time")


def rater_chart(rows: Sequence[RaterRow]) -> Markup:
    """Every rater by usual time (logarithmic) and kappa with the others; those with signs stand out."""
    shown = [row for row in rows if math.isfinite(row.kappa.value) and row.signs.median_ms > 0]
    if not shown:
        return Markup("")
    shown.sort(key=lambda row: (not row.signs.signs, row.rater))  # names of those with signs are placed first
    times = [row.signs.median_ms / 1000 for row in shown]
    ticks = [t for t in _SECONDS if _below(min(times)) <= t <= _above(max(times))]
    first, last = math.log(ticks[0]), math.log(ticks[-1])
    floor = min(0.0, math.floor(5 * min(row.kappa.value for row in shown)) / 5)

    def x(value: float) -> float:
        return _LEFT + (_PLOT - _LEFT) * (math.log(value) - first) / (last - first)

    def y(value: float) -> float:
        return _TOP + (_FOOT - _TOP) * (1 - value) / (1 - floor)

    parts = ['<text class="axis" x="4" y="14">kappa</text>']
    for tick in ticks:
        parts.append(f'<path class="grid" d="M{_n(x(tick))} {_n(_TOP)}V{_n(_FOOT)}"/>')
        place = f'x="{_n(x(tick))}" y="{_n(_FOOT + 18)}" text-anchor="middle"'
        parts.append(f'<text class="axis" {place}>{tick:g} s</text>')
    for step in range(round(5 * floor), 6):
        at = _n(y(step / 5))
        parts.append(f'<path class="grid" d="M{_n(_LEFT)} {at}H{_n(_PLOT)}"/>')
        place = f'x="{_n(_LEFT - 8)}" y="{at}" dy="4" text-anchor="end"'
        parts.append(f'<text class="axis" {place}>{_signed(step / 5)}</text>')
    middle = f'x="{_n((_LEFT + _PLOT) / 2)}" y="{_n(_FOOT + 36)}" text-anchor="middle"'
    parts.append(f'<text class="axis" {middle}>usual time of an answer</text>')
    dots = [(x(time), y(row.kappa.value)) for row, time in zip(shown, times, strict=True)]
    parts += _rater_marks(shown, dots)
    return _svg("raters", f"0 0 640 {_n(_FOOT + 42)}", parts, label="Raters by usual time and kappa with the others")


_LEFT, _PLOT, _TOP, _FOOT = 46.0, 620.0, 24.0, 266.0
"""Edges of the raters' plot."""
_SECONDS = (0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10000)


def _below(value: float) -> float:
    """The last step of the axis below `value`."""
    return max((t for t in _SECONDS if t < value), default=_SECONDS[0])


def _above(value: float) -> float:
    return min((t for t in _SECONDS if t > value), default=_SECONDS[-1])


def _rater_marks(rows: Sequence[RaterRow], dots: Sequence[tuple[float, float]]) -> list[str]:
    """A dot each, and the name to its right or left where neither another dot nor another name is in the way."""
    parts, taken = [], [(x - 8, x + 8, y) for x, y in dots]
    for row, (x, y) in zip(rows, dots, strict=True):
        kind = "flagged" if row.signs.signs else "fine"
        usual = f"{row.signs.median_ms / 1000:.1f} s"
        title = f"{row.rater}: kappa {_signed(row.kappa.value, 2)}, {usual}, {row.signs.answers} answers"
        parts.append(f'<circle class="{kind}" cx="{_n(x)}" cy="{_n(y)}" r="6"><title>{escape(title)}</title></circle>')
        wide = 7.4 * len(row.rater)
        for side, left in (("start", x + 11), ("end", x - 11 - wide)):
            free = all(left > right or left + wide < start or abs(y - other) > 14 for start, right, other in taken)
            if free and left > _LEFT and left + wide < _PLOT + 20:
                taken.append((left, left + wide, y))
                place = f'x="{_n(left if side == "start" else x - 11)}" y="{_n(y + 4)}" text-anchor="{side}"'
                parts.append(f'<text class="name {kind}" {place}>{escape(row.rater)}</text>')
                break
    return parts


def time_strip(durations_ms: Sequence[int], usual_ms: float) -> Markup:
    """Time of each answer in the order given, on a logarithmic axis; the line is the other raters' usual time."""
    if not durations_ms:
        return Markup("")
    values = [max(value, 1) for value in durations_ms]
    every = [*values, usual_ms] if math.isfinite(usual_ms) and usual_ms > 0 else values
    low, high = math.log(min(every) * 0.8), math.log(max(every) * 1.25)
    wide, tall, left = 640.0, 170.0, 46.0

    def y(value: float) -> str:
        return _n(10 + (tall - 36) * (1 - (math.log(value) - low) / (high - low)))

    ticks = [t for t in _SECONDS if low <= math.log(1000 * t) <= high]
    parts = [f'<path class="grid" d="M{_n(left)} {y(1000 * t)}H{_n(wide - 12)}"/>' for t in ticks]
    parts += [
        f'<text class="axis" x="{_n(left - 8)}" y="{y(1000 * t)}" dy="4" text-anchor="end">{t:g} s</text>'
        for t in ticks
    ]
    step = (wide - left - 20) / max(len(values), 1)
    parts += [
        f'<circle class="answer" cx="{_n(left + (k + 0.5) * step)}" cy="{y(value)}" r="2.6"/>'
        for k, value in enumerate(values)
    ]
    if len(every) > len(values):
        parts.append(f'<path class="usual" d="M{_n(left)} {y(usual_ms)}H{_n(wide - 12)}"/>')
    parts.append(f'<text class="axis" x="{_n(left)}" y="{_n(tall - 6)}">first answer</text>')
    parts.append(f'<text class="axis" x="{_n(wide - 12)}" y="{_n(tall - 6)}" text-anchor="end">last answer</text>')
    return _svg("strip", f"0 0 {_n(wide)} {_n(tall)}", parts, label="Time of each answer, in the order given")


def _stretched(kind: str, parts: Sequence[str]) -> Markup:
    """A drawing without text that fills its place."""
    box = f'viewBox="0 0 {_n(_WIDE)} {_n(_HIGH)}" preserveAspectRatio="none"'
    return Markup(f'<svg class="drawn {kind}" {box} aria-hidden="true" focusable="false">{"".join(parts)}</svg>')


def _svg(kind: str, box: str, parts: Sequence[str], *, stretch: bool = False, label: str) -> Markup:
    ratio = ' preserveAspectRatio="none"' if stretch else ""
    told = f'role="img" aria-label="{escape(label)}"'
    return Markup(f'<svg class="drawn {kind}" viewBox="{box}"{ratio} {told}>{"".join(parts)}</svg>')


def _signed(value: float, digits: int = 1) -> str:
    """With a true minus sign."""
    return f"{value:.{digits}f}".replace("-", "−")


def _n(value: float) -> str:
    """A coordinate with at most one decimal."""
    return f"{value:.1f}".rstrip("0").rstrip(".") or "0"
