"""Bars of every rater's mean with its 95 % interval, the human ceiling behind them, ties beside them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from emonet.benchmark._results import Results
from emonet.benchmark.report._style import (
    BAND,
    DOUBLE,
    INK,
    ROW,
    SMALL,
    SOFT,
    Drawn,
    bare,
    folded,
    kind_handles,
    new_figure,
    patch,
    shown,
)
from emonet.benchmark.report._view import Line, ceiling_of, leaderboard
from emonet.benchmark.report._words import KINDS, direction, interval, kind_of, metric_name

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def draw_scores(results: Results, definition: str, metric: str, *, width: float = DOUBLE) -> Drawn | None:
    """Raters from best to worst; None when none has a value. One column folds names and leaves the numbers out."""
    lines = [line for line in leaderboard(results, definition, metric) if line.cell.value is not None]
    if not lines:
        return None
    narrow = width < DOUBLE
    labels = [folded(line.rater) if narrow else shown(line.rater) for line in lines]
    row = ROW * (1.62 if any("\n" in label for label in labels) else 1.06)
    figure = new_figure(width, len(lines) * row + 0.72 + (0.18 if narrow else 0))
    letters = sorted({letter for line in lines for letter in line.ties}, key=_alphabet(lines).index)
    sides = (3.0, (0.07 if narrow else 0.1) * len(letters) + 0.05)
    axes, beside = figure.subplots(1, 2, sharey=True, width_ratios=sides)
    _bars(axes, lines, labels, metric, numbers=not narrow)
    _ties(beside, lines, letters, named=not narrow)
    kinds = [kind for kind in KINDS if any(line.kind == kind for line in lines)]
    figure.legend(handles=kind_handles(kinds), loc="outside lower center", ncols=2 if narrow else len(kinds))
    return Drawn(figure, _caption(results, definition, metric, lines))


def _bars(axes: Axes, lines: Sequence[Line], labels: Sequence[str], metric: str, *, numbers: bool) -> None:
    ceiling = ceiling_of(lines)
    if ceiling and ceiling.value is not None:
        if ceiling.low is not None and ceiling.high is not None:
            axes.axvspan(ceiling.low, ceiling.high, color=BAND, linewidth=0, zorder=0)
        axes.axvline(ceiling.value, color=SOFT, linewidth=0.6, linestyle=(0, (4, 3)), zorder=0.5)
    for y, line in enumerate(lines):
        cell, kind = line.cell, kind_of(line.kind)
        axes.barh(y, cell.value or 0.0, height=0.68, **patch(kind))
        if cell.low is not None and cell.high is not None:
            whisker(axes, cell.low, cell.high, y)
        if numbers:
            text = interval(cell.value, cell.low, cell.high)
            axes.annotate(text, (1.02, y), xycoords=("axes fraction", "data"), va="center", fontsize=SMALL, color=INK)
    axes.axvline(0, color=SOFT, linewidth=0.6)
    axes.set_yticks(range(len(lines)), labels)
    axes.set_ylim(len(lines) - 0.4, -0.6)
    axes.spines["left"].set_visible(False)
    axes.grid(axis="x")
    axes.set_xlabel(f"{metric_name(metric)}{', mean over emotions' if numbers else ''} ({direction(metric)})")


def whisker(axes: Axes, low: float, high: float, y: float) -> None:
    """An interval with end caps, edged in white so that it stands out on dark bars."""
    for color, wider in (("#ffffff", 1.4), (INK, 0.0)):
        axes.plot([low, high], [y, y], color=color, linewidth=0.9 + wider, solid_capstyle="butt")
        axes.plot([low, high], [y, y], color=color, linewidth=0, marker="|", markersize=3.6, mew=0.9 + wider)


def _ties(axes: Axes, lines: Sequence[Line], letters: Sequence[str], *, named: bool) -> None:
    """A column a letter: a bar joins neighbours that share it, a dot stands for each member."""
    bare(axes)
    axes.set_xlim(-0.7, max(len(letters), 1) - 0.3)
    for x, letter in enumerate(letters):
        rows = [y for y, line in enumerate(lines) if letter in line.ties]
        axes.plot([x, x], [rows[0], rows[-1]], color="#c3c8cd", linewidth=0.8, zorder=1)
        axes.plot([x] * len(rows), rows, color=INK, linewidth=0, marker="o", markersize=2.2, zorder=2)
        if named:
            axes.text(x, -0.75, letter, ha="center", va="bottom", fontsize=SMALL, color=SOFT)


def _alphabet(lines: Sequence[Line]) -> list[str]:
    """Letters in the order in which the ranks use them."""
    return list(dict.fromkeys(letter for line in lines for letter in line.ties))


def _caption(results: Results, definition: str, metric: str, lines: Sequence[Line]) -> str:
    facts = results.facts
    text = (
        f"{metric_name(metric)} of {len(lines)} raters with the people's reference on {facts['set']} "
        f"({facts['items']} items, {definition} definition); lines: 95 % interval from {facts['resamples']} resamples."
    )
    if ceiling_of(lines):
        text += " Grey band: each person against the others, averaged."
    if any(line.ties for line in lines):
        text += " Joined dots: raters that could not be told apart."
    return text
