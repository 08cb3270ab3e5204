"""How far the project and each person have come."""

from __future__ import annotations

from collections import defaultdict
from datetime import UTC, datetime, timedelta
from statistics import median

from sqlalchemy import Connection, and_, exists, func, select
from sqlalchemy.orm import aliased

from emonet.annotation.store._assignment import begun_work, practised, waits
from emonet.annotation.store._engine import Store
from emonet.annotation.store._projects import read_project
from emonet.annotation.store._records import OwnProgress, PersonProgress, Progress, StageProgress
from emonet.annotation.store._rows import PEOPLE, person_of
from emonet.annotation.store._standing import EVENTS, Standing, standing
from emonet.annotation.store._tables import EventRow, LeaseRow, PersonRow, UnitRow

_RECENT = 100
"""Answers whose times make up a person's own pace."""


def progress(store: Store) -> Progress:
    """Counts of units by role, stage and outcome, and of every person's answers. Reads all events: a second for a
    hundred thousand answers."""
    with store.reading() as connection:
        kinds = dict(connection.execute(select(UnitRow.id, UnitRow.kind)).all())
        counted = connection.execute(
            select(UnitRow.role, UnitRow.stage, UnitRow.outcome, func.count(), func.sum(UnitRow.begun))
            .where(UnitRow.kind == "work")
            .group_by(UnitRow.role, UnitRow.stage, UnitRow.outcome)
            .order_by(UnitRow.role, UnitRow.stage)
        ).all()
        rows = [one for one in standing(connection.execute(EVENTS)) if not one.adjudication]
        last = connection.execute(select(func.coalesce(func.max(EventRow.id), 0))).scalar_one()
        people = _people(connection, rows, kinds)
    stages: dict[tuple[str, int], dict[str | None, int]] = {}
    for role, stage, outcome, count, _ in counted:
        stages.setdefault((role, stage), {})[outcome] = count
    all_kinds = list(kinds.values())
    return Progress(
        units=all_kinds.count("work"),
        done=sum(count for _, _, outcome, count, _ in counted if outcome is not None),
        begun=sum(int(begun) for *_, begun in counted),
        answers=sum(person.work for person in people),
        gold=all_kinds.count("gold"),
        training=all_kinds.count("training"),
        stages=tuple(
            StageProgress(
                role,
                stage,
                sum(found.values()),
                found.get(None, 0),
                {outcome: count for outcome, count in found.items() if outcome is not None},
            )
            for (role, stage), found in stages.items()
        ),
        people=people,
        event=last,
    )


def own_progress(store: Store, person_id: int, *, now: datetime | None = None) -> OwnProgress:
    """A rater's own figures, from their own rows alone."""
    now = now or datetime.now(UTC)
    project = read_project(store)
    other = aliased(EventRow)
    gone = exists().where(other.refers_to == EventRow.id, other.kind.in_(("undo", "withdrawal")))
    own = and_(EventRow.person == person_id, EventRow.kind.in_(("rating", "skip")), ~gone)
    with store.reading() as connection:
        counted = dict(connection.execute(select(EventRow.kind, func.count()).where(own).group_by(EventRow.kind)).all())
        today = connection.execute(
            select(func.count()).select_from(EventRow).where(own, EventRow.received > now - timedelta(days=1))
        ).scalar_one()
        recent = connection.execute(
            select(EventRow.duration_ms)
            .where(EventRow.person == person_id, EventRow.kind == "rating")
            .order_by(EventRow.id.desc())
            .limit(_RECENT)
        ).scalars()
        times = [duration / 1000 for duration in recent]
        held = connection.execute(
            select(func.count()).select_from(LeaseRow).where(LeaseRow.person == person_id, LeaseRow.state == "open")
        ).scalar_one()
        return OwnProgress(
            answers=counted.get("rating", 0),
            skips=counted.get("skip", 0),
            today=today,
            open=held,
            training_left=_training_left(connection, project.protocol.training, person_id),
            median_s=median(times) if times else float("nan"),
            waiting=waits(connection, project, person_id),
        )


def _training_left(connection: Connection, wanted: int, person_id: int) -> int:
    """Practice units to come, those held among them."""
    if not wanted:
        return 0
    there = connection.execute(select(func.count()).select_from(UnitRow).where(UnitRow.kind == "training")).scalar_one()
    if begun_work(connection, person_id):
        return 0
    held = connection.execute(
        select(func.count())
        .select_from(LeaseRow)
        .join(UnitRow, UnitRow.id == LeaseRow.unit)
        .where(LeaseRow.person == person_id, LeaseRow.state == "open", UnitRow.kind == "training")
    ).scalar_one()
    return max(0, min(wanted, there) - practised(connection, person_id)) + held


def _people(connection: Connection, rows: list[Standing], kinds: dict[int, str]) -> tuple[PersonProgress, ...]:
    own: defaultdict[int, list[Standing]] = defaultdict(list)
    for one in rows:
        own[one.person].append(one)
    held = dict(
        connection.execute(
            select(LeaseRow.person, func.count()).where(LeaseRow.state == "open").group_by(LeaseRow.person)
        ).all()
    )
    out = []
    for row in connection.execute(select(PEOPLE).order_by(PersonRow.id)):
        answers = [one for one in own[row.id] if one.judgement.skipped is None]
        by_kind = [kinds[one.unit] for one in answers]
        times = [one.judgement.duration_ms / 1000 for one in answers]
        out.append(
            PersonProgress(
                person=person_of(row),
                answers=len(answers),
                skips=len(own[row.id]) - len(answers),
                work=by_kind.count("work"),
                gold=by_kind.count("gold"),
                training=by_kind.count("training"),
                median_s=median(times) if times else float("nan"),
                open=held.get(row.id, 0),
                last=max((one.judgement.time for one in own[row.id]), default=None),
            )
        )
    return tuple(out)
