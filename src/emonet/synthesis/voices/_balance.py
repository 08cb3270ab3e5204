"""Factors spread evenly over a grid, exactly and by construction.

Two factors (voice and emotion) are crossed; a third with k levels has to be laid over the cells so that the levels
come equally often in all, in each row and in each column, up to one where the numbers do not divide. That is an
equitable edge colouring of the bipartite multigraph of rows and columns, which exists for every k (de Werra 1971,
INFOR 9; sizes of the classes: McDiarmid 1972, J. Inst. Maths Applics 9). Rows and columns are split into vertices of at
most k cells, and the cells are then coloured properly with k colours by alternating paths (König 1916).
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Hashable, Sequence
from random import Random

_Vertex = tuple[str, Hashable, int]


def spread_levels(
    rows: Sequence[Hashable],
    columns: Sequence[Hashable],
    levels: int,
    rng: Random,
    *,
    beside_rows: Sequence[Hashable] = (),
    beside_columns: Sequence[Hashable] = (),
    counts: Sequence[int] = (),
) -> list[int]:
    """A level 0..`levels`-1 for each cell; cell i lies in `rows[i]` and `columns[i]`.

    In all, in each row and in each column the numbers of cells of any two levels differ by at most one. beside_rows,
    beside_columns: another factor's value for each cell; cells of equal value are kept together when a row (a column)
    is split, which brings levels and values close to balance, without a guarantee. counts: cells that each level
    already has elsewhere; levels that come once more here are then those with the fewest.
    """
    cells = list(range(len(rows)))
    rng.shuffle(cells)
    left = _split("row", rows, _ordered(cells, beside_rows), levels)
    right = _split("column", columns, _ordered(cells, beside_columns), levels)
    colouring = _Colouring({i: (left[i], right[i]) for i in cells}, levels)
    for i in cells:
        colouring.add(i)
    colouring.even()
    return _relabelled([colouring.colour[i] for i in range(len(rows))], levels, rng, counts or [0] * levels)


def _ordered(cells: Sequence[int], beside: Sequence[Hashable]) -> Sequence[int]:
    return sorted(cells, key=lambda i: str(beside[i])) if beside else cells


def _split(side: str, owners: Sequence[Hashable], order: Sequence[int], most: int) -> dict[int, _Vertex]:
    """The vertex of each cell: an owner's cells, taken in order, fill vertices of at most `most` cells."""
    seen: Counter[Hashable] = Counter()
    vertices: dict[int, _Vertex] = {}
    for i in order:
        vertices[i] = (side, owners[i], seen[owners[i]] // most)
        seen[owners[i]] += 1
    return vertices


class _Colouring:
    """A proper colouring that grows cell by cell. `at[vertex][colour]`: the cell of that colour at the vertex."""

    def __init__(self, ends: dict[int, tuple[_Vertex, _Vertex]], colours: int) -> None:
        self.ends, self.colours = ends, colours
        self.colour: dict[int, int] = {}
        self.at: defaultdict[_Vertex, dict[int, int]] = defaultdict(dict)

    def add(self, cell: int) -> None:
        """Colour a cell; a path of two colours is swapped where its ends have no free colour in common."""
        u, v = self.ends[cell]
        a, b = self._free(u), self._free(v)
        if a not in self.at[v]:
            b = a
        elif b in self.at[u]:
            # The path from v that begins with colour a ends before u (the graph is bipartite); swapped, a is free at v.
            self._swap(self._path(v, a, b), a, b)
            b = a
        self._put(cell, b)

    def even(self) -> None:
        """Swap paths until the sizes of any two colours differ by at most one."""
        sizes = Counter(self.colour.values())
        while True:
            high = max(range(self.colours), key=lambda c: sizes[c])
            low = min(range(self.colours), key=lambda c: sizes[c])
            if sizes[high] - sizes[low] < 2:
                return
            self._swap(self._odd_path(high, low), high, low)
            sizes[high] -= 1
            sizes[low] += 1

    def _free(self, vertex: _Vertex) -> int:
        return next(colour for colour in range(self.colours) if colour not in self.at[vertex])

    def _path(self, vertex: _Vertex, first: int, second: int) -> list[int]:
        """Cells of the alternating path that leaves the vertex with colour `first`."""
        cells: list[int] = []
        colour = first
        while colour in self.at[vertex]:
            cell = self.at[vertex][colour]
            cells.append(cell)
            one, other = self.ends[cell]
            vertex = other if vertex == one else one
            colour = second if colour == first else first
        return cells

    def _odd_path(self, high: int, low: int) -> list[int]:
        """A whole path with one cell more of `high`: it begins and ends where `low` is missing. As `high` has more
        cells than `low`, and rings and other paths have at least as many of `low`, there is one."""
        for cell in [cell for cell, colour in self.colour.items() if colour == high]:
            for vertex in self.ends[cell]:
                if low not in self.at[vertex]:
                    path = self._path(vertex, high, low)
                    if len(path) % 2:
                        return path
        raise AssertionError("no alternating path: the colouring is not proper")

    def _swap(self, path: list[int], a: int, b: int) -> None:
        """Exchange the two colours along a path."""
        changed = {cell: b if self.colour[cell] == a else a for cell in path}
        for cell in path:
            for vertex in self.ends[cell]:
                del self.at[vertex][self.colour[cell]]
        for cell, colour in changed.items():
            self._put(cell, colour)

    def _put(self, cell: int, colour: int) -> None:
        self.colour[cell] = colour
        for vertex in self.ends[cell]:
            self.at[vertex][colour] = cell


def _relabelled(colours: list[int], levels: int, rng: Random, counts: Sequence[int]) -> list[int]:
    """Colours to levels: the larger classes to the levels with the fewest cells so far, ties by chance."""
    sizes = Counter(colours)
    classes = sorted(range(levels), key=lambda c: (-sizes[c], rng.random()))
    wanted = sorted(range(levels), key=lambda level: (counts[level], rng.random()))
    names = dict(zip(classes, wanted, strict=True))
    return [names[colour] for colour in colours]
