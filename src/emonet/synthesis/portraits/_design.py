"""Which portraits are made: factors laid over the portraits evenly by construction, never drawn at random.

The first two factors are the anchors. Every level of every factor comes equally often, and every pair of levels of an
anchor and any other factor comes equally often, up to one where numbers do not divide (equitable edge colouring, see
emonet.synthesis.voices._balance). Pairs of the other factors are then evened out by exchanges that keep all of that.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from random import Random

from emonet.errors import UsageError
from emonet.synthesis.portraits._factors import Factor
from emonet.synthesis.voices._balance import spread_levels

MOST = 1_000_000
_PASSES = 8
_LARGE = 3000  # rows, from where on counts are so large that few exchanges are needed
_MOST_TRIES, _FEWEST_TRIES = 30, 4


@dataclass(frozen=True, slots=True)
class Design:
    """Rows of level names, one a portrait; `key` of row i is `keys[i]`."""

    factors: tuple[Factor, ...]
    rows: tuple[tuple[str, ...], ...]
    seed: int

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the columns."""
        return tuple(factor.name for factor in self.factors)

    @property
    def keys(self) -> tuple[str, ...]:
        """A name for each portrait."""
        width = max(5, len(str(len(self.rows) - 1)))
        return tuple(f"portrait-{number:0{width}d}" for number in range(len(self.rows)))

    def row(self, number: int) -> Mapping[str, str]:
        """Factor → level of one portrait."""
        return dict(zip(self.names, self.rows[number], strict=True))


@dataclass(frozen=True, slots=True)
class Balance:
    """How even rows are. `counts`: factor → level → rows; `spread`: factor → largest difference between two of its
    levels; `pairs`: the same for the combinations of two factors."""

    rows: int
    counts: Mapping[str, Mapping[str, int]]
    spread: Mapping[str, int]
    pairs: Mapping[tuple[str, str], int]


def design_portraits(count: int, factors: Sequence[Factor], *, seed: int = 0) -> Design:
    """A balanced design of `count` portraits; equal arguments give equal designs.

    Guaranteed: the counts of any two levels of a factor differ by at most one, and so do the counts of any two pairs of
    levels of an anchor (the first two factors) and any other factor. Pairs of two other factors are brought as near as
    exchanges can; `measure_balance` tells how near.
    """
    if not 1 <= count <= MOST:
        raise UsageError(f"{count} portraits; expected 1 to {MOST:,}.")
    if len(factors) < 2:
        raise UsageError("A design needs two factors or more.")
    rng = Random(f"{seed}:{count}")
    first = _even(count, len(factors[0].levels), rng)
    nothing = [0] * count
    columns = [first, spread_levels(first, nothing, len(factors[1].levels), rng)]
    for factor in factors[2:]:
        beside = columns[-1] if len(columns) > 2 else []
        columns.append(spread_levels(columns[0], columns[1], len(factor.levels), rng, beside_rows=beside))
    _even_pairs(columns, [len(factor.levels) for factor in factors], rng)
    order = list(range(count))
    rng.shuffle(order)  # so that the first thousand of a long list are much like the whole
    names = [[level.name for level in factor.levels] for factor in factors]
    rows = tuple(tuple(names[i][column[at]] for i, column in enumerate(columns)) for at in order)
    return Design(tuple(factors), rows, seed)


def measure_balance(names: Sequence[str], rows: Sequence[Sequence[str]], factors: Sequence[Factor] = ()) -> Balance:
    """Count levels and pairs of levels in rows; levels that `factors` has and no row does count as 0."""
    levels = [
        [level.name for level in factors[i].levels] if factors else sorted({row[i] for row in rows})
        for i in range(len(names))
    ]
    counts = {}
    for i, name in enumerate(names):
        found = Counter(row[i] for row in rows)
        counts[name] = {level: found[level] for level in levels[i]}
    pairs = {}
    for i, j in combinations(range(len(names)), 2):
        both = Counter((row[i], row[j]) for row in rows)
        numbers = [both[a, b] for a in levels[i] for b in levels[j]]
        pairs[names[i], names[j]] = max(numbers) - min(numbers)
    spread = {name: max(found.values()) - min(found.values()) for name, found in counts.items()}
    return Balance(len(rows), counts, spread, pairs)


