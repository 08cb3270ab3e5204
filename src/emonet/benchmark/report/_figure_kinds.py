"""How kinds of raters agree with people: boxes of (rater, emotion) agreements, and differences from the people's."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from emonet.benchmark._results import Results
from emonet.benchmark.report._style import DOUBLE, INK, SMALL, SOFT, Drawn, new_figure, patch
from emonet.benchmark.report._view import kinds_of
from emonet.benchmark.report._words import KINDS, interval, kind_of

Floats = NDArray[np.float64]


def draw_kinds(results: Results, definition: str, *, width: float = DOUBLE) -> Drawn | None:
    """A box per kind, people first; None when no rater was compared with people."""
    values = agreements_by_kind(results, definition)
    if not values:
        return None
    narrow = width < DOUBLE
    order = [kind for kind in KINDS if kind in values] + sorted(set(values) - set(KINDS))
    figure = new_figure(width, 0.42 * len(order) + 0.6)
    axes = figure.subplots()
    generator = np.random.default_rng(0)  # spreads the dots, and the same way each time
    for y, name in enumerate(order):
        kind, drawn = kind_of(name), values[name]
        spread = y + generator.uniform(0.12, 0.4, len(drawn))
        axes.scatter(drawn, spread, s=2.2, color=kind.color, alpha=0.5, linewidths=0, zorder=1)
        _box(axes, y - 0.14, drawn, name)
    axes.axvline(0, color=SOFT, linewidth=0.6, zorder=0.5)
    axes.set_yticks(range(len(order)), [_label(results, name, len(values[name]), narrow) for name in order])
    axes.set_ylim(len(order) - 0.4, -0.6)
    axes.spines["left"].set_visible(False)
    axes.grid(axis="x")
    axes.set_xlabel(f"weighted κ with people{'' if narrow else ', one dot per rater and emotion'}")
    if not narrow:
        _differences(axes, results, definition, order)
    caption = (
        f"Weighted kappa of each rater with people (other than itself), emotion by emotion, on {results.facts['set']} "
        f"({definition} definition). Boxes: quartiles; whiskers: up to 1.5 times their distance; diamonds: means. "
        "Right: mean minus the people's mean, with its 95 % interval."
    )
    return Drawn(figure, caption)


def agreements_by_kind(results: Results, definition: str) -> Mapping[str, Floats]:
    """Kind → mean kappa with people, other than itself, of every (rater, dimension) of the kind."""
    people = list(results.facts.get("people", ()))
    rows = results.pairs.filter(pl.col("definition") == definition, pl.col("dimension").is_not_null())
    both = pl.concat(
        [
            rows.select(pl.col(own).alias("rater"), pl.col(other).alias("person"), "dimension", "kappa")
            for own, other in (("rater_a", "rater_b"), ("rater_b", "rater_a"))
        ]
    ).filter(pl.col("person").is_in(people), pl.col("kappa").is_not_null())
    means = both.group_by("rater", "dimension").agg(pl.col("kappa").mean()).sort("rater", "dimension")
    kinds = kinds_of(results)
    out: dict[str, list[float]] = {}
    for rater, value in means.select("rater", "kappa").iter_rows():
        out.setdefault(kinds.get(rater, "other"), []).append(value)
    return {kind: np.asarray(found) for kind, found in out.items()}


def _box(axes: Any, y: float, values: Floats, name: str) -> None:
    """Quartiles, whiskers and mean."""
    from matplotlib.patheffects import withStroke

    kind, edge = kind_of(name), withStroke(linewidth=2.4, foreground=INK)
    made = axes.boxplot(
        values,
        positions=[y],
        widths=0.36,
        orientation="horizontal",
        showfliers=False,
        showmeans=True,
        patch_artist=True,
        manage_ticks=False,
        boxprops={**patch(kind), "alpha": 0.85, "edgecolor": INK, "linewidth": 0.7},
        medianprops={"color": "#ffffff", "linewidth": 1.4, "path_effects": [edge]},
        whiskerprops={"color": INK, "linewidth": 0.7},
        capprops={"color": INK, "linewidth": 0.7},
        meanprops={"marker": "D", "markersize": 3.2, "markerfacecolor": "#ffffff", "markeredgecolor": INK, "mew": 0.6},
        zorder=3,
    )
    for line in made["means"]:
        line.set_zorder(5)


def _label(results: Results, kind: str, cells: int, narrow: bool) -> str:
    raters = sum(found == kind for name, found in kinds_of(results).items() if name != "people (leave one out)")
    break_ = "\n" if narrow else "  "
    return f"{kind_of(kind).label}{break_}({raters} × {round(cells / max(raters, 1))})"


def _differences(axes: Any, results: Results, definition: str, order: list[str]) -> None:
    """Differences from people, as text beside the boxes."""
    rows = results.kinds.filter(pl.col("definition") == definition, pl.col("kind_a") == "human")
    found = {row["kind_b"]: row for row in rows.iter_rows(named=True)}
    if not found:
        return
    axes.annotate(
        "difference from people", (1.03, -0.62), xycoords=("axes fraction", "data"), fontsize=SMALL, color=SOFT
    )
    for y, kind in enumerate(order):
        if row := found.get(kind):
            value, low, high = (None if row[key] is None else -row[key] for key in ("difference", "high", "low"))
            text = interval(value, low, high)
            axes.annotate(text, (1.03, y), xycoords=("axes fraction", "data"), va="center", fontsize=SMALL)
