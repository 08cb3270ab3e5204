"""Ratings of any kind as one table of targets: graded or present/absent, by few or many raters, mostly missing.

Symbols: n items, d dimensions.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from emonet.datasets import LabelledSet
from emonet.errors import UsageError
from emonet.training.experts._records import PARTS, HoldOut, Options, Part

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class Targets:
    """What is to be learnt about the items of some sets, one set after the other.

    keys: set and item of each row. part: index into `PARTS` of each row [n]. graded: on the model's scale, float32
    [n, d], NaN where nobody judged or the set knows only absent and present. present: share of raters who said present,
    0..1, NaN likewise for graded sets. weight: raters behind each value, float32 [n, d], 0 where there is none.
    validation, validation_present: the same values from the raters who were held out, on rows of the part `train`; None
    when whole clusters are held out instead. clusters: who must stay on one side of a split.
    """

    keys: tuple[tuple[str, str], ...]
    part: NDArray[np.int8]
    graded: Floats
    present: Floats
    weight: Floats
    clusters: tuple[str, ...]
    neutral: NDArray[np.bool_]
    validation: tuple[Floats, Floats] | None = None

    def held_out(self) -> Targets:
        """The same items with the values of the raters who were held out; itself where whole clusters are."""
        if self.validation is None:
            return self
        graded, present = self.validation
        weight = (np.isfinite(graded) | np.isfinite(present)).astype(np.float32)
        return replace(self, graded=graded, present=present, weight=weight, validation=None)

    def rows(self, part: Part) -> NDArray[np.int64]:
        """Numbers of the rows of a part."""
        return np.flatnonzero(self.part == PARTS.index(part))


def make_targets(
    sets: Sequence[LabelledSet],
    dimensions: Sequence[str],
    scales: Sequence[tuple[float, float]],
    options: Options,
    hold_out: HoldOut = "clusters",
) -> Targets:
    """Targets of the sets for `dimensions`, on the model's `scales` (low, high of each dimension).

    A cluster is in the same part in every stage that meets it. Raises `UsageError` for a set that rates none of the
    dimensions, and when raters are to be held out and no item has two.
    """
    parts = [_of_set(one, dimensions, scales, options, hold_out) for one in sets]
    pairs = [part.validation for part in parts]
    validation = None
    if all(pair is not None for pair in pairs):
        validation = tuple(np.concatenate([pair[i] for pair in pairs if pair is not None]) for i in (0, 1))
    return Targets(
        keys=tuple(key for part in parts for key in part.keys),
        part=np.concatenate([part.part for part in parts]),
        graded=np.concatenate([part.graded for part in parts]),
        present=np.concatenate([part.present for part in parts]),
        weight=np.concatenate([part.weight for part in parts]),
        clusters=tuple(cluster for part in parts for cluster in part.clusters),
        neutral=np.concatenate([part.neutral for part in parts]),
        validation=validation,  # type: ignore[arg-type]
    )


def _of_set(
    labelled: LabelledSet,
    dimensions: Sequence[str],
    scales: Sequence[tuple[float, float]],
    options: Options,
    hold_out: HoldOut,
) -> Targets:
    if not set(labelled.dimensions) & set(dimensions):
        raise UsageError(
            f"The set {labelled.name!r} rates {', '.join(labelled.dimensions[:5])} ..., none of what is to be learnt: "
            f"{', '.join(dimensions[:5])} ..."
        )
    items = labelled.items["item"].to_list()
    raters = [rater.name for rater in labelled.ratings.raters if rater.kind == "human"]
    cube = labelled.ratings.cube(items, dimensions, raters=raters or None)  # [r, n, d]
    low, high = labelled.scale
    cube = (cube - low) / (high - low)
    two_levels = labelled.levels is not None and len(labelled.levels) == 2
    clusters = _clusters(labelled, items)
    held = _held_raters(labelled, len(cube), options.seed) if hold_out == "raters" else np.zeros(len(cube), bool)
    mean, weight = _mean(cube[~held])
    aside = _mean(cube[held])[0] if hold_out == "raters" else None
    nothing = np.full_like(mean, np.nan)
    part = np.array([_part(cluster, options, hold_out) for cluster in clusters], np.int8)
    spread = _to_scale(scales)
    validation = None
    if aside is not None:
        validation = (nothing, aside) if two_levels else (spread(aside), nothing)
    return Targets(
        keys=tuple((labelled.name, item) for item in items),
        part=part,
        graded=nothing if two_levels else spread(mean),
        present=mean if two_levels else nothing,
        weight=weight,
        clusters=tuple(clusters),
        neutral=_neutral(labelled),
        validation=validation,
    )


def _mean(cube: NDArray[np.float64]) -> tuple[Floats, Floats]:
    """Mean over raters and how many there were, both [n, d]."""
    known = np.isfinite(cube)
    count = known.sum(axis=0)
    total = np.where(known, cube, 0).sum(axis=0)
    with np.errstate(invalid="ignore"):
        return (total / np.where(count, count, np.nan)).astype(np.float32), count.astype(np.float32)


def _to_scale(scales: Sequence[tuple[float, float]]) -> Callable[[Floats], Floats]:
    low = np.array([pair[0] for pair in scales], np.float32)
    high = np.array([pair[1] for pair in scales], np.float32)
    return lambda shares: low + shares * (high - low)


def _clusters(labelled: LabelledSet, items: Sequence[str]) -> list[str]:
    names = labelled.items[labelled.cluster].to_list() if labelled.cluster else list(items)
    return [f"{labelled.name}\n{name if name is not None else item}" for name, item in zip(names, items, strict=True)]


def _part(cluster: str, options: Options, hold_out: HoldOut) -> int:
    """By a hash, so that a cluster's part depends on nothing but its name and the seed."""
    digest = hashlib.sha256(f"{options.seed}\n{cluster}".encode("utf-8", "surrogatepass")).digest()
    place = int.from_bytes(digest[:8], "big") / 2**64
    validation, calibration, test = options.shares
    if hold_out == "raters":
        validation = 0.0
    bounds = np.cumsum([test, calibration, validation])
    found = int(np.searchsorted(bounds, place, side="right"))
    return (PARTS.index("test"), PARTS.index("calibration"), PARTS.index("validation"), PARTS.index("train"))[found]


def _held_raters(labelled: LabelledSet, count: int, seed: int) -> NDArray[np.bool_]:
    """A third of the raters, at least one."""
    if count < 2:
        raise UsageError(f"The set {labelled.name!r} has {count} rater(s); holding raters out needs two or more.")
    held = np.zeros(count, bool)
    held[np.random.default_rng(seed).permutation(count)[: max(1, count // 3)]] = True
    return held


def _neutral(labelled: LabelledSet) -> NDArray[np.bool_]:
    """Items whose own label is neutral."""
    if "label" not in labelled.items.columns:
        return np.zeros(labelled.items.height, bool)
    return np.array([str(label).casefold() == "neutral" for label in labelled.items["label"].to_list()], bool)