def _even(count: int, levels: int, rng: Random) -> list[int]:
    order = list(range(levels))
    rng.shuffle(order)
    out = [order[i % levels] for i in range(count)]
    rng.shuffle(out)
    return out


def _even_pairs(columns: list[list[int]], levels: Sequence[int], rng: Random) -> None:
    """Exchange levels of a factor between rows while that evens out its pairs with the other factors. No exchange takes
    a count with an anchor out of its bounds, so the guarantees hold."""
    free = range(2, len(columns))
    rows = list(range(len(columns[0])))
    tables = {(c, d): _table(columns, levels, c, d) for c in free for d in free if c != d}
    anchored = {c: [_table(columns, levels, anchor, c) for anchor in (0, 1)] for c in free}
    tries = _MOST_TRIES if len(rows) < _LARGE else _FEWEST_TRIES
    for _ in range(_PASSES):
        if all(max(map(max, table)) - min(map(min, table)) <= 1 for table in tables.values()):
            return
        for c in free:
            _exchange(rows, columns, c, free, tables, anchored[c], rng, tries)


def _table(columns: Sequence[Sequence[int]], levels: Sequence[int], c: int, d: int) -> list[list[int]]:
    table = [[0] * levels[d] for _ in range(levels[c])]
    for a, b in zip(columns[c], columns[d], strict=True):
        table[a][b] += 1
    return table


def _exchange(
    rows: Sequence[int], columns: list[list[int]], c: int, free: Sequence[int],
    tables: Mapping[tuple[int, int], list[list[int]]], anchored: Sequence[list[list[int]]], rng: Random, tries: int,
) -> None:  # fmt: skip
    """Exchanges of factor c that lower the sum of squares of its pair counts."""
    column = columns[c]
    bounds = [(min(map(min, table)), max(map(max, table))) for table in anchored]
    others = [d for d in free if d != c]
    for x in rows:
        for _ in range(tries):
            y = rows[int(rng.random() * len(rows))]
            a, b = column[x], column[y]
            if a == b or _gain(tables, columns, c, others, x, y) <= 0:
                continue
            places = [(table, columns[i][x], columns[i][y]) for i, table in enumerate(anchored)]
            if not all(
                m == n or (min(t[m][a], t[n][b]) > low and max(t[m][b], t[n][a]) < high)
                for (t, m, n), (low, high) in zip(places, bounds, strict=True)
            ):
                continue
            for table, m, n in places:
                for place, level, step in ((m, a, -1), (n, b, -1), (m, b, 1), (n, a, 1)):
                    table[place][level] += step
            for d in others:
                p, q = columns[d][x], columns[d][y]
                for level, other, step in ((a, p, -1), (b, q, -1), (b, p, 1), (a, q, 1)):
                    tables[c, d][level][other] += step
                    tables[d, c][other][level] += step
            column[x], column[y] = b, a


def _gain(
    tables: Mapping[tuple[int, int], list[list[int]]], columns: Sequence[Sequence[int]], c: int, others: Sequence[int],
    x: int, y: int,
) -> int:  # fmt: skip
    """By how much the sum of squares falls, halved, if rows x and y exchange their levels of factor c."""
    a, b = columns[c][x], columns[c][y]
    gain = 0
    for d in others:
        p, q = columns[d][x], columns[d][y]
        if p != q:
            table = tables[c, d]
            # (a,p) and (b,q) lose a row, (b,p) and (a,q) gain one.
            gain += table[a][p] + table[b][q] - table[b][p] - table[a][q] - 2
    return gain
