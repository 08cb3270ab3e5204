"""One value per item and dimension from what several people said."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from emonet.datasets._records import LabelledSet
from emonet.errors import UnknownNameError, UsageError


def gold(
    labelled: LabelledSet, how: Literal["median", "mean"] = "median", *, leave_out: str | None = None
) -> NDArray[np.float64]:
    """People's median or mean, float64 [i, d] on the set's scale, NaN where nobody rated; i and d in the set's order.

    EmoNet-Face scores models against the median (arXiv 2505.20033), those who re-scored it and EmoNet-Voice against
    the mean. leave_out: name of a person whose own ratings do not count, to compare that person with the others.
    Raises `UnknownNameError` when nobody has that name.
    """
    if how not in ("median", "mean"):
        raise UnknownNameError("way to combine ratings", how, ("median", "mean"))
    people = [rater.name for rater in labelled.ratings.raters if rater.kind == "human"]
    if not people:
        raise UsageError(f"The set {labelled.name!r} has no ratings by people; expected at least one human rater.")
    if leave_out is not None and leave_out not in people:
        raise UnknownNameError("person", leave_out, people)
    chosen = [name for name in people if name != leave_out]
    votes = labelled.ratings.cube(list(labelled.items["item"]), labelled.dimensions, raters=chosen)  # r i d
    out = np.full(votes.shape[1:], np.nan)
    rated = ~np.isnan(votes).all(axis=0)
    combine = np.nanmedian if how == "median" else np.nanmean
    out[rated] = combine(votes[:, rated], axis=0)
    return out
