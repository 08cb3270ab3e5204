"""Adjudication and withdrawal: the record grows, nothing goes."""

from __future__ import annotations

import pytest
from small_projects import NOW, MakeStore, answer, client_id, faces, later, yes_or_no

from emonet.annotation.protocols import protocol
from emonet.annotation.store import (
    add_person,
    adjudicate,
    adjudications,
    audit_log,
    events,
    find_person,
    find_unit,
    history,
    rebuild,
    take,
    valid_judgements,
    withdraw,
)
from emonet.errors import UsageError


def test_an_adjudicator_settles_a_dispute(make_store: MakeStore) -> None:
    """The answers stay, the unit is agreed, and the last word counts."""
    store = make_store(yes_or_no(), faces(1))
    lead = add_person(store, role="lead").id
    for value in (1.0, 0.0):
        person = add_person(store).id
        (one,) = take(store, person, now=NOW)
        answer(store, one, person, value)
    first = adjudicate(store, lead, one.unit_id, {"anger": 0.0}, "clearly calm", client_id="a1", now=later(1))
    assert adjudicate(store, lead, one.unit_id, {"anger": 0.0}, "clearly calm", client_id="a1") == first
    adjudicate(store, lead, one.unit_id, {"anger": 1.0}, "looked again", now=later(2))
    state = find_unit(store, one.unit_id)
    assert state is not None
    assert (state.outcome, state.type, state.agreed, state.adjudicated) == (
        "agreed",
        "1:1 adjudicated",
        {"anger": 1.0},
        True,
    )
    assert adjudications(store) == {one.unit.key: {"anger": 1.0}}
    assert len(valid_judgements(store)) == 2
    assert [entry.action for entry in audit_log(store)] == ["adjudicated", "adjudicated"]
    assert [event.note for event in events(store) if event.kind == "adjudication"] == ["clearly calm", "looked again"]
    assert rebuild(store) == 0


def test_who_and_what_can_be_adjudicated(make_store: MakeStore) -> None:
    """Leads only, closed units only, answers that exist only."""
    store = make_store(yes_or_no(gold_every=1), (*faces(1, gold={"anger": 1.0}), *faces(1, start=1)))
    rater, lead = add_person(store).id, add_person(store, role="lead").id
    work = next(one for one in take(store, rater, count=2, now=NOW) if one.kind == "work")
    gold = find_unit(store, key="face-0000:anger")
    assert gold is not None
    with pytest.raises(UsageError, match="no lead"):
        adjudicate(store, rater, work.unit_id, {"anger": 1.0}, "")
    with pytest.raises(UsageError, match="still wants"):
        adjudicate(store, lead, work.unit_id, {"anger": 1.0}, "")
    answer(store, work, rater, 0.0)
    with pytest.raises(UsageError, match="anger"):
        adjudicate(store, lead, work.unit_id, {"anger": 7.0}, "")
    for number in (gold.id, 0, 10**12):
        with pytest.raises(UsageError, match="none of the project's work"):
            adjudicate(store, lead, number, {"anger": 1.0}, "")
    assert [event.kind for event in events(store)] == ["rating"]


def test_whoever_withdraws_takes_their_answers_along(make_store: MakeStore) -> None:
    """Units are short of a rater again, and go to others."""
    store = make_store(protocol("hq", raters=2, training=0, gold_every=0), faces(3))
    leaver, other, third = (add_person(store, login=f"{name}@x.org", name=name).id for name in "abc")
    for person in (leaver, other):
        for one in take(store, person, count=2, now=NOW):
            answer(store, one, person)
    take(store, leaver, count=1, now=NOW)
    assert withdraw(store, leaver, by=leaver, reason="no time", now=later(1)) == 2
    assert {judgement.rater for judgement in valid_judgements(store)} == {"rater-2"}
    assert len(take(store, third, count=3, now=later(1))) == 3
    assert all(one.undone for one in history(store, leaver))
    gone = find_person(store, leaver)
    assert gone is not None
    assert (gone.active, gone.login) == (False, "a@x.org")
    assert rebuild(store) == 0
    assert withdraw(store, leaver, now=later(2)) == 0


def test_a_person_can_be_forgotten(make_store: MakeStore) -> None:
    """Only the blinded name is left."""
    store = make_store(yes_or_no(), faces(1))
    person = add_person(store, login="a@x.org", name="Ada", password_hash="hash", demographics={"age": "30"})
    withdraw(store, person.id, erase=True)
    left = find_person(store, person.id)
    assert left is not None
    assert (left.code, left.login, left.name, left.demographics) == ("rater-1", None, "", {})
    assert find_person(store, login="a@x.org") is None
    with pytest.raises(UsageError, match="nobody"):
        withdraw(store, 77)


def test_an_adjudication_waits_while_its_unit_is_open(make_store: MakeStore) -> None:
    """A withdrawal opens the unit; once it is closed again, the lead's word counts once more."""
    store = make_store(protocol("binary", contrast=False, training=0, gold_every=0), faces(1))
    lead = add_person(store, role="lead").id
    first, second = add_person(store).id, add_person(store).id
    (one,) = take(store, first, now=NOW)
    answer(store, one, first, 0.0)
    adjudicate(store, lead, one.unit_id, {"anger": 1.0}, "", client_id=client_id(), now=NOW)
    withdraw(store, first, now=later(1))
    state = find_unit(store, one.unit_id)
    assert state is not None
    assert (state.outcome, state.adjudicated) == (None, False)
    (again,) = take(store, second, now=later(1))
    answer(store, again, second, 0.0, now=later(1))
    state = find_unit(store, one.unit_id)
    assert state is not None
    assert (state.outcome, state.agreed, state.adjudicated) == ("agreed", {"anger": 1.0}, True)
