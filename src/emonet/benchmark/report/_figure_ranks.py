"""The places that each rater may hold: its rank and the 95 % interval of the rank."""

from __future__ import annotations

from emonet.benchmark._results import HUMAN_CEILING, Results
from emonet.benchmark.report._style import BAND, DOUBLE, ROW, Drawn, folded, kind_handles, new_figure, shown
from emonet.benchmark.report._view import leaderboard
from emonet.benchmark.report._words import KINDS, kind_of, metric_name


def draw_ranks(results: Results, definition: str, metric: str, *, width: float = DOUBLE) -> Drawn | None:
    """Dots on lines, best first; None when nothing is ranked."""
    lines = [line for line in leaderboard(results, definition, metric) if line.rank is not None]
    if not lines:
        return None
    from matplotlib.ticker import MaxNLocator

    narrow = width < DOUBLE
    labels = [folded(line.rater) if narrow else shown(line.rater) for line in lines]
    row = ROW * (1.62 if any("\n" in label for label in labels) else 1.06)
    figure = new_figure(width, len(lines) * row + 0.65 + (0.18 if narrow else 0))
    axes = figure.subplots()
    for y, line in enumerate(lines):
        kind = kind_of(line.kind)
        if line.rater == HUMAN_CEILING:
            axes.axhspan(y - 0.5, y + 0.5, color=BAND, linewidth=0, zorder=0)
        rank = line.rank or 0.0
        low, high = line.rank_low or rank, line.rank_high or rank
        axes.plot([low, high], [y, y], color=kind.color, linewidth=1.6, solid_capstyle="round", zorder=2)
        axes.plot([rank], [y], color=kind.color, marker=kind.marker, markersize=4.6, mec="#ffffff", mew=0.5)
    axes.set_yticks(range(len(lines)), labels)
    axes.set_ylim(len(lines) - 0.4, -0.6)
    axes.set_xlim(0.5, len(lines) + 0.5)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, steps=[1, 2, 5, 10]))
    axes.set_xticks([1, *(tick for tick in axes.get_xticks() if 1 < tick <= len(lines))])
    axes.spines["left"].set_visible(False)
    axes.grid(axis="x")
    axes.set_xlabel(f"rank by {metric_name(metric)} (1: best)")
    kinds = [kind for kind in KINDS if any(line.kind == kind for line in lines)]
    handles = kind_handles(kinds, markers=True)
    figure.legend(handles=handles, loc="outside lower center", ncols=2 if narrow else len(kinds))
    facts = results.facts
    caption = (
        f"Ranks of {len(lines)} raters by {metric_name(metric)} on {facts['set']} ({definition} definition); "
        "lines: 95 % interval of the rank, all pairs compared together. Grey row: each person against the others."
    )
    return Drawn(figure, caption)
