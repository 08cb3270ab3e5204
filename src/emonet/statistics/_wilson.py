"""A share of n with its interval."""

from __future__ import annotations

from math import sqrt

from emonet.statistics._resampling import Interval

_Z = 1.959964  # of a 95 % interval


def wilson(share: float, n: int) -> Interval:
    """A share of n with Wilson's 95 % interval, which stays informative at 0 and 1."""
    z = _Z**2 / n
    middle, half = (share + z / 2) / (1 + z), _Z / (1 + z) * sqrt(share * (1 - share) / n + z / (4 * n))
    return Interval(share, max(0.0, middle - half), min(1.0, middle + half))
