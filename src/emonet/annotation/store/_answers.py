"""Answers: giving one, taking it back, correcting it.

Each is stored as an event, and what the unit amounts to is worked out in the same transaction. Whoever answers locks
their lease first and the unit second, always in this order.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, bindparam, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite

from emonet.annotation.protocols import Unit, check_values, feedback
from emonet.annotation.store._assignment import assignments_of
from emonet.annotation.store._checks import by_item, checked_client, checked_text, number
from emonet.annotation.store._derived import derive, lock_unit, standing_of
from emonet.annotation.store._engine import Store
from emonet.annotation.store._projects import read_project
from emonet.annotation.store._records import (
    AnsweredError,
    NotAssignedError,
    Project,
    Receipt,
    Submission,
    Undone,
)
from emonet.annotation.store._rows import UNIT_COLUMNS, AnyRow, unit_of
from emonet.annotation.store._standing import Standing
from emonet.annotation.store._tables import EventRow, LeaseRow, PersonRow, UnitRow
from emonet.errors import UsageError

LONGEST_MS = 2**31 - 1
"""Durations above (25 days: a page left open) are stored as this."""
_LEASE = (
    select(
        *UNIT_COLUMNS,
        LeaseRow.id.label("lease"),
        LeaseRow.stage,
        LeaseRow.state,
        LeaseRow.token,
        LeaseRow.expires,
        PersonRow.active,
    )
    .join(UnitRow, UnitRow.id == LeaseRow.unit)
    .join(PersonRow, PersonRow.id == LeaseRow.person)
    .where(LeaseRow.unit == bindparam("unit"), LeaseRow.person == bindparam("person"))
    .with_for_update(key_share=True, of=LeaseRow)
)
_SENT = select(EventRow.id, EventRow.kind, EventRow.unit, EventRow.person, EventRow.received, EventRow.refers_to).where(
    EventRow.client_id == bindparam("client_id")
)
_EVENT = select(EventRow.id, EventRow.kind, EventRow.unit, EventRow.person, EventRow.received, EventRow.stage).where(
    EventRow.id == bindparam("event")
)
_ADD = insert(EventRow).returning(EventRow.id)
_ADD_ONCE = {
    "postgresql": postgresql.insert(EventRow)
    .on_conflict_do_nothing(index_elements=["client_id"])
    .returning(EventRow.id),
    "sqlite": sqlite.insert(EventRow).on_conflict_do_nothing(index_elements=["client_id"]).returning(EventRow.id),
}
_ANSWERED = update(LeaseRow).where(LeaseRow.id == bindparam("lease")).values(state="done")


def submit(store: Store, submission: Submission, *, now: datetime | None = None) -> Receipt:
    """Store an answer or a skip. It is durable when this returns; the same `client_id` again changes nothing.

    An answer is taken when the unit was once given to the person, also after the lease ran out (it may have waited in a
    browser without a connection), and counts even if somebody else has answered in the meantime. Raises
    `NotAssignedError` for a unit that was never given to them, `AnsweredError` where they have answered it already, and
    `UsageError` naming the field for an answer that the protocol does not allow.
    """
    now = now or datetime.now(UTC)
    project = read_project(store)
    client_id = checked_text(submission.client_id, "client_id", 100, needed=True)
    asked = {"unit": number(submission.unit_id), "person": number(submission.person_id)}
    with store.writing() as connection:
        row = connection.execute(_LEASE, asked).one_or_none()
        if row is None or row.state == "done":
            sent = connection.execute(_SENT, {"client_id": client_id}).one_or_none()
            if sent is not None:
                return _again(project, sent, submission, row)
        row = _answerable(row, submission)
        unit = unit_of(row)
        values = by_item(unit, row.item_ids, submission.values)
        event = {**_event(submission, project, unit, values, now), "client_id": client_id, "stage": row.stage}
        if row.kind == "work":
            lock_unit(connection, row.id)
        event_id = connection.execute(_ADD_ONCE[store.dialect], event).scalar_one_or_none()
        if event_id is None:  # stored before and undone since, so that the unit is open again
            sent = connection.execute(_SENT, {"client_id": client_id}).one()
            return _again(project, sent, submission, row)
        connection.execute(_ANSWERED, {"lease": row.lease})
        derive(connection, project.protocol, row.id, unit)
    told = feedback(project.protocol, unit, values) if row.kind == "training" and submission.skipped is None else None
    return Receipt(event_id, False, told, now + project.undo)


def undo(store: Store, person_id: int, event_id: int, client_id: str, *, now: datetime | None = None) -> Undone:
    """Take a person's own answer or skip back; the unit is open for them again.

    Raises `AnsweredError` when the time for it is over or the answer is taken back already, `NotAssignedError` for an
    event that is not theirs.
    """
    now = now or datetime.now(UTC)
    project = read_project(store)
    client_id = checked_text(client_id, "client_id", 100, needed=True)
    with store.writing() as connection:
        event = _own(connection, person_id, event_id)
        row = connection.execute(_LEASE, {"unit": event.unit, "person": person_id}).one()
        sent = connection.execute(_SENT, {"client_id": client_id}).one_or_none()
        if sent is not None:
            _same(sent, person_id, "undo", event_id)
            held = [row] if row.state == "open" else []
            return Undone(sent.id, True, next(iter(assignments_of(store, connection, held)), None))
        if row.kind == "work":
            lock_unit(connection, row.id)
        _standing(connection, event, person_id)
        if now > event.received + project.undo:
            raise AnsweredError(
                f"The answer can be undone for {project.undo} only. It can still be corrected: open it in your history."
            )
        values = _effect(client_id, "undo", event, person_id, now)
        undone = connection.execute(_ADD, values).scalar_one()
        connection.execute(
            update(LeaseRow)
            .where(LeaseRow.id == row.lease)
            .values(state="open", token=secrets.token_urlsafe(9), expires=now + project.lease)
        )
        derive(connection, project.protocol, row.id, unit_of(row))
        again = connection.execute(_LEASE, {"unit": event.unit, "person": person_id}).all()
        return Undone(undone, False, assignments_of(store, connection, again)[0])


def correct(
    store: Store,
    person_id: int,
    event_id: int,
    client_id: str,
    *,
    values: Mapping[str, float],
    form: Mapping[str, str] | None = None,
    time: datetime | None = None,
    duration_ms: int = 0,
    client: Mapping[str, Any] | None = None,
    now: datetime | None = None,
) -> Receipt:
    """Put another answer in place of a person's own earlier one (or of a skip), at any time. The earlier one stays on
    record. Practice cannot be corrected: its answer has been told. Errors as in `undo` and `submit`."""
    now = now or datetime.now(UTC)
    project = read_project(store)
    client_id = checked_text(client_id, "client_id", 100, needed=True)
    with store.writing() as connection:
        event = _own(connection, person_id, event_id)
        row = connection.execute(_LEASE, {"unit": event.unit, "person": person_id}).one()
        sent = connection.execute(_SENT, {"client_id": client_id}).one_or_none()
        if sent is not None:
            _same(sent, person_id, "correction", event_id)
            return Receipt(sent.id, True, None, event.received + project.undo)
        if row.kind == "training":
            raise AnsweredError("Practice cannot be corrected: its answer has been told.")
        if not row.active:
            raise NotAssignedError("This account is closed; its answers can no longer be changed.")
        unit = unit_of(row)
        if row.kind == "work":
            lock_unit(connection, row.id)
        _standing(connection, event, person_id)
        named = by_item(unit, row.item_ids, values)
        submission = Submission(client_id, row.id, person_id, named, form or {}, None, duration_ms, time, client or {})
        content = _event(submission, project, unit, named, now)
        effect = _effect(client_id, "correction", event, person_id, now)
        corrected = connection.execute(
            _ADD, {**content, **{name: effect[name] for name in ("client_id", "kind", "stage", "refers_to")}}
        ).scalar_one()
        derive(connection, project.protocol, row.id, unit)
    return Receipt(corrected, False, None, event.received + project.undo)


def _again(project: Project, sent: AnyRow, submission: Submission, row: AnyRow | None) -> Receipt:
    """The receipt of an answer that was stored before."""
    same = sent.person == submission.person_id and sent.unit == submission.unit_id and sent.kind in ("rating", "skip")
    if not same or row is None:
        raise UsageError(f"client_id {submission.client_id!r} was used for another answer; make a new one for each.")
    unit = unit_of(row)
    told = None
    if row.kind == "training" and sent.kind == "rating":
        told = feedback(project.protocol, unit, by_item(unit, row.item_ids, submission.values))
    return Receipt(sent.id, True, told, sent.received + project.undo)


def _answerable(row: AnyRow | None, submission: Submission) -> AnyRow:
    if row is None:
        raise NotAssignedError(
            f"Unit {submission.unit_id} was never given to person {submission.person_id}; answer the units that take "
            "returned."
        )
    if not row.active:
        raise NotAssignedError("This account is closed; it can no longer answer.")
    if row.state == "done":
        raise AnsweredError(f"Unit {submission.unit_id} is answered already; correct the answer instead.")
    return row


def _event(
    submission: Submission, project: Project, unit: Unit, values: Mapping[str, float], now: datetime
) -> dict[str, Any]:
    """The columns of an answer or a skip, checked."""
    skipped = submission.skipped
    if skipped is None:
        check_values(project.protocol, unit, values, submission.form)
    else:
        skipped = checked_text(skipped, "skipped", 1000, needed=True)
        if values or submission.form:
            raise UsageError("A skip comes with a reason and without values; received both.")
    if submission.duration_ms < 0:
        raise UsageError(f"duration_ms is {submission.duration_ms}; expected 0 or more.")
    return {
        "kind": "rating" if skipped is None else "skip",
        "unit": submission.unit_id,
        "person": submission.person_id,
        "values": {name: float(value) for name, value in values.items()},
        "form": {name: checked_text(value, name, 20_000) for name, value in submission.form.items()},
        "skipped": skipped,
        "time": submission.time or now,
        "received": now,
        "duration_ms": min(submission.duration_ms, LONGEST_MS),
        "client": checked_client(submission.client),
        "refers_to": None,
        "note": "",
    }


def _effect(client_id: str, kind: str, event: AnyRow, person_id: int, now: datetime) -> dict[str, Any]:
    """The columns of an event that says something about an earlier one."""
    return {
        "client_id": client_id,
        "kind": kind,
        "unit": event.unit,
        "person": person_id,
        "stage": event.stage,
        "values": {},
        "form": {},
        "skipped": None,
        "time": now,
        "received": now,
        "duration_ms": 0,
        "client": {},
        "refers_to": event.id,
        "note": "",
    }


def _own(connection: Connection, person_id: int, event_id: int) -> AnyRow:
    """The person's own rating or skip."""
    found = connection.execute(_EVENT, {"event": number(event_id, big=True)}).one_or_none()
    if found is None or found.person != person_id or found.kind not in ("rating", "skip"):
        raise NotAssignedError(f"Event {event_id} is no answer of person {person_id}.")
    return found


def _same(sent: AnyRow, person_id: int, kind: str, event_id: int) -> None:
    if (sent.person, sent.kind, sent.refers_to) != (person_id, kind, event_id):
        raise UsageError("This client_id was used for something else; make a new one for each.")


def _standing(connection: Connection, event: AnyRow, person_id: int) -> Standing:
    """What stands of the event; `AnsweredError` when it was taken back."""
    for one in standing_of(connection, event.unit, person_id):
        if one.event == event.id:
            return one
    raise AnsweredError("This answer was taken back before.")
