"""Giving units to people: blind, balanced, and never one place to two.

How a unit is chosen. A person's open leases come first. Somebody new practises; a check with a known answer comes at a
random place among every `gold_every` units. For work, the person gets of each stratum (units alike in role and
demographics of their items) a share like its share of the whole. Within a stratum, units that others have begun come
before untouched ones, so that units are finished one after the other and raters are mixed; both in the project's
random order.

Cost. `units` has an index of those that somebody may be asked about. A search looks at few windows of it and remembers
how far it came, so that it does not go through everything the person has judged already. Only when nothing was found
does one query look at all that is open.
"""

from __future__ import annotations

import random
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, and_, bindparam, exists, func, literal_column, or_, select, update

from emonet.annotation.store._engine import Store
from emonet.annotation.store._leases import refresh_free, upsert
from emonet.annotation.store._projects import read_project
from emonet.annotation.store._records import Assignment, Project
from emonet.annotation.store._rows import UNIT_COLUMNS, known_items, unit_of
from emonet.annotation.store._tables import LeaseRow, PersonRow, ShareRow, StratumRow, UnitRow
from emonet.errors import UsageError

MOST = 50
"""Units that one person may hold at a time."""
_WINDOW, _WINDOWS = 32, 4
"""Units looked at in one query, and queries for each list of a stratum, before the search goes elsewhere."""
_SWEEP = timedelta(seconds=1)
_FREE = literal_column("units.free > 0")  # a constant, or the index for free units could not be used
_CHOSEN = (*UNIT_COLUMNS, UnitRow.item, UnitRow.stage, UnitRow.stratum, UnitRow.position)

_mine = and_(LeaseRow.person == bindparam("person"), LeaseRow.state != "lapsed")
_SEEN_UNIT = exists().where(_mine, LeaseRow.unit == UnitRow.id)
_SEEN_ITEM = exists().where(_mine, LeaseRow.item == UnitRow.item)
_SEEN = {False: _SEEN_UNIT, True: or_(_SEEN_UNIT, _SEEN_ITEM)}
"""Whether the person was given the unit; by True, also whether they were asked about its item in another one."""

_PERSON = (
    select(PersonRow.active, PersonRow.given_work, PersonRow.given_gold, PersonRow.code)
    .where(PersonRow.id == bindparam("person"))
    .with_for_update(key_share=True)
)
_HELD = (
    select(*UNIT_COLUMNS, LeaseRow.stage, LeaseRow.token, LeaseRow.expires)
    .join(UnitRow, UnitRow.id == LeaseRow.unit)
    .where(LeaseRow.person == bindparam("person"), LeaseRow.state == "open")
    .order_by(LeaseRow.given, LeaseRow.id)
)
_STRATA = (
    select(StratumRow.id, StratumRow.units, ShareRow.given, ShareRow.begun_at, ShareRow.fresh_at)
    .outerjoin(ShareRow, and_(ShareRow.stratum == StratumRow.id, ShareRow.person == bindparam("person")))
    .where(exists().where(UnitRow.stratum == StratumRow.id, _FREE))
)
_WINDOW_OF = {
    strict: select(UnitRow.id, UnitRow.position, seen.label("seen"))
    .where(
        UnitRow.stratum == bindparam("stratum"),
        UnitRow.begun == bindparam("begun"),
        _FREE,
        UnitRow.position > bindparam("after"),
    )
    .order_by(UnitRow.position)
    .limit(_WINDOW)
    for strict, seen in _SEEN.items()
}
_LOCK = (
    select(*_CHOSEN)
    .where(UnitRow.id.in_(bindparam("candidates", expanding=True)), _FREE)
    .order_by(UnitRow.position)
    .limit(1)
    .with_for_update(key_share=True, skip_locked=True)
)
_ANYWHERE = {
    strict: select(*_CHOSEN)
    .where(_FREE, ~seen)
    .order_by(UnitRow.begun.desc(), UnitRow.position)
    .limit(1)
    .with_for_update(key_share=True, skip_locked=True)
    for strict, seen in _SEEN.items()
}
_KNOWN = (
    select(*_CHOSEN)
    .where(UnitRow.kind == bindparam("kind"), literal_column("units.kind <> 'work'"), ~_SEEN_UNIT)
    .order_by(UnitRow.position)
)
_PRACTISED = (
    select(func.count())
    .select_from(LeaseRow)
    .join(UnitRow, UnitRow.id == LeaseRow.unit)
    .where(_mine, UnitRow.kind == "training")
)
_EXPIRED = (
    select(LeaseRow.id, LeaseRow.unit)
    .where(literal_column("leases.state = 'open'"), LeaseRow.expires < bindparam("now"))
    .order_by(LeaseRow.expires)
    .limit(200)
    .with_for_update(skip_locked=True)
)


