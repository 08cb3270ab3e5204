"""Present or not, and which class: area under the curve, recalls, calibration.

Symbols: n items. Pairs with NaN on either side are left out; what is undefined is NaN.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from emonet.errors import UnknownNameError, UsageError
from emonet.statistics._columns import columns, paired
from emonet.statistics._ranking import mid_ranks

Floats = NDArray[np.float64]
_NAN = float("nan")


def roc_auc(scores: ArrayLike, present: ArrayLike) -> float:
    """Chance that a present item scores above an absent one, ties counting half; NaN without both."""
    s, p = paired(scores, present)
    up = binary(p) > 0.5
    ups, downs = int(up.sum()), int((~up).sum())
    if not ups or not downs:
        return _NAN
    return float((mid_ranks(s)[up].sum() - ups * (ups + 1) / 2) / (ups * downs))


def auc_columns(scores: ArrayLike, present: ArrayLike) -> Floats:
    """`roc_auc` of each column of scores [n, d] and present [n, d]."""
    return columns(roc_auc, scores, present)


def balanced_accuracy(predicted: ArrayLike, present: ArrayLike) -> float:
    """Unweighted mean of the recalls of all classes that occur in `present`: with two classes the mean of sensitivity
    and specificity, with more the unweighted average recall of speech research. NaN without items."""
    q, a = paired(predicted, present)
    recalls = [float((q[a == label] == label).mean()) for label in np.unique(a)]
    return float(np.mean(recalls)) if recalls else _NAN


def macro_f1(predicted: ArrayLike, actual: ArrayLike) -> float:
    """Unweighted mean of F1 over the classes that occur on either side; NaN without items."""
    q, a = paired(predicted, actual)
    labels = np.union1d(q, a)
    figures = [2 * ((q == k) & (a == k)).sum() / ((q == k).sum() + (a == k).sum()) for k in labels]
    return float(np.mean(figures)) if len(figures) else _NAN


def calibration_error(
    probability: ArrayLike, share: ArrayLike, *, bins: int = 10, equal: Literal["size", "width"] = "size"
) -> float:
    """Expected calibration error: mean distance of predicted and true share over groups of items.

    `probability` [n], 0..1; `share` [n]: the outcome, 0, 1 or the share of people who said yes. `equal`: `bins` groups
    of one size, or ranges of probability of one width (Guo and others, ICML 2017), the upper end of the last one
    included. NaN without items.
    """
    p, y = paired(probability, share)
    if bins < 1:
        raise UsageError(f"bins is {bins}; expected at least 1.")
    if equal not in ("size", "width"):
        raise UnknownNameError("way to group items", equal, ("size", "width"))
    if not len(p):
        return _NAN
    if equal == "size":
        parts = np.array_split(np.argsort(p, kind="stable"), bins)
    else:
        if p.min() < 0 or p.max() > 1:
            raise UsageError(f"Probabilities run from {p.min():g} to {p.max():g}; expected 0 to 1.")
        number = np.minimum((p * bins).astype(int), bins - 1)
        parts = [np.flatnonzero(number == k) for k in range(bins)]
    parts = [part for part in parts if len(part)]
    return float(sum(len(part) * abs(p[part].mean() - y[part].mean()) for part in parts) / len(p))


def binary(present: Floats) -> Floats:
    """`present` itself, `UsageError` unless it holds only 0 and 1."""
    if not np.isin(present, (0.0, 1.0)).all():
        raise UsageError("`present` must hold only 0 and 1 (or NaN for unknown); threshold graded labels first.")
    return present
