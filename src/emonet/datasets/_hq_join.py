"""Which picture of the Hub's files is which item of the table of judgements.

The files' rows are shuffled and their pictures have no names, but each carries what its raters said. Four people with
forty sliders hardly ever say the same of two pictures, so what they said is a signature.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from emonet.datasets._hub import HubTable
from emonet.datasets._tables import fault
from emonet.errors import UsageError
from emonet.taxonomy import EMOTIONS, emotion

Signature = frozenset[tuple[str, tuple[tuple[str, float], ...]]]
"""Of each rater the values other than 0, by key."""


def join_pictures(
    hub: HubTable,
    images: pl.Series,
    raters: pl.Series,
    scores: NDArray[np.float64],
    people: set[str],
    path: Path,
) -> pl.DataFrame:
    """The rows of `hub` with their item: columns item, _row and the facts of the files, in the order of the files.

    images, raters [n] and scores [n, d] are the rows of the table at `path`. Only people that both sides know count.
    Raises `UsageError` unless each row of the files fits exactly one item and each item has its row.
    """
    column, votes = hub.votes()
    shared = people & {rater for row in votes for rater, _, _ in row}
    if not shared:
        raise UsageError(
            f"{hub.source}: its labels name no person of {path} ({', '.join(sorted(people)[:3])}, ...); the two are of "
            "different releases."
        )
    known: dict[Signature, str] = {}
    for item, signature in _signatures_of_table(images, raters, scores, shared).items():
        if signature in known:
            raise UsageError(
                f"{path}: the people said the same of {known[signature]!r} and {item!r}, so the pictures of "
                f"{hub.source} cannot be told apart. Pass the pictures as a folder instead."
            )
        known[signature] = item
    keys: dict[str, str] = {}
    found = []
    for row, said in enumerate(votes, start=1):
        fits = known.get(_signature_of_row(said, shared, keys))
        if fits is None:
            remedy = "The files are of another release; pass the pictures as a folder instead."
            raise fault(hub.source, row, f"no item of {path} has these ratings.", remedy)
        found.append(fits)
    if double := [item for item, n in Counter(found).items() if n > 1]:
        raise UsageError(f"{hub.source}: two pictures have the ratings of {double[0]!r}; expected one.")
    if lost := sorted(set(known.values()) - set(found)):
        raise UsageError(
            f"{hub.source}: no picture for {len(lost)} of {len(known)} items of {path}, the first {lost[0]!r}. Pass "
            "every file of the release."
        )
    facts = hub.frame.drop(column)
    return facts.select(pl.Series("item", found, dtype=pl.String), pl.all(), pl.Series("_row", np.arange(len(found))))


def _signatures_of_table(
    images: pl.Series, raters: pl.Series, scores: NDArray[np.float64], shared: set[str]
) -> dict[str, Signature]:
    said: dict[str, set[tuple[str, tuple[tuple[str, float], ...]]]] = {item: set() for item in images.unique()}
    keys = [one.key for one in EMOTIONS]
    for row, (item, rater) in enumerate(zip(images, raters, strict=True)):
        if rater in shared:
            columns = np.flatnonzero(scores[row])
            if len(columns):  # the files may leave out a rater who moved no slider
                said[item].add((rater, tuple(sorted((keys[k], float(scores[row, k])) for k in columns))))
    return {item: frozenset(entries) for item, entries in said.items()}


def _signature_of_row(votes: list[tuple[str, str, float]], shared: set[str], keys: dict[str, str]) -> Signature:
    """`keys` remembers the key of each spelling, empty for what is no emotion."""
    said: dict[str, list[tuple[str, float]]] = {rater: [] for rater, _, _ in votes if rater in shared}
    for rater, name, value in votes:
        if rater not in shared or value == 0:
            continue
        if name not in keys:
            keys[name] = "" if name.startswith("Extra Dimensions|") else emotion(name).key
        if keys[name]:
            said[rater].append((keys[name], float(value)))
    return frozenset((rater, tuple(sorted(values))) for rater, values in said.items() if values)
