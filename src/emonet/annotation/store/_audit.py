"""The audit log: what was done to accounts and to the project. Lines are only ever added."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, insert, select

from emonet.annotation.store._engine import Store
from emonet.annotation.store._records import AuditEntry
from emonet.annotation.store._tables import AuditRow, PersonRow


def record(
    where: Store | Connection,
    action: str,
    *,
    person: int | None = None,
    target: str = "",
    details: Mapping[str, Any] | None = None,
    now: datetime | None = None,
) -> None:
    """Add a line. where: a store, or a connection to make the line part of its transaction. action: short, such as
    "sign-in" or "role changed". person: id of who did it, None for the command line."""
    if isinstance(where, Store):
        with where.writing() as connection:
            record(connection, action, person=person, target=target, details=details, now=now)
        return
    where.execute(
        insert(AuditRow).values(
            time=now or datetime.now(UTC), person=person, action=action, target=target, details=dict(details or {})
        )
    )


def audit_log(store: Store, *, limit: int = 200, before: int | None = None) -> tuple[AuditEntry, ...]:
    """The newest lines first. before: number of a line, to read on from it."""
    query = select(AuditRow.__table__, PersonRow.code).outerjoin(PersonRow, PersonRow.id == AuditRow.person)
    if before is not None:
        query = query.where(AuditRow.id < before)
    with store.reading() as connection:
        rows = connection.execute(query.order_by(AuditRow.id.desc()).limit(limit)).all()
    return tuple(AuditEntry(row.id, row.time, row.code, row.action, row.target, row.details) for row in rows)