def take(store: Store, person_id: int, *, count: int = 2, now: datetime | None = None) -> tuple[Assignment, ...]:
    """Up to `count` units for a person to judge, those they already hold first and counted in. Empty when there is
    nothing for them now. Each is kept for them until its lease expires; asking again prolongs it.

    Never a unit they have judged, nor one that as many people as are wanted hold or have judged. Raises `UsageError`
    for somebody unknown or inactive.
    """
    if not 1 <= count <= MOST:
        raise UsageError(f"count is {count}; expected 1 to {MOST}.")
    now = now or datetime.now(UTC)
    project = read_project(store)
    _sweep(store, now)
    with store.writing() as connection:
        person = connection.execute(_PERSON, {"person": person_id}).one_or_none()
        if person is None or not person.active:
            raise UsageError(f"Person {person_id} {'is not known' if person is None else 'is no longer active'}.")
        held = connection.execute(_HELD, {"person": person_id}).all()
        if any(row.expires < now + project.lease / 2 for row in held):
            connection.execute(
                update(LeaseRow)
                .where(LeaseRow.person == person_id, LeaseRow.state == "open")
                .values(expires=now + project.lease)
            )
        if len(held) < count:
            _give(connection, project, _Taker(person_id, person.given_work, person.given_gold), count - len(held), now)
            held = connection.execute(_HELD, {"person": person_id}).all()
        return assignments_of(store, connection, held)


def assignments_of(store: Store, connection: Connection, rows: Sequence[Row[Any]]) -> tuple[Assignment, ...]:
    """Rows of leases joined with their units as assignments."""
    found = known_items(store, connection, (one for row in rows for one in row.item_ids))
    return tuple(
        Assignment(
            row.id,
            unit_of(row),
            row.kind,
            tuple(found[one] for one in row.item_ids),
            row.stage,
            row.token,
            row.expires,
        )
        for row in rows
    )


def waits(connection: Connection, project: Project, person_id: int) -> bool:
    """Whether there is work that the person could be given, beside what they hold."""
    query = select(UnitRow.id).where(_FREE, ~_SEEN[project.same_item == "never"]).limit(1)
    return connection.execute(query, {"person": person_id}).first() is not None


def practised(connection: Connection, person_id: int) -> int:
    """Practice units that the person was given."""
    return connection.execute(_PRACTISED, {"person": person_id}).scalar_one()


@dataclass(slots=True)
class _Taker:
    """Who is being given units, and how many they were given so far."""

    person: int
    work: int
    gold: int


@dataclass(slots=True)
class _Place:
    """A stratum as the person stands to it; `order` breaks ties between strata, differently for everybody."""

    stratum: int
    units: int
    given: int
    cursors: dict[int, int]  # by `begun`, 1 or 0: position up to which was searched
    order: float
    changed: bool = False


def _sweep(store: Store, now: datetime) -> None:
    """Take back what is overdue; at most once a second in a process."""
    swept = store.known.swept
    if swept is not None and abs(now - swept) < _SWEEP:
        return
    store.known.swept = now
    with store.writing() as connection:
        overdue = connection.execute(_EXPIRED, {"now": now}).all()
        if overdue:
            lapse(connection, overdue)


def lapse(connection: Connection, leases: Sequence[Row[Any]]) -> None:
    """Take leases (rows with id and unit) back, so that their units can go to others."""
    connection.execute(
        update(LeaseRow).where(LeaseRow.id.in_([row.id for row in leases])).values(state="lapsed", slot=None)
    )
    refresh_free(connection, [row.unit for row in leases])


def _give(connection: Connection, project: Project, taker: _Taker, missing: int, now: datetime) -> None:
    """Lease so many more units to the person, or as many as there are."""
    places: list[_Place] | None = None
    worked, golden = taker.work, taker.gold
    for _ in range(missing):
        unit = _practice(connection, project, taker) or _check(connection, project, taker)
        if unit is None:
            places = _places(connection, project, taker) if places is None else places
            unit = _work(connection, project, taker, places)
            if unit is None:
                break
            taker.work += 1
            connection.execute(update(UnitRow).where(UnitRow.id == unit.id).values(free=UnitRow.free - 1))
        _lease(connection, project, taker, unit, now)
    if (taker.work, taker.gold) != (worked, golden):
        connection.execute(
            update(PersonRow).where(PersonRow.id == taker.person).values(given_work=taker.work, given_gold=taker.gold)
        )
    _remember(connection, taker, places or ())


