"""Each rater beside the others: conduct, agreement, and what Dawid-Skene makes of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from emonet.annotation.desk._agreement import RESAMPLES, alpha_level
from emonet.annotation.desk._answers import Answers, Floats, levels_of
from emonet.annotation.protocols import Judgement, Latent, Protocol, RaterSigns, Unit, screen_raters
from emonet.statistics import Interval, Resampler, bootstrap_kappa, krippendorff_alpha, percentile_interval
from emonet.statistics import weighted_kappa as cohen_kappa


@dataclass(frozen=True, slots=True)
class RaterRow:
    """`signs`: conduct and what to look at (`screen_raters`). `kappa`: Cohen's kappa of the rater's answers paired
    with every other answer to the same thing, quadratic weights for graded answers. `alpha_without`: alpha of all when
    the rater is left out; well above alpha of all means that the rater lowers it. `accuracy`: probability that an
    answer is the true one by Dawid-Skene, NaN where it was not computed. `present`: share of answers above 0;
    `expected_present`: that of the other raters on the same things."""

    signs: RaterSigns
    kappa: Interval
    alpha_without: float
    accuracy: float
    present: float
    expected_present: float

    @property
    def rater(self) -> str:
        """The blinded name."""
        return self.signs.rater


def rater_rows(
    protocol: Protocol,
    units: Sequence[Unit],
    judgements: Sequence[Judgement],
    answers: Answers,
    latent: Latent | None,
    *,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> tuple[RaterRow, ...]:
    """One row for each person with a judgement, those with signs first, then by name."""
    accuracy: Mapping[str, float] = latent.accuracy if latent else {}
    rows = []
    for signs in screen_raters(judgements, units):
        kappa, present, expected = _beside_others(protocol, answers, signs.rater, resamples, seed)
        without = np.array([name != signs.rater for name in answers.raters], np.bool_)
        alpha = krippendorff_alpha(answers.values[without], alpha_level(protocol)) if without.any() else np.nan
        rows.append(RaterRow(signs, kappa, float(alpha), accuracy.get(signs.rater, np.nan), present, expected))
    return tuple(sorted(rows, key=lambda row: (not row.signs.signs, row.rater)))


def _beside_others(
    protocol: Protocol, answers: Answers, rater: str, resamples: int, seed: int
) -> tuple[Interval, float, float]:
    """Kappa with the others, own share of present and theirs on the columns both answered."""
    undefined = (Interval(np.nan, np.nan, np.nan), np.nan, np.nan)
    if rater not in answers.raters:
        return undefined
    place = answers.raters.index(rater)
    own, others = answers.values[place], np.delete(answers.values, place, axis=0)
    mine = np.isfinite(own)
    share = float((own[mine] > 0).mean()) if mine.any() else np.nan
    rows, columns = np.nonzero(np.isfinite(others) & mine)
    if not len(rows):
        return undefined[0], share, np.nan
    theirs, ours = others[rows, columns], own[columns]
    levels = levels_of(protocol)
    resampler = Resampler(len(columns), [answers.items[k] for k in columns.tolist()], seed, resamples)
    drawn: Floats = bootstrap_kappa(ours[None, :, None], theirs[:, None], levels, resampler, threads=1)[:, 0, 0]
    return percentile_interval(drawn, cohen_kappa(ours, theirs, levels)), share, float((theirs > 0).mean())


@dataclass(frozen=True, slots=True)
class RaterDetail:
    """What one rater's page shows. `durations_ms` of answers in the order they came; `given`: how often each level
    was given, by the dimensions most answered; `missed`: gold units answered wrongly, with the answer given."""

    rater: str
    durations_ms: tuple[int, ...]
    levels: tuple[tuple[float, int], ...]
    missed: tuple[Judgement, ...]
    recent: tuple[Judgement, ...]


def rater_detail(
    protocol: Protocol, units: Sequence[Unit], judgements: Sequence[Judgement], rater: str, *, recent: int = 60
) -> RaterDetail:
    """The judgements of one rater; training is left out. `recent`: how many of the last judgements are listed."""
    from emonet.annotation.protocols import feedback

    known = {unit.key: unit for unit in units}
    own = sorted(
        (one for one in judgements if one.rater == rater and known[one.unit].role != "training"),
        key=lambda one: (one.time, one.unit),
    )
    answered = [one for one in own if one.skipped is None]
    values = [value for one in answered for value in one.values.values()]
    missed = tuple(
        one
        for one in answered
        if known[one.unit].gold and feedback(protocol, known[one.unit], one.values).verdict != "right"
    )
    return RaterDetail(
        rater=rater,
        durations_ms=tuple(one.duration_ms for one in answered),
        levels=tuple((level, values.count(level)) for level in levels_of(protocol)),
        missed=missed,
        recent=tuple(reversed(own[-recent:])),
    )
