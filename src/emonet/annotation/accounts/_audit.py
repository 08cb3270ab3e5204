"""What people did beyond answering: an append-only list that the lead can read."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import insert
from sqlalchemy.engine import Connection

from emonet.annotation.store._tables import AuditRow


def now() -> datetime:
    """The time, with its zone."""
    return datetime.now(UTC)


def record(
    connection: Connection,
    action: str,
    *,
    person: int | None = None,
    target: str = "",
    details: Mapping[str, Any] | None = None,
) -> None:
    """Add an entry within the caller's transaction. `target`: what it was done to, such as "rater-3"."""
    entry = {"time": now(), "person": person, "action": action, "target": target, "details": dict(details or {})}
    connection.execute(insert(AuditRow).values(**entry))
