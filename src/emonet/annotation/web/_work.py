"""Between the wire and the store: opaque ids for keys, records for shapes, own answers and own progress."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Select, func, select

from emonet.annotation.accounts import Visitor
from emonet.annotation.protocols import Feedback, question_text
from emonet.annotation.store import Answer as StoredAnswer
from emonet.annotation.store import (
    Assignment,
    ProjectItem,
    Submission,
    correct,
    history,
    own_progress,
    read_project,
    submit,
    take,
    undo,
)
from emonet.annotation.store._tables import LeaseRow, UnitRow
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
            values=given.values,
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
    """Take an answer back and hand out its unit again."""
    undone = undo(web.store, person.id, event, client_id)
    return Undone(event=event, assignment=_shown(web, undone.assignment) if undone.assignment else None)


def correct_answer(web: Web, person: Visitor, event: int, given: Correction) -> Receipt:
    """Store a correction once."""
    receipt = correct(web.store, person.id, event, given.client_id, values=given.values)
    return Receipt(event=receipt.event_id, duplicate=receipt.duplicate)


def own_answers(web: Web, person: Visitor, *, limit: int, before: int | None) -> OwnAnswers:
    """Own answers, newest first, what was later said about them applied."""
    found = history(web.store, person.id, limit=limit + 1, before=before)
    shown = found[:limit]
    more = shown[-1].event_id if len(found) > limit else None
    return OwnAnswers(answers=[_own(web, answer) for answer in shown], before=more)


def progress_of(web: Web, person: Visitor) -> OwnProgress:
    """Counts of this person, their median time, and at most how many units they could still be given."""
    own = own_progress(web.store, person.id)
    with web.store.reading() as connection:
        left = (connection.scalar(_left(web, person)) or 0) + (connection.scalar(_practising(person)) or 0)
    median = None if math.isnan(own.median_s) else round(own.median_s, 1)
    return OwnProgress(answers=own.answers, today=own.today, left=left + own.training_left, median_seconds=median)


def _left(web: Web, person: Visitor) -> Select[Any]:
    """Query for the number of units of work that want people and that this person has not answered."""
    done = select(LeaseRow.unit).where(LeaseRow.person == person.id, LeaseRow.state == "done")
    wanted = (UnitRow.kind == "work", UnitRow.wanted > 0, UnitRow.id.not_in(done))
    if read_project(web.store).same_item != "never" or web.protocol.set_size > 1 or not web.protocol.dimensions:
        return select(func.count()).select_from(UnitRow).where(*wanted)
    # One of an item's units is all that a person gets: count items.
    items = select(LeaseRow.item).where(
        LeaseRow.person == person.id, LeaseRow.state == "done", LeaseRow.item.is_not(None)
    )
    return select(func.count(func.distinct(UnitRow.item))).where(*wanted, UnitRow.item.not_in(items))


def _practising(person: Visitor) -> Select[Any]:
    """Query for the number of practice units in hand; those to come are told by the store."""
    mine = (LeaseRow.person == person.id, LeaseRow.state == "open", UnitRow.kind == "training")
    return select(func.count()).select_from(LeaseRow).join(UnitRow, UnitRow.id == LeaseRow.unit).where(*mine)


def _shown(web: Web, given: Assignment) -> ShownUnit:
    return ShownUnit(
        unit=given.unit_id,
        lease=given.lease,
        stage=given.stage,
        question=question_text(web.protocol, given.unit),
        dimensions=list(given.unit.dimensions),
        items=_items(given.items),
        training=given.kind == "training",
        expires=given.expires,
    )


def _items(items: Sequence[ProjectItem]) -> list[ShownItem]:
    return [ShownItem(id=item.id, kind=item_kind(item.media), sensitive=item.sensitive) for item in items]


def _own(web: Web, answer: StoredAnswer) -> OwnAnswer:
    ids = {item.key: item.id for item in answer.items}
    compared = web.protocol.question in ("pair", "best-worst")
    return OwnAnswer(
        event=answer.event_id,
        unit=answer.unit_id,
        dimensions=list(answer.unit.dimensions),
        items=_items(answer.items),
        # Keys of items do not leave the server.
        values={ids.get(name, name) if compared else name: value for name, value in answer.values.items()},
        skipped=answer.skipped,
        time=answer.time,
        duration_ms=answer.duration_ms,
        corrected=answer.corrected,
        undone=answer.undone,
        practice=answer.kind == "training",
    )


def _told(given: Feedback | None) -> Told | None:
    return None if given is None else Told(verdict=given.verdict, text=given.text, expected=dict(given.expected))
