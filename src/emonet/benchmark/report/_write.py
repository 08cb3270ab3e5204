"""All of a report's files in one folder: figures, tables, the leaderboards as JSON, the page."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import polars as pl

from emonet.benchmark._published import published_scores
from emonet.benchmark._results import Results
from emonet.benchmark.report._figure_differences import draw_differences
from emonet.benchmark.report._figure_emotions import draw_emotions
from emonet.benchmark.report._figure_kinds import draw_kinds
from emonet.benchmark.report._figure_pairs import draw_pairs
from emonet.benchmark.report._figure_ranks import draw_ranks
from emonet.benchmark.report._figure_scores import draw_scores
from emonet.benchmark.report._figure_types import draw_types
from emonet.benchmark.report._formats import as_latex, as_markdown, leaderboard_data
from emonet.benchmark.report._media import ReadMedia
from emonet.benchmark.report._page import html_leaderboard
from emonet.benchmark.report._style import DOUBLE, SINGLE, Drawn, save_figure, small_png, style
from emonet.benchmark.report._tables import (
    Table,
    agreement_table,
    annotators_table,
    differences_table,
    emotions_table,
    kinds_table,
    leaderboard_table,
    metrics_table,
    published_table,
    replies_table,
)
from emonet.benchmark.report._view import definitions, metrics, primary, slices
from emonet.errors import UsageError
from emonet.reports import write_text

PAGE, FIGURES, TABLES, BOARDS = "report.html", "figures", "tables", "leaderboard.json"
_ON_PAGE = ("kinds", "pairs", "emotions")  # the votes are in the page's table


def write_report(
    results: Results,
    folder: Path,
    *,
    published: pl.DataFrame | None = None,
    read_media: ReadMedia | None = None,
) -> Path:
    """Write `report.html`, `figures/`, `tables/` and `leaderboard.json` into `folder`; the path of the page.

    `published`: rows as of `published_scores` to show beside one's own, by default those of the set; an empty table
    shows none. `read_media`: an item's encoded file, for the thumbnails and recordings of the page. Files of an
    earlier report are replaced one by one, each whole or not at all. Raises `MissingExtraError` without matplotlib and
    `UsageError` for results without scores.
    """
    folder = Path(folder)
    if not definitions(results):
        raise UsageError(f"The results of {results.facts['set']!r} hold no scores; there is nothing to report.")
    for name in (FIGURES, TABLES):
        (folder / name).mkdir(parents=True, exist_ok=True)
    theirs = published_scores() if published is None else published
    pictures: dict[str, tuple[str, bytes]] = {}
    captions = []
    for name, drawn in figures(results):
        paths = save_figure(drawn, folder / FIGURES / name)
        captions.append(f"- `{name}`: {drawn.caption}\n")
        if (on_page := _on_page(results, name)) is not None:
            pictures[on_page] = (drawn.caption, small_png(next(path for path in paths if path.suffix == ".png")))
    write_text(folder / FIGURES / "captions.md", "".join(captions))
    for made in tables(results, theirs):
        write_text(folder / TABLES / f"{made.name}.md", as_markdown(made))
        write_text(folder / TABLES / f"{made.name}.tex", as_latex(made))
    boards = json.dumps(leaderboard_data(results), ensure_ascii=False, indent=1, allow_nan=False)
    write_text(folder / BOARDS, boards + "\n")
    page = html_leaderboard(results, published=theirs, read_media=read_media, pictures=pictures)
    write_text(folder / PAGE, page)
    return folder / PAGE


def figures(results: Results) -> Iterator[tuple[str, Drawn]]:
    """(name, figure) of everything that the results allow to draw; "-narrow" for one column of a page."""
    with style():
        for definition in definitions(results):
            metric = primary(results, definition)
            if metric is None:
                continue
            narrow = {"": DOUBLE, "-narrow": SINGLE}
            for ending, width in narrow.items():
                for name, draw in (("scores", draw_scores), ("ranks", draw_ranks)):
                    yield from _named(f"{name}-{definition}{ending}", draw(results, definition, metric, width=width))
                yield from _named(f"kinds-{definition}{ending}", draw_kinds(results, definition, width=width))
            yield from _named(f"pairs-{definition}", draw_pairs(results, definition))
            yield from _named(f"emotions-{definition}", draw_emotions(results, definition, metric))
            for column in slices(results):
                name = f"differences-{definition}-{_safe(column)}"
                yield from _named(name, draw_differences(results, definition, metric, column))
        for ending, width in {"": DOUBLE, "-narrow": SINGLE}.items():
            yield from _named(f"types{ending}", draw_types(results, width=width))


def tables(results: Results, published: pl.DataFrame) -> Iterator[Table]:
    """Every table that has a row."""
    made: list[Table] = []
    for definition in definitions(results):
        for metric in metrics(results, definition):
            made.append(leaderboard_table(results, definition, metric))
        made += [metrics_table(results, definition), kinds_table(results, definition)]
        made.append(annotators_table(results, definition))
        if (first := primary(results, definition)) is not None:
            made += [emotions_table(results, definition, first), differences_table(results, definition, first)]
    made += [agreement_table(results), replies_table(results)]
    known = metrics(results, "published") or metrics(results, definitions(results)[0])
    made += [published_table(results, published, metric) for metric in known]
    yield from (table for table in made if table.rows)


def _named(name: str, drawn: Drawn | None) -> Iterator[tuple[str, Drawn]]:
    if drawn is not None:
        yield name, drawn


def _on_page(results: Results, name: str) -> str | None:
    """Name of a figure within the page; None when it is not shown there."""
    for definition in definitions(results):
        for kind in _ON_PAGE:
            if name == f"{kind}-{definition}":
                return f"{kind}/{definition}"
    return None


def _safe(name: str) -> str:
    """A column's name as a part of a file's."""
    return "".join(c if c.isalnum() or c in "-_" else "_" for c in name)[:60]
