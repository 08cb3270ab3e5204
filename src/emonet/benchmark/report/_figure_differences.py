"""Differences of a metric between parts of the set, rater by rater, with their intervals."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import polars as pl

from emonet.benchmark._results import Results
from emonet.benchmark.report._style import DOUBLE, INK, ROW, SOFT, Drawn, kind_handles, new_figure, shown
from emonet.benchmark.report._view import leaderboard
from emonet.benchmark.report._words import KINDS, kind_of, metric_name

MOST_PAIRS = 6
"""Panels of one figure; the pairs with the largest mean difference are drawn."""


def draw_differences(
    results: Results, definition: str, metric: str, column: str, *, width: float = DOUBLE
) -> Drawn | None:
    """A panel per pair of values of `column`; None when there is nothing to compare."""
    rows = results.differences.filter(
        pl.col("definition") == definition,
        pl.col("metric") == metric,
        pl.col("slice") == column,
        pl.col("difference").is_not_null(),
    )
    pairs = _largest(rows)
    there = set(rows["rater"])
    raters = [li for li in leaderboard(results, definition, metric) if li.rater in there and li.kind != "baseline"]
    if not pairs or not raters:
        return None
    wide = min(len(pairs), 3 if width >= DOUBLE else 1)
    deep = -(-len(pairs) // wide)
    figure = new_figure(width, deep * (len(raters) * ROW * 0.98 + 0.42) + 0.45)
    panels = figure.subplots(deep, wide, sharex=True, sharey=True, squeeze=False)
    for panel, pair in zip(panels.flat, pairs, strict=False):
        of = rows.filter(pl.col("slice_value_a") == pair[0], pl.col("slice_value_b") == pair[1])
        _panel(panel, {row["rater"]: row for row in of.iter_rows(named=True)}, raters, pair)
    for panel in panels.flat[len(pairs) :]:
        panel.set_visible(False)
    panels[0, 0].set_yticks(range(len(raters)), [shown(line.rater, 46 if width >= DOUBLE else 24) for line in raters])
    panels[0, 0].set_ylim(len(raters) - 0.4, -0.6)
    panels[-1, (wide - 1) // 2].set_xlabel(f"difference in {metric_name(metric)}")
    kinds = [kind for kind in KINDS if any(line.kind == kind for line in raters)]
    handles = kind_handles(kinds, markers=True)
    figure.legend(handles=handles, loc="outside lower center", ncols=len(kinds) if width >= DOUBLE else 2)
    return Drawn(figure, _caption(results, definition, metric, column, len(pairs), _number_of_pairs(rows)))


def _panel(axes: Any, rows: dict[str, dict[str, Any]], raters: Sequence[Any], pair: tuple[str, str]) -> None:
    axes.axvline(0, color=SOFT, linewidth=0.7)
    for y, line in enumerate(raters):
        row, kind = rows.get(line.rater), kind_of(line.kind)
        if row is None:
            continue
        sure = row["p_holm"] is not None and row["p_holm"] < 0.05
        if row["low"] is not None and row["high"] is not None:
            axes.plot([row["low"], row["high"]], [y, y], color=kind.color, linewidth=1.2, solid_capstyle="butt")
        face = kind.color if sure else "#ffffff"
        axes.plot([row["difference"]], [y], marker=kind.marker, markersize=4, mfc=face, mec=kind.color, mew=0.9)
    small = any(row["warning"] for row in rows.values())
    axes.set_title(f"{shown(pair[0], 18)} − {shown(pair[1], 18)}{' †' if small else ''}", color=INK, fontsize=7.5)
    axes.spines["left"].set_visible(False)
    axes.tick_params(axis="x", labelbottom=True)
    axes.grid(axis="x")


def _largest(rows: pl.DataFrame) -> list[tuple[str, str]]:
    means = rows.group_by("slice_value_a", "slice_value_b", maintain_order=True).agg(pl.col("difference").abs().mean())
    chosen = means.sort("difference", descending=True, maintain_order=True).head(MOST_PAIRS)
    return [(str(a), str(b)) for a, b in chosen.select("slice_value_a", "slice_value_b").iter_rows()]


def _number_of_pairs(rows: pl.DataFrame) -> int:
    return rows.select("slice_value_a", "slice_value_b").unique().height


def _caption(results: Results, definition: str, metric: str, column: str, drawn: int, pairs: int) -> str:
    text = (
        f"Differences in {metric_name(metric)} between values of {column} on {results.facts['set']} ({definition} "
        "definition) with 95 % intervals, trivial rules left out; filled: below 0.05 after Holm's correction within a "
        "rater."
    )
    if drawn < pairs:
        text += f" The {drawn} of {pairs} pairs with the largest mean difference."
    return text + " †: fewer than 30 items on one side for some rater."
