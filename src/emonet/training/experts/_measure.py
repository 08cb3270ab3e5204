"""What trained heads are worth, on clusters that no stage learnt from: figures, calibration, neutral means."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emonet.errors import UsageError
from emonet.models import Calibration, Metric
from emonet.statistics import auc_interval, spearman_interval
from emonet.training._calibration import fit_calibration
from emonet.training.experts._fit import Rows, Work, score_rows, usable
from emonet.training.experts._heads import ExpertHeads
from emonet.training.experts._records import Options, Part

_FEWEST = 20  # items of a class, or of all, below which a figure says nothing
_POINTS = 20
Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class Scored:
    """Scores [n, d] of one part's items, with what people said of them."""

    scores: Floats
    graded: Floats
    present: Floats
    clusters: tuple[str, ...]


def score_part(parts: Sequence[ExpertHeads], dimensions: Sequence[str], work: Work, part: Part) -> Scored:
    """Scores of all usable items of a part."""
    rows = Rows(work.features)
    chosen = usable(work.targets, rows, work.targets.rows(part))
    return Scored(
        _scores(parts, dimensions, rows, chosen),
        work.targets.graded[chosen],
        work.targets.present[chosen],
        tuple(work.targets.clusters[row] for row in chosen),
    )


def neutral_means(parts: Sequence[ExpertHeads], dimensions: Sequence[str], work: Work) -> dict[str, float]:
    """Mean score of each dimension over the neutral items that were trained on; empty without enough of them."""
    rows = Rows(work.features)
    chosen = np.intersect1d(np.flatnonzero(work.targets.neutral), work.targets.rows("train"))
    chosen = chosen[rows.known(chosen)]
    if len(chosen) < _FEWEST:
        return {}
    means = _scores(parts, dimensions, rows, chosen).mean(axis=0, dtype=np.float64)
    return {dimension: round(float(mean), 5) for dimension, mean in zip(dimensions, means, strict=True)}


def metrics(scored: Scored, dimensions: Sequence[str], data: str, options: Options) -> list[Metric]:
    """Spearman's correlation with graded labels and the area under the ROC curve of absent/present ones, where enough
    items have them; 95 % intervals by a bootstrap over clusters."""
    found: list[Metric] = []
    for column, dimension in enumerate(dimensions):
        scores = scored.scores[:, column]
        graded, present = scored.graded[:, column], scored.present[:, column]
        known = np.isfinite(graded)
        if known.sum() >= _FEWEST and len(np.unique(graded[known])) > 1:
            clusters = [name for name, keep in zip(scored.clusters, known, strict=True) if keep]
            place = spearman_interval(scores[known], graded[known], clusters, seed=options.seed)
            found += _metric("spearman", dimension, place, int(known.sum()), data)
        decided = np.isfinite(present) & (present != 0.5)
        sure = (present[decided] > 0.5).astype(float)
        if min(sure.sum(), len(sure) - sure.sum()) >= _FEWEST:
            clusters = [name for name, keep in zip(scored.clusters, decided, strict=True) if keep]
            place = auc_interval(scores[decided], sure, clusters, seed=options.seed)
            found += _metric("auc", dimension, place, len(sure), data)
    return found


def calibrate(
    scored: Scored, dimensions: Sequence[str], scales: Sequence[tuple[float, float]], data: str, options: Options
) -> dict[str, Calibration]:
    """From raw scores to the share of raters who would call the dimension present, on items kept for this alone.

    Graded labels count as present from `present_at` of the scale on. Dimensions with too few items have none.
    """
    fitted: dict[str, Calibration] = {}
    for column, (dimension, (low, high)) in enumerate(zip(dimensions, scales, strict=True)):
        graded, present = scored.graded[:, column], scored.present[:, column]
        limit = low + options.present_at * (high - low)
        share = np.where(np.isfinite(present), present, np.where(np.isfinite(graded), graded >= limit, np.nan))
        known = np.isfinite(share)
        ups = float(np.nansum(share[known] > 0.5))
        if options.calibration == "none" or min(ups, known.sum() - ups) < _FEWEST:
            continue
        raw = scored.scores[known, column]
        make = fit_calibration if options.calibration == "isotonic" else fit_platt
        try:
            fitted[dimension] = make(raw, share[known], data=data)
        except UsageError:
            continue
    return fitted


def fit_platt(raw: Any, share: Any, *, data: str) -> Calibration:
    """A logistic curve through shares 0..1 (Platt 1999), as the piecewise linear map that bundles hold."""
    from sklearn.linear_model import LogisticRegression

    x, y = np.asarray(raw, np.float64), np.asarray(share, np.float64)
    # A share is both classes, weighted by it: logistic regression on the expected labels.
    both, labels = np.concatenate([x, x])[:, None], np.repeat([1, 0], len(x))
    model = LogisticRegression(C=1e6).fit(both, labels, sample_weight=np.concatenate([y, 1 - y]))
    points = np.linspace(x.min(), x.max() + 1e-6, _POINTS)
    values = model.predict_proba(points[:, None])[:, 1]
    return Calibration(
        x=tuple(round(float(v), 5) for v in points), y=tuple(round(float(v), 5) for v in values), data=data
    )


def _scores(parts: Sequence[ExpertHeads], dimensions: Sequence[str], rows: Rows, chosen: NDArray[np.int64]) -> Floats:
    out = np.empty((len(chosen), len(dimensions)), np.float32)
    for part in parts:
        columns = [list(dimensions).index(dimension) for dimension in part.dimensions]
        out[:, columns] = score_rows(part, rows, chosen, next(part.parameters()).device)
    return out


def _metric(name: str, dimension: str, place: Any, n: int, data: str) -> list[Metric]:
    """The figure; none for a head whose scores are all the same, which has no order."""
    if not np.isfinite([place.value, place.low, place.high]).all():
        return []
    value, low, high = (round(float(v), 4) for v in (place.value, place.low, place.high))
    return [Metric(name=name, dimension=dimension, value=value, low=low, high=high, n=n, data=data)]
