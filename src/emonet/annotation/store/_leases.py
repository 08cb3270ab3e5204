"""Small statements about leases that giving and answering share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, bindparam, case, func, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.sql.dml import Insert

from emonet.annotation.store._tables import LeaseRow, Table, UnitRow

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


def refresh_free(connection: Connection, units: Sequence[int]) -> None:
    """Count anew for how many of the people a unit wants nobody holds a lease. The units are locked first, in order,
    so that what others do to their leases at the same time is either seen or waits."""
    ids = sorted(set(units))
    for start in range(0, len(ids), 500):
        part = {"ids": ids[start : start + 500]}
        connection.execute(_LOCK, part).all()
        connection.execute(_REFRESH, part)


def upsert(connection: Connection, table: type[Table], values: Mapping[str, Any], *, unique: Sequence[str]) -> Insert:
    """Insert a row, or change the one that has equal values in the columns `unique`."""
    make = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    statement = make(table).values(**values)
    changed = {name: statement.excluded[name] for name in values if name not in unique}
    return statement.on_conflict_do_update(index_elements=list(unique), set_=changed)
