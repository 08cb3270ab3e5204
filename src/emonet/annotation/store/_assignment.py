"""Giving units to people: blind, balanced, and never one place to two.

How a unit is chosen. A person's open leases come first. Somebody new practises; a check with a known answer comes at a
random place among every `gold_every` units. For work, the person gets of each stratum (units alike in role and
demographics of their items) a share like its share of the whole. Within a stratum, units that others have begun come
before untouched ones, so that units are finished one after the other and raters are mixed; both in the project's
random order.

Cost. `units` has an index of those that somebody may be asked about. A search looks at the first of each list and at
a window further on, and remembers how far it came, so that it does not go through everything the person has judged
already. Only when nothing was found does one query look at all that is open.
"""

from __future__ import annotations

import random
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, select, update

from emonet.annotation.store._engine import Store
from emonet.annotation.store._leases import lapse, lease_statement, share_statement
from emonet.annotation.store._projects import read_project
from emonet.annotation.store._queue import (
    EXPIRED,
    FREE,
    GRAB,
    GRAB_ANY,
    HELD,
    KNOWN,
    PERSON,
    PLACES,
    PRACTISED,
    SEEN,
    WINDOW,
    WINDOWS,
)
from emonet.annotation.store._records import Assignment, Project
from emonet.annotation.store._rows import AnyRow, known_items, unit_of
from emonet.annotation.store._tables import LeaseRow, ShareRow, StratumRow, UnitRow
from emonet.errors import UsageError

MOST = 50
"""Units that one person may hold at a time."""
_ROUNDS = 4
"""Windows of a stratum that are looked at before the search goes elsewhere."""
_SWEEP = timedelta(seconds=1)


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
        active = connection.execute(PERSON, {"person": person_id}).scalar_one_or_none()
        if not active:
            raise UsageError(f"Person {person_id} {'is not known' if active is None else 'is no longer active'}.")
        held = list(connection.execute(HELD, {"person": person_id}).all())
        if any(row.expires < now + project.lease / 2 for row in held):
            connection.execute(
                update(LeaseRow)
                .where(LeaseRow.person == person_id, LeaseRow.state == "open")
                .values(expires=now + project.lease)
            )
            held = list(connection.execute(HELD, {"person": person_id}).all())
        given = _give(connection, project, person_id, count - len(held), now) if len(held) < count else []
        return (*assignments_of(store, connection, held), *assignments_of(store, connection, given))


def assignments_of(store: Store, connection: Connection, rows: Sequence[Any]) -> tuple[Assignment, ...]:
    """Rows of leases joined with their units as assignments."""
    if not rows:
        return ()
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
    query = select(UnitRow.id).where(FREE, ~SEEN[project.same_item == "never"]).limit(1)
    return connection.execute(query, {"person": person_id}).first() is not None


def practised(connection: Connection, person_id: int) -> int:
    """Practice units that the person was given."""
    return connection.execute(PRACTISED, {"person": person_id}).scalar_one()


def begun_work(connection: Connection, person_id: int) -> bool:
    """Whether the person was given work, after which there is no more practice."""
    query = (
        select(ShareRow.given)
        .join(StratumRow, StratumRow.id == ShareRow.stratum)
        .where(ShareRow.person == person_id, StratumRow.kind == "work", ShareRow.given > 0)
    )
    return connection.execute(query.limit(1)).first() is not None


@dataclass(slots=True)
class _Place:
    """A stratum as the person stands to it. `open`: somebody may still be asked about its units. `cursors`: by `begun`,
    1 or 0, the position up to which was searched. `order` breaks ties between strata, differently for everybody."""

    stratum: int
    kind: str
    units: int
    given: int
    cursors: dict[int, int]
    open: bool
    order: float
    changed: bool = False


@dataclass(frozen=True, slots=True)
class _Taker:
    """Who is being given units, and all strata as they stand to them."""

    person: int
    places: list[_Place]

    def given(self, kind: str) -> int:
        """How many units of a kind they were given so far."""
        return sum(place.given for place in self.places if place.kind == kind)


@dataclass(frozen=True, slots=True)
class _Leased:
    """A unit that was just given, with the fields of a row of `HELD`."""

    id: int
    key: str
    items: Sequence[str]
    item_ids: Sequence[str]
    dimensions: Sequence[str]
    role: Any
    gold: Mapping[str, float]
    tolerance: float
    kind: Any
    stage: int
    token: str
    expires: datetime


def _sweep(store: Store, now: datetime) -> None:
    """Take back what is overdue; at most once a second in a process."""
    swept = store.known.swept
    if swept is not None and abs(now - swept) < _SWEEP:
        return
    store.known.swept = now
    with store.writing() as connection:
        overdue = connection.execute(EXPIRED, {"now": now}).all()
        if overdue:
            lapse(connection, overdue)


