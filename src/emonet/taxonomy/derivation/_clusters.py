"""Terms put together into proposed categories, each with a name, a group and how central each term is."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from emonet.errors import UnknownNameError, UsageError, require
from emonet.taxonomy.derivation._lexicon import Lexicon
from emonet.taxonomy.derivation._terms import Term

Method = Literal["agglomerative", "hdbscan"]
GROUPS = ("Pleasant Feelings", "Unpleasant Feelings", "Other Feelings")
"""Proposed groups, by the pole that the lexicon gives most of a category's occurrences."""
_FEWEST, _MOST = 4, 60


@dataclass(frozen=True, slots=True)
class Category:
    """A proposed category; `terms` most frequent first. `centrality`: cosine of each term to the category's mean."""

    name: str
    group: str
    terms: tuple[Term, ...]
    centrality: tuple[float, ...]

    @property
    def count(self) -> int:
        """Occurrences of all its terms."""
        return sum(term.count for term in self.terms)


def cluster(
    vectors: NDArray[np.float64], *, method: Method = "agglomerative", number: int | None = None, least: int = 2
) -> NDArray[np.int64]:
    """Cluster of each row of unit vectors [n, d]; -1 for rows that HDBSCAN leaves alone.

    "agglomerative" joins by mean cosine distance into `number` clusters, or, without a number, into as many between 4
    and 60 as give the highest mean silhouette (Rousseeuw 1987). "hdbscan" finds the number itself; `least` is its
    smallest cluster. Both are scikit-learn's and have no chance in them.
    """
    if method not in get_args(Method):
        raise UnknownNameError("clustering method", method, get_args(Method))
    n = len(vectors)
    if number is not None and not 1 <= number <= n:
        raise UsageError(f"{number} categories for {n} words; expected 1 to {n}.")
    if n <= 2 or n == number:
        return np.arange(n) if number != 1 else np.zeros(n, np.int64)
    require("sklearn", extra="taxonomy", feature="Clustering words")
    if method == "hdbscan":
        from sklearn.cluster import HDBSCAN

        return np.asarray(HDBSCAN(min_cluster_size=max(2, least), copy=True).fit_predict(vectors), np.int64)
    return _agglomerative(vectors, number)


def _agglomerative(vectors: NDArray[np.float64], number: int | None) -> NDArray[np.int64]:
    from sklearn.cluster import AgglomerativeClustering
    from sklearn.metrics import silhouette_score

    distance = np.clip(1 - vectors @ vectors.T, 0, 2)
    np.fill_diagonal(distance, 0)
    distance = (distance + distance.T) / 2

    def cut(k: int) -> NDArray[np.int64]:
        model: Any = AgglomerativeClustering(n_clusters=k, metric="precomputed", linkage="average")
        return np.asarray(model.fit_predict(distance), np.int64)

    if number is not None:
        return cut(number)
    most = min(_MOST, len(vectors) // 2)
    sizes = range(min(_FEWEST, most), most + 1)
    labels = {k: cut(k) for k in sizes if k > 1}
    scores = {k: float(silhouette_score(distance, found, metric="precomputed")) for k, found in labels.items()}
    return labels[max(scores, key=lambda k: (scores[k], -k))] if scores else np.zeros(len(vectors), np.int64)


def categories_of(
    terms: Sequence[Term], vectors: NDArray[np.float64], labels: NDArray[np.int64], lexicon: Lexicon | None
) -> tuple[tuple[Category, ...], tuple[Term, ...]]:
    """Categories, most frequent first within the groups' order, and the terms that are in none.

    A category is named by the term with the highest product of centrality and log count, nouns before adjectives.
    """
    found = []
    for label in sorted({int(x) for x in labels} - {-1}):
        rows = [row for row in range(len(terms)) if labels[row] == label]
        mean = vectors[rows].mean(axis=0)
        length = float(np.linalg.norm(mean)) or 1.0
        central = {row: float(vectors[row] @ mean) / length for row in rows}
        rows.sort(key=lambda row: (-terms[row].count, terms[row].word))
        best = max(rows, key=lambda row: (_weight(terms[row], central[row]), terms[row].word))
        members = tuple(terms[row] for row in rows)
        name, group = display(terms[best].word), _group(members, lexicon)
        found.append(Category(name, group, members, tuple(round(central[row], 4) for row in rows)))
    found.sort(key=lambda one: (GROUPS.index(one.group), -one.count, one.name))
    return tuple(found), tuple(term for row, term in enumerate(terms) if labels[row] == -1)


def display(word: str) -> str:
    """A word as a category's name: "self-esteem" → "Self-Esteem"."""
    return "".join(part.capitalize() if part.isalpha() else part for part in _parts(word))


def _parts(word: str) -> list[str]:
    out = [""]
    for letter in word:
        if letter.isalpha() == out[-1][-1:].isalpha() or not out[-1]:
            out[-1] += letter
        else:
            out.append(letter)
    return out


def _weight(term: Term, centrality: float) -> float:
    return math.log1p(term.count) * max(centrality, 0) * (1.0 if "noun" in term.kinds else 0.5)


def _group(terms: Sequence[Term], lexicon: Lexicon | None) -> str:
    poles: Counter[str] = Counter()
    for term in terms:
        pole = next((p for p in map(lexicon.pole_of, term.words) if p), None) if lexicon else None
        poles[pole or "0"] += term.count
    most = max(poles, key=lambda pole: (poles[pole], pole))
    return {"+": GROUPS[0], "-": GROUPS[1]}.get(most, GROUPS[2])
