"""What was really made, against what was designed: balance, cells left empty, and who was turned down more often."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from emonet.synthesis.portraits._design import Balance, Design, measure_balance


@dataclass(frozen=True, slots=True)
class Share:
    """Pictures that were made of those designed, for one level, with a 95 % interval (Wilson)."""

    level: str
    made: int
    designed: int
    share: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Rejection:
    """Pictures that the checks turned down, of those they looked at, for one level; 95 % interval (Wilson)."""

    level: str
    turned_down: int
    looked_at: int
    share: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Audit:
    """`designed`, `made`: balance of the design and of what was kept.

    `association`: Cramér's V of each pair of factors among what was kept, 0 for independent ones. `empty`: pairs of
    levels that were designed and have no picture, counted by pair of factors. `shares`: factor → its levels, those with
    the smallest share first. `faults`: why pictures were turned down, over all attempts. `chi2`: pair of factors →
    Pearson's statistic and its degrees of freedom. `rejections`: factor → its levels, those turned down most often
    first, over all attempts that gave a picture; intervals that do not overlap say that a group passes less often.
    """

    designed: Balance
    made: Balance
    association: Mapping[str, float]
    empty: Mapping[str, int]
    shares: Mapping[str, tuple[Share, ...]]
    faults: Mapping[str, int]
    chi2: Mapping[str, tuple[float, int]]
    rejections: Mapping[str, tuple[Rejection, ...]]


def audit_design(
    design: Design,
    kept: Sequence[int] | None = None,
    faults: Mapping[str, int] | None = None,
    looked_at: Mapping[int, tuple[int, int]] | None = None,
) -> Audit:
    """Compare the rows `kept` (all by default) with the design.

    faults: reason → pictures turned down. looked_at: row → pictures that the checks saw, and those they turned down.
    """
    names = design.names
    chosen = range(len(design.rows)) if kept is None else kept
    rows = [design.rows[i] for i in chosen]
    pairs = list(combinations(range(len(names)), 2))
    measured = {f"{names[i]} x {names[j]}": _chi2([row[i] for row in rows], [row[j] for row in rows]) for i, j in pairs}
    return Audit(
        designed=measure_balance(names, design.rows, design.factors),
        made=measure_balance(names, rows, design.factors),
        association={pair: value for pair, (_, _, value) in measured.items()},
        empty={
            f"{names[i]} x {names[j]}": len({(r[i], r[j]) for r in design.rows} - {(r[i], r[j]) for r in rows})
            for i, j in pairs
        },
        shares={name: _shares(design, rows, i) for i, name in enumerate(names)},
        faults=dict(faults or {}),
        chi2={pair: (chi2, freedom) for pair, (chi2, freedom, _) in measured.items()},
        rejections={name: _rejections(design, i, looked_at) for i, name in enumerate(names)} if looked_at else {},
    )


def audit_document(audit: Audit) -> dict[str, object]:
    """Plain values for JSON."""
    return {
        "designed": _balance_document(audit.designed),
        "made": _balance_document(audit.made),
        "association": {name: round(value, 4) for name, value in audit.association.items()},
        "chi_square": {
            pair: {"statistic": round(value, 4), "degrees_of_freedom": freedom}
            for pair, (value, freedom) in audit.chi2.items()
        },
        "empty_cells": dict(audit.empty),
        "made_of_designed": {
            name: [
                {"level": one.level, "made": one.made, "designed": one.designed, "share": round(one.share, 4),
                 "low": round(one.low, 4), "high": round(one.high, 4)}
                for one in shares
            ]
            for name, shares in audit.shares.items()
        },
        "turned_down": dict(audit.faults),
        "turned_down_of_looked_at": {
            name: [
                {"level": one.level, "turned_down": one.turned_down, "looked_at": one.looked_at,
                 "share": round(one.share, 4), "low": round(one.low, 4), "high": round(one.high, 4)}
                for one in rejections
            ]
            for name, rejections in audit.rejections.items()
        },
    }  # fmt: skip


def audit_text(audit: Audit) -> str:
    """The audit as Markdown."""
    lines = [f"# Audit\n\n{audit.made.rows:,} of {audit.designed.rows:,} designed portraits were made.\n"]
    lines += ["| factor | levels | fewest | most | designed difference |", "| --- | ---: | ---: | ---: | ---: |"]
    for name, counts in audit.made.counts.items():
        values = counts.values()
        lines.append(f"| {name} | {len(counts)} | {min(values)} | {max(values)} | {audit.designed.spread[name]} |")
    lines += ["", "| pair | difference designed | difference made | Cramér's V | empty cells |"]
    lines += ["| --- | ---: | ---: | ---: | ---: |"]
    for (one, other), difference in audit.designed.pairs.items():
        pair = f"{one} x {other}"
        told = f"{audit.made.pairs[one, other]} | {audit.association[pair]:.3f} | {audit.empty[pair]}"
        lines.append(f"| {pair} | {difference} | {told} |")
    if audit.faults:
        lines += ["", "| turned down because | pictures |", "| --- | ---: |"]
        lines += [f"| {fault} | {n} |" for fault, n in sorted(audit.faults.items(), key=lambda pair: -pair[1])]
        lines += ["", "Made of designed, the level with the smallest share of each factor:", ""]
        for name, shares in audit.shares.items():
            low = shares[0]
            lines.append(f"- {name}: {low.level}, {low.made} of {low.designed} [{low.low:.2f}, {low.high:.2f}]")
    if audit.rejections:
        lines += ["", "Turned down of all pictures looked at, the level with the largest share of each factor:", ""]
        for name, rejections in audit.rejections.items():
            top = rejections[0]
            lines.append(f"- {name}: {top.level}, {top.turned_down} of {top.looked_at} [{top.low:.2f}, {top.high:.2f}]")
    return "\n".join([*lines, ""])


def _shares(design: Design, rows: Sequence[Sequence[str]], column: int) -> tuple[Share, ...]:
    from emonet.statistics import wilson

    designed, made = (Counter(row[column] for row in some) for some in (design.rows, rows))
    found = []
    for level, n in designed.items():
        place = wilson(made[level] / n, n)
        found.append(Share(level, made[level], n, made[level] / n, place.low, place.high))
    return tuple(sorted(found, key=lambda one: (one.share, one.level)))


def _rejections(design: Design, column: int, looked_at: Mapping[int, tuple[int, int]]) -> tuple[Rejection, ...]:
    from emonet.statistics import wilson

    seen, turned_down = Counter[str](), Counter[str]()
    for row, (pictures, faulty) in looked_at.items():
        seen[design.rows[row][column]] += pictures
        turned_down[design.rows[row][column]] += faulty
    found = []
    for level, n in seen.items():
        if n:
            place = wilson(turned_down[level] / n, n)
            found.append(Rejection(level, turned_down[level], n, turned_down[level] / n, place.low, place.high))
    return tuple(sorted(found, key=lambda one: (-one.share, one.level)))


def _chi2(a: Sequence[str], b: Sequence[str]) -> tuple[float, int, float]:
    """Pearson's chi-square, its degrees of freedom, and Cramér's V (1946): 0 where two factors are independent, 1
    where one follows from the other."""
    one, other = ({level: i for i, level in enumerate(sorted(set(values)))} for values in (a, b))
    if min(len(one), len(other)) < 2:
        return 0.0, 0, 0.0
    freedom = (len(one) - 1) * (len(other) - 1)
    table = np.zeros((len(one), len(other)))
    for x, y in zip(a, b, strict=True):
        table[one[x], other[y]] += 1
    expected = table.sum(axis=1, keepdims=True) * table.sum(axis=0, keepdims=True) / table.sum()
    chi2 = float(((table - expected) ** 2 / expected).sum())
    return chi2, freedom, float(np.sqrt(chi2 / (table.sum() * (min(table.shape) - 1))))


def _balance_document(balance: Balance) -> dict[str, object]:
    return {
        "rows": balance.rows,
        "counts": {name: dict(counts) for name, counts in balance.counts.items()},
        "largest_difference": dict(balance.spread),
        "largest_difference_of_pairs": {f"{a} x {b}": value for (a, b), value in balance.pairs.items()},
    }
