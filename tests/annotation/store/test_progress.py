"""How far everybody is, and what is left."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pytest
from small_projects import NOW, MakeStore, answer, client_id, faces, later, yes_or_no

from emonet.annotation.protocols import protocol
from emonet.annotation.store import (
    Submission,
    add_person,
    last_event,
    own_progress,
    progress,
    remaining,
    submit,
    take,
    undo,
)


def test_counts_by_stage_and_person(make_store: MakeStore) -> None:
    """Two yeses and a no, a skip, and an answer taken back."""
    store = make_store(yes_or_no(), faces(6))
    person, idle = add_person(store).id, add_person(store).id
    given = take(store, person, count=6, now=NOW)
    assert last_event(store) == 0
    for value, one, ms in zip((1.0, 1.0, 0.0), given, (1000, 2000, 6000), strict=False):
        answer(store, one, person, value, ms=ms)
    submit(store, Submission(client_id(), given[3].unit_id, person, skipped="cannot tell"), now=NOW)
    undo(store, person, answer(store, given[4], person).event_id, client_id(), now=later(1))
    found = progress(store)
    assert (found.units, found.done, found.begun, found.answers) == (6, 1, 3, 3)
    assert [(one.role, one.stage, one.units, one.open, one.outcomes) for one in found.stages] == [
        ("target", 1, 4, 3, {"rated": 1}),
        ("target", 2, 2, 2, {}),
    ]
    first, second = found.people
    assert (first.answers, first.skips, first.work, first.median_s, first.open, first.last) == (3, 1, 3, 2.0, 2, NOW)
    assert (second.person.id, second.answers, second.last) == (idle, 0, None)
    assert np.isnan(second.median_s)
    assert found.event == last_event(store)


def test_a_rater_sees_their_own_figures(make_store: MakeStore) -> None:
    """Answers that stand, of the last day among them, and whether there is more to do."""
    store = make_store(yes_or_no(), faces(4))
    person = add_person(store).id
    for number, one in enumerate(take(store, person, count=3, now=NOW)):
        answer(store, one, person, 0.0, now=NOW + timedelta(days=number))
    own = own_progress(store, person, now=NOW + timedelta(days=2, hours=1))
    assert (own.answers, own.skips, own.today, own.open, own.median_s, own.waiting) == (3, 0, 1, 0, 2.0, True)


def test_what_is_left_of_a_fixed_number_of_raters_is_certain(make_store: MakeStore) -> None:
    """Ten units for three raters each, five answers given: twenty-five left, of two seconds each."""
    store = make_store(protocol("hq", raters=3, training=0, gold_every=0), faces(10))
    person = add_person(store).id
    add_person(store)
    add_person(store)
    for one in take(store, person, count=5, now=NOW):
        answer(store, one, person)
    left = remaining(store)
    assert (left.ratings.value, left.ratings.low, left.ratings.high) == (25.0, 25.0, 25.0)
    assert left.seconds == 2.0
    assert left.hours.value == pytest.approx(25 * 2 / 3600)
    assert left.continuation == {}
    assert left.stuck == 0


def test_what_is_left_of_a_staged_protocol_comes_with_its_uncertainty(make_store: MakeStore) -> None:
    """About half of the answers say yes; the estimate holds the number that follows from it, and narrows."""
    store = make_store(yes_or_no(), faces(60))
    people = [add_person(store).id for _ in range(4)]
    early = remaining(store)
    assert np.isnan(early.hours.value)
    assert early.ratings.low < early.ratings.value < early.ratings.high
    for number, one in enumerate(take(store, people[0], count=40, now=NOW)):
        answer(store, one, people[0], float(number % 2), ms=1000 + number)
    left = remaining(store)
    # 20 untouched and 20 second raters are certain; then half of 20, a third rater for what is unknown.
    assert left.continuation["target 1"].value == pytest.approx(0.5, abs=0.01)
    assert left.ratings.low <= 20 + 20 + 10 + 0.5 * 30 <= left.ratings.high
    assert left.ratings.high - left.ratings.low < early.ratings.high - early.ratings.low
    assert remaining(store) == left


def test_units_that_too_few_people_are_left_for_are_named(make_store: MakeStore) -> None:
    """Two raters cannot finish what wants three."""
    store = make_store(protocol("hq", raters=3, training=0, gold_every=0), faces(4))
    for person in (add_person(store).id, add_person(store).id):
        for one in take(store, person, count=4, now=NOW):
            answer(store, one, person)
    assert remaining(store).stuck == 4
    add_person(store)
    assert remaining(store).stuck == 0
