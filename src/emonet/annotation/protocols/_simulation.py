"""Synthetic raters of given reliability, who drive any protocol to its end."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np

from emonet.annotation.protocols._decisions import decide
from emonet.annotation.protocols._items import Item
from emonet.annotation.protocols._records import Decision, Judgement, Protocol, Unit
from emonet.annotation.protocols._units import make_units
from emonet.errors import UsageError

START = datetime(2026, 1, 5, 9, tzinfo=UTC)
"""When every simulated rater begins; a fixed day, so that a simulation is the same on every run."""
_SPEED = 0.4
"""Spread of the time an answer takes, as the standard deviation of its logarithm."""


@dataclass(frozen=True, slots=True)
class SyntheticRater:
    """Someone who answers by what is there with probability `reliability` and guesses otherwise.

    `yes`: probability that a guess says present. So presence is seen with probability reliability + (1 - reliability)
    yes, and absence with reliability + (1 - reliability) (1 - yes); 0 is somebody who never looks. `noise`: standard
    deviation, in steps of the scale, of the strength that is reported, and of strengths compared. `median_ms`: usual
    time of an answer. `skip`: share of units passed over.
    """

    name: str
    reliability: float = 0.9
    yes: float = 0.5
    noise: float = 0.0
    median_ms: float = 2500.0
    skip: float = 0.0

    @classmethod
    def seeing(cls, name: str, sensitivity: float, specificity: float, *, noise: float = 0.0) -> SyntheticRater:
        """A rater who says present to so large a share of what is present, and absent to that of what is absent.

        Raises `UsageError` where the two sum to less than 1, which is worse than guessing.
        """
        reliability = sensitivity + specificity - 1
        if not (0 <= sensitivity <= 1 and 0 <= specificity <= 1 and reliability >= 0):
            raise UsageError(
                f"Rater {name!r}: sensitivity {sensitivity} and specificity {specificity}; expected shares from 0 to 1 "
                "that sum to at least 1."
            )
        return cls(name, reliability, (1 - specificity) / (1 - reliability) if reliability < 1 else 0.5, noise)


@dataclass(frozen=True, slots=True)
class Simulation:
    """`truth`: by unit, what there is to see, by dimension; strengths by item for pairs and sets. `judgements`: in the
    order of time within a rater. `decisions`: of every unit, at the end. `unfinished`: keys of units that want more
    people than there are. Gold and training units are judged by every rater."""

    protocol: Protocol
    units: tuple[Unit, ...]
    truth: Mapping[str, Mapping[str, float]]
    judgements: tuple[Judgement, ...]
    decisions: Mapping[str, Decision]
    unfinished: tuple[str, ...]


def simulate(
    protocol: Protocol,
    items: Sequence[Item],
    raters: Sequence[SyntheticRater],
    *,
    seed: int,
    prevalence: float = 0.5,
    contrast_prevalence: float = 0.05,
    audit: float = 0.0,
    appearances: int = 8,
) -> Simulation:
    """Make the units, draw what is there, and let the raters answer until nothing is wanted.

    prevalence, contrast_prevalence: chance that what is asked is there, for contrasts the second; the level is drawn
    evenly. audit, appearances: see `make_units`. A unit goes to those with the fewest answers so far who have not
    judged it, and before others to those who have not seen its item. Equal arguments give an equal result.
    """
    if len({rater.name for rater in raters}) < len(raters):
        raise UsageError(f"Two simulated raters have one name: {[rater.name for rater in raters]}.")
    units = make_units(protocol, items, seed=seed, audit=audit, appearances=appearances)
    generator = np.random.default_rng([seed, 1])
    strength = {item.key: float(generator.normal()) for item in items}
    truth = {unit.key: _truth(protocol, unit, prevalence, contrast_prevalence, strength, generator) for unit in units}
    given, unfinished = _answer_all(protocol, units, raters, truth, generator)
    decisions = {unit.key: decide(protocol, unit, given[unit.key]) for unit in units}
    judgements = sorted((one for row in given.values() for one in row), key=lambda one: (one.time, one.rater))
    return Simulation(protocol, units, truth, tuple(judgements), decisions, unfinished)


def synthetic_values(
    protocol: Protocol, unit: Unit, rater: SyntheticRater, truth: Mapping[str, float], generator: np.random.Generator
) -> dict[str, float]:
    """One answer of a synthetic rater, always one that `check_values` takes. truth: as in `Simulation.truth`. Forms
    have no values."""
    if protocol.question == "levels":
        return {name: _level(protocol, rater, truth.get(name, 0.0), generator) for name in unit.dimensions}
    if protocol.question == "sliders":
        return _sliders(protocol, unit, rater, truth, generator)
    if protocol.question == "form":
        return {}
    looks = generator.random() < rater.reliability
    seen = {
        item: (truth.get(item, 0.0) + rater.noise * generator.normal()) if looks else generator.random()
        for item in unit.items
    }
    order = sorted(seen, key=lambda item: seen[item])
    lowest = 0.0 if protocol.question == "pair" else -1.0
    return {item: 1.0 if item == order[-1] else lowest if item == order[0] else 0.0 for item in unit.items}


def _truth(
    protocol: Protocol,
    unit: Unit,
    prevalence: float,
    contrast_prevalence: float,
    strength: Mapping[str, float],
    generator: np.random.Generator,
) -> dict[str, float]:
    if unit.gold:
        return dict(unit.gold)
    if len(unit.items) > 1:
        return {item: strength[item] for item in unit.items}
    chance = contrast_prevalence if unit.role == "contrast" else prevalence
    present = _present(protocol)
    drawn = generator.random(len(unit.dimensions)) < chance
    levels = generator.integers(0, len(present), len(unit.dimensions))
    return {
        name: present[level] if there else 0.0
        for name, there, level in zip(unit.dimensions, drawn, levels, strict=True)
    }


def _present(protocol: Protocol) -> list[float]:
    """The values that mean present, in order."""
    if protocol.choices:
        return sorted(choice.value for choice in protocol.choices if choice.value > 0)
    low, high = protocol.scale
    values = [low + step * protocol.step for step in range(round((high - low) / protocol.step) + 1)]
    return [value for value in values if value > 0]


def _level(protocol: Protocol, rater: SyntheticRater, truth: float, generator: np.random.Generator) -> float:
    present = _present(protocol)
    absent = max(choice.value for choice in protocol.choices if choice.value <= 0)
    if generator.random() >= rater.reliability:
        return float(generator.choice(present)) if generator.random() < rater.yes else absent
    if truth <= 0:
        return absent
    felt = truth + rater.noise * protocol.step * generator.normal()
    return min(present, key=lambda value: (abs(value - felt), value))


def _sliders(
    protocol: Protocol, unit: Unit, rater: SyntheticRater, truth: Mapping[str, float], generator: np.random.Generator
) -> dict[str, float]:
    """Moved sliders only. A guess moves one with probability `yes` times an eighth: nobody guesses on all forty."""
    present = _present(protocol)
    out = {}
    for name in unit.dimensions:
        if generator.random() >= rater.reliability:
            if generator.random() < rater.yes / 8:
                out[name] = float(generator.choice(present))
        elif truth.get(name, 0.0) > 0:
            felt = truth[name] + rater.noise * protocol.step * generator.normal()
            out[name] = min(present, key=lambda value: (abs(value - felt), value))
    return out


@dataclass(frozen=True, slots=True)
class _Floor:
    """What has happened so far: judgements by unit; by rater the clock and the number of answers; who saw what."""

    protocol: Protocol
    raters: Sequence[SyntheticRater]
    truth: Mapping[str, Mapping[str, float]]
    given: dict[str, list[Judgement]]
    clock: dict[str, datetime]
    load: dict[str, int]
    seen: set[tuple[str, str]]


def _answer_all(
    protocol: Protocol,
    units: Sequence[Unit],
    raters: Sequence[SyntheticRater],
    truth: Mapping[str, Mapping[str, float]],
    generator: np.random.Generator,
) -> tuple[dict[str, list[Judgement]], tuple[str, ...]]:
    """Judgements by unit, and the units that nobody is left for."""
    names = [rater.name for rater in raters]
    given: dict[str, list[Judgement]] = {unit.key: [] for unit in units}
    floor = _Floor(protocol, raters, truth, given, dict.fromkeys(names, START), dict.fromkeys(names, 0), set())
    for unit in units:
        if unit.gold or unit.role == "training":
            for rater in raters:
                _answer(floor, unit, rater, 1, generator)
    unfinished: list[Unit] = []
    waiting = list(units)
    while waiting:
        still: list[Unit] = []
        for unit in waiting:
            decision = decide(protocol, unit, given[unit.key])
            if not decision.wanted:
                continue
            chosen = _fitting(floor, unit, generator)[: decision.wanted]
            for rater in chosen:
                _answer(floor, unit, rater, decision.stage, generator)
            (still if chosen else unfinished).append(unit)
        waiting = still
    return given, tuple(unit.key for unit in unfinished)


def _fitting(floor: _Floor, unit: Unit, generator: np.random.Generator) -> list[SyntheticRater]:
    """Raters who have not judged the unit: first those who have not seen its items, then those with little done."""
    done = {one.rater for one in floor.given[unit.key]}
    draws = dict(zip(floor.clock, generator.random(len(floor.raters)).tolist(), strict=True))
    return sorted(
        (rater for rater in floor.raters if rater.name not in done),
        key=lambda rater: (
            any((rater.name, item) in floor.seen for item in unit.items),
            floor.load[rater.name],
            draws[rater.name],
        ),
    )


def _answer(floor: _Floor, unit: Unit, rater: SyntheticRater, stage: int, generator: np.random.Generator) -> None:
    duration = max(1, round(rater.median_ms * float(np.exp(_SPEED * generator.normal()))))
    # Nobody answers before the earlier stage of the unit ended.
    earliest = max((one.time for one in floor.given[unit.key] if one.stage < stage), default=START)
    floor.clock[rater.name] = max(floor.clock[rater.name], earliest) + timedelta(milliseconds=duration)
    skipped = "cannot tell" if generator.random() < rater.skip else None
    asked = floor.protocol
    values = {} if skipped else synthetic_values(asked, unit, rater, floor.truth[unit.key], generator)
    form = {} if skipped else {field.name: _filled(field.kind, field.options) for field in asked.form}
    floor.given[unit.key].append(
        Judgement(unit.key, rater.name, stage, values, floor.clock[rater.name], duration, form, skipped)
    )
    floor.load[rater.name] += 1
    floor.seen.update((rater.name, item) for item in unit.items)


def _filled(kind: str, options: Sequence[str]) -> str:
    return "yes" if kind == "checkbox" else options[0] if options else "said"
