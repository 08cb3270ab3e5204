"""Statements about leases and shares that giving and answering have in common."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from sqlalchemy import Connection, bindparam, case, func, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import aliased
from sqlalchemy.sql.dml import Insert

from emonet.annotation.store._rows import AnyRow
from emonet.annotation.store._tables import LeaseRow, ShareRow, UnitRow

HOLDERS = (
    select(func.count())
    .select_from(LeaseRow)
    .where(LeaseRow.unit == UnitRow.id, LeaseRow.state == "open")
    .scalar_subquery()
)
"""People who hold a lease on the unit of the row at hand."""
_LOCK = (
    select(UnitRow.id)
    .where(UnitRow.id.in_(bindparam("ids", expanding=True)))
    .order_by(UnitRow.id)
    .with_for_update(key_share=True)
)
_REFRESH = (
    update(UnitRow)
    .where(UnitRow.id.in_(bindparam("ids", expanding=True)))
    .values(free=case((UnitRow.wanted > HOLDERS, UnitRow.wanted - HOLDERS), else_=0))
)


def lapse(connection: Connection, leases: Sequence[AnyRow]) -> None:
    """Take leases (rows with id and unit) back, so that their units can go to others."""
    connection.execute(
        update(LeaseRow).where(LeaseRow.id.in_([row.id for row in leases])).values(state="lapsed", slot=None)
    )
    _refresh_free(connection, [row.unit for row in leases])


def _refresh_free(connection: Connection, units: Sequence[int]) -> None:
    """Count anew for how many of the people a unit wants nobody holds a lease. The units are locked first, in order,
    so that what others do to their leases at the same time is either seen or waits."""
    ids = sorted(set(units))
    for start in range(0, len(ids), 500):
        part = {"ids": ids[start : start + 500]}
        connection.execute(_LOCK, part).all()
        connection.execute(_REFRESH, part)


@lru_cache(maxsize=4)
def lease_statement(dialect: str, *, counted: bool) -> Insert:
    """Give a unit to a person, anew where their earlier lease lapsed. counted: the lease takes the next slot of the
    unit's stage, read when the statement runs, after the unit was locked; else none."""
    other = aliased(LeaseRow)
    last = select(func.max(other.slot)).where(other.unit == bindparam("unit"), other.stage == bindparam("stage"))
    columns = "unit item stage person token state given expires".split()
    statement: Any = _insert(dialect, LeaseRow).values(
        slot=func.coalesce(last.scalar_subquery(), 0) + 1 if counted else None,
        **{name: bindparam(name, type_=LeaseRow.__table__.c[name].type) for name in columns},
    )
    changed = {name: statement.excluded[name] for name in ("stage", "slot", "token", "state", "given", "expires")}
    made: Insert = statement.on_conflict_do_update(index_elements=["unit", "person"], set_=changed)
    return made


@lru_cache(maxsize=2)
def share_statement(dialect: str) -> Insert:
    """Keep what a person was given of a stratum and how far their search came."""
    statement: Any = _insert(dialect, ShareRow)
    changed = {name: statement.excluded[name] for name in ("given", "begun_at", "fresh_at")}
    made: Insert = statement.on_conflict_do_update(index_elements=["person", "stratum"], set_=changed)
    return made


def _insert(dialect: str, table: Any) -> Any:
    return postgresql.insert(table) if dialect == "postgresql" else sqlite.insert(table)
