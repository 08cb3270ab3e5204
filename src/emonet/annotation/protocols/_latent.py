"""Dawid-Skene over the units of a protocol: the most likely answer of each, and how reliable each rater is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from emonet.annotation.protocols._records import Judgement, Protocol, Unit
from emonet.annotation.protocols._settled import by_unit
from emonet.errors import UsageError
from emonet.statistics import dawid_skene

SMOOTHING = 0.5
"""Answers added to each cell of a rater's matrix, and items to each level of a dimension (Jeffreys' prior for two
levels): a rater with a handful of answers is neither perfect nor useless."""


@dataclass(frozen=True, slots=True)
class Latent:
    """`units`: keys of those judged. `levels`: the answers there are. `probability`: for each unit, that each level is
    the true one, given all answers and raters. `value`: the likeliest level by unit. `accuracy`: probability that a
    rater's answer is the true one, over all units, NaN for one who shares no unit with another and so cannot be
    measured. `confusion`: by rater, rows true level, columns given level.
    `converged`: whether the estimate settled."""

    units: tuple[str, ...]
    levels: tuple[float, ...]
    probability: Mapping[str, tuple[float, ...]]
    value: Mapping[str, float]
    accuracy: Mapping[str, float]
    confusion: Mapping[str, tuple[tuple[float, ...], ...]]
    converged: bool


def latent_consensus(protocol: Protocol, units: Sequence[Unit], judgements: Sequence[Judgement]) -> Latent:
    """Dawid-Skene for questions with levels (`emonet.statistics.dawid_skene`).

    Every rater has one confusion matrix; shares of the levels are those of the unit's dimension, apart for contrasts,
    which are mostly absent by design. Gold and training units are left out. `UsageError` for other questions; no
    answers give an empty result.
    """
    if protocol.question != "levels":
        raise UsageError(f"Dawid-Skene needs levels; protocol {protocol.name!r} asks by {protocol.question!r}.")
    levels = tuple(sorted(choice.value for choice in protocol.choices))
    grouped = by_unit(units, judgements)
    known = {unit.key: unit for unit in units}
    answers = [
        judgement
        for unit in units
        if not unit.gold and unit.role != "training"
        for judgement in grouped[unit.key]
        if judgement.skipped is None
    ]
    if not answers:
        return Latent((), levels, {}, {}, {}, {}, True)
    keys = list(dict.fromkeys(answer.unit for answer in answers))
    raters = sorted({answer.rater for answer in answers})
    kinds = {key: (_dimension(known[key]), known[key].role == "contrast") for key in keys}
    kind_index = {kind: index for index, kind in enumerate(dict.fromkeys(kinds.values()))}
    row = {rater: index for index, rater in enumerate(raters)}
    column = {key: index for index, key in enumerate(keys)}
    ratings = np.full((len(raters), len(keys)), np.nan)
    for answer in answers:
        ratings[row[answer.rater], column[answer.unit]] = answer.values[kinds[answer.unit][0]]
    groups = np.array([kind_index[kinds[key]] for key in keys])
    found = dawid_skene(ratings, levels=levels, groups=groups, smoothing=SMOOTHING)
    shared = np.isfinite(ratings).sum(0) > 1  # [n]
    measured = (np.isfinite(ratings) & shared).any(1)  # [r]
    return Latent(
        units=tuple(keys),
        levels=levels,
        probability={key: tuple(found.posterior[column[key]].tolist()) for key in keys},
        value=dict(zip(keys, found.value.tolist(), strict=True)),
        accuracy=dict(zip(raters, np.where(measured, found.accuracy, np.nan).tolist(), strict=True)),
        confusion={rater: tuple(map(tuple, found.confusion[row[rater]].tolist())) for rater in raters},
        converged=found.converged,
    )


def _dimension(unit: Unit) -> str:
    if len(unit.dimensions) != 1:
        raise UsageError(f"Unit {unit.key!r} asks {len(unit.dimensions)} dimensions; Dawid-Skene takes units of one.")
    return unit.dimensions[0]
