"""The derived columns of units: what the events of a unit amount to, kept beside them for speed."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from sqlalchemy import Connection, bindparam, case, literal, select, update

from emonet.annotation.protocols import Protocol, Unit
from emonet.annotation.store._engine import Store
from emonet.annotation.store._leases import HOLDERS
from emonet.annotation.store._projects import read_project
from emonet.annotation.store._rows import UNIT_COLUMNS, unit_of
from emonet.annotation.store._standing import EVENTS, Standing, decided, standing
from emonet.annotation.store._tables import EventRow, UnitRow

_DERIVED = (
    UnitRow.stage,
    UnitRow.wanted,
    UnitRow.free,
    UnitRow.begun,
    UnitRow.answers,
    UnitRow.outcome,
    UnitRow.type,
    UnitRow.agreed,
    UnitRow.adjudicated,
)
_OF_UNIT = EVENTS.where(EventRow.unit == bindparam("unit"))
_OF_UNITS = EVENTS.where(EventRow.unit.in_(bindparam("units", expanding=True)))
_LOCK = select(UnitRow.id).where(UnitRow.id == bindparam("unit")).with_for_update(key_share=True)
_wanted: Any = bindparam("new_wanted", type_=UnitRow.wanted.type)
_WRITE = (
    update(UnitRow)
    .where(UnitRow.id == bindparam("unit"))
    .values(
        stage=bindparam("new_stage"),
        wanted=_wanted,
        free=case((_wanted > HOLDERS, _wanted - HOLDERS), else_=literal(0)),
        begun=bindparam("new_begun"),
        answers=bindparam("new_answers"),
        outcome=bindparam("new_outcome"),
        type=bindparam("new_type"),
        agreed=bindparam("new_agreed", type_=UnitRow.agreed.type),
        adjudicated=bindparam("new_adjudicated"),
    )
)
_CHUNK = 500


def lock_unit(connection: Connection, unit_id: int) -> None:
    """Keep others from changing the unit until the transaction ends."""
    connection.execute(_LOCK, {"unit": unit_id}).all()


def standing_of(connection: Connection, unit_id: int, person_id: int | None = None) -> list[Standing]:
    """What stands of one unit, or of one person's answers to it."""
    query = _OF_UNIT if person_id is None else _OF_UNIT.where(EventRow.person == person_id)
    return standing(connection.execute(query, {"unit": unit_id}))


def derive(connection: Connection, protocol: Protocol, unit_id: int, unit: Unit) -> None:
    """Write the derived columns of a unit that the caller has locked. Practice and gold have none that change: their
    answer is known, and everybody is given them, so that a shared row would make people wait for one another."""
    if unit.gold or unit.role == "training":
        return
    connection.execute(_WRITE, {"unit": unit_id, **_columns(protocol, unit, standing_of(connection, unit_id))})


def rebuild(store: Store) -> int:
    """Compute the derived columns of all units anew from the events; the number of units that were changed, which is
    0 unless somebody has altered the database by other means."""
    protocol = read_project(store).protocol
    with store.reading() as connection:
        ids = list(connection.execute(select(UnitRow.id).where(UnitRow.kind == "work").order_by(UnitRow.id)).scalars())
    return sum(_rebuild(store, protocol, ids[start : start + _CHUNK]) for start in range(0, len(ids), _CHUNK))


def _rebuild(store: Store, protocol: Protocol, ids: list[int]) -> int:
    within = UnitRow.id.in_(ids)
    changed = 0
    with store.writing() as connection:
        connection.execute(select(UnitRow.id).where(within).order_by(UnitRow.id).with_for_update(key_share=True)).all()
        found: defaultdict[int, list[Standing]] = defaultdict(list)
        for one in standing(connection.execute(_OF_UNITS, {"units": ids})):
            found[one.unit].append(one)
        query = select(*UNIT_COLUMNS, *_DERIVED, HOLDERS.label("holders")).where(within).order_by(UnitRow.id)
        for row in connection.execute(query).all():
            columns = _columns(protocol, unit_of(row), found[row.id])
            expected = {**columns, "new_free": max(0, columns["new_wanted"] - row.holders)}
            if any(getattr(row, name.removeprefix("new_")) != value for name, value in expected.items()):
                connection.execute(_WRITE, {"unit": row.id, **columns})
                changed += 1
    return changed


def _columns(protocol: Protocol, unit: Unit, found: list[Standing]) -> dict[str, Any]:
    decision, answers, settled = decided(protocol, unit, found)
    return {
        "new_stage": decision.stage,
        "new_wanted": decision.wanted,
        "new_begun": int(answers > 0),
        "new_answers": answers,
        "new_outcome": decision.outcome,
        "new_type": decision.type,
        "new_agreed": dict(decision.values),
        "new_adjudicated": settled,
    }
