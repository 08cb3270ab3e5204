"""From comparisons to scores: Bradley-Terry strengths of pairs, counting scores of best-worst sets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from emonet.annotation.protocols._records import Judgement, Unit
from emonet.annotation.protocols._settled import by_unit
from emonet.errors import UsageError

_TOLERANCE, _ITERATIONS = 1e-9, 10_000


@dataclass(frozen=True, slots=True)
class ItemScore:
    """An item's place among others. `dimension`: what was asked ("" for none). `shown`: comparisons it was in, once a
    rater. `best`, `worst`: how often it was taken, or rejected. `score`: see the function that made it."""

    item: str
    dimension: str
    shown: int
    best: int
    worst: int
    score: float


def pair_scores(units: Sequence[Unit], judgements: Sequence[Judgement]) -> tuple[ItemScore, ...]:
    """Bradley-Terry log strengths, mean 0 within a dimension; best first.

    The probability that item a is taken over b is 1 / (1 + exp(score of b - score of a)).
    """
    out: list[ItemScore] = []
    for dimension, answers in _compared(units, judgements).items():
        names = sorted({item for values in answers for item in values})
        index = {name: place for place, name in enumerate(names)}
        wins = np.zeros((len(names), len(names)))
        for values in answers:
            ordered = sorted(values, key=lambda item: values[item])
            wins[index[ordered[-1]], index[ordered[0]]] += 1
        strengths = bradley_terry(wins)
        rows = [
            ItemScore(
                name,
                dimension,
                int(wins[at].sum() + wins[:, at].sum()),
                int(wins[at].sum()),
                int(wins[:, at].sum()),
                float(strengths[at]),
            )
            for name, at in index.items()
        ]
        out += sorted(rows, key=lambda row: (-row.score, row.item))
    return tuple(out)


def best_worst_scores(units: Sequence[Unit], judgements: Sequence[Judgement]) -> tuple[ItemScore, ...]:
    """(times best - times worst) / times shown, -1 to 1 (counting; Kiritchenko and Mohammad, NAACL 2016); best first
    within a dimension."""
    out: list[ItemScore] = []
    for dimension, answers in _compared(units, judgements).items():
        shown: dict[str, list[float]] = {}
        for values in answers:
            for item, value in values.items():
                shown.setdefault(item, []).append(value)
        rows = [
            ItemScore(item, dimension, len(given), given.count(1.0), given.count(-1.0), sum(given) / len(given))
            for item, given in shown.items()
        ]
        out += sorted(rows, key=lambda row: (-row.score, row.item))
    return tuple(out)


def bradley_terry(wins: NDArray[np.float64], *, prior: float = 0.5) -> NDArray[np.float64]:
    """Log strengths [n], mean 0, by the minorise-maximise steps of Hunter (Annals of Statistics 32, 2004).

    wins: [n, n], how often row beat column. prior: wins and losses of each item against an imagined one of average
    strength, which keeps items that always won, or that no comparison links to the rest, finite. 0 is maximum
    likelihood, for tables in which that exists.
    """
    table = np.asarray(wins, np.float64)
    if table.ndim != 2 or table.shape[0] != table.shape[1] or np.any(table < 0):
        raise UsageError(f"Wins of shape {table.shape}; expected a square table of counts from 0.")
    met = table + table.T
    np.fill_diagonal(met, 0.0)
    won = table.sum(1) - np.diagonal(table) + prior
    strength = np.ones(len(table))
    for _ in range(_ITERATIONS):
        sums = (met / (strength[:, None] + strength)).sum(1) + 2 * prior / (strength + 1.0)
        moved = np.where(sums > 0, won / np.where(sums > 0, sums, 1.0), 1.0)
        if not prior:
            moved /= np.exp(np.mean(np.log(np.maximum(moved, 1e-300))))
        settled = np.max(np.abs(moved - strength) / np.maximum(strength, 1e-300), initial=0.0) < _TOLERANCE
        strength = moved
        if settled:
            break
    logs = np.log(np.maximum(strength, 1e-300))
    return np.asarray(logs - logs.mean() if len(logs) else logs)


def _compared(units: Sequence[Unit], judgements: Sequence[Judgement]) -> dict[str, list[Mapping[str, float]]]:
    """Values of every answer, by dimension. Gold and training units tell about raters, not items, and are left out."""
    out: dict[str, list[Mapping[str, float]]] = {}
    grouped = by_unit(units, judgements)
    for unit in units:
        if unit.gold or unit.role == "training":
            continue
        if len(unit.items) < 2:
            raise UsageError(f"Unit {unit.key!r} has {len(unit.items)} item; scores of comparisons need sets of items.")
        for judgement in grouped[unit.key]:
            if judgement.skipped is None:
                out.setdefault(unit.dimensions[0] if unit.dimensions else "", []).append(judgement.values)
    return out
