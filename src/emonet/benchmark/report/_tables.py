"""Tables of a report: one function a table, each with its caption and its cells as text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import polars as pl

from emonet.benchmark._results import LOWER_IS_BETTER, Results
from emonet.benchmark.report._beside import published_rows
from emonet.benchmark.report._replies import reply_rows
from emonet.benchmark.report._view import (
    Cell,
    Line,
    by_kind,
    cells,
    dimension_groups,
    leaderboard,
    metrics,
    names,
    people_agreement,
    separated,
)
from emonet.benchmark.report._words import AGREEMENT_NAMES, direction, interval, kind_of, metric_name, number

BOLD_NOTE = "Bold: surely better than every other."


@dataclass(frozen=True, slots=True)
class Text:
    """One cell."""

    text: str
    bold: bool = False


@dataclass(frozen=True, slots=True)
class Table:
    """`rows` hold as many cells as `columns`, or one: a heading over the rows that follow. The first `fixed` columns
    are repeated where a narrow page takes only `part` of the others at a time; these are set to the right."""

    name: str
    caption: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Text, ...], ...]
    fixed: int = 1
    part: int = 4


def leaderboard_table(results: Results, definition: str, metric: str) -> Table:
    """Raters from best to worst with the interval of their rank and their ties."""
    lines = leaderboard(results, definition, metric)
    best = separated(lines)
    rows = [
        [
            Text(rank_text(line)),
            Text(line.rater),
            Text(kind_of(line.kind).label),
            Text(_figure(line.cell), line.rater == best),
            Text(" ".join(line.ties) or "–"),
            Text(number(line.dimensions, 0)),
            Text(number(line.cell.n, 0)),
        ]
        for line in lines
    ]
    caption = (
        f"{metric_name(metric)} with people's ratings on {results.facts['set']}, mean over emotions with 95 % interval "
        f"({definition} definition, {direction(metric)}). Rank: place and its 95 % interval. Raters that share a "
        f"letter could not be told apart. {BOLD_NOTE}"
    )
    columns = ("Rank", "Rater", "Kind", metric_name(metric), "Ties", "Emotions", "Items")
    return _table(f"leaderboard-{definition}-{metric}", caption, columns, rows, fixed=3, part=4)


def metrics_table(results: Results, definition: str) -> Table:
    """All metrics side by side, raters in the order of the first."""
    chosen = metrics(results, definition)
    boards = {metric: leaderboard(results, definition, metric) for metric in chosen}
    found = {metric: {line.rater: line.cell for line in board} for metric, board in boards.items()}
    best = {metric: separated(board) for metric, board in boards.items()}
    raters = list(dict.fromkeys(line.rater for board in boards.values() for line in board))
    rows = [[Text(rater), *(Text(_figure(found[m].get(rater)), rater == best[m]) for m in chosen)] for rater in raters]
    lower = [metric_name(metric) for metric in chosen if metric in LOWER_IS_BETTER]
    caption = (
        f"All metrics on {results.facts['set']} ({definition} definition), means over emotions with 95 % intervals. "
        + (f"Lower is better for {', '.join(lower)}. " if lower else "")
        + BOLD_NOTE
    )
    return _table(f"metrics-{definition}", caption, ("Rater", *map(metric_name, chosen)), rows, part=3)


def emotions_table(results: Results, definition: str, metric: str) -> Table:
    """A figure per emotion and rater, under the groups of emotions."""
    found = cells(results, definition, metric)
    lines = by_kind(results, leaderboard(results, definition, metric))
    shown = names(results)
    rows: list[list[Text]] = []
    for group, keys in dimension_groups(results):
        rows.append([Text(group)])
        for key in keys:
            of = {line.rater: found[line.rater, key] for line in lines if (line.rater, key) in found}
            best = clear_best(of, metric)
            rows.append([Text(shown[key]), *(Text(_figure(of.get(line.rater)), line.rater == best) for line in lines)])
    caption = (
        f"{metric_name(metric)} per emotion on {results.facts['set']} ({definition} definition) with 95 % intervals. "
        "Bold: the interval lies beyond those of all others."
    )
    columns = ("Emotion", *(line.rater for line in lines))
    return _table(f"emotions-{definition}-{metric}", caption, columns, rows, part=3)


def agreement_table(results: Results) -> Table:
    """How far people agree about each emotion, and on average."""
    chosen = [m for m in AGREEMENT_NAMES if m in set(results.agreement["metric"].to_list())]
    rows: list[list[Text]] = []
    for group, keys in dimension_groups(results):
        rows.append([Text(group)])
        rows += [_agreement_row(names(results)[key], people_agreement(results, key), chosen) for key in keys]
    rows.append([Text("All")])
    rows.append(_agreement_row("Mean over emotions", people_agreement(results, None), chosen))
    caption = f"Agreement of people about each emotion on {results.facts['set']} with 95 % intervals."
    columns = ("Emotion", *(AGREEMENT_NAMES[metric] for metric in chosen), "Items")
    return _table("agreement", caption, columns, rows, part=3)


def kinds_table(results: Results, definition: str) -> Table:
    """Kinds of raters compared by their agreement with people."""
    rows = [
        [
            Text(kind_of(row["kind_a"]).label),
            Text(kind_of(row["kind_b"]).label),
            Text(interval(row["difference"], row["low"], row["high"], 3)),
            Text(p_text(row["p_holm"])),
        ]
        for row in results.kinds.filter(pl.col("definition") == definition).iter_rows(named=True)
    ]
    caption = (
        f"Differences in weighted κ with people between kinds of raters on {results.facts['set']} ({definition} "
        "definition), first minus second, with 95 % intervals; p: Mann-Whitney, Holm's correction."
    )
    return _table(f"kinds-{definition}", caption, ("First", "Second", "Difference", "p"), rows, fixed=2)


def annotators_table(results: Results, definition: str) -> Table:
    """Could a rater be one of the people?"""
    rows = [
        [
            Text(row["rater"]),
            Text(number(row["kappa"], 3)),
            Text(number(row["people_kappa"], 3)),
            Text(interval(row["difference"], row["low"], row["high"], 3)),
            Text(p_text(row["p_holm"])),
            Text(row["verdict"]),
        ]
        for row in results.annotators.filter(pl.col("definition") == definition).iter_rows(named=True)
    ]
    caption = (
        f"Each rater's weighted κ with people beside the people's with one another on {results.facts['set']} "
        f"({definition} definition). Not finding a difference is no evidence of equality."
    )
    columns = ("Rater", "κ with people", "People's κ", "Difference", "p (Holm)", "Verdict")
    return _table(f"annotators-{definition}", caption, columns, rows, part=5)


def differences_table(results: Results, definition: str, metric: str) -> Table:
    """Differences between parts of the set, the surest first."""
    rows = (
        results.differences.filter(pl.col("definition") == definition, pl.col("metric") == metric)
        .sort(pl.col("p_holm").fill_null(2.0), pl.col("difference").abs().fill_null(0.0) * -1, maintain_order=True)
        .iter_rows(named=True)
    )
    made = [
        [
            Text(row["rater"]),
            Text(row["slice"]),
            Text(f"{row['slice_value_a']} − {row['slice_value_b']}"),
            Text(interval(row["difference"], row["low"], row["high"], 3)),
            Text(p_text(row["p_holm"])),
            Text(row["warning"] or ""),
        ]
        for row in rows
    ]
    caption = (
        f"Differences in {metric_name(metric)} between parts of {results.facts['set']} ({definition} definition) with "
        "95 % intervals; p: Holm's correction within a rater. Values are those of the set, not observed facts."
    )
    columns = ("Rater", "By", "Compared", "Difference", "p (Holm)", "Warning")
    return _table(f"differences-{definition}-{metric}", caption, columns, made, fixed=3)


def replies_table(results: Results) -> Table:
    """Refusals, failures, time and cost of raters that were asked over a service."""
    rows = [[Text(text) for text in row.texts()] for row in reply_rows(results)]
    caption = f"Requests on {results.facts['set']}: what became of them, and what they took."
    columns = (
        "Rater",
        "Requests",
        "Answered",
        "Refused",
        "Unreadable",
        "Failed",
        "Tries",
        "Median s",
        "Tokens",
        "Cost",
    )
    return _table("replies", caption, columns, rows, part=9)


def published_table(results: Results, published: pl.DataFrame, metric: str) -> Table:
    """Values that others published beside one's own of the published definition, best first."""
    rows = published_rows(results, published, metric)
    made = [
        [
            Text(row.rater),
            Text(kind_of(row.kind).label),
            Text(_figure(row.cell)),
            Text("published" if row.source else "this run"),
            Text(row.source),
        ]
        for row in rows
    ]
    caption = (
        f"{metric_name(metric)} on {results.facts['set']}: values of this run beside values that others published, "
        "which were not measured here."
    )
    columns = ("Rater", "Kind", metric_name(metric), "From", "Source")
    return _table(f"published-{metric}", caption, columns, made, fixed=2)


