"""Signs that a rater answers without care: too fast, the same answer again and again, failed gold, little agreement."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from emonet.annotation.protocols._answers import meets_gold
from emonet.annotation.protocols._decisions import keys_of
from emonet.annotation.protocols._records import Judgement, Unit
from emonet.annotation.protocols._settled import by_unit

FAST = 0.25
"""An answer is fast below this share of the other raters' median time."""
FAST_SHARE, FAST_COUNT = 0.1, 5
"""A rater is told as fast above this share of fast answers, and from so many."""
RUN_CHANCE = 1e-4
"""A row of equal answers is told when one so long would come about less often than this."""
GOLD_MISSES, GOLD_CHANCE = 0.1, 0.01
"""Careful raters may miss this share of known answers; misses less likely than the chance are told."""
AGREEMENT_GAP, AGREEMENT_PAIRS, AGREEMENT_Z = 0.15, 30, 4.0
"""Agreement is told when it lies so far below that of the others, on so many pairs, by so many standard errors."""
_PULL = 10.0
"""Answers' worth of the rate over all dimensions that is mixed into that of one dimension."""

Kind = tuple[str, tuple[str, ...], int]
"""Role, what is asked, and stage: where only a yes is passed on, a yes is usual in later stages."""


@dataclass(frozen=True, slots=True)
class RaterSigns:
    """One rater's conduct. `fast`: share of answers given in less than a quarter of the others' median time, NaN
    without others. `run`: longest row of equal answers (of equal sides in comparisons); `run_chance`: how likely the
    least likely row of the rater's is at the others' rates for the same questions, at most. `gold`, `gold_failed`:
    units with a known answer that were answered, and answered wrongly; training is left out of everything.
    `agreement`: share of equal answers over all pairs with another rater on one unit (of equal presence, on sliders);
    `expected_agreement`: the same over the other raters' pairs; NaN without any. `signs`: what to look at, in words;
    empty for nothing. A sign is a reason to look, not a verdict."""

    rater: str
    answers: int
    skips: int
    median_ms: float
    fast: float
    run: int
    run_chance: float
    gold: int
    gold_failed: int
    agreement: float
    expected_agreement: float
    signs: tuple[str, ...]


def screen_raters(judgements: Sequence[Judgement], units: Sequence[Unit]) -> tuple[RaterSigns, ...]:
    """One row a rater, by name. Judgements of units that are not passed raise `UsageError`."""
    known = {unit.key: unit for unit in units}
    by_unit(units, judgements)  # refuses judgements of unknown units
    counted = [judgement for judgement in judgements if known[judgement.unit].role != "training"]
    given: dict[str, list[Judgement]] = {judgement.rater: [] for judgement in counted}
    for judgement in sorted(counted, key=lambda judgement: (judgement.time, judgement.unit)):
        given[judgement.rater].append(judgement)
    answers = {rater: [one for one in row if one.skipped is None] for rater, row in given.items()}
    counts = _Counts.of([one for row in answers.values() for one in row], known)
    times = {rater: np.array([one.duration_ms for one in row], np.float64) for rater, row in answers.items()}
    met = _agreements(answers, known)
    return tuple(_signs(rater, answers[rater], given[rater], known, times, counts, met) for rater in sorted(given))


@dataclass(frozen=True, slots=True)
class _Counts:
    """How often each response was given to each kind of question; its sums over either; and all of them."""

    both: Counter[tuple[Kind, Hashable]]
    kinds: Counter[Kind]
    responses: Counter[Hashable]
    total: int

    @classmethod
    def of(cls, answers: Sequence[Judgement], known: Mapping[str, Unit]) -> _Counts:
        pairs = [(_kind(known[one.unit], one), _response(known[one.unit], one)) for one in answers]
        kinds, responses = Counter(kind for kind, _ in pairs), Counter(response for _, response in pairs)
        return cls(Counter(pairs), kinds, responses, len(pairs))

    def rate(self, kind: Kind, response: Hashable, own: _Counts) -> float:
        """Share of the response among the answers to such questions that are not the rater's own."""
        usual = (self.responses[response] - own.responses[response] + 1) / (self.total - own.total + 2)
        given = self.both[kind, response] - own.both[kind, response]
        return (given + _PULL * usual) / (self.kinds[kind] - own.kinds[kind] + _PULL)


