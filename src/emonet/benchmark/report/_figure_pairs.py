"""The matrix of all raters' weighted kappa with one another, people first."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
from numpy.typing import NDArray

from emonet.benchmark._results import Results
from emonet.benchmark.report._style import DOUBLE, INK, SMALL, SOFT, Drawn, new_figure, shown
from emonet.benchmark.report._view import by_kind, kinds_of, leaderboard, primary
from emonet.benchmark.report._words import kind_of
from emonet.benchmark.report._words import number as two_digits

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.colors import Colormap

Floats = NDArray[np.float64]
GRID = "#eceef0"
NOTHING = "#d3d6d9"
_MOST_WITH_NUMBERS = 18
"""Sides of a matrix whose cells still hold a number of readable size."""


def draw_pairs(results: Results, definition: str, *, width: float = DOUBLE) -> Drawn | None:
    """Cells blue above 0 and orange below; None when no two raters were compared. Columns are numbered like rows."""
    names = sides(results, definition)
    table = kappas(results, definition, names)
    if not np.isfinite(table).any():
        return None
    labels = [shown(name, 46 if width >= DOUBLE else 22) for name in names]
    side = width - 0.063 * max(map(len, labels)) - 1.05  # inches that names and colour bar leave for the matrix
    figure = new_figure(width, max(side, 1.2) + 0.45)
    axes = figure.subplots()
    top = max(0.05, float(np.nanmax(np.abs(table))))
    mesh = axes.pcolormesh(table, cmap=diverging(), vmin=-top, vmax=top, edgecolor=GRID, linewidth=0.4)
    numbers = len(names) <= (_MOST_WITH_NUMBERS if width >= DOUBLE else 6)
    for row, column in zip(*np.nonzero(np.isfinite(table)), strict=True):
        mark(axes, column + 0.5, row + 0.5, float(table[row, column]), top, number=numbers)
    kinds = [kinds_of(results).get(name, "other") for name in names]
    for edge in (k for k, (a, b) in enumerate(pairwise(kinds), 1) if a != b):
        axes.axhline(edge, color=INK, linewidth=0.8)
        axes.axvline(edge, color=INK, linewidth=0.8)
    axes.set_aspect("equal")
    axes.set_ylim(len(names), 0)
    middles = np.arange(len(names)) + 0.5
    axes.set_xticks(middles, [str(k) for k in range(1, len(names) + 1)], rotation=90 if len(names) > 18 else 0)
    axes.set_yticks(middles, [f"{label}  {k}" for k, label in enumerate(labels, 1)])
    for label, kind in zip(axes.get_yticklabels(), kinds, strict=True):
        label.set_color(darker(kind_of(kind).color))
    frameless(axes)
    axes.xaxis.tick_top()
    bar = figure.colorbar(mesh, ax=axes, shrink=0.6, aspect=22, pad=0.02, label="weighted κ, mean over emotions")
    bar.outline.set_visible(False)
    bar.ax.set_ylim(min(0.0, float(np.nanmin(table))), float(np.nanmax(table)))
    caption = (
        f"Quadratically weighted kappa of every two raters on {results.facts['set']}, mean over emotions "
        f"({definition} definition); people first, lines between kinds of raters, a dash marks values below 0."
    )
    return Drawn(figure, caption)


def sides(results: Results, definition: str) -> list[str]:
    """People, then raters kind by kind, best first."""
    metric = primary(results, definition)
    lines = by_kind(results, leaderboard(results, definition, metric)) if metric else []
    paired = results.pairs.filter(pl.col("definition") == definition)
    there = {*paired["rater_a"], *paired["rater_b"]}
    order = [*results.facts.get("people", ()), *(line.rater for line in lines)]
    order += sorted(there - set(order))
    return [name for name in order if name in there]


def kappas(results: Results, definition: str, names: Sequence[str], dimension: str | None = None) -> Floats:
    """Symmetric table [s, s] of the names' kappas, NaN where there is none and on the diagonal."""
    same = pl.col("dimension").is_null() if dimension is None else pl.col("dimension") == dimension
    out = np.full((len(names), len(names)), np.nan)
    place = {name: k for k, name in enumerate(names)}
    rows = results.pairs.filter(pl.col("definition") == definition, same)
    for a, b, value in rows.select("rater_a", "rater_b", "kappa").iter_rows():
        if a in place and b in place and value is not None:
            out[place[a], place[b]] = out[place[b], place[a]] = value
    return out


def diverging() -> Colormap:
    """Orange below 0, white at 0, blue above: the ends are two colours of Okabe and Ito."""
    from matplotlib.colors import LinearSegmentedColormap

    colors = ["#8a3d00", "#d55e00", "#f7d9c2", "#ffffff", "#cfe3f1", "#5ba3d0", "#0072b2", "#013a5e"]
    places = [0.0, 0.2, 0.45, 0.5, 0.57, 0.72, 0.86, 1.0]
    made = LinearSegmentedColormap.from_list("kappa", list(zip(places, colors, strict=True)))
    return made.with_extremes(bad=NOTHING)


def mark(axes: Axes, x: float, y: float, value: float, top: float, *, number: bool) -> None:
    """A cell's number without its leading zero; without numbers a dash where it is below 0."""
    text = two_digits(value).replace("0.", ".", 1) if number else "–" * (value <= -0.005)
    color = "#ffffff" if abs(value) > 0.62 * top else (INK if number else SOFT)
    axes.text(x, y, text, ha="center", va="center_baseline", fontsize=SMALL, color=color)


def frameless(axes: Axes) -> None:
    """No frame and no tick marks."""
    for spine in axes.spines.values():
        spine.set_visible(False)
    axes.tick_params(length=0)


def darker(color: str) -> str:
    """A colour that can be read as text on white."""
    return "#" + "".join(f"{int(int(color[k : k + 2], 16) * 0.62):02x}" for k in (1, 3, 5))
