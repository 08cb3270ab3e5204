"""Answers are stored once, for good, and can be taken back or corrected without anything being lost."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from small_projects import NOW, MakeStore, answer, client_id, faces, later, yes_or_no

from emonet.annotation.protocols import protocol
from emonet.annotation.store import (
    AnsweredError,
    NotAssignedError,
    Submission,
    add_person,
    change_person,
    correct,
    events,
    find_unit,
    history,
    rebuild,
    submit,
    take,
    undo,
    valid_judgements,
    withdraw,
)
from emonet.errors import UsageError


def test_an_answer_that_arrives_twice_is_stored_once(make_store: MakeStore) -> None:
    """The second time tells the first one's number."""
    store = make_store(yes_or_no(), faces(2))
    person = add_person(store).id
    (one,) = take(store, person, count=1, now=NOW)
    first = answer(store, one, person, name="same")
    second = answer(store, one, person, name="same", now=later(1))
    assert (first.duplicate, second.duplicate) == (False, True)
    assert (second.event_id, second.undo_until) == (first.event_id, first.undo_until)
    assert len(list(events(store))) == 1


def test_everything_that_was_sent_is_on_record(make_store: MakeStore) -> None:
    """Times, duration, browser and the words of people come back as they went in."""
    store = make_store(yes_or_no(), faces(1))
    person = add_person(store)
    (one,) = take(store, person.id, count=1, now=NOW)
    browser = {"agent": "Browser 1", "width": 390, "touch": True, "note": "schön ☀"}
    sent = Submission(
        "c1", one.unit_id, person.id, {"anger": 1}, duration_ms=1234, time=NOW - timedelta(hours=2), client=browser
    )
    receipt = submit(store, sent, now=NOW)
    (event,) = events(store)
    assert (event.id, event.kind, event.unit, event.person) == (receipt.event_id, "rating", one.unit.key, person.code)
    assert (event.values, event.duration_ms, event.client) == ({"anger": 1.0}, 1234, browser)
    assert (event.time, event.received) == (NOW - timedelta(hours=2), NOW)


def test_only_what_was_given_can_be_answered(make_store: MakeStore) -> None:
    """Nobody can pick units for themselves, and there is one answer a person."""
    store = make_store(yes_or_no(), faces(2))
    one, other = add_person(store).id, add_person(store).id
    (given,) = take(store, one, count=1, now=NOW)
    with pytest.raises(NotAssignedError, match="never given"):
        answer(store, given, other)
    for number in (0, -1, 999, 2**40, 2**80):
        with pytest.raises(NotAssignedError):
            submit(store, Submission(client_id(), number, one, {"anger": 1.0}))
    answer(store, given, one)
    with pytest.raises(AnsweredError, match="already"):
        answer(store, given, one)


def test_a_client_id_belongs_to_one_answer(make_store: MakeStore) -> None:
    """A browser that uses one twice is told, and nothing is lost silently."""
    store = make_store(yes_or_no(), faces(3))
    person = add_person(store).id
    first, second = take(store, person, count=2, now=NOW)
    answer(store, first, person, name="same")
    with pytest.raises(UsageError, match="another answer"):
        answer(store, second, person, name="same")
    answer(store, second, person)
    assert len(valid_judgements(store)) == 2


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"values": {"anger": 3.0}}, "anger"),
        ({"values": {}}, "anger"),
        ({"values": {"anger": 1.0, "joy": 1.0}}, "joy"),
        ({"values": {"anger": float("nan")}}, "finite"),
        ({"values": {"anger": 1.0}, "duration_ms": -1}, "duration_ms"),
        ({"values": {"anger": 1.0}, "form": {"age": "3"}}, "age"),
        ({"values": {"anger": 1.0}, "skipped": "why"}, "both"),
        ({"skipped": "  "}, "skipped"),
        ({"skipped": "no\x00pe"}, "NUL"),
        ({"values": {"anger": 1.0}, "client": {"agent": "x" * 5000}}, "bytes"),
        ({"values": {"anger": 1.0}, "client": {"agent": "\ud800"}}, "JSON"),
        ({"values": {"anger": 1.0}, "client": {"agent": "\x00"}}, "NUL"),
        ({"values": {"anger": 1.0}, "client": {"width": float("inf")}}, "JSON"),
        ({"values": {"anger": 1.0}, "client_id": ""}, "client_id"),
        ({"values": {"anger": 1.0}, "client_id": "x" * 200}, "client_id"),
    ],
)
def test_answers_that_do_not_fit_are_refused_and_leave_nothing(
    make_store: MakeStore, fields: dict[str, Any], told: str
) -> None:
    """The message names the field, and the unit stays open."""
    store = make_store(yes_or_no(), faces(1))
    person = add_person(store).id
    (one,) = take(store, person, count=1, now=NOW)
    with pytest.raises(UsageError, match=told):
        submit(store, Submission(**{"client_id": client_id(), "unit_id": one.unit_id, "person_id": person, **fields}))
    assert list(events(store)) == []
    assert take(store, person, count=1, now=NOW) == (one,)


