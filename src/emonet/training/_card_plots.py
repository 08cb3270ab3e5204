"""Figures of a model card as small SVG files: reliability of probabilities, and scores under growing damage.

Plain text without a plotting library, so that the same figures give the same bytes. The pictures carry their own white
background, since pages are read on light and on dark screens.
"""

from __future__ import annotations

import html
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby

_COLOURS = ("#1f6f8b", "#c2571a", "#5b4b8a", "#3d7a3a")
_STYLE = (
    "text{font:11px sans-serif;fill:#222}.t{font-size:13px;font-weight:bold}.s{font-size:10px;fill:#555}"
    ".a{stroke:#888;fill:none}.g{stroke:#ddd;fill:none}"
)


@dataclass(frozen=True, slots=True)
class Group:
    """Items with about the same predicted probability. `predicted`: their mean 0..1, `observed`: the share 0..1 found,
    with its interval `low`..`high`; `n` items. `series`: which model, where several share a figure."""

    predicted: float
    observed: float
    low: float
    high: float
    n: int
    series: str = ""


@dataclass(frozen=True, slots=True)
class Step:
    """A score at one strength, with its interval."""

    strength: float
    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Curve:
    """A score against the strength of one kind of damage. Curves with the same `panel` share axes; `axis` says what
    the strength counts."""

    panel: str
    axis: str
    steps: tuple[Step, ...]
    series: str = ""


@dataclass(frozen=True, slots=True)
class _Frame:
    """Where a plot's axes lie, in pixels, and what they span."""

    left: float
    top: float
    wide: float
    high: float
    x: tuple[float, float]
    y: tuple[float, float]

    def at(self, x: float, y: float) -> tuple[float, float]:
        across = (x - self.x[0]) / ((self.x[1] - self.x[0]) or 1)
        up = (y - self.y[0]) / ((self.y[1] - self.y[0]) or 1)
        return self.left + self.wide * across, self.top + self.high * (1 - up)


def reliability_svg(groups: Sequence[Group], title: str) -> str:
    """Observed share against predicted probability; the dot's area follows the number of items, the line is perfect."""
    frame = _Frame(52, 34, 300, 300, (0, 1), (0, 1))
    ticks = (0, 0.2, 0.4, 0.6, 0.8, 1)
    parts = [
        _axes(frame, ticks, ticks),
        _text(202, 372, "predicted probability", "middle"),
        _upright(14, 184, "observed share"),
    ]
    (x, y), (u, v) = frame.at(0, 0), frame.at(1, 1)
    parts.append(f'<path class="a" stroke-dasharray="4 3" d="M{_n(x)} {_n(y)}L{_n(u)} {_n(v)}"/>')
    names = _names(group.series for group in groups)
    most = max((group.n for group in groups), default=1)
    for group in groups:
        colour = _colour(names, group.series)
        (x, y), low, high = frame.at(group.predicted, group.observed), *_ends(frame, group.predicted, group)
        parts.append(f'<path d="M{_n(x)} {_n(low)}V{_n(high)}" stroke="{colour}"/>')
        radius = 2 + 5 * math.sqrt(group.n / most)
        note = f"predicted {group.predicted:.2f}, observed {group.observed:.2f}, {group.n} items"
        parts.append(
            f'<circle cx="{_n(x)}" cy="{_n(y)}" r="{_n(radius)}" fill="{colour}" fill-opacity="0.75">'
            f"<title>{html.escape(f'{group.series} {note}'.strip())}</title></circle>"
        )
    return _svg(380, 384 + 16 * (len(names) > 1), title, [*parts, *_legend(names, 52, 390)])


