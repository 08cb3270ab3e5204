"""What each unit came to: the decision with the spread of the answers behind it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean, median

from emonet.annotation.protocols._decisions import decide, keys_of
from emonet.annotation.protocols._records import Decision, Judgement, Protocol, Unit
from emonet.errors import UsageError


@dataclass(frozen=True, slots=True)
class Settled:
    """A unit with its decision and its answers in short. Keys are dimensions, or items for pairs and sets; all maps
    are empty before the first answer.

    `mean`, `median`: of the answers, an untouched slider counting 0. `present`: share of answers above 0. `touched`:
    share of raters who gave a value at all (sliders). `spread`: largest minus smallest answer. `skips`: how often
    the unit was passed over.
    """

    unit: Unit
    decision: Decision
    answers: int
    skips: int
    mean: Mapping[str, float]
    median: Mapping[str, float]
    present: Mapping[str, float]
    touched: Mapping[str, float]
    spread: Mapping[str, float]


def settle(protocol: Protocol, units: Sequence[Unit], judgements: Sequence[Judgement]) -> tuple[Settled, ...]:
    """One row a unit, in the order of `units`. Judgements of other units raise `UsageError`."""
    grouped = by_unit(units, judgements)
    return tuple(_settled(protocol, unit, grouped[unit.key]) for unit in units)


def by_unit(units: Sequence[Unit], judgements: Sequence[Judgement]) -> dict[str, list[Judgement]]:
    """Judgements of each unit, in the order they came; every unit has an entry."""
    grouped: dict[str, list[Judgement]] = {unit.key: [] for unit in units}
    for judgement in judgements:
        if judgement.unit not in grouped:
            raise UsageError(
                f"A judgement of rater {judgement.rater!r} is of unit {judgement.unit!r}, which is not among the "
                f"{len(grouped)} units passed. Pass all units of the project."
            )
        grouped[judgement.unit].append(judgement)
    return grouped


def _settled(protocol: Protocol, unit: Unit, judgements: Sequence[Judgement]) -> Settled:
    answers = [judgement for judgement in judgements if judgement.skipped is None]
    given = {key: [answer.values.get(key, 0.0) for answer in answers] for key in keys_of(unit)} if answers else {}

    def each(figure: Callable[[list[float]], float]) -> dict[str, float]:
        return {key: float(figure(values)) for key, values in given.items()}

    return Settled(
        unit=unit,
        decision=decide(protocol, unit, judgements),
        answers=len(answers),
        skips=len(judgements) - len(answers),
        mean=each(fmean),
        median=each(median),
        present=each(lambda values: fmean(value > 0 for value in values)),
        touched={key: fmean(key in answer.values for answer in answers) for key in given},
        spread=each(lambda values: max(values) - min(values)),
    )