def test_an_answer_that_waited_in_a_browser_still_counts(make_store: MakeStore) -> None:
    """The lease ran out, another person was asked and has answered: both answers stand."""
    store = make_store(yes_or_no(), faces(1), lease=timedelta(minutes=10))
    offline, other = add_person(store).id, add_person(store).id
    (mine,) = take(store, offline, now=NOW)
    (theirs,) = take(store, other, now=later(20))
    answer(store, theirs, other, 0.0, now=later(21))
    answer(store, mine, offline, 1.0, now=later(60))
    state = find_unit(store, mine.unit_id)
    assert state is not None
    assert (state.answers, state.outcome, state.type) == (2, "disputed", "1:1")
    assert rebuild(store) == 0


def test_practice_is_answered_with_feedback_and_checks_are_not(make_store: MakeStore) -> None:
    """A check must not show itself."""
    practice, known = faces(1, gold={"anger": 1.0}, training=True), faces(1, start=1, gold={"anger": 1.0})
    store = make_store(yes_or_no(training=1, gold_every=1), (*practice, *known, *faces(3, start=2)))
    person = add_person(store).id
    (one,) = take(store, person, count=1, now=NOW)
    told = answer(store, one, person, 0.0, name="p").feedback
    assert told is not None
    assert told.verdict == "wrong"
    assert answer(store, one, person, 0.0, name="p").feedback == told
    for expected in ("gold", "work"):
        (one,) = take(store, person, count=1, now=NOW)
        assert one.kind == expected
        assert answer(store, one, person).feedback is None


def test_undo_opens_the_unit_again(make_store: MakeStore) -> None:
    """The answer no longer counts, is still on record, and can be given anew."""
    store = make_store(yes_or_no(), faces(1))
    person = add_person(store).id
    (one,) = take(store, person, now=NOW)
    receipt = answer(store, one, person, 0.0, name="first")
    undone = undo(store, person, receipt.event_id, "u1", now=later(1))
    assert undone.assignment is not None
    assert undone.assignment.unit_id == one.unit_id
    assert valid_judgements(store) == ()
    again = undo(store, person, receipt.event_id, "u1", now=later(1))
    assert (again.event_id, again.duplicate) == (undone.event_id, True)
    with pytest.raises(AnsweredError, match="before"):
        undo(store, person, receipt.event_id, "u2", now=later(1))
    # The first answer, sent once more by a browser that heard no reply, is not a new one.
    assert answer(store, one, person, 0.0, name="first", now=later(2)).duplicate
    assert take(store, person, now=later(2)) == (undone.assignment,)
    answer(store, undone.assignment, person, 1.0, now=later(3))
    assert [judgement.values for judgement in valid_judgements(store)] == [{"anger": 1.0}]
    assert [event.kind for event in events(store)] == ["rating", "undo", "rating"]
    assert rebuild(store) == 0


def test_undo_has_its_time_and_its_owner(make_store: MakeStore) -> None:
    """After ten minutes, or by somebody else, it is refused."""
    store = make_store(yes_or_no(), faces(1), undo=timedelta(minutes=10))
    person, other = add_person(store).id, add_person(store).id
    (one,) = take(store, person, now=NOW)
    receipt = answer(store, one, person)
    assert receipt.undo_until == later(10)
    with pytest.raises(AnsweredError, match="corrected"):
        undo(store, person, receipt.event_id, client_id(), now=later(11))
    for event in (receipt.event_id, 999, 2**70):
        with pytest.raises(NotAssignedError):
            undo(store, other, event, client_id(), now=later(1))


