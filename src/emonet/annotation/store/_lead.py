"""What leads do to answers: adjudicate a unit, and take a person's answers out when they withdraw."""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, bindparam, delete, insert, select, update

from emonet.annotation.protocols import adjudicated, decide
from emonet.annotation.store._audit import record
from emonet.annotation.store._checks import by_item, checked_text, number
from emonet.annotation.store._derived import derive, lock_unit, standing_of
from emonet.annotation.store._engine import Store
from emonet.annotation.store._leases import lapse
from emonet.annotation.store._projects import read_project
from emonet.annotation.store._records import NotAssignedError, Project
from emonet.annotation.store._rows import UNIT_COLUMNS, unit_of
from emonet.annotation.store._standing import EVENTS, Standing, standing
from emonet.annotation.store._tables import EventRow, LeaseRow, PersonRow, SessionRow, UnitRow
from emonet.errors import UsageError

_UNIT = select(*UNIT_COLUMNS).where(UnitRow.id == bindparam("unit"))
_CHUNK = 200


def adjudicate(
    store: Store,
    lead_id: int,
    unit_id: int,
    values: Mapping[str, float],
    reason: str,
    *,
    client_id: str | None = None,
    now: datetime | None = None,
) -> int:
    """Set the values that a unit is taken to have; the number of the event. The raters' answers stay as they are, and a
    later adjudication replaces this one. client_id: as in `Submission`; by default a new one.

    Raises `UsageError` while raters are still wanted, for values that no rater could give, and where the person is no
    lead.
    """
    now = now or datetime.now(UTC)
    protocol = read_project(store).protocol
    client_id = checked_text(client_id or str(uuid.uuid4()), "client_id", 100, needed=True)
    reason = checked_text(reason, "reason", 2000)
    with store.writing() as connection:
        role = connection.execute(
            select(PersonRow.role).where(PersonRow.id == number(lead_id), PersonRow.active)
        ).scalar_one_or_none()
        if role not in ("lead", "admin"):
            raise UsageError(f"Person {lead_id} is no lead; only leads and admins adjudicate.")
        sent = connection.execute(
            select(EventRow.id, EventRow.kind, EventRow.unit).where(EventRow.client_id == client_id)
        ).one_or_none()
        if sent is not None:
            if (sent.kind, sent.unit) != ("adjudication", unit_id):
                raise UsageError("This client_id was used for something else; make a new one for each.")
            return int(sent.id)
        lock_unit(connection, number(unit_id))
        row = connection.execute(_UNIT, {"unit": number(unit_id)}).one_or_none()
        if row is None or row.kind != "work":
            raise UsageError(f"Unit {unit_id} is none of the project's work; there is nothing to adjudicate.")
        unit = unit_of(row)
        named = by_item(unit, row.item_ids, values)
        found = [one.judgement for one in standing_of(connection, row.id) if not one.adjudication]
        decision = decide(protocol, unit, found)
        adjudicated(protocol, unit, decision, named)
        event_id = connection.execute(
            insert(EventRow)
            .values(
                client_id=client_id,
                kind="adjudication",
                unit=row.id,
                person=lead_id,
                stage=decision.stage,
                values={name: float(value) for name, value in named.items()},
                form={},
                skipped=None,
                time=now,
                received=now,
                duration_ms=0,
                client={},
                refers_to=None,
                note=reason,
            )
            .returning(EventRow.id)
        ).scalar_one()
        derive(connection, protocol, row.id, unit)
        record(connection, "adjudicated", person=lead_id, target=unit.key, details={"event": event_id}, now=now)
    return event_id


def withdraw(
    store: Store,
    person_id: int,
    *,
    by: int | None = None,
    reason: str = "",
    erase: bool = False,
    now: datetime | None = None,
) -> int:
    """Take all of a person's answers out, close the account and end its sessions; how many answers were taken out.

    Nothing is deleted: each answer gets an event that withdraws it, and its unit goes to others where it is now short
    of raters. erase: also forget the login, name, password and demographics, so that only the blinded name is left. by:
    who asked for it, None for the command line. In steps; called again after an interruption it goes on.
    """
    now = now or datetime.now(UTC)
    project = read_project(store)
    reason = checked_text(reason, "reason", 2000)
    with store.writing() as connection:
        _close(connection, person_id, erase=erase)
        held = connection.execute(
            select(LeaseRow.id, LeaseRow.unit).where(LeaseRow.person == person_id, LeaseRow.state == "open")
        ).all()
        if held:
            lapse(connection, held)
        record(connection, "withdrew", person=by, target=f"person {person_id}", details={"erase": erase}, now=now)
    with store.reading() as connection:
        rows = standing(connection.execute(EVENTS.where(EventRow.person == person_id)))
    by_unit: defaultdict[int, list[Standing]] = defaultdict(list)
    for one in rows:
        if not one.adjudication:
            by_unit[one.unit].append(one)
    units = sorted(by_unit)
    return sum(
        _withdraw(store, project, {unit: by_unit[unit] for unit in units[start : start + _CHUNK]}, reason, now)
        for start in range(0, len(units), _CHUNK)
    )


def _close(connection: Connection, person_id: int, *, erase: bool) -> None:
    gone: dict[str, Any] = {"login": None, "name": "", "password_hash": None, "demographics": {}} if erase else {}
    closed = connection.execute(
        update(PersonRow).where(PersonRow.id == number(person_id)).values(active=False, **gone).returning(PersonRow.id)
    ).one_or_none()
    if closed is None:
        raise NotAssignedError(f"There is nobody with the number {person_id}.")
    connection.execute(delete(SessionRow).where(SessionRow.person == person_id))


def _withdraw(store: Store, project: Project, chosen: Mapping[int, list[Standing]], reason: str, now: datetime) -> int:
    """Withdraw what stands of some units, in one transaction."""
    ids = list(chosen)
    with store.writing() as connection:
        connection.execute(
            select(UnitRow.id).where(UnitRow.id.in_(ids)).order_by(UnitRow.id).with_for_update(key_share=True)
        ).all()
        gone: Any = set(
            connection.execute(
                select(EventRow.refers_to).where(EventRow.unit.in_(ids), EventRow.kind.in_(("undo", "withdrawal")))
            ).scalars()
        )
        events: list[dict[str, Any]] = [
            {
                "client_id": f"withdrawal-{one.event}",
                "kind": "withdrawal",
                "unit": one.unit,
                "person": one.person,
                "stage": one.judgement.stage,
                "values": {},
                "form": {},
                "skipped": None,
                "time": now,
                "received": now,
                "duration_ms": 0,
                "client": {},
                "refers_to": one.event,
                "note": reason,
            }
            for found in chosen.values()
            for one in found
            if one.event not in gone
        ]
        if events:
            connection.execute(insert(EventRow), events)
        for row in connection.execute(select(*UNIT_COLUMNS).where(UnitRow.id.in_(ids))).all():
            derive(connection, project.protocol, row.id, unit_of(row))
    return len(events)
