"""Parts of the set: figures of every value of a demographic, and the differences that are sure."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape

import polars as pl

from emonet.benchmark._results import Results
from emonet.benchmark.report._page_parts import all_metrics, head, kind_class, kind_mark, table
from emonet.benchmark.report._plots import Span, interval_plot, span_of
from emonet.benchmark.report._tables import p_text
from emonet.benchmark.report._view import Cell, kinds_of, leaderboard, slices
from emonet.benchmark.report._words import interval, metric_name, number, plain

MOST_DIFFERENCES = 40


def slices_section(results: Results) -> str:
    """A block for each column of the items by which figures were sliced, one metric shown at a time."""
    return "".join(
        f'<h3 class="by">{escape(plain(column))}</h3>{_column(results, column)}' for column in slices(results)
    )


def _column(results: Results, column: str) -> str:
    out = []
    for number_, metric in enumerate(all_metrics(results)):
        body = _values(results, column, metric)
        if body:
            out.append(f'<div data-m="{number_}">{body}{_differences(results, column, metric)}</div>')
    return "".join(out)


def _values(results: Results, column: str, metric: str) -> str:
    rows = results.scores.filter(
        pl.col("slice") == column,
        pl.col("metric") == metric,
        pl.col("dimension").is_null(),
        pl.col("value").is_not_null(),
    )
    if rows.is_empty():
        return ""
    definition = str(rows["definition"][0])
    values = [str(value) for value in rows["slice_value"].unique(maintain_order=True)]
    found = {
        (row["rater"], row["slice_value"]): Cell(row["value"], row["low"], row["high"], row["n"], row["note"] or "")
        for row in rows.iter_rows(named=True)
    }
    span = span_of(found.values())
    order = [line.rater for line in leaderboard(results, definition, metric)]
    raters = [rater for rater in order if any((rater, value) in found for value in values)]
    heads = [head("Rater"), *(head(f"{value} (n = {_items(found, value)})", right=True) for value in values)]
    made = "".join(_row(results, rater, values, found, span) for rater in raters)
    return table(f"{metric_name(metric)} by {column}", heads, made, kind="board metrics")


def _row(results: Results, rater: str, values: list[str], found: Mapping[tuple[str, str], Cell], span: Span) -> str:
    kind = kinds_of(results).get(rater, "other")
    made = []
    for value in values:
        cell = found.get((rater, value))
        if cell is None or cell.value is None:
            made.append('<td class="none">–</td>')
            continue
        ends = f"[{number(cell.low)}, {number(cell.high)}]" if cell.low is not None else ""
        shown = f'{number(cell.value)} <span class="soft">{ends}</span>{interval_plot(cell, span)}'
        made.append(f'<td class="num" data-sort="{cell.value:.5f}">{shown}</td>')
    name = f'<th scope="row">{kind_mark(kind)}{escape(plain(rater))}</th>'
    return f'<tr class="{kind_class(kind)}">{name}{"".join(made)}</tr>'


def _items(found: Mapping[tuple[str, str], Cell], value: str) -> str:
    """Largest number of items that any rater has in a slice."""
    counts = [cell.n for (_, where), cell in found.items() if where == value and cell.n is not None]
    return number(max(counts, default=None), 0)


def _differences(results: Results, column: str, metric: str) -> str:
    rows = results.differences.filter(pl.col("slice") == column, pl.col("metric") == metric)
    if rows.is_empty():
        return ""
    sure = rows.filter(pl.col("p_holm") < 0.05).sort("p_holm", maintain_order=True)
    said = f"{sure.height} of {rows.height} differences are below 0.05 after Holm's correction within a rater."
    if small := rows["warning"].drop_nulls().len():
        said += f" {small} comparisons rest on fewer than 30 items."
    if sure.height > MOST_DIFFERENCES:
        said += f" The first {MOST_DIFFERENCES} are listed."
    items = "".join(_difference(row) for row in sure.head(MOST_DIFFERENCES).iter_rows(named=True))
    listed = f"<details><summary>Which ones</summary><ul>{items}</ul></details>" if items else ""
    return f'<p class="soft">{escape(said)}</p>{listed}'


def _difference(row: Mapping[str, object]) -> str:
    def real(name: str) -> float | None:
        value = row[name]
        return float(value) if isinstance(value, int | float) else None

    between = f"{row['slice_value_a']} − {row['slice_value_b']}"
    figure = interval(real("difference"), real("low"), real("high"), 3)
    warning = f"; {row['warning']}" if row["warning"] else ""
    text = f"{plain(str(between))}: {figure}, p = {p_text(real('p_holm'))}{warning}".replace("p = <", "p < ")
    return f"<li><strong>{escape(plain(str(row['rater'])))}</strong>, {escape(text)}</li>"