def test_a_correction_replaces_the_answer(make_store: MakeStore) -> None:
    """The unit is decided anew, and both versions stay on record."""
    store = make_store(yes_or_no(), faces(1))
    person, other = add_person(store).id, add_person(store).id
    (one,) = take(store, person, now=NOW)
    receipt = answer(store, one, person, 0.0, ms=900)
    assert take(store, other, now=NOW) == ()
    fixed = correct(store, person, receipt.event_id, "k", values={"anger": 1.0}, duration_ms=50, now=later(300))
    assert correct(store, person, receipt.event_id, "k", values={"anger": 1.0}).event_id == fixed.event_id
    (judgement,) = valid_judgements(store)
    assert (judgement.values, judgement.stage, judgement.duration_ms) == ({"anger": 1.0}, 1, 900)
    assert take(store, other, now=later(300))[0].stage == 2
    with pytest.raises(UsageError, match="anger"):
        correct(store, person, receipt.event_id, client_id(), values={"anger": 9.0})
    with pytest.raises(NotAssignedError):
        correct(store, other, receipt.event_id, client_id(), values={"anger": 1.0})
    assert rebuild(store) == 0


def test_a_skip_can_be_corrected_into_an_answer(make_store: MakeStore) -> None:
    """Somebody who can tell after all says so."""
    store = make_store(yes_or_no(), faces(1))
    person = add_person(store).id
    (one,) = take(store, person, now=NOW)
    receipt = submit(store, Submission(client_id(), one.unit_id, person, skipped="cannot tell"), now=NOW)
    correct(store, person, receipt.event_id, client_id(), values={"anger": 0.0})
    (judgement,) = valid_judgements(store)
    assert (judgement.skipped, judgement.values) == (None, {"anger": 0.0})


def test_practice_is_not_corrected(make_store: MakeStore) -> None:
    """Its answer has been told."""
    store = make_store(yes_or_no(training=1), (*faces(1, gold={"anger": 1.0}, training=True), *faces(1, start=1)))
    person = add_person(store).id
    (one,) = take(store, person, count=1, now=NOW)
    receipt = answer(store, one, person, 0.0)
    with pytest.raises(AnsweredError, match="Practice"):
        correct(store, person, receipt.event_id, client_id(), values={"anger": 1.0})


def test_history_shows_what_stands_newest_first(make_store: MakeStore) -> None:
    """Own answers only, in pages."""
    store = make_store(yes_or_no(), faces(5))
    person, other = add_person(store).id, add_person(store).id
    receipts = []
    for number in range(4):
        (one,) = take(store, person, count=1, now=later(number))
        receipts.append(answer(store, one, person, 0.0, now=later(number)))
    answer(store, take(store, other, count=1, now=later(5))[0], other, now=later(5))
    correct(store, person, receipts[1].event_id, client_id(), values={"anger": 1.0}, now=later(6))
    undo(store, person, receipts[3].event_id, client_id(), now=later(6))
    page = history(store, person, limit=2)
    rest = history(store, person, before=page[-1].event_id)
    assert [one.event_id for one in (*page, *rest)] == [receipt.event_id for receipt in reversed(receipts)]
    assert [one.undone for one in (*page, *rest)] == [True, False, False, False]
    assert [one.corrected for one in (*page, *rest)] == [False, False, True, False]
    assert rest[0].values == {"anger": 1.0}
    assert rest[0].items[0].key == rest[0].unit.items[0]


def test_pairs_are_answered_by_opaque_ids(make_store: MakeStore) -> None:
    """The browser knows no keys; the record has keys."""
    asked = protocol("pairs", dimensions=("anger",), training=0, gold_every=0)
    store = make_store(asked, faces(4))
    person = add_person(store).id
    (one,) = take(store, person, count=1, now=NOW)
    left, right = one.items
    submit(store, Submission(client_id(), one.unit_id, person, {left.id: 0.0, right.id: 1.0}), now=NOW)
    (judgement,) = valid_judgements(store)
    assert judgement.values == {left.key: 0.0, right.key: 1.0}


def test_closed_accounts_answer_nothing(make_store: MakeStore) -> None:
    """Not even what they hold."""
    store = make_store(yes_or_no(), faces(3))
    person = add_person(store).id
    first, second = take(store, person, count=2, now=NOW)
    receipt = answer(store, first, person)
    change_person(store, person, active=False)
    with pytest.raises(NotAssignedError, match="closed"):
        answer(store, second, person)
    withdraw(store, person)
    with pytest.raises(NotAssignedError, match="closed"):
        correct(store, person, receipt.event_id, client_id(), values={"anger": 0.0})
