"""Who is given what: blind, balanced, never twice."""

from __future__ import annotations

from collections import Counter, defaultdict
from datetime import timedelta

import pytest
from small_projects import NOW, MakeStore, answer, answer_next, client_id, faces, later, yes_or_no

from emonet.annotation.protocols import Item, protocol
from emonet.annotation.store import (
    Submission,
    add_person,
    change_person,
    find_unit,
    own_progress,
    submit,
    take,
    unit_states,
)
from emonet.annotation.store._queue import PLACES, WINDOWS
from emonet.errors import UsageError


def test_open_units_come_back_first_and_count(make_store: MakeStore) -> None:
    """Asking again gives the same units, topped up; an answered one makes room."""
    store = make_store(yes_or_no(), faces(10))
    person = add_person(store).id
    first = take(store, person, count=2, now=NOW)
    again = take(store, person, count=3, now=NOW)
    assert again[:2] == first
    assert len({one.unit_id for one in again}) == 3
    answer(store, first[0], person)
    assert [one.unit_id for one in take(store, person, count=2, now=NOW)] == [one.unit_id for one in again[1:]]


def test_nobody_is_given_a_unit_twice(make_store: MakeStore) -> None:
    """One person alone sees every unit once, and then nothing."""
    store = make_store(protocol("hq", raters=3, training=0, gold_every=0), faces(8))
    person = add_person(store).id
    seen = []
    while given := take(store, person, count=3, now=NOW):
        seen += [one.unit_id for one in given]
        for one in given:
            answer(store, one, person)
    assert len(seen) == len(set(seen)) == 8
    assert not own_progress(store, person, now=NOW).waiting


def test_as_many_people_as_are_wanted_and_no_more(make_store: MakeStore) -> None:
    """A unit that wants two raters is held by two; the third gets another."""
    store = make_store(protocol("hq", raters=2, training=0, gold_every=0), faces(2))
    raters = [add_person(store).id for _ in range(5)]
    held = [take(store, person, count=1, now=NOW) for person in raters]
    assert Counter(one.unit_id for given in held for one in given) == Counter({1: 2, 2: 2})
    assert [len(given) for given in held] == [1, 1, 1, 1, 0]


def test_later_stages_go_to_other_people(make_store: MakeStore) -> None:
    """Three yeses come from three people, a no ends it."""
    store = make_store(yes_or_no(), faces(1))
    raters = [add_person(store).id for _ in range(4)]
    for stage, person in enumerate(raters[:3], start=1):
        (given,) = take(store, person, now=NOW)
        assert given.stage == stage
        answer(store, given, person)
        assert take(store, person, now=NOW) == ()
    assert take(store, raters[3], now=NOW) == ()
    state = find_unit(store, 1)
    assert state is not None
    assert (state.outcome, state.type, state.agreed) == ("agreed", "3:0 present", {"anger": 1.0})


def test_target_and_contrast_go_to_different_people(make_store: MakeStore) -> None:
    """Nobody is asked about one picture twice, not even when nothing else is left."""
    store = make_store(yes_or_no(contrast=True), faces(6))
    person = add_person(store).id
    items = []
    while given := take(store, person, count=1, now=NOW):
        items.append(given[0].items[0].key)
        answer(store, given[0], person, 0.0)
    assert sorted(items) == [f"face-{number:04}" for number in range(6)]


def test_where_it_cannot_be_helped_an_item_is_asked_about_again(make_store: MakeStore) -> None:
    """With "avoid", other items come first and the same ones in the end."""
    asked = protocol("binary", dimensions=("anger", "fear"), contrast=False, training=0, gold_every=0)
    store = make_store(asked, [Item(f"i{n}", f"{n}.jpg") for n in range(4)], same_item="avoid")
    person = add_person(store).id
    order = []
    while given := take(store, person, count=1, now=NOW):
        order.append(given[0].items[0].key)
        answer(store, given[0], person, 0.0)
    assert sorted(order[:4]) == ["i0", "i1", "i2", "i3"]
    assert len(order) == 8


def test_a_lease_that_ran_out_goes_to_somebody_else(make_store: MakeStore) -> None:
    """Until then the unit is kept."""
    store = make_store(yes_or_no(), faces(1), lease=timedelta(minutes=10))
    slow, quick = add_person(store).id, add_person(store).id
    (mine,) = take(store, slow, now=NOW)
    assert mine.expires == later(10)
    assert take(store, quick, now=later(9)) == ()
    (theirs,) = take(store, quick, now=later(11))
    assert theirs.unit_id == mine.unit_id
    assert theirs.lease != mine.lease
    assert take(store, slow, now=later(12)) == ()


def test_asking_again_prolongs_a_lease(make_store: MakeStore) -> None:
    """Somebody who is there keeps the unit."""
    store = make_store(yes_or_no(), faces(1), lease=timedelta(minutes=10))
    there, other = add_person(store).id, add_person(store).id
    take(store, there, now=NOW)
    assert take(store, there, now=later(8))[0].expires == later(18)
    assert take(store, other, now=later(15)) == ()


def test_the_same_person_may_come_back_to_a_unit_they_let_go(make_store: MakeStore) -> None:
    """They have not judged it."""
    store = make_store(yes_or_no(), faces(1), lease=timedelta(minutes=10))
    person = add_person(store).id
    (first,) = take(store, person, now=NOW)
    (again,) = take(store, person, now=later(60))
    assert first.unit_id == again.unit_id
    assert first.lease != again.lease


def test_a_skipped_unit_goes_to_another_person(make_store: MakeStore) -> None:
    """A skip counts against nobody, but the one who skipped does not see it again."""
    store = make_store(yes_or_no(), faces(1))
    one, other = add_person(store).id, add_person(store).id
    (given,) = take(store, one, now=NOW)
    submit(store, Submission(client_id(), given.unit_id, one, skipped="cannot tell"), now=NOW)
    assert take(store, one, now=NOW) == ()
    assert take(store, other, now=NOW)[0].unit_id == given.unit_id