def _signs(
    rater: str,
    own: Sequence[Judgement],
    given: Sequence[Judgement],
    known: Mapping[str, Unit],
    times: Mapping[str, NDArray[np.float64]],
    counts: _Counts,
    met: Mapping[tuple[str, str], tuple[int, float]],
) -> RaterSigns:
    elsewhere = np.concatenate([row for name, row in times.items() if name != rater] or [np.empty(0)])
    limit = FAST * float(np.median(elsewhere)) if len(elsewhere) else math.nan
    quick = int((times[rater] < limit).sum())
    fast = quick / len(own) if own and len(elsewhere) else math.nan
    run, chance = _runs(own, known, counts)
    gold = [(known[one.unit], one) for one in own if known[one.unit].gold]
    missed = sum(not meets_gold(unit, one.values) for unit, one in gold)
    pairs = [entry for raters, entry in met.items() if rater in raters]
    rest = [entry for raters, entry in met.items() if rater not in raters]
    agreement, expected = _share(pairs), _share(rest)
    signs = []
    if quick >= FAST_COUNT and fast > FAST_SHARE:
        signs.append(f"fast: {fast:.0%} of answers in under {limit / 1000:.1f} s, a quarter of the others' usual time")
    if chance < RUN_CHANCE:
        signs.append(f"constant: rows of equal answers, the longest of {run}")
    if gold and _at_least(missed, len(gold), GOLD_MISSES) < GOLD_CHANCE:
        signs.append(f"gold: {missed} of {len(gold)} known answers missed")
    if _little(agreement, expected, sum(count for count, _ in pairs)):
        signs.append(f"agreement: {agreement:.0%} with the others, who agree {expected:.0%} among themselves")
    return RaterSigns(
        rater=rater,
        answers=len(own),
        skips=len(given) - len(own),
        median_ms=float(np.median(times[rater])) if own else math.nan,
        fast=fast,
        run=run,
        run_chance=chance,
        gold=len(gold),
        gold_failed=missed,
        agreement=agreement,
        expected_agreement=expected,
        signs=tuple(signs),
    )


def _runs(own: Sequence[Judgement], known: Mapping[str, Unit], counts: _Counts) -> tuple[int, float]:
    """Length of the longest row of equal responses, and a bound on the chance of the least likely row: answers given
    times the product of the others' rates. Rows of the usual answer, a no to a contrast say, are thus no sign."""
    mine = _Counts.of(own, known)
    alone = counts.total == mine.total
    longest, length, least, chance = 0, 0, 0.0, 0.0
    previous: Hashable = None
    for one in own:
        unit = known[one.unit]
        response = _response(unit, one)
        told = 0.0 if alone else math.log(counts.rate(_kind(unit, one), response, mine))
        same = length > 0 and response == previous
        length, chance = (length + 1, chance + told) if same else (1, told)
        longest, least, previous = max(longest, length), min(least, chance), response
    return longest, min(1.0, max(len(own), 1) * math.exp(least))


def _agreements(
    answers: Mapping[str, Sequence[Judgement]], known: Mapping[str, Unit]
) -> dict[tuple[str, str], tuple[int, float]]:
    """Shared units, and how many of them were answered alike, for each pair of raters. Gold is left out."""
    given: dict[str, list[Judgement]] = {}
    for row in answers.values():
        for one in row:
            if not known[one.unit].gold:
                given.setdefault(one.unit, []).append(one)
    met: dict[tuple[str, str], tuple[int, float]] = {}
    for key, row in given.items():
        for one, other in combinations(sorted(row, key=lambda judgement: judgement.rater), 2):
            count, alike = met.get((one.rater, other.rater), (0, 0.0))
            met[one.rater, other.rater] = (count + 1, alike + _alike(known[key], one, other))
    return met


def _alike(unit: Unit, one: Judgement, other: Judgement) -> float:
    keys = keys_of(unit)
    if len(unit.items) <= 1 and len(keys) > 1:
        return sum((one.values.get(key, 0.0) > 0) == (other.values.get(key, 0.0) > 0) for key in keys) / len(keys)
    return float(all(one.values.get(key, 0.0) == other.values.get(key, 0.0) for key in keys))


def _kind(unit: Unit, one: Judgement) -> Kind:
    return unit.role, unit.dimensions, one.stage


def _response(unit: Unit, one: Judgement) -> Hashable:
    """What a careless rater would repeat: the values, in the order in which things are shown."""
    return tuple(one.values.get(key, 0.0) for key in keys_of(unit))


def _share(entries: Sequence[tuple[int, float]]) -> float:
    count = sum(count for count, _ in entries)
    return sum(alike for _, alike in entries) / count if count else math.nan


def _little(agreement: float, expected: float, pairs: int) -> bool:
    if not (pairs >= AGREEMENT_PAIRS and expected - agreement > AGREEMENT_GAP):
        return False
    spread = math.sqrt(max(expected * (1 - expected), 0.01) / pairs)
    return (expected - agreement) / spread > AGREEMENT_Z


def _at_least(count: int, trials: int, share: float) -> float:
    """Chance of at least so many in a binomial."""
    return sum(math.comb(trials, k) * share**k * (1 - share) ** (trials - k) for k in range(count, trials + 1))
