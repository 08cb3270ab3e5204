"""From a network's logits to scores that people can read: a straight line per emotion, its neutral mean and a
probability, all fitted on validation speakers.

A weak emotion gets a flat line: the raw score is the expected intensity given the sound, so that an unsure head cannot
outrank a sure one.

Symbols: n clips, d emotions, E embedding size.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from emonet.models._card import Calibration
from emonet.models._heads import HeadWeights
from emonet.training._calibration import fit_calibration

Floats = NDArray[np.float64]
CALIBRATION_DATA = (
    "Validation speakers, clips weighted so that within each corpus half of them carry the emotion: the probability "
    "that the speaker intended it, in such a balanced set. Where the emotion is rarer, the true share is lower."
)


@dataclass(frozen=True, slots=True, eq=False)
class Scaling:
    """raw = slope * logit + intercept. `slope`, `intercept`, `neutral`: float64 [d], NaN where nothing was fitted."""

    slope: Floats
    intercept: Floats
    neutral: Floats
    calibration: tuple[Calibration | None, ...]

    def raw(self, logits: NDArray[np.float32]) -> Floats:
        """Raw scores float64 [n, d] of logits [n, d]."""
        return logits.astype(np.float64) * self.slope + self.intercept

    def relative(self, logits: NDArray[np.float32]) -> Floats:
        """Raw scores minus their mean on neutral clips."""
        return self.raw(logits) - self.neutral

    def heads(
        self, weight: NDArray[np.float32], bias: NDArray[np.float32], columns: Sequence[int], keys: Sequence[str]
    ) -> HeadWeights:
        """Heads of the emotions `columns` with the line folded into the last layer `weight` [d, E], `bias` [d]."""
        at = list(columns)
        scaled = weight[at].astype(np.float64) * self.slope[at, None]
        moved = bias[at].astype(np.float64) * self.slope[at] + self.intercept[at]
        return HeadWeights(
            name="emotions",
            input="embedding",
            dimensions=tuple(keys[column] for column in at),
            weights=(scaled.astype(np.float32),),
            biases=(moved.astype(np.float32),),
        )


def balanced_weights(present: NDArray[np.float32], corpus: Sequence[str]) -> Floats:
    """Weights [n] under which half of each corpus is positive; 0 where `present` [n] is NaN.

    Each positive clip weighs 1, so that a corpus counts by its positives. A corpus without both kinds weighs nothing.
    """
    weights = np.zeros(len(present), np.float64)
    names = np.asarray(corpus)
    for name in np.unique(names):
        yes, no = (names == name) & (present == 1), (names == name) & (present == 0)
        if yes.any() and no.any():
            weights[yes], weights[no] = 1.0, yes.sum() / no.sum()
    return weights


def fit_scaling(
    logits: NDArray[np.float32],
    present: NDArray[np.float32],
    intensity: NDArray[np.float32],
    neutral: NDArray[np.bool_],
    corpus: Sequence[str],
    *,
    min_positives: int,
) -> Scaling:
    """Scaling by validation clips.

    `logits` [n, d]; `present`, `intensity` [n, d] with NaN where unknown; `neutral` [n]; `corpus` [n]. The line is the
    weighted least-squares one from logit to intensity; the neutral mean is the mean over corpora of the raw mean of
    their neutral clips, or, where no corpus has such, of their clips of other emotions; the calibration is isotonic on
    the raw scores. Emotions with fewer than `min_positives` clips, or whose logit does not rise with the intensity,
    stay NaN.
    """
    d = logits.shape[1]
    slope, intercept = np.full(d, np.nan), np.full(d, np.nan)
    middle = np.full(d, np.nan)
    calibrations: list[Calibration | None] = [None] * d
    names = np.asarray(corpus)
    for column in range(d):
        weights = balanced_weights(present[:, column], corpus)
        used = weights > 0
        if (present[used, column] == 1).sum() < min_positives:
            continue
        x, y, w = logits[used, column].astype(np.float64), intensity[used, column].astype(np.float64), weights[used]
        mean_x, mean_y = np.average(x, weights=w), np.average(y, weights=w)
        spread = np.average((x - mean_x) ** 2, weights=w)
        rise = np.average((x - mean_x) * (y - mean_y), weights=w) / max(spread, 1e-12)
        if rise <= 0:
            continue
        slope[column], intercept[column] = rise, mean_y - rise * mean_x
        raw = rise * logits[:, column].astype(np.float64) + intercept[column]
        resting = neutral if neutral.any() else present[:, column] == 0
        middle[column] = np.mean([raw[resting & (names == name)].mean() for name in np.unique(names[resting])])
        calibrations[column] = fit_calibration(
            raw[used], present[used, column], data=CALIBRATION_DATA, min_items=min_positives, weights=w
        )
    return Scaling(slope, intercept, middle, tuple(calibrations))
