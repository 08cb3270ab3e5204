"""A heat map of every rater on every emotion, under the seven groups."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np

from emonet.benchmark._results import LOWER_IS_BETTER, Results
from emonet.benchmark.report._figure_pairs import GRID, NOTHING, darker, diverging, frameless, mark
from emonet.benchmark.report._figure_types import group_line, grouped_places, short
from emonet.benchmark.report._style import DOUBLE, INK, ROW, Drawn, new_figure, shown
from emonet.benchmark.report._view import by_kind, cells, dimension_groups, leaderboard, names
from emonet.benchmark.report._words import kind_of, metric_name

_MOST_WITH_NUMBERS = 14


def draw_emotions(results: Results, definition: str, metric: str, *, width: float = DOUBLE) -> Drawn | None:
    """Rows are emotions, columns raters with people first; None when no figure per emotion is there."""
    from matplotlib import colormaps

    found = cells(results, definition, metric)
    lines = [
        line
        for line in by_kind(results, leaderboard(results, definition, metric))
        if any((line.rater, key) in found for key in results.facts["dimensions"])
    ]
    rows = [(group, key) for group, keys in dimension_groups(results) for key in keys]
    values = [
        [found[line.rater, key].value if (line.rater, key) in found else None for line in lines] for _, key in rows
    ]
    table = np.asarray(values, np.float64)
    if not lines or not np.isfinite(table).any():
        return None
    groups = [group for group, _ in rows]
    places = grouped_places(groups)
    longest = max(len(shown(line.rater)) for line in lines)
    figure = new_figure(width, (places[-1] + 1) * ROW * 0.84 + longest * 0.062 + 0.55)
    axes = figure.subplots()
    top = max(0.05, float(np.nanmax(np.abs(table))))
    low = 0.0 if metric in LOWER_IS_BETTER else -top
    colors = colormaps["cividis_r"].with_extremes(bad=NOTHING) if metric in LOWER_IS_BETTER else diverging()
    mesh = _cells(axes, table, places, low, top, colors)
    for row, column in zip(*np.nonzero(np.isfinite(table)), strict=True):
        numbers = len(lines) <= _MOST_WITH_NUMBERS
        if metric not in LOWER_IS_BETTER:
            mark(axes, column, places[row], float(table[row, column]), top, number=numbers)
    kinds = [line.kind for line in lines]
    for edge in (k for k, (a, b) in enumerate(pairwise(kinds), 1) if a != b):
        axes.axvline(edge - 0.5, color=INK, linewidth=0.8)
    _names(axes, results, lines, rows, places)
    bar = figure.colorbar(mesh, ax=axes, location="bottom", shrink=0.5, aspect=34, pad=0.01, label=metric_name(metric))
    bar.outline.set_visible(False)
    bar.ax.set_xlim(min(0.0, float(np.nanmin(table))), float(np.nanmax(table)))
    caption = (
        f"{metric_name(metric)} of each rater on each emotion of {results.facts['set']} ({definition} definition); "
        "grey: undefined or not judged; lines between kinds of raters, people's leave-one-out first."
    )
    return Drawn(figure, caption)


def _cells(axes: Any, table: Any, places: list[float], low: float, top: float, colors: Any) -> Any:
    """One mesh a row, because rows stand apart where a group ends."""
    mesh = None
    edges = np.arange(table.shape[1] + 1) - 0.5
    axes.set_facecolor("#ffffff")
    for y, row in zip(places, table, strict=True):
        masked = np.ma.masked_invalid(row[None])
        mesh = axes.pcolormesh(
            edges, [y - 0.5, y + 0.5], masked, cmap=colors, vmin=low, vmax=top, edgecolor=GRID, linewidth=0.4
        )
    return mesh


def _names(axes: Any, results: Results, lines: Any, rows: Any, places: list[float]) -> None:
    frameless(axes)
    axes.set_yticks(places, [short(names(results)[key]) for _, key in rows])
    axes.set_ylim(places[-1] + 0.5, -0.5)
    axes.set_xticks(range(len(lines)), [shown(line.rater) for line in lines], rotation=90)
    axes.xaxis.tick_top()
    axes.tick_params(length=0)
    for label, line in zip(axes.get_xticklabels(), lines, strict=True):
        label.set_color(darker(kind_of(line.kind).color))
    for group in dict.fromkeys(group for group, _ in rows):
        of = [y for y, row in zip(places, rows, strict=True) if row[0] == group]
        group_line(axes, len(lines) - 0.2, of[0], of[-1], group, False)
