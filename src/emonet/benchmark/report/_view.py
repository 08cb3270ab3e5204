"""The results as a report reads them: leaderboards, figures per dimension, kinds, groups of dimensions."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import polars as pl

from emonet.benchmark._results import HUMAN_CEILING, LOWER_IS_BETTER, METRICS, Results
from emonet.benchmark.report._words import KINDS, dimension_name, plain

DEFINITIONS = ("strict", "published")
_ANSWERS = frozenset({"refusal_rate", "format_failure_rate"})  # of requests, not of judgements


@dataclass(frozen=True, slots=True)
class Cell:
    """A figure with its 95 % interval; None where it is undefined."""

    value: float | None
    low: float | None
    high: float | None
    n: int | None = None
    note: str = ""


@dataclass(frozen=True, slots=True)
class Line:
    """One rater of a leaderboard. `ties`: letters of the groups it could not be told apart from; `dimensions`: how
    many are in the mean."""

    rater: str
    kind: str
    cell: Cell
    rank: float | None
    rank_low: int | None
    rank_high: int | None
    ties: tuple[str, ...]
    dimensions: int | None


def definitions(results: Results) -> tuple[str, ...]:
    """Those with scores, strict first."""
    found = results.scores["definition"].unique(maintain_order=True).to_list()
    return tuple(sorted(found, key=lambda name: (DEFINITIONS.index(name) if name in DEFINITIONS else 9, name)))


def metrics(results: Results, definition: str) -> tuple[str, ...]:
    """Metrics of judgements for which some rater has a mean, in the order of `METRICS`."""
    found = _means(results, definition).filter(pl.col("value").is_not_null())["metric"].unique().to_list()
    return tuple(metric for metric in METRICS if metric in found and metric not in _ANSWERS)


def primary(results: Results, definition: str) -> str | None:
    """The metric that figures and tables show first: Spearman's correlation where there is one."""
    return next(iter(metrics(results, definition)), None)


def leaderboard(results: Results, definition: str, metric: str) -> list[Line]:
    """All raters with a row for the metric, best first; those without a value last."""
    ranks = results.ranks.filter(pl.col("definition") == definition, pl.col("metric") == metric)
    ranked = {row["rater"]: row for row in ranks.iter_rows(named=True)}
    kinds = kinds_of(results)
    lines = []
    for row in _means(results, definition).filter(pl.col("metric") == metric).iter_rows(named=True):
        place = ranked.get(row["rater"], {})
        lines.append(
            Line(
                rater=row["rater"],
                kind=kinds.get(row["rater"], "other"),
                cell=_cell(row),
                rank=place.get("rank"),
                rank_low=place.get("rank_low"),
                rank_high=place.get("rank_high"),
                ties=split_ties(place.get("tie_group") or ""),
                dimensions=row["dimensions_used"],
            )
        )
    sign = 1.0 if metric in LOWER_IS_BETTER else -1.0
    far = float("inf")
    lines.sort(
        key=lambda line: (
            line.cell.value is None,
            far if line.rank is None else line.rank,
            0.0 if line.cell.value is None else sign * line.cell.value,
        )
    )
    return lines


def cells(results: Results, definition: str, metric: str) -> Mapping[tuple[str, str], Cell]:
    """(rater, dimension) → figure over all items."""
    rows = results.scores.filter(
        pl.col("definition") == definition,
        pl.col("metric") == metric,
        pl.col("dimension").is_not_null(),
        pl.col("slice").is_null(),
    )
    return {(row["rater"], row["dimension"]): _cell(row) for row in rows.iter_rows(named=True)}


def people_agreement(results: Results, dimension: str | None) -> Mapping[str, Cell]:
    """Metric → how far people agree about a dimension; None: the mean over dimensions."""
    same = pl.col("dimension").is_null() if dimension is None else pl.col("dimension") == dimension
    return {row["metric"]: _cell(row) for row in results.agreement.filter(same).iter_rows(named=True)}


def kinds_of(results: Results) -> Mapping[str, str]:
    """Name → kind of raters, people and the human ceiling."""
    out = {record["name"]: record["kind"] for record in results.facts["raters"]}
    return {**out, **dict.fromkeys((*results.facts.get("people", ()), HUMAN_CEILING), "human")}


def by_kind(results: Results, lines: Sequence[Line]) -> list[Line]:
    """Lines with people first, then kind by kind, best first within a kind."""
    order = list(KINDS)
    return sorted(lines, key=lambda line: order.index(line.kind) if line.kind in order else len(order))


def dimension_groups(results: Results) -> list[tuple[str, list[str]]]:
    """The set's dimensions under their groups; dimensions of no group come last."""
    known = list(results.facts["dimensions"])
    groups = {name: [key for key in keys if key in known] for name, keys in results.facts.get("groups", {}).items()}
    left = [key for key in known if not any(key in keys for keys in groups.values())]
    return [(name, keys) for name, keys in ({**groups, "Other": left} if left else groups).items() if keys]


def names(results: Results) -> Mapping[str, str]:
    """Dimension key → name for people."""
    modality = results.facts.get("modality", "face")
    return {key: plain(dimension_name(key, modality)) for key in results.facts["dimensions"]}


def separated(lines: Sequence[Line]) -> str | None:
    """The rater that is surely better than every other (its rank's interval is 1 to 1), if there is one."""
    ranked = [line for line in lines if line.rank is not None]
    if len(ranked) < 2:
        return None
    return next((line.rater for line in ranked if line.rank_low == line.rank_high == 1), None)


def ceiling_of(lines: Sequence[Line]) -> Cell | None:
    """The people's figure, to set others against; None where people were asked in turn, so that they are no ceiling."""
    for line in lines:
        if line.rater == HUMAN_CEILING and line.cell.value is not None and "no ceiling" not in line.cell.note:
            return line.cell
    return None


def split_ties(text: str) -> tuple[str, ...]:
    """Letters of `tie_group`: "ab[53]" → a, b, [53]."""
    return tuple(re.findall(r"\[\d+\]|.", text))


def slices(results: Results) -> list[str]:
    """Columns by which figures are sliced, in the order of the rows."""
    return [name for name in results.scores["slice"].unique(maintain_order=True).to_list() if name is not None]


def _means(results: Results, definition: str) -> pl.DataFrame:
    return results.scores.filter(
        pl.col("definition") == definition, pl.col("dimension").is_null(), pl.col("slice").is_null()
    )


def _cell(row: Mapping[str, object]) -> Cell:
    def real(name: str) -> float | None:
        value = row[name]
        return float(value) if isinstance(value, int | float) and value == value else None

    n, note = row.get("n"), row.get("note")
    return Cell(real("value"), real("low"), real("high"), n if isinstance(n, int) else None, str(note or ""))
