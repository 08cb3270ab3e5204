"""Between the wire and the store: opaque ids for keys, records for shapes, own answers and own progress."""

from __future__ import annotations

import statistics
import uuid
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from fastapi import HTTPException
from sqlalchemy import func, select

from emonet.annotation.accounts import Visitor
from emonet.annotation.protocols import Feedback, Unit, question_text
from emonet.annotation.store import (
    Assignment,
    StoredItem,
    Submission,
    correct,
    items_of,
    read_unit,
    submit,
    take,
    undo,
    withdraw,
)
from emonet.annotation.store._tables import EventRow, UnitRow
from emonet.annotation.web._deps import Web
from emonet.annotation.web._media import item_kind
from emonet.annotation.web._shapes import (
    Answer,
    Correction,
    OwnAnswer,
    OwnAnswers,
    OwnProgress,
    Receipt,
    ShownItem,
    ShownUnit,
    Told,
    Undone,
)

_RECENT = 50
"""Answers from which one's pace is taken."""
_GIVEN = ("rating", "skip")
_COMPARED = ("pair", "best-worst")
"""Questions whose values are by item; the browser knows items by their opaque ids only."""


def take_units(web: Web, person: Visitor, count: int) -> list[ShownUnit]:
    """What this person holds and as many more as are free, up to `count`."""
    return [_shown(web, given) for given in take(web.store, person.id, count=count)]


def submit_answer(web: Web, person: Visitor, given: Answer) -> Receipt:
    """Store an answer once. `UsageError` where it does not fit the question."""
    receipt = submit(
        web.store,
        Submission(
            client_id=given.client_id,
            unit_id=given.unit,
            person_id=person.id,
            values=_by_key(web, given.unit, given.values),
            form=given.form,
            skipped=given.skipped,
            duration_ms=given.duration_ms,
            time=given.time,
            client=given.client.model_dump(),
            lease=given.lease,
        ),
    )
    return Receipt(event=receipt.event_id, duplicate=receipt.duplicate, feedback=_told(receipt.feedback))


def undo_answer(web: Web, person: Visitor, event: int, client_id: str) -> Undone:
    """Take an answer back, and hand out its unit again where it is free."""
    unit = _own_event(web, person, event).unit
    undo(web.store, person.id, event, client_id)
    again = next((one for one in take(web.store, person.id, count=20) if one.unit_id == unit), None)
    return Undone(event=event, assignment=_shown(web, again) if again else None)


def correct_answer(web: Web, person: Visitor, event: int, given: Correction) -> Receipt:
    """Store a correction once."""
    unit = _own_event(web, person, event).unit
    receipt = correct(web.store, person.id, event, _by_key(web, unit, given.values), given.client_id)
    return Receipt(event=receipt.event_id, duplicate=receipt.duplicate)


def withdraw_answers(web: Web, person: Visitor) -> None:
    """Everything this person answered counts no more."""
    withdraw(web.store, person.id, client_id=str(uuid.uuid4()))


def own_answers(web: Web, person: Visitor, *, limit: int, before: int | None) -> OwnAnswers:
    """Own answers, newest first, what was later said about them applied."""
    listed = select(
        EventRow.id, EventRow.unit, EventRow.values, EventRow.skipped, EventRow.time, EventRow.duration_ms
    ).where(EventRow.person == person.id, EventRow.kind.in_(_GIVEN))
    if before is not None:
        listed = listed.where(EventRow.id < before)
    with web.store.reading() as connection:
        rows = connection.execute(listed.order_by(EventRow.id.desc()).limit(limit + 1)).all()
        shown = rows[:limit]
        later = connection.execute(
            select(EventRow.refers_to, EventRow.kind, EventRow.values)
            .where(EventRow.person == person.id, EventRow.refers_to.in_([row.id for row in shown]))
            .order_by(EventRow.id)
        ).all()
    corrected = {row.refers_to: row.values for row in later if row.kind == "correction"}
    undone = {row.refers_to for row in later if row.kind == "undo"}
    found = [_own(web, row, corrected.get(row.id), row.id in undone) for row in shown]
    return OwnAnswers(answers=found, before=shown[-1].id if len(rows) > limit else None)


