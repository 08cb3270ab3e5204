"""Sums over sums with an interval over clips, or over groups of them."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import ArrayLike

from emonet.statistics import Interval, Resampler, percentile_interval

Resampling = Callable[[Sequence[str]], Resampler]
"""Clips → how they are drawn again."""


def ratio(resampler: Resampler, over: ArrayLike, under: ArrayLike) -> Interval:
    """sum(over) / sum(under); NaN when nothing is under."""
    above, below = np.asarray(over, np.float64), np.asarray(under, np.float64)
    if not below.sum():
        return Interval(math.nan, math.nan, math.nan)
    drawn = []
    for counts in resampler.blocks():
        bottom = counts @ below
        drawn.append(np.divide(counts @ above, bottom, out=np.full(len(bottom), np.nan), where=bottom > 0))
    return percentile_interval(np.concatenate(drawn), float(above.sum() / below.sum()))