def _give(connection: Connection, project: Project, person_id: int, missing: int, now: datetime) -> list[_Leased]:
    """Lease so many more units to the person, or as many as there are."""
    taker = _Taker(person_id, _places(connection, project, person_id))
    out: list[_Leased] = []
    while len(out) < missing:
        unit = (
            _practice(connection, project, taker)
            or _check(connection, project, taker)
            or _work(connection, project, taker)
        )
        if unit is None:
            break
        place = next(place for place in taker.places if place.stratum == unit.stratum)
        place.given += 1
        place.changed = True
        out.append(_lease(connection, project, person_id, unit, now))
    kept = [
        {
            "person": person_id,
            "stratum": place.stratum,
            "given": place.given,
            "begun_at": place.cursors[1],
            "fresh_at": place.cursors[0],
        }
        for place in taker.places
        if place.changed
    ]
    if kept:
        connection.execute(share_statement(connection.dialect.name), kept)
    return out


def _lease(connection: Connection, project: Project, person_id: int, unit: AnyRow, now: datetime) -> _Leased:
    token, expires = secrets.token_urlsafe(9), now + project.lease
    connection.execute(
        lease_statement(connection.dialect.name, counted=unit.kind == "work"),
        {
            "unit": unit.id,
            "item": unit.item,
            "stage": unit.stage,
            "person": person_id,
            "token": token,
            "state": "open",
            "given": now,
            "expires": expires,
        },
    )
    return _Leased(
        unit.id,
        unit.key,
        unit.items,
        unit.item_ids,
        unit.dimensions,
        unit.role,
        unit.gold,
        unit.tolerance,
        unit.kind,
        unit.stage,
        token,
        expires,
    )


def _practice(connection: Connection, project: Project, taker: _Taker) -> AnyRow | None:
    """A practice unit for somebody who has not begun the work."""
    wanted = project.protocol.training
    if not wanted or taker.given("work") or practised(connection, taker.person) >= wanted:
        return None
    return connection.execute(KNOWN.limit(1), {"person": taker.person, "kind": "training"}).first()


def _check(connection: Connection, project: Project, taker: _Taker) -> AnyRow | None:
    """A unit with a known answer, where one is due: one at a random place in each `gold_every` units of work."""
    every = project.protocol.gold_every
    if not every:
        return None
    block, place = divmod(taker.given("work"), every)
    golden = taker.given("gold")
    if golden > block or place < random.Random(f"{project.seed} {taker.person} {block}").randrange(every):
        return None
    known = connection.execute(KNOWN, {"person": taker.person, "kind": "gold"}).all()
    return random.Random(f"{project.seed} {taker.person} {golden}").choice(known) if known else None


def _places(connection: Connection, project: Project, person_id: int) -> list[_Place]:
    return [
        _Place(
            row.id,
            row.kind,
            row.units,
            row.given or 0,
            {1: row.begun_at or 0, 0: row.fresh_at or 0},
            bool(row.open),
            random.Random(f"{project.seed} {person_id} {row.id}").random(),
        )
        for row in connection.execute(PLACES, {"person": person_id})
    ]


def _work(connection: Connection, project: Project, taker: _Taker) -> AnyRow | None:
    """The next unit of work, with one of its places taken; None when there is none that this person could be given."""
    open_places = [place for place in taker.places if place.open]
    for place in sorted(open_places, key=lambda one: (one.given / one.units, one.order)):
        unit = _search(connection, taker, place)
        if unit is not None:
            return unit
    if open_places:
        for strict in (True,) if project.same_item == "never" else (True, False):
            unit = connection.execute(GRAB_ANY[strict], {"person": taker.person}).first()
            if unit is not None:
                return unit
    return None


def _search(connection: Connection, taker: _Taker, place: _Place) -> AnyRow | None:
    """Look at the lists of a stratum: from their start, and on from where the person's last search ended. Where all
    of it is seen, or in others' hands, the search moves on; at the end of a list it starts over the next time."""
    for _ in range(_ROUNDS):
        asked = {"person": taker.person, "stratum": place.stratum}
        asked |= {"begun_at": place.cursors[1], "fresh_at": place.cursors[0]}
        rows = connection.execute(WINDOWS, asked).all()
        candidates = list(dict.fromkeys(row.id for row in rows if not row.seen))
        unit = connection.execute(GRAB, {"candidates": candidates}).first() if candidates else None
        if unit is not None:
            return unit
        moved = [_move(place, begun, [row for row in rows if row.begun == begun and row.onward]) for begun in (1, 0)]
        if not any(moved):
            return None
    return None


def _move(place: _Place, begun: int, onward: Sequence[AnyRow]) -> bool:
    """Set the cursor behind what was looked at; whether there is more behind it."""
    more = len(onward) == WINDOW
    position = onward[-1].position if more else 0
    if place.cursors[begun] != position:
        place.cursors[begun] = position
        place.changed = True
    return more