def own_progress(web: Web, person: Visitor) -> OwnProgress:
    """Counts of this person, their median time over the last answers, and the units they could still be given."""
    undone = select(EventRow.refers_to).where(EventRow.person == person.id, EventRow.kind == "undo")
    mine = (EventRow.person == person.id, EventRow.kind == "rating", EventRow.id.not_in(undone))
    today = datetime.now(UTC) - timedelta(hours=20)  # "today" is since the last night, wherever the rater lives
    with web.store.reading() as connection:
        total = connection.scalar(select(func.count()).where(*mine)) or 0
        since = connection.scalar(select(func.count()).where(*mine, EventRow.received >= today)) or 0
        times = connection.scalars(
            select(EventRow.duration_ms).where(*mine).order_by(EventRow.id.desc()).limit(_RECENT)
        ).all()
        left = connection.scalar(_left(person)) or 0
    median = round(statistics.median(times) / 1000, 1) if times else None
    return OwnProgress(answers=total, today=since, left=left, median_seconds=median)


def _left(person: Visitor) -> Any:
    """Query for the number of units that want an answer which this person has not given."""
    answered = select(EventRow.unit).where(EventRow.person == person.id, EventRow.kind.in_(_GIVEN))
    return select(func.count()).select_from(UnitRow).where(UnitRow.wanted > 0, UnitRow.id.not_in(answered))


def _own_event(web: Web, person: Visitor, event: int) -> Any:
    """The event, if it is an answer of this person; otherwise the same 404 as for one that does not exist."""
    with web.store.reading() as connection:
        row = connection.execute(
            select(EventRow.unit, EventRow.kind).where(EventRow.id == event, EventRow.person == person.id)
        ).one_or_none()
    if row is None or row.kind not in _GIVEN:
        raise HTTPException(404, "There is no such answer of yours.")
    return row


def _shown(web: Web, given: Assignment) -> ShownUnit:
    return ShownUnit(
        unit=given.unit_id,
        lease=given.lease,
        stage=given.stage,
        question=question_text(web.protocol, given.unit),
        dimensions=list(given.unit.dimensions),
        items=_items(given.items),
        training=given.unit.role == "training",
        expires=given.expires,
    )


def _items(items: Sequence[StoredItem]) -> list[ShownItem]:
    return [ShownItem(id=item.id, kind=item_kind(item.media), sensitive=item.sensitive) for item in items]


def _by_key(web: Web, unit_id: int, values: Mapping[str, float]) -> dict[str, float]:
    """Values of a comparison by item key instead of opaque id; others as they are."""
    if web.protocol.question not in _COMPARED:
        return dict(values)
    keys = {item.id: item.key for item in items_of(web.store, unit_id)}
    # An id that is not of this unit stays as it is: the store's check then names it.
    return {keys.get(name, name): value for name, value in values.items()}


def _own(web: Web, row: Any, corrected: Mapping[str, float] | None, undone: bool) -> OwnAnswer:
    unit: Unit = read_unit(web.store, row.unit)
    items = items_of(web.store, row.unit)
    values = dict(row.values if corrected is None else corrected)
    if web.protocol.question in _COMPARED:
        ids = {item.key: item.id for item in items}
        values = {ids.get(name, name): value for name, value in values.items()}
    return OwnAnswer(
        event=row.id,
        unit=row.unit,
        dimensions=list(unit.dimensions),
        items=_items(items),
        values=values,
        skipped=row.skipped,
        time=row.time,
        duration_ms=row.duration_ms,
        corrected=corrected is not None,
        undone=undone,
    )


def _told(given: Feedback | None) -> Told | None:
    return None if given is None else Told(verdict=given.verdict, text=given.text, expected=dict(given.expected))