def curves_svg(curves: Sequence[Curve], title: str) -> str:
    """One panel for each kind of damage: the score with its interval against the strength, all on one vertical axis.

    Strengths are spread evenly in the order in which they are given, the mildest first as a rule.
    """
    names = _names(curve.series for curve in curves)
    panels = [(name, list(own)) for name, own in groupby(curves, key=lambda curve: curve.panel)]
    values = [v for curve in curves for step in curve.steps for v in (step.low, step.high) if math.isfinite(v)]
    low = math.floor(10 * min(values, default=0)) / 10
    high = math.ceil(10 * max(values, default=1)) / 10
    ticks = [low + 0.1 * i for i in range(round(10 * (high - low)) + 1)]
    parts = []
    for place, (name, own) in enumerate(panels):
        left, top = 46 + 210 * (place % 3), 56 + 190 * (place // 3)
        strengths = list(dict.fromkeys(step.strength for curve in own for step in curve.steps))
        frame = _Frame(left, top, 160, 110, (-0.3, len(strengths) - 0.7), (low, high))
        parts += [_axes(frame, (), ticks[:: 1 + len(ticks) // 7]), _text(left, top - 8, name)]
        parts += [_text(frame.at(i, low)[0], top + 125, f"{v:g}", "middle", "s") for i, v in enumerate(strengths)]
        parts.append(_text(left + 80, top + 140, own[0].axis, "middle", "s"))
        parts += [_line(frame, curve, strengths, _colour(names, curve.series)) for curve in own]
    rows = -(-len(panels) // 3)
    width = 40 + 210 * min(len(panels) or 1, 3)
    return _svg(width, 52 + 190 * rows + 16, title, [*parts, *_legend(names, 46, 52 + 190 * rows)])


def _line(frame: _Frame, curve: Curve, strengths: Sequence[float], colour: str) -> str:
    marks, points = [], []
    for step in curve.steps:
        place = strengths.index(step.strength)
        (x, y), low, high = frame.at(place, step.value), *_ends(frame, place, step)
        points.append(f"{_n(x)} {_n(y)}")
        note = f"{curve.series} {curve.panel} {step.strength:g}: {step.value:.3f} [{step.low:.3f}, {step.high:.3f}]"
        marks.append(
            f'<path d="M{_n(x)} {_n(low)}V{_n(high)}" stroke="{colour}"/><circle cx="{_n(x)}" cy="{_n(y)}" r="2.5" '
            f'fill="{colour}"><title>{html.escape(note.strip())}</title></circle>'
        )
    return f'<path d="M{"L".join(points)}" stroke="{colour}" fill="none"/>' + "".join(marks)


def _ends(frame: _Frame, x: float, figure: Group | Step) -> tuple[float, float]:
    value = figure.observed if isinstance(figure, Group) else figure.value
    low, high = (end if math.isfinite(end) else value for end in (figure.low, figure.high))
    return frame.at(x, low)[1], frame.at(x, high)[1]


def _axes(frame: _Frame, across: Sequence[float], up: Sequence[float]) -> str:
    right, bottom = frame.left + frame.wide, frame.top + frame.high
    parts = [f'<path class="a" d="M{_n(frame.left)} {_n(frame.top)}V{_n(bottom)}H{_n(right)}"/>']
    for value in up:
        y = frame.at(frame.x[0], value)[1]
        parts.append(f'<path class="g" d="M{_n(frame.left)} {_n(y)}H{_n(right)}"/>')
        parts.append(_text(frame.left - 5, y + 4, f"{value:.1f}", "end", "s"))
    parts += [_text(frame.at(v, frame.y[0])[0], bottom + 14, f"{v:.1f}", "middle", "s") for v in across]
    return "".join(parts)


def _legend(names: Sequence[str], left: float, top: float) -> list[str]:
    if len(names) < 2:
        return []
    parts = []
    for place, name in enumerate(names):
        x = left + 150 * place
        parts.append(f'<circle cx="{_n(x + 4)}" cy="{_n(top - 4)}" r="4" fill="{_colour(names, name)}"/>')
        parts.append(_text(x + 13, top, name))
    return parts


def _names(series: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(series))


def _colour(names: Sequence[str], name: str) -> str:
    return _COLOURS[names.index(name) % len(_COLOURS)]


def _text(x: float, y: float, words: str, anchor: str = "start", kind: str = "") -> str:
    attributes = f' class="{kind}"' if kind else ""
    return f'<text x="{_n(x)}" y="{_n(y)}" text-anchor="{anchor}"{attributes}>{html.escape(words)}</text>'


def _upright(x: float, y: float, words: str) -> str:
    return f'<text transform="translate({_n(x)} {_n(y)}) rotate(-90)" text-anchor="middle">{html.escape(words)}</text>'


def _svg(width: float, height: float, title: str, parts: Sequence[str]) -> str:
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{_n(width)}" height="{_n(height)}" '
        f'viewBox="0 0 {_n(width)} {_n(height)}" role="img"><title>{html.escape(title)}</title>'
        f'<style>{_STYLE}</style><rect width="100%" height="100%" fill="#fff"/>'
        + _text(10, 20, title, kind="t")
        + "".join(parts)
        + "</svg>\n"
    )


def _n(value: float) -> str:
    """A number of pixels, one decimal at most."""
    return f"{value:.1f}".removesuffix(".0")
