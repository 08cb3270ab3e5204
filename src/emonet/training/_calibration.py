"""From a raw score to the probability that a human would call the emotion present: isotonic, at most 20 points."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from numpy.typing import ArrayLike, NDArray

from emonet.errors import UsageError
from emonet.models._card import Calibration

Floats = NDArray[np.float64]


def fit_calibration(
    raw: ArrayLike,
    share: ArrayLike,
    *,
    data: str,
    points: int = 20,
    min_items: int = 30,
    weights: ArrayLike | None = None,
) -> Calibration:
    """Isotonic map from raw scores [n] to `share` [n], the share 0..1 of people who called the emotion present.

    Pool-adjacent-violators gives blocks of constant probability. Neighbouring blocks are pooled further until each
    holds `min_items` items (one lucky face must not make a certainty) and no more than `points` remain, the pair whose
    pooling changes the squared error least first. The map is linear between block centres and flat outside.

    Raises UsageError when fewer than `min_items` finite pairs exist or a share lies outside 0..1.
    """
    x, y = np.asarray(raw, np.float64), np.asarray(share, np.float64)
    w = np.ones_like(x) if weights is None else np.asarray(weights, np.float64)
    if x.ndim != 1 or x.shape != y.shape or x.shape != w.shape:
        raise UsageError(f"expected columns of one length, got shapes {x.shape}, {y.shape} and {w.shape}")
    ok = np.isfinite(x) & np.isfinite(y) & (w > 0)
    x, y, w = x[ok], y[ok], w[ok]
    if len(x) < max(min_items, 2):
        raise UsageError(f"{data}: {len(x)} scored items cannot be calibrated, at least {max(min_items, 2)} are needed")
    if y.min() < 0 or y.max() > 1:
        raise UsageError(f"{data}: shares run from {y.min()} to {y.max()}, expected 0..1")
    blocks = _pool(_isotonic_blocks(x, y, w), points=points, min_items=min_items)
    centres, levels = _distinct(blocks[:, 1], blocks[:, 2])
    return Calibration(
        x=tuple(round(float(v), 5) for v in centres), y=tuple(round(float(v), 5) for v in levels), data=data
    )


def calibrated(calibration: Calibration, raw: ArrayLike) -> Floats:
    """Probabilities 0..1 for raw scores of any shape; NaN stays NaN."""
    return np.asarray(np.interp(np.asarray(raw, np.float64), calibration.x, calibration.y))


def _isotonic_blocks(x: Floats, y: Floats, w: Floats) -> Floats:
    """Pool-adjacent-violators: rows (items, centre, level, weight), levels strictly increasing."""
    values, group = np.unique(x, return_inverse=True)
    items = np.bincount(group)
    weights = np.bincount(group, w)
    levels = np.bincount(group, w * y) / weights  # items of one score form one block whatever their labels
    stack: list[list[float]] = []
    for row in zip(items, values, levels, weights, strict=True):
        block = [float(v) for v in row]
        while stack and stack[-1][2] >= block[2]:
            block = _merged(stack.pop(), block)
        stack.append(block)
    return np.asarray(stack, np.float64)


def _pool(blocks: Floats, *, points: int, min_items: int) -> Floats:
    rows = blocks.tolist()
    while len(rows) > 1:
        small = [i for i, row in enumerate(rows) if row[0] < min_items]
        if not small and len(rows) <= points:
            break
        # Pooling two neighbours adds w1 w2 / (w1 + w2) (y1 - y2)^2 to the squared error.
        costs = np.asarray([a[3] * b[3] / (a[3] + b[3]) * (a[2] - b[2]) ** 2 for a, b in pairwise(rows)])
        if small:
            allowed = np.zeros(len(costs), bool)
            for i in small:
                allowed[[j for j in (i - 1, i) if 0 <= j < len(costs)]] = True
            costs = np.where(allowed, costs, np.inf)
        i = int(np.argmin(costs))
        rows[i : i + 2] = [_merged(rows[i], rows[i + 1])]
    return np.asarray(rows, np.float64)


def _merged(a: list[float], b: list[float]) -> list[float]:
    weight = a[3] + b[3]
    return [a[0] + b[0], (a[1] * a[3] + b[1] * b[3]) / weight, (a[2] * a[3] + b[2] * b[3]) / weight, weight]


def _distinct(centres: Floats, levels: Floats) -> tuple[Floats, Floats]:
    """A map needs two points: a single block becomes a flat line."""
    if len(centres) > 1:
        return centres, levels
    return np.asarray([centres[0], centres[0] + 1.0]), np.asarray([levels[0], levels[0]])