def _lease(connection: Connection, project: Project, taker: _Taker, unit: Row[Any], now: datetime) -> None:
    slot = None
    if unit.kind == "work":
        # A query of its own, after the unit was locked, so that it sees what others have just been given.
        taken = select(func.max(LeaseRow.slot)).where(LeaseRow.unit == unit.id, LeaseRow.stage == unit.stage)
        slot = (connection.execute(taken).scalar() or 0) + 1
    given = {
        "unit": unit.id,
        "item": unit.item,
        "stage": unit.stage,
        "slot": slot,
        "person": taker.person,
        "token": secrets.token_urlsafe(9),
        "state": "open",
        "given": now,
        "expires": now + project.lease,
    }
    connection.execute(upsert(connection, LeaseRow, given, unique=("unit", "person")))


def _practice(connection: Connection, project: Project, taker: _Taker) -> Row[Any] | None:
    """A practice unit for somebody who has not begun the work."""
    if taker.work or not project.protocol.training:
        return None
    if practised(connection, taker.person) >= project.protocol.training:
        return None
    return connection.execute(_KNOWN.limit(1), {"person": taker.person, "kind": "training"}).first()


def _check(connection: Connection, project: Project, taker: _Taker) -> Row[Any] | None:
    """A unit with a known answer, where one is due: one at a random place in each `gold_every` units of work."""
    every = project.protocol.gold_every
    if not every:
        return None
    block, place = divmod(taker.work, every)
    drawn = random.Random(f"{project.seed} {taker.person} {block}").randrange(every)
    if taker.gold > block or place < drawn:
        return None
    known = connection.execute(_KNOWN, {"person": taker.person, "kind": "gold"}).all()
    if not known:
        return None
    taker.gold += 1
    return random.Random(f"{project.seed} {taker.person} {taker.gold}").choice(known)


def _places(connection: Connection, project: Project, taker: _Taker) -> list[_Place]:
    """The strata that have something to give."""
    return [
        _Place(
            row.id,
            row.units,
            row.given or 0,
            {1: row.begun_at or 0, 0: row.fresh_at or 0},
            random.Random(f"{project.seed} {taker.person} {row.id}").random(),
        )
        for row in connection.execute(_STRATA, {"person": taker.person})
    ]


def _work(connection: Connection, project: Project, taker: _Taker, places: list[_Place]) -> Row[Any] | None:
    """The next unit of work, locked; None when there is nothing that this person could be given."""
    for place in sorted(places, key=lambda one: (one.given / one.units, one.order)):
        for begun in (1, 0):
            unit = _search(connection, taker, place, begun)
            if unit is not None:
                place.given += 1
                place.changed = True
                return unit
    if not places:
        return None
    for strict in (True,) if project.same_item == "never" else (True, False):
        unit = connection.execute(_ANYWHERE[strict], {"person": taker.person}).first()
        if unit is not None:
            for place in places:
                place.given += place.stratum == unit.stratum
                place.changed = True
            return unit
    return None


def _search(connection: Connection, taker: _Taker, place: _Place, begun: int) -> Row[Any] | None:
    """Look on in one list of a stratum from where the person's last search ended, once around at most."""
    start = after = place.cursors[begun]
    wrapped = start == 0
    for _ in range(_WINDOWS):
        asked = {"person": taker.person, "stratum": place.stratum, "begun": begun, "after": after}
        window = connection.execute(_WINDOW_OF[True], asked).all()
        candidates = [row.id for row in window if not row.seen]
        if candidates:
            unit = connection.execute(_LOCK, {"candidates": candidates}).first()
            if unit is not None:
                _move(place, begun, unit.position)
                return unit
        if len(window) == _WINDOW:
            after = window[-1].position
        elif wrapped:
            after = 0
            break
        else:
            after, wrapped = 0, True
        if wrapped and after >= start > 0:
            break
    _move(place, begun, after)
    return None


def _move(place: _Place, begun: int, position: int) -> None:
    if place.cursors[begun] != position:
        place.cursors[begun] = position
        place.changed = True


def _remember(connection: Connection, taker: _Taker, places: Sequence[_Place]) -> None:
    for place in places:
        if place.changed:
            kept = {
                "person": taker.person,
                "stratum": place.stratum,
                "given": place.given,
                "begun_at": place.cursors[1],
                "fresh_at": place.cursors[0],
            }
            connection.execute(upsert(connection, ShareRow, kept, unique=("person", "stratum")))
