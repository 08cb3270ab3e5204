"""Synthetic raters who work through a stored project as people would: they take units and submit answers."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta

import numpy as np
from sqlalchemy import func, select

from emonet.annotation.protocols import Protocol, SyntheticRater, Unit, rule_of, synthetic_values
from emonet.annotation.store import (
    Assignment,
    Store,
    Submission,
    add_person,
    read_project,
    submit,
    take,
    units,
)
from emonet.annotation.store._tables import UnitRow
from emonet.errors import UsageError

_SPREAD = 0.4
"""Of the logarithm of an answer's time."""
_BATCH = 2
_SPAN = timedelta(hours=30)
"""Over which the simulated work spreads, ending now."""


def fill(
    store: Store,
    *,
    raters: int = 5,
    careless: int = 1,
    reliability: float = 0.9,
    share: float = 1.0,
    seed: int = 0,
    report: Callable[[int, int], None] | None = None,
) -> int:
    """Let synthetic raters answer until the share of the work is settled or nothing is left; the number of answers.

    careless: further raters who answer in half a second and never look. report: called with the units settled and all
    units now and then. What there is to see depends on `seed` and the unit alone. The work spreads over the last
    30 hours, or less where units end early. Raises `UsageError` for numbers out of range.
    """
    if not (raters >= 0 and careless >= 0 and 0 < raters + careless <= 1000 and 0 <= reliability <= 1):
        raise UsageError(f"Received {raters} careful and {careless} careless raters of reliability {reliability}.")
    if not 0 < share <= 1:
        raise UsageError(f"share is {share}; expected above 0, at most 1.")
    protocol = read_project(store).protocol
    generator = np.random.default_rng([seed, 7])
    people = _people(store, protocol, raters, careless, reliability, generator)
    asked = units(store)
    truth = _truth(protocol, asked, seed)
    answers, waiting, began = 0, list(people), datetime.now(UTC) - _SPAN
    most = share * _most_answers(protocol, asked) + len(people)
    while waiting:
        done, whole = _settled(store)
        if report:
            report(done, whole)
        if whole and done >= share * whole:
            break
        still = []
        for person in waiting:
            now = began + _SPAN * min(1.0, answers / most)
            given = take(store, person, count=_BATCH, now=now)
            for one in given:
                now += _answer(store, protocol, one, person, people[person], truth, generator, now)
            answers += len(given)
            if given:
                still.append(person)
        waiting = still
    return answers


def _settled(store: Store) -> tuple[int, int]:
    """Units of work that want nobody, and all of them."""
    query = select(func.count(), func.count().filter(UnitRow.wanted == 0)).where(UnitRow.kind == "work")
    with store.reading() as connection:
        whole, done = connection.execute(query).one()
    return done, whole


def _most_answers(protocol: Protocol, asked: Sequence[Unit]) -> int:
    """Answers that the work takes when every stage is entered."""
    work = [unit for unit in asked if not unit.gold and unit.role != "training"]
    return sum(stage.raters for unit in work for stage in rule_of(protocol, unit))


def _people(
    store: Store, protocol: Protocol, raters: int, careless: int, reliability: float, generator: np.random.Generator
) -> dict[int, SyntheticRater]:
    """Accounts that nobody can sign in to, by number, and how each of them rates."""
    slow = {"sliders": 24000.0, "form": 60000.0, "best-worst": 14000.0}.get(protocol.question, 2600.0)
    made: dict[int, SyntheticRater] = {}
    for place in range(raters + careless):
        person = add_person(store, name="Synthetic rater", demographics={"synthetic": "yes"})
        if place < raters:
            own = min(1.0, max(0.0, reliability + 0.03 * float(generator.normal())))
            pace = slow * float(np.exp(0.25 * generator.normal()))
            made[person.id] = SyntheticRater(person.code, own, noise=0.6, median_ms=pace, skip=0.01)
        else:
            made[person.id] = SyntheticRater(person.code, 0.0, yes=0.9, median_ms=min(500.0, slow / 8))
    return made


def _truth(protocol: Protocol, asked: Sequence[Unit], seed: int) -> dict[str, dict[str, float]]:
    """What there is to see in each unit, by key: strengths by item for comparisons, else levels by dimension."""
    generator = np.random.default_rng([seed, 8])
    low, high = protocol.scale
    levels = sorted(choice.value for choice in protocol.choices) or np.arange(low, high + 1e-9, protocol.step).tolist()
    present = [value for value in levels if value > 0] or [1.0]
    names = sorted({item for unit in asked for item in unit.items})
    strength = dict(zip(names, generator.normal(size=len(names)).tolist(), strict=True))
    # Some emotions are more often seen as meant than others, which is what a desk shows.
    usual = dict(
        zip(protocol.dimensions, generator.uniform(0.35, 0.85, len(protocol.dimensions)).tolist(), strict=True)
    )
    out: dict[str, dict[str, float]] = {}
    for unit in asked:
        if unit.gold:
            out[unit.key] = dict(unit.gold)
        elif len(unit.items) > 1:
            out[unit.key] = {item: strength[item] for item in unit.items}
        else:
            sliders = protocol.question == "sliders"
            chance = {name: 0.08 if sliders or unit.role == "contrast" else usual[name] for name in unit.dimensions}
            out[unit.key] = {
                name: float(generator.choice(present)) if generator.random() < chance[name] else 0.0
                for name in unit.dimensions
            }
    return out


def _answer(
    store: Store,
    protocol: Protocol,
    given: Assignment,
    person: int,
    rater: SyntheticRater,
    truth: Mapping[str, Mapping[str, float]],
    generator: np.random.Generator,
    now: datetime,
) -> timedelta:
    """Submit one answer; how long it took."""
    duration = max(1, round(rater.median_ms * float(np.exp(_SPREAD * generator.normal()))))
    skipped = "cannot tell" if generator.random() < rater.skip else None
    values = {} if skipped else synthetic_values(protocol, given.unit, rater, truth[given.unit.key], generator)
    form = {}
    if protocol.form and not skipped:
        form = {
            field.name: "yes" if field.kind == "checkbox" else field.options[0] if field.options else "said"
            for field in protocol.form
        }
    taken = timedelta(milliseconds=duration)
    submit(
        store,
        Submission(
            client_id=str(uuid.UUID(bytes=generator.bytes(16), version=4)),
            unit_id=given.unit_id,
            person_id=person,
            values=values,
            form=form,
            skipped=skipped,
            duration_ms=duration,
            time=now + taken,
            client={"synthetic": True},
            lease=given.lease,
        ),
        now=now + taken,
    )
    return taken