def test_practice_comes_first(make_store: MakeStore) -> None:
    """So many as the protocol asks for, then work."""
    practice = faces(5, gold={"anger": 1.0}, training=True)
    store = make_store(yes_or_no(training=3), (*practice, *faces(20, start=5)))
    person = add_person(store).id
    assert own_progress(store, person, now=NOW).training_left == 3
    kinds = []
    for _ in range(6):
        (given,) = take(store, person, count=1, now=NOW)
        kinds.append(given.kind)
        answer(store, given, person)
    assert kinds == ["training"] * 3 + ["work"] * 3
    assert own_progress(store, person, now=NOW).training_left == 0


def test_everybody_gets_the_same_practice(make_store: MakeStore) -> None:
    """Practice units are not used up."""
    practice = faces(2, gold={"anger": 1.0}, training=True)
    store = make_store(yes_or_no(training=2), (*practice, *faces(9, start=2)))
    seen = [{one.unit.key for one in take(store, add_person(store).id, count=2, now=NOW)} for _ in range(3)]
    assert seen == [{"face-0000:anger", "face-0001:anger"}] * 3


def test_one_check_comes_at_a_random_place_in_each_block(make_store: MakeStore) -> None:
    """Gold units look like work; where they come differs from person to person."""
    known = faces(12, gold={"anger": 1.0})
    store = make_store(yes_or_no(gold_every=5), (*known, *faces(200, start=12)))
    places = []
    for _ in range(4):
        person = add_person(store).id
        kinds = []
        for _ in range(30):
            (given,) = take(store, person, count=1, now=NOW)
            kinds.append(given.kind)
            answer(store, given, person, 0.0)
        work = 0
        blocks: defaultdict[int, int] = defaultdict(int)
        for kind in kinds:
            if kind == "gold":
                blocks[work // 5] += 1
            else:
                work += 1
        assert set(blocks.values()) == {1}
        assert sorted(blocks) == list(range(max(blocks) + 1))
        places.append(tuple(kinds))
    assert len(set(places)) > 1


def test_everybody_gets_a_like_share_of_each_group(make_store: MakeStore) -> None:
    """Two thirds of the items are young, and so are two thirds of what each person sees, at any time."""
    given = [
        Item(f"i{n:03}", f"{n}.jpg", dimensions=("anger",), demographics={"age": "old" if n % 3 == 0 else "young"})
        for n in range(90)
    ]
    store = make_store(yes_or_no(), given)
    for person in [add_person(store).id for _ in range(3)]:
        ages: Counter[str] = Counter()
        for number in range(1, 25):
            (one,) = take(store, person, count=1, now=NOW)
            ages[one.items[0].demographics["age"]] += 1
            assert abs(ages["young"] - 2 * number / 3) <= 1.01
            answer(store, one, person, 0.0)


def test_units_that_are_begun_are_finished_first(make_store: MakeStore) -> None:
    """So that there are whole results early."""
    store = make_store(protocol("hq", raters=3, training=0, gold_every=0), faces(40))
    raters = [add_person(store).id for _ in range(3)]
    for _ in range(10):
        for person in raters:
            answer_next(store, person)
    done = sum(state.outcome is not None for state in unit_states(store))
    assert done >= 8


def test_a_long_run_of_own_answers_hides_nothing(make_store: MakeStore) -> None:
    """One person judges far more than a search looks at; what others then begin is still found."""
    store = make_store(protocol("hq", raters=2, training=0, gold_every=0), faces(120))
    busy, other = add_person(store).id, add_person(store).id
    for _ in range(90):
        answer_next(store, busy)
    for _ in range(110):
        answer_next(store, other)
    for _ in range(30):
        answer_next(store, busy)
    assert take(store, busy, now=NOW) == ()
    assert sum(state.outcome is not None for state in unit_states(store)) == 110


def test_people_who_are_gone_get_nothing(make_store: MakeStore) -> None:
    """Nor do people who never were."""
    store = make_store(yes_or_no(), faces(2))
    person = add_person(store).id
    change_person(store, person, active=False)
    with pytest.raises(UsageError, match="active"):
        take(store, person)
    with pytest.raises(UsageError, match="not known"):
        take(store, 99)
    with pytest.raises(UsageError, match="count"):
        take(store, person, count=0)


def test_pairs_and_sets_come_with_all_their_items(make_store: MakeStore) -> None:
    """In the order in which they are shown."""
    asked = protocol("best-worst", set_size=3, dimensions=("anger",), training=0, gold_every=0)
    store = make_store(asked, faces(9))
    (given,) = take(store, add_person(store).id, count=1, now=NOW)
    assert tuple(item.key for item in given.items) == given.unit.items
    assert len(given.items) == 3


def test_a_search_reads_the_index_of_free_units(make_store: MakeStore) -> None:
    """Neither giving nor looking for strata with work goes through all units of a large project."""
    store = make_store(yes_or_no(), faces(30))
    if store.dialect != "sqlite":
        return  # its planner goes through small tables whatever the index
    person, plans = add_person(store).id, []
    for query in (WINDOWS, PLACES):
        filled = {"person": person, "stratum": 1, "begun_at": 0, "fresh_at": 0}
        compiled = query.params(**filled).compile(store.engine, compile_kwargs={"literal_binds": True})
        with store.reading() as connection:
            plans += [row[3] for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {compiled}")]
    of_units = [plan for plan in plans if "units" in plan]
    assert len(of_units) == 5
    assert all("ix_units_queue" in plan for plan in of_units)
