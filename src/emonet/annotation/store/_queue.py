"""The queries by which units are given: who holds what, what is open, and taking a place in one statement.

Written once as constants, so that SQLAlchemy compiles each only once. Parameters are named in the queries.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    Integer,
    Select,
    and_,
    bindparam,
    exists,
    func,
    literal,
    literal_column,
    or_,
    select,
    text,
    union_all,
    update,
)

from emonet.annotation.store._rows import UNIT_COLUMNS
from emonet.annotation.store._tables import LeaseRow, PersonRow, ShareRow, StratumRow, UnitRow

WINDOW = 16
"""Units of each list of a stratum that one query looks at."""
# A constant and no parameter, or the index of free units could not be used.
FREE = text("units.free > 0")
GIVEN = (*UNIT_COLUMNS, UnitRow.item, UnitRow.stage, UnitRow.stratum, UnitRow.position)

_mine = and_(LeaseRow.person == bindparam("person"), LeaseRow.state != "lapsed")
SEEN_UNIT = exists().where(_mine, LeaseRow.unit == UnitRow.id)
SEEN_ITEM = exists().where(_mine, LeaseRow.item == UnitRow.item)
SEEN = {False: SEEN_UNIT, True: or_(SEEN_UNIT, SEEN_ITEM)}
"""Whether the person was given the unit; by True, also whether they were asked about its item in another one."""

PERSON = select(PersonRow.active).where(PersonRow.id == bindparam("person")).with_for_update(key_share=True)
HELD = (
    select(*UNIT_COLUMNS, LeaseRow.stage, LeaseRow.token, LeaseRow.expires)
    .join(UnitRow, UnitRow.id == LeaseRow.unit)
    .where(LeaseRow.person == bindparam("person"), LeaseRow.state == "open")
    .order_by(LeaseRow.given, LeaseRow.id)
)
PLACES = select(
    StratumRow.id,
    StratumRow.kind,
    StratumRow.units,
    ShareRow.given,
    ShareRow.begun_at,
    ShareRow.fresh_at,
    exists().where(UnitRow.stratum == StratumRow.id, FREE).label("open"),
).outerjoin(ShareRow, and_(ShareRow.stratum == StratumRow.id, ShareRow.person == bindparam("person")))


def _window(begun: int, after: str) -> Select[Any]:
    """The next units of one list of a stratum, and whether the person has seen them."""
    beyond = UnitRow.position > bindparam(after, type_=Integer) if after else UnitRow.position > 0
    found = (
        select(UnitRow.id, UnitRow.position, SEEN[True].label("seen"), literal(begun).label("begun"))
        .where(UnitRow.stratum == bindparam("stratum"), UnitRow.begun == begun, FREE, beyond)
        .order_by(UnitRow.position)
        .limit(WINDOW)
        .subquery()
    )
    return select(found, literal(bool(after)).label("onward"))


WINDOWS = union_all(_window(1, "begun_at"), _window(1, ""), _window(0, "fresh_at"), _window(0, ""))
"""Units that others have begun, onward from the last search and from the start; then the same of untouched ones."""


def _grab(chosen: Any) -> Any:
    """Take one place in the unit that `chosen` selects, in one statement: whoever comes second goes to the next."""
    locked = chosen.limit(1).with_for_update(key_share=True, skip_locked=True).scalar_subquery()
    return update(UnitRow).where(UnitRow.id == locked, FREE).values(free=UnitRow.free - 1).returning(*GIVEN)


GRAB = _grab(
    select(UnitRow.id)
    .where(UnitRow.id.in_(bindparam("candidates", expanding=True)), FREE)
    .order_by(UnitRow.begun.desc(), UnitRow.position)
    .correlate(None)
)
GRAB_ANY = {
    strict: _grab(
        select(UnitRow.id).where(FREE, ~seen).order_by(UnitRow.begun.desc(), UnitRow.position).correlate(None)
    )
    for strict, seen in SEEN.items()
}
KNOWN = (
    select(*GIVEN)
    .where(UnitRow.kind == bindparam("kind"), literal_column("units.kind <> 'work'"), ~SEEN_UNIT)
    .order_by(UnitRow.position)
)
PRACTISED = (
    select(func.count())
    .select_from(LeaseRow)
    .join(UnitRow, UnitRow.id == LeaseRow.unit)
    .where(_mine, UnitRow.kind == "training")
)
EXPIRED = (
    select(LeaseRow.id, LeaseRow.unit)
    .where(literal_column("leases.state = 'open'"), LeaseRow.expires < bindparam("now"))
    .order_by(LeaseRow.expires)
    .limit(200)
    .with_for_update(skip_locked=True)
)
