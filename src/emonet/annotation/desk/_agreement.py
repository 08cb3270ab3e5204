"""How far raters agree: Krippendorff's alpha, Fleiss' kappa and per cent with 95 % intervals, in all and by dimension.

Intervals come from drawing items again with all their answers (`emonet.statistics.Resampler`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from emonet.annotation.desk._answers import Answers, Floats, present
from emonet.annotation.protocols import Protocol
from emonet.statistics import (
    Interval,
    Resampler,
    bootstrap_alpha,
    fleiss_kappa,
    krippendorff_alpha,
    percent_agreement,
    percentile_interval,
)

RESAMPLES = 400
"""Enough for a figure that is watched; a paper's figures take the export and `emonet benchmark`."""
_BLIND = Interval(float("nan"), float("nan"), float("nan"))


@dataclass(frozen=True, slots=True)
class Agreement:
    """Agreement of one dimension, or of all ("").

    `units`, `ratings`: with two answers or more, and the answers to them. `alpha`: of the values (nominal for two
    levels, else ordinal). `kappa`, `percent`: of the levels; of presence (above 0) for sliders. `prevalence`: share
    of the answers that say present, of all answers. `open`: every such unit had its raters whatever they answered;
    where not, and further raters come only after a yes, say, alpha and kappa of the units lie below those of a random
    sample, because what is clearly absent never meets a second rater.
    """

    dimension: str
    units: int
    ratings: int
    alpha: Interval
    kappa: Interval
    percent: Interval
    prevalence: float
    open: bool


def agreement(
    protocol: Protocol, answers: Answers, *, dimension: str = "", resamples: int = RESAMPLES, seed: int = 0
) -> Agreement:
    """Agreement over all columns of `answers`."""
    shared = answers.shared()
    rated = np.isfinite(answers.values)
    prevalence = float(present(answers)[rated].mean()) if rated.any() else float("nan")
    counted = (len(set(shared.units)), int(np.isfinite(shared.values).sum()))
    if not counted[0]:
        return Agreement(dimension, 0, 0, _BLIND, _BLIND, _BLIND, prevalence, bool(answers.open.all()))
    resampler = Resampler(len(shared.units), shared.items, seed, resamples)
    level = alpha_level(protocol)
    drawn = bootstrap_alpha(shared.values, level, resampler)
    named = present(shared) if protocol.question == "sliders" else shared.values
    kappas, shares = _resampled(named, resampler)
    return Agreement(
        dimension,
        *counted,
        percentile_interval(drawn, krippendorff_alpha(shared.values, level)),
        percentile_interval(kappas, fleiss_kappa(named)),
        percentile_interval(shares, percent_agreement(named)),
        prevalence,
        bool(shared.open.all()),
    )


def agreement_by_dimension(
    protocol: Protocol, answers: Answers, *, resamples: int = RESAMPLES, seed: int = 0
) -> tuple[Agreement, ...]:
    """One row a dimension that was answered, in the protocol's order."""
    asked = np.array(answers.dimensions, dtype=object)
    order = [name for name in (protocol.dimensions or ("",)) if name in set(answers.dimensions)]
    return tuple(
        agreement(protocol, answers.columns(asked == name), dimension=name, resamples=resamples, seed=seed)
        for name in order
    )


def mean_alpha(rows: Sequence[Agreement]) -> float:
    """Unweighted mean of the dimensions' alphas; NaN without any. Other than alpha over everything it is not raised
    by dimensions that differ in how often they occur."""
    known = [row.alpha.value for row in rows if np.isfinite(row.alpha.value)]
    return float(np.mean(known)) if known else float("nan")


def alpha_level(protocol: Protocol) -> Literal["nominal", "ordinal"]:
    """Nominal for two levels, where nothing else makes sense; ordinal for graded answers."""
    two = protocol.question == "pair" or (protocol.question == "levels" and len(protocol.choices) == 2)
    return "nominal" if two else "ordinal"


def _resampled(values: Floats, resampler: Resampler) -> tuple[Floats, Floats]:
    """Fleiss' kappa [b] and the share of equal pairs [b] of values [r, n] in each resample, as
    `emonet.statistics.fleiss_kappa` and `percent_agreement` define them. Every column has two values or more."""
    known = np.unique(values[np.isfinite(values)])
    counts = (values[:, :, None] == known).sum(axis=0).astype(np.float64)  # [n, k]
    rated = counts.sum(axis=1)
    equal, pairs = (counts * (counts - 1)).sum(axis=1), rated * (rated - 1)
    kappas, shares = [], []
    for times in resampler.blocks():
        found = times @ (equal / pairs) / times.sum(axis=1)
        frequencies = times @ counts
        chance = ((frequencies / frequencies.sum(axis=1, keepdims=True)) ** 2).sum(axis=1)
        varied = chance < 1
        kappas.append(np.where(varied, (found - chance) / np.where(varied, 1 - chance, 1.0), np.nan))
        shares.append(times @ equal / (times @ pairs))
    return np.concatenate(kappas), np.concatenate(shares)
