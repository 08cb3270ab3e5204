"""What is still to do, with an honest interval: ratings still needed, and the hours they will take.

How many ratings a staged protocol still needs is not known: a unit goes on to its next stage only after certain
answers. The share that did so far, per role and stage, is drawn from its posterior (binomial, Jeffreys' prior), units
are drawn through the stages, and the spread of the totals is the interval. The time of an answer is each person's mean,
weighted by their answers; people are drawn anew each time, since it is they who differ.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, and_, func, select

from emonet.annotation.protocols import Protocol, Stage
from emonet.annotation.store._engine import Store
from emonet.annotation.store._projects import read_project
from emonet.annotation.store._records import Estimate, Project, Remaining
from emonet.annotation.store._standing import EVENTS, standing
from emonet.annotation.store._tables import LeaseRow, PersonRow, UnitRow

DRAWS = 2000
LONG = 5.0
"""An answer that took more than so many times its rater's median was interrupted by something, and counts as this."""

Floats = NDArray[np.float64]


@dataclass(slots=True)
class _Funnel:
    """Units of one role by stage: `closed` and `went_on` tell how many finished the stage and how many of those were
    asked further; `open` and `wanted` what waits there."""

    stages: tuple[Stage, ...]
    closed: Counter[int] = field(default_factory=Counter)
    went_on: Counter[int] = field(default_factory=Counter)
    open: Counter[int] = field(default_factory=Counter)
    wanted: Counter[int] = field(default_factory=Counter)


def remaining(store: Store, *, seed: int = 0) -> Remaining:
    """Answers to ordinary units that are still needed, and hours of people's time, in which checks, skips and the pace
    so far are counted in. seed: of the draws."""
    project = read_project(store)
    generator = np.random.default_rng(seed)
    with store.reading() as connection:
        funnels = _funnels(connection, project.protocol)
        durations, skipped = _durations(connection)
        golden = connection.execute(select(UnitRow.id).where(UnitRow.kind == "gold").limit(1)).first() is not None
        stuck = _stuck(connection, project)
    value, drawn = 0.0, np.zeros(DRAWS)
    continuation: dict[str, Estimate] = {}
    for role, funnel in funnels.items():
        expected, draws = _still(funnel, generator, role, continuation)
        value, drawn = value + expected, drawn + draws
    seconds, paces = _pace(durations, generator)
    # Checks come on top, and a skip costs time and brings no answer.
    extra = 1 + (1 / project.protocol.gold_every if golden and project.protocol.gold_every else 0.0)
    extra *= 1 + skipped
    return Remaining(
        ratings=_estimate(value, drawn),
        hours=_estimate(value * seconds * extra / 3600, drawn * paces * extra / 3600),
        seconds=seconds,
        continuation=continuation,
        stuck=stuck,
    )


def _funnels(connection: Connection, protocol: Protocol) -> dict[str, _Funnel]:
    funnels: dict[str, _Funnel] = {role: _Funnel(stages) for role, stages in protocol.rules.items()}
    rows = connection.execute(
        select(UnitRow.role, UnitRow.stage, UnitRow.outcome, func.count(), func.sum(UnitRow.wanted))
        .where(UnitRow.kind == "work")
        .group_by(UnitRow.role, UnitRow.stage, UnitRow.outcome)
    )
    for role, stage, outcome, count, wanted in rows:
        funnel = funnels[role]
        for earlier in range(1, stage):
            funnel.closed[earlier] += count
            funnel.went_on[earlier] += count
        if outcome is None:
            funnel.open[stage] += count
            funnel.wanted[stage] += int(wanted)
        else:
            funnel.closed[stage] += count
    return {role: funnel for role, funnel in funnels.items() if funnel.open or funnel.closed}


