"""Items drawn again and again: multiplicities, percentile intervals.

A resample draws whole clusters (people, speakers) with replacement, so that several items of one do not count as
independent. It is held as a multiplicity per item, from which every statistic here can be computed without copying
the data. Symbols: n items, b resamples, d dimensions.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from emonet.errors import UsageError

Floats = NDArray[np.float64]

LEVEL = 0.95
"""Of every interval."""
_CELLS = 1_000_000  # of resamples x items held at once: 8 MB


class Interval(NamedTuple):
    """An estimate and the ends of its 95 % interval; all NaN where the statistic is undefined."""

    value: float
    low: float
    high: float


UNDEFINED = Interval(float("nan"), float("nan"), float("nan"))


@dataclass(frozen=True, slots=True)
class Resampler:
    """The same resamples of `n` items every time it is asked, so that statistics of one run may be paired.

    `clusters` [n]: one label per item, None for the items themselves.
    """

    n: int
    clusters: Sequence[object] | None = None
    seed: int = 0
    resamples: int = 1000

    def __post_init__(self) -> None:
        if self.resamples < 1:
            raise UsageError(f"resamples is {self.resamples}; expected at least 1.")
        if self.clusters is not None and len(self.clusters) != self.n:
            raise UsageError(f"{len(self.clusters)} clusters for {self.n} items; expected one label per item.")

    def blocks(self) -> Iterator[Floats]:
        """Multiplicities [<= b, n], together one row per resample; the same whatever the size of the blocks."""
        if self.n == 0:
            return
        index = np.arange(self.n)
        if self.clusters is not None:
            _, index = np.unique(np.asarray([str(label) for label in self.clusters]), return_inverse=True)
        size = int(index.max()) + 1
        generator = np.random.default_rng(self.seed)
        step = max(1, _CELLS // self.n)
        for start in range(0, self.resamples, step):
            draws = generator.integers(0, size, (min(step, self.resamples - start), size))
            rows = np.arange(len(draws))[:, None]
            counts = np.bincount((rows * size + draws).ravel(), minlength=len(draws) * size)
            yield counts.reshape(len(draws), size)[:, index].astype(np.float64)


def percentile_interval(values: ArrayLike, point: float) -> Interval:
    """`point` with the 2.5 and 97.5 % quantiles of its resampled `values` [b]; undefined resamples are left out.

    In small samples the interval need not contain the point. All NaN when the point is undefined, open ends (NaN)
    when every resample is.
    """
    if not np.isfinite(point):
        return UNDEFINED
    drawn = np.asarray(values, np.float64)
    drawn = drawn[np.isfinite(drawn)]
    if not len(drawn):
        return Interval(float(point), float("nan"), float("nan"))
    low, high = np.quantile(drawn, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return Interval(float(point), float(low), float(high))


def bootstrap_mean(values: ArrayLike, *, seed: int = 42, resamples: int = 1000) -> Interval:
    """Mean of values [d] with an interval that resamples those values: the papers' interval over 40 dimensions.

    It says how the mean would change with other emotions, not with other items. NaN values are left out.
    """
    known = np.asarray(values, np.float64)
    known = known[np.isfinite(known)]
    if not len(known):
        return UNDEFINED
    drawn = np.random.default_rng(seed).choice(known, (resamples, len(known)), replace=True).mean(axis=1)
    return percentile_interval(drawn, float(known.mean()))