def clear_best(of: Mapping[str, Cell], metric: str) -> str | None:
    """The rater whose interval lies beyond those of all others, if there are others."""
    whole = {name: cell for name, cell in of.items() if cell.low is not None and cell.high is not None}
    lower = metric in LOWER_IS_BETTER
    for name, cell in whole.items():
        others = [other for key, other in whole.items() if key != name]
        if others and lower and all((cell.high or 0.0) < (other.low or 0.0) for other in others):
            return name
        if others and not lower and all((cell.low or 0.0) > (other.high or 0.0) for other in others):
            return name
    return None


def rank_text(line: Line) -> str:
    """ "2 (1–4)"; half places where two are level."""
    if line.rank is None:
        return "–"
    place = f"{line.rank:g}"
    return place if line.rank_low is None else f"{place} ({line.rank_low}–{line.rank_high})"


def p_text(p: float | None) -> str:
    """p with three decimals; very small ones as a bound."""
    if p is None:
        return "–"
    return "<0.001" if p < 0.001 else f"{p:.3f}"


def _figure(cell: Cell | None) -> str:
    return "–" if cell is None else interval(cell.value, cell.low, cell.high, 3)


def _agreement_row(name: str, found: Mapping[str, Cell], chosen: Sequence[str]) -> list[Text]:
    items = max((cell.n for cell in found.values() if cell.n is not None), default=None)
    return [Text(name), *(Text(_figure(found.get(metric))) for metric in chosen), Text(number(items, 0))]


def _table(
    name: str, caption: str, columns: Sequence[str], rows: Sequence[Sequence[Text]], *, fixed: int = 1, part: int = 4
) -> Table:
    return Table(name, caption, tuple(columns), tuple(tuple(row) for row in rows), fixed, part)
