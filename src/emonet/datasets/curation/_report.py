"""What curation kept and why: one record per rule, and the rules of a whole run together.

A rule is a function from a table of items to a `Selection`. It never changes a value, so that the same rows in give the
same rows out, and it names a reason for every row that it drops.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import polars as pl

from emonet.errors import UsageError

DROPPED_SCHEMA = pl.Schema({"item": pl.String(), "reason": pl.String(), "detail": pl.String()})
"""Columns of a table of what was dropped. `reason` is one of a rule's few; `detail` holds the figure or the name."""


@dataclass(frozen=True, slots=True, eq=False)
class Step:
    """One rule that was applied. `rule`: the rule in one sentence, with its numbers. `entered`, `kept`: rows before
    and after. `dropped`: one row per row that went, see `DROPPED_SCHEMA`. `facts`: what else was measured."""

    name: str
    rule: str
    entered: int
    kept: int
    dropped: pl.DataFrame
    facts: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.dropped.schema != DROPPED_SCHEMA:
            raise UsageError(
                f"What {self.name!r} dropped has columns {dict(self.dropped.schema)}; expected {dict(DROPPED_SCHEMA)}."
            )
        if self.entered != self.kept + len(self.dropped):
            raise UsageError(
                f"{self.name!r} got {self.entered} rows, kept {self.kept} and names {len(self.dropped)} as dropped; "
                "expected a reason for each row that went."
            )

    @property
    def reasons(self) -> dict[str, int]:
        """How many rows each reason dropped, the most frequent first."""
        counts = self.dropped["reason"].value_counts(name="n").sort(["n", "reason"], descending=[True, False])
        return dict(counts.iter_rows())

    def to_dict(self) -> dict[str, Any]:
        """As plain values for JSON, without the single rows."""
        return {
            "name": self.name,
            "rule": self.rule,
            "entered": self.entered,
            "kept": self.kept,
            "reasons": self.reasons,
            "facts": dict(self.facts),
        }


@dataclass(frozen=True, slots=True, eq=False)
class Selection:
    """What a rule left: `items` in their old order, and the `step` that says why the others went."""

    items: pl.DataFrame
    step: Step


@dataclass(frozen=True, slots=True, eq=False)
class Report:
    """The rules of a run in the order in which they were applied."""

    steps: tuple[Step, ...] = ()

    def then(self, step: Step) -> Report:
        """This report with one more step."""
        return Report((*self.steps, step))

    @property
    def entered(self) -> int:
        """Rows before the first rule."""
        return self.steps[0].entered if self.steps else 0

    @property
    def kept(self) -> int:
        """Rows after the last rule."""
        return self.steps[-1].kept if self.steps else 0

    def dropped(self) -> pl.DataFrame:
        """Every row that went: columns step, item, reason, detail."""
        tables = [step.dropped.select(pl.lit(step.name).alias("step"), pl.all()) for step in self.steps]
        empty = pl.DataFrame(schema={"step": pl.String(), **DROPPED_SCHEMA})
        return pl.concat([empty, *tables])

    def to_dict(self) -> dict[str, Any]:
        """As plain values for JSON."""
        return {"entered": self.entered, "kept": self.kept, "steps": [step.to_dict() for step in self.steps]}


def keep_where(
    items: pl.DataFrame,
    reasons: Iterable[tuple[str, pl.Expr, pl.Expr | None]],
    *,
    name: str,
    rule: str,
    facts: Mapping[str, Any] | None = None,
) -> Selection:
    """Drop the rows that a condition names; a row that several name goes for the first.

    reasons: (reason, condition, detail) with expressions on the columns of `items`; a null condition drops nothing.
    """
    need_item(items, name)
    reason, detail = pl.lit(None, pl.String), pl.lit(None, pl.String)
    for label, condition, said in reversed(list(reasons)):
        holds = condition.fill_null(False)
        reason = pl.when(holds).then(pl.lit(label)).otherwise(reason)
        text = pl.lit("") if said is None else said.cast(pl.String).fill_null("unknown")
        detail = pl.when(holds).then(text).otherwise(detail)
    judged = items.select("item", reason=reason, detail=detail)
    gone = judged["reason"].is_not_null()
    kept = items.filter(~gone)
    return Selection(kept, Step(name, rule, len(items), len(kept), judged.filter(gone), dict(facts or {})))


def need_item(items: pl.DataFrame, where: str) -> None:
    """Raise `UsageError` unless `items` has a text column `item` whose values are all there and all different."""
    if "item" not in items.columns or items["item"].dtype != pl.String:
        raise UsageError(
            f"{where}: the table has columns {', '.join(items.columns) or 'none'}; expected a text 'item'."
        )
    bad = items["item"].is_null() | ~items["item"].is_first_distinct()
    if bad.any():
        row = int(bad.arg_true()[0])
        raise UsageError(f"{where}: row {row + 1} holds the item {items['item'][row]!r} again; expected each once.")


def need_columns(items: pl.DataFrame, columns: Iterable[str], where: str) -> None:
    """Raise `UsageError` for the first of `columns` that `items` lacks."""
    for column in columns:
        if column not in items.columns:
            raise UsageError(f"{where}: no column {column!r} in the items; they have {', '.join(items.columns)}.")
