"""Small drawings of one table cell as inline SVG: an interval, a rank among ranks, groups of ties."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from emonet.benchmark.report._view import Cell

_WIDE, _HIGH = 100, 14


@dataclass(frozen=True, slots=True)
class Span:
    """Ends of a drawing's axis and what is drawn behind every interval: the human ceiling."""

    low: float
    high: float
    ceiling: Cell | None = None


def span_of(cells: Iterable[Cell], ceiling: Cell | None = None) -> Span:
    """An axis that holds 0 and all intervals."""
    ends = [0.0]
    for cell in [*cells, *([ceiling] if ceiling else [])]:
        ends += [value for value in (cell.value, cell.low, cell.high) if value is not None]
    low, high = min(ends), max(ends)
    room = 0.03 * (high - low) or 0.5
    return Span(low - room, high + room, ceiling)


def interval_plot(cell: Cell, span: Span) -> str:
    """A line across a bar over the ceiling's band; nothing for what is undefined."""
    if cell.value is None:
        return ""
    parts = []
    if span.ceiling and span.ceiling.low is not None and span.ceiling.high is not None:
        left, right = _x(span.ceiling.low, span), _x(span.ceiling.high, span)
        parts.append(f'<rect class="band" x="{left}" width="{max(right - left, 0.6):.1f}" height="{_HIGH}"/>')
    if span.low < 0 < span.high:
        parts.append(f'<path class="zero" d="M{_x(0, span)} 0V{_HIGH}"/>')
    if cell.low is not None and cell.high is not None:
        parts.append(f'<path class="reach" d="M{_x(cell.low, span)} 7H{_x(cell.high, span)}"/>')
    parts.append(f'<path class="point" d="M{_x(cell.value, span)} 1V13"/>')
    return _svg(parts)


def rank_plot(rank: float | None, low: int | None, high: int | None, places: int) -> str:
    """A line at the rank, a bar over the places that it may hold."""
    if rank is None:
        return ""
    span = Span(0.4, max(places, 1) + 0.6)
    parts = []
    if low is not None and high is not None:
        parts.append(f'<path class="reach" d="M{_x(low, span)} 7H{_x(high, span)}"/>')
    parts.append(f'<path class="point" d="M{_x(rank, span)} 1V13"/>')
    return _svg(parts)


def ties_cell(own: Sequence[str], letters: Sequence[str]) -> str:
    """A table cell with a column a group: a bar with the letter in the rater's own groups, as high as the row, so that
    members below one another join."""
    step = 15
    bars = (f'<i style="left:{8 + k * step}px">{x.strip("[]")}</i>' for k, x in enumerate(letters) if x in own)
    order = letters.index(own[0]) if own and own[0] in letters else len(letters)
    return f'<td class="tie" data-sort="{order}" style="min-width:{len(letters) * step + 16}px">{"".join(bars)}</td>'


def stacked_plot(shares: Sequence[tuple[str, float]]) -> str:
    """A bar of classes and their shares."""
    left, parts = 0.0, []
    for name, share in shares:
        parts.append(f'<rect class="{name}" x="{100 * left:.1f}" width="{100 * share:.1f}" height="{_HIGH}"/>')
        left += share
    return _svg(parts)


def _svg(parts: Sequence[str]) -> str:
    box = f'viewBox="0 0 {_WIDE} {_HIGH}" preserveAspectRatio="none"'
    return f'<svg class="plot" {box} aria-hidden="true">{"".join(parts)}</svg>'


def _x(value: float, span: Span) -> float:
    return round(_WIDE * (value - span.low) / max(span.high - span.low, 1e-9), 1)
