"""Reading what happened: events, the answers that stand, the state of units, a person's own answers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from sqlalchemy import ColumnElement, func, select

from emonet.annotation.protocols import Judgement
from emonet.annotation.store._engine import Store
from emonet.annotation.store._projects import read_project
from emonet.annotation.store._records import Answer, Event, UnitState
from emonet.annotation.store._rows import UNIT_COLUMNS, UNITS, AnyRow, known_items, state_of, unit_of
from emonet.annotation.store._standing import EVENTS, Standing, standing
from emonet.annotation.store._tables import EventRow, PersonRow, UnitRow

_CHUNK = 2000


def events(store: Store, after: int = 0) -> Iterator[Event]:
    """The whole record in the order of its numbers, from the event behind number `after`. Read in pieces, so that a
    caller may take its time. Numbers have gaps, and on PostgreSQL an event may become visible shortly after one with a
    higher number."""
    query = (
        select(EventRow.__table__, PersonRow.code, UnitRow.key)
        .join(PersonRow, PersonRow.id == EventRow.person)
        .join(UnitRow, UnitRow.id == EventRow.unit)
        .order_by(EventRow.id)
        .limit(_CHUNK)
    )
    while True:
        with store.reading() as connection:
            rows = connection.execute(query.where(EventRow.id > after)).all()
        for row in rows:
            yield _event(row)
        if len(rows) < _CHUNK:
            return
        after = rows[-1].id


def last_event(store: Store) -> int:
    """Number of the newest event, 0 for none: a cheap way to see whether anything happened."""
    with store.reading() as connection:
        return connection.execute(select(func.coalesce(func.max(EventRow.id), 0))).scalar_one()


def valid_judgements(store: Store, *, units: Sequence[int] | None = None) -> tuple[Judgement, ...]:
    """The answers and skips that stand, in the order they first came in; practice and gold among them. units: only of
    these, by number."""
    return tuple(one.judgement for one in _standings(store, units) if not one.adjudication)


def adjudications(store: Store) -> dict[str, dict[str, float]]:
    """What leads have set, by key of the unit; the last word on each. A unit that a withdrawal has opened again is
    among them too: its adjudication counts once more when it is closed."""
    with store.reading() as connection:
        judged = select(EventRow.unit).where(EventRow.kind == "adjudication")
        rows = standing(connection.execute(EVENTS.where(EventRow.unit.in_(judged))))
    return {one.judgement.unit: dict(one.judgement.values) for one in rows if one.adjudication}


def unit_states(store: Store) -> tuple[UnitState, ...]:
    """All units with what they came to, in the order of the work. The derived figures of practice and gold units stay
    as they were at first: their answer is known."""
    return _states(store, None)


def find_unit(store: Store, unit_id: int | None = None, *, key: str | None = None) -> UnitState | None:
    """One unit, by number or key."""
    return next(iter(_states(store, UnitRow.id == unit_id if unit_id is not None else UnitRow.key == key)), None)


def history(store: Store, person_id: int, *, limit: int = 50, before: int | None = None) -> tuple[Answer, ...]:
    """A person's own answers and skips, the newest first, those taken back among them. before: number of an event, to
    read on from it."""
    project = read_project(store)
    query = (
        select(EventRow.__table__)
        .where(EventRow.person == person_id, EventRow.kind.in_(("rating", "skip")))
        .order_by(EventRow.id.desc())
        .limit(limit)
    )
    if before is not None:
        query = query.where(EventRow.id < before)
    with store.reading() as connection:
        rows = connection.execute(query).all()
        unit_ids = sorted({row.unit for row in rows})
        own = EVENTS.where(EventRow.person == person_id, EventRow.unit.in_(unit_ids))
        stands = {one.event: one for one in standing(connection.execute(own))}
        units = {row.id: row for row in connection.execute(select(*UNIT_COLUMNS).where(UnitRow.id.in_(unit_ids)))}
        found = known_items(store, connection, (one for unit in units.values() for one in unit.item_ids))
    out = []
    for row in rows:
        unit, now = units[row.unit], stands.get(row.id)
        judgement = now.judgement if now else None
        out.append(
            Answer(
                event_id=row.id,
                client_id=row.client_id,
                unit_id=row.unit,
                unit=unit_of(unit),
                kind=unit.kind,
                items=tuple(found[one] for one in unit.item_ids),
                values=judgement.values if judgement else row.values,
                form=judgement.form if judgement else row.form,
                skipped=judgement.skipped if judgement else row.skipped,
                time=row.time,
                received=row.received,
                duration_ms=row.duration_ms,
                corrected=bool(now and now.corrected),
                undone=now is None,
                undo_until=row.received + project.undo,
            )
        )
    return tuple(out)


def _standings(store: Store, units: Sequence[int] | None) -> list[Standing]:
    with store.reading() as connection:
        if units is None:
            return standing(connection.execute(EVENTS))
        chosen = sorted(set(units))
        rows: list[Standing] = []
        for start in range(0, len(chosen), 500):
            rows += standing(connection.execute(EVENTS.where(EventRow.unit.in_(chosen[start : start + 500]))))
    return sorted(rows, key=lambda one: one.event)


def _states(store: Store, condition: ColumnElement[bool] | None) -> tuple[UnitState, ...]:
    query = select(UNITS).order_by(UnitRow.position)
    if condition is not None:
        query = query.where(condition)
    with store.reading() as connection:
        rows = connection.execute(query).all()
        found = known_items(store, connection, (one for row in rows for one in row.item_ids))
    return tuple(state_of(row, [found[one] for one in row.item_ids]) for row in rows)


def _event(row: AnyRow) -> Event:
    return Event(
        row.id,
        row.client_id,
        row.kind,
        row.unit,
        row.key,
        row.code,
        row.stage,
        row.values,
        row.form,
        row.skipped,
        row.time,
        row.received,
        row.duration_ms,
        row.client,
        row.refers_to,
        row.note,
    )