def _still(
    funnel: _Funnel, generator: np.random.Generator, role: str, continuation: dict[str, Estimate]
) -> tuple[float, Floats]:
    """Expected answers still needed in a role, and draws of them float64 [DRAWS]."""
    expected, arriving_expected = 0.0, 0.0
    drawn, arriving = np.zeros(DRAWS), np.zeros(DRAWS, np.int64)
    for number, _ in enumerate(funnel.stages, start=1):
        expected += funnel.wanted[number]
        drawn = drawn + funnel.wanted[number]
        if number == len(funnel.stages):
            break
        following = funnel.stages[number]
        share, shares = _share(funnel, number, following, generator)
        if following.enter != "always":
            continuation[f"{role} {number}"] = _estimate(share, shares)
        arriving_expected = (funnel.open[number] + arriving_expected) * share
        arriving = generator.binomial(funnel.open[number] + arriving, shares)
        expected += arriving_expected * following.raters
        drawn = drawn + arriving * following.raters
    return expected, drawn


def _share(funnel: _Funnel, number: int, following: Stage, generator: np.random.Generator) -> tuple[float, Floats]:
    """Share of the units that go on behind a stage, and draws of it."""
    if following.enter == "always":
        return 1.0, np.ones(DRAWS)
    went, ended = funnel.went_on[number] + 0.5, funnel.closed[number] - funnel.went_on[number] + 0.5
    return went / (went + ended), generator.beta(went, ended, DRAWS)


def _durations(connection: Connection) -> tuple[dict[int, list[float]], float]:
    """Seconds of the answers of each person, practice left out, and skips per answer."""
    training = set(connection.execute(select(UnitRow.id).where(UnitRow.kind == "training")).scalars())
    durations: defaultdict[int, list[float]] = defaultdict(list)
    skips = 0
    for one in standing(connection.execute(EVENTS)):
        if one.adjudication or one.unit in training:
            continue
        if one.judgement.skipped is not None:
            skips += 1
        elif one.judgement.duration_ms > 0:
            durations[one.person].append(one.judgement.duration_ms / 1000)
    answers = sum(map(len, durations.values()))
    return dict(durations), skips / answers if answers else 0.0


def _pace(durations: Mapping[int, Sequence[float]], generator: np.random.Generator) -> tuple[float, Floats]:
    """Mean seconds of an answer over people, and draws of it; NaN before the first answer."""
    if not durations:
        return float("nan"), np.full(DRAWS, np.nan)
    counts = np.array([len(times) for times in durations.values()], np.float64)
    means, errors = [], []
    for times in durations.values():
        kept = np.minimum(times, LONG * np.median(times))
        means.append(kept.mean())
        errors.append(kept.std(ddof=1) / np.sqrt(len(kept)) if len(kept) > 1 else kept.mean() / 2)
    people = len(counts)
    weights = generator.multinomial(people, np.full(people, 1 / people), DRAWS) * counts  # [DRAWS, people]
    drawn = np.maximum(np.array(means) + np.array(errors) * generator.normal(size=(DRAWS, people)), 0.0)
    return float(counts @ means / counts.sum()), (weights * drawn).sum(axis=1) / weights.sum(axis=1)


def _estimate(value: float, drawn: Floats) -> Estimate:
    if not np.isfinite(value):
        return Estimate(float("nan"), float("nan"), float("nan"))
    low, high = np.percentile(drawn, (2.5, 97.5))
    return Estimate(float(value), float(low), float(high))


def _stuck(connection: Connection, project: Project) -> int:
    """Open units for which there are fewer active raters left to ask than they want."""
    raters = connection.execute(
        select(func.count()).select_from(PersonRow).where(PersonRow.active, PersonRow.role == "rater")
    ).scalar_one()
    given = and_(LeaseRow.state != "lapsed", PersonRow.active, PersonRow.role == "rater")

    def seen(column: object) -> dict[object, int]:
        query = select(column, func.count(LeaseRow.person.distinct())).select_from(LeaseRow)  # type: ignore[call-overload]
        query = query.join(PersonRow, PersonRow.id == LeaseRow.person).where(given).group_by(column)
        return dict(connection.execute(query).all())

    by_unit = seen(LeaseRow.unit)
    by_item = seen(LeaseRow.item) if project.same_item == "never" else {}
    open_units = connection.execute(select(UnitRow.id, UnitRow.item, UnitRow.free).where(UnitRow.free > 0)).all()
    return sum(
        row.free > raters - max(by_unit.get(row.id, 0), by_item.get(row.item, 0) if row.item else 0)
        for row in open_units
    )
