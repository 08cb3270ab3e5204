"""Items on which a rater and the people are furthest apart.

Symbols: i items, d dimensions, h people.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from emonet.benchmark._board import rescale
from emonet.benchmark._results import Results
from emonet.datasets import Rater, Ratings

Floats = NDArray[np.float64]
PER_RATER = 6
MOST_ITEMS = 96
_FACTS = 4


@dataclass(frozen=True, slots=True)
class Gap:
    """What a rater said of one dimension and what people said, on the common scale."""

    rater: str
    kind: str
    dimension: str
    said: float
    people: float
    votes: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class WorstItem:
    """An item and the raters that it is among the worst of; `facts`: what the set says about it."""

    item: str
    facts: Mapping[str, str]
    gaps: tuple[Gap, ...]


def worst_items(results: Results, *, per_rater: int = PER_RATER, most: int = MOST_ITEMS) -> list[WorstItem]:
    """Items that most raters misjudge first; of each rater the `per_rater` items with its largest single distance.

    Trivial rules are left out. Where items with two votes or more exist only these count. Near-equal distances are
    ordered by how far people agree, how many they are, and how far the rater is off on the item's other dimensions.
    """
    items = [str(item) for item in results.items["item"]]
    votes = _votes(results, items)  # [h, i, d]
    if not votes.size:
        return []
    counts = (~np.isnan(votes)).sum(axis=0)
    means = _mean(votes, counts)
    spread = np.sqrt(_mean((votes - means) ** 2, counts))
    width = max(_pair(results.facts["common_scale"])[1] - _pair(results.facts["common_scale"])[0], 1e-9)
    sureness = 0.01 * width * (np.minimum(counts, 9) / 9 - np.nan_to_num(spread) / width)  # [i, d]
    counted = counts > 1 if (counts > 1).any() else counts > 0
    found: dict[int, list[Gap]] = {}
    for rater, values in _raters(results, items):
        distance = np.where(counted, np.abs(values - means), np.nan)
        overall = np.nan_to_num(distance).mean(axis=1, keepdims=True)  # [i, 1]
        order = np.where(np.isnan(distance), -np.inf, distance + sureness + 0.01 * overall)  # [i, d]
        for row in np.argsort(-order.max(axis=1), kind="stable")[:per_rater]:
            column = int(order[row].argmax())
            if not distance[row, column] > 0:
                break
            own = votes[:, row, column]
            gap = Gap(
                rater.name,
                rater.kind,
                str(results.facts["dimensions"][column]),
                float(values[row, column]),
                float(means[row, column]),
                tuple(sorted(float(vote) + 0.0 for vote in own[~np.isnan(own)])),  # no negative zero
            )
            found.setdefault(int(row), []).append(gap)
    chosen = sorted(found, key=lambda row: (-len(found[row]), -max(abs(g.said - g.people) for g in found[row]), row))
    return [WorstItem(items[row], _facts(results, row), tuple(found[row])) for row in chosen[:most]]


def _votes(results: Results, items: list[str]) -> Floats:
    people = tuple(Rater(name, "human") for name in results.facts.get("people", ()))
    table = results.ratings.filter(results.ratings["rater"].is_in([person.name for person in people]))
    cube = Ratings(table, people).cube(items, results.facts["dimensions"])
    return rescale(cube, _pair(results.facts["scale"]), _pair(results.facts["common_scale"]))


def _raters(results: Results, items: list[str]) -> Iterator[tuple[Rater, Floats]]:
    """(rater, its values [i, d] on the common scale), one at a time."""
    for record in results.facts["raters"]:
        table = results.ratings.filter(results.ratings["rater"] == record["name"])
        if table.is_empty() or record["kind"] == "baseline":
            continue
        scale = record.get("scale") or results.facts["scale"]
        rater = Rater(record["name"], record["kind"], _pair(scale))
        values = Ratings(table, (rater,)).cube(items, results.facts["dimensions"])[0]
        yield rater, rescale(values, _pair(scale), _pair(results.facts["common_scale"]))


def _mean(votes: Floats, counts: NDArray[np.int64]) -> Floats:
    out = np.full(counts.shape, np.nan)
    np.divide(np.where(np.isnan(votes), 0.0, votes).sum(axis=0), counts, out=out, where=counts > 0)
    return out


def _facts(results: Results, row: int) -> Mapping[str, str]:
    columns = [name for name in results.facts.get("demographics", ()) if name in results.items.columns][:_FACTS]
    values = {name: results.items[name][row] for name in columns}
    return {name: str(value) for name, value in values.items() if value is not None}


def _pair(scale: Sequence[float]) -> tuple[float, float]:
    return float(scale[0]), float(scale[1])
