"""A project goes in whole, comes out equal, and gives nothing away by its numbers."""

from __future__ import annotations

from datetime import timedelta

import pytest
from small_projects import MakeStore, faces, yes_or_no

from emonet.annotation.protocols import Item, Unit, make_units, protocol
from emonet.annotation.store import (
    NoProjectError,
    Project,
    add_person,
    change_person,
    create_project,
    find_item,
    find_person,
    find_unit,
    items,
    open_store,
    people,
    read_project,
    unit_states,
    units,
)
from emonet.errors import UsageError


def test_project_items_and_units_come_back_equal(make_store: MakeStore, database_url: str) -> None:
    """Also for another process, which has nothing in memory."""
    asked = protocol("hq", raters=2)
    given = faces(3, facts={"prompt": "ä face"}, sensitive=True)
    made = make_units(asked, given, seed=1)
    store = make_store(asked, given, units=made, lease=timedelta(minutes=5))
    with open_store(database_url) as other:
        project = read_project(other)
        assert project == read_project(store)
        assert (project.protocol, project.lease, project.seed) == (asked, timedelta(minutes=5), 3)
        assert units(other) == made
        assert [(item.key, item.media, item.facts, item.sensitive) for item in items(other)] == [
            (item.key, item.media, item.facts, item.sensitive) for item in given
        ]


def test_ids_are_opaque_and_numbers_tell_no_order(make_store: MakeStore) -> None:
    """An item's id says nothing of its key; gold units do not have the lowest numbers."""
    known = faces(20, gold={"anger": 1.0})
    store = make_store(yes_or_no(gold_every=5), (*known, *faces(60, start=20)))
    for item in items(store):
        assert item.key not in item.id
        assert len(item.id) >= 16
        assert find_item(store, item.id) == item
    assert find_item(store, "nothing") is None
    assert find_item(store, "../../etc/passwd") is None
    states = unit_states(store)
    numbers = [state.id for state in states if state.kind == "gold"]
    assert sorted(state.id for state in states) == list(range(1, 81))
    assert numbers != list(range(1, 21))
    assert find_unit(store, states[3].id) == states[3] == find_unit(store, key=states[3].unit.key)
    assert find_unit(store, 9999) is None


def test_a_database_holds_one_project(make_store: MakeStore) -> None:
    """The second is refused and the first stays."""
    store = make_store(yes_or_no(), faces(2))
    again = faces(1)
    with pytest.raises(NoProjectError, match="already"):
        create_project(store, Project("two", yes_or_no()), again, make_units(yes_or_no(), again, seed=1))
    assert read_project(store).name == "a project"


def test_units_must_fit_their_items(make_store: MakeStore) -> None:
    """A unit of an item that is not there names both."""
    with pytest.raises(UsageError, match=r"'x'.*'gone'"):
        make_store(yes_or_no(), faces(1), units=[Unit("x", ("gone",), ("anger",), "target")])
    with pytest.raises(UsageError, match="at least one unit"):
        make_store(yes_or_no(), faces(1), units=[])


def test_a_project_that_fails_leaves_no_trace(make_store: MakeStore, database_url: str) -> None:
    """All or nothing."""
    with pytest.raises(UsageError, match="balance"):
        make_store(yes_or_no(), faces(2), balance=("shoe size",))
    with open_store(database_url, create=True) as store, pytest.raises(NoProjectError):
        read_project(store)


def test_what_is_balanced_is_chosen_from_the_items(make_store: MakeStore) -> None:
    """Few values are balanced, a speaker's name is not, nor what all have in common."""
    given = [
        Item(f"i{n}", f"{n}.jpg", dimensions=("anger",), demographics={"age": str(n % 3), "name": f"n{n}", "all": "x"})
        for n in range(40)
    ]
    assert read_project(make_store(yes_or_no(), given)).balance == ("age",)


@pytest.mark.parametrize(("contrast", "rule"), [(True, "never"), (False, "never")])
def test_one_item_is_not_put_to_a_person_twice_by_default(make_store: MakeStore, contrast: bool, rule: str) -> None:
    """Target and contrast of a picture go to different people."""
    assert read_project(make_store(yes_or_no(contrast=contrast), faces(3))).same_item == rule


def test_items_in_many_units_are_only_kept_apart_where_possible(make_store: MakeStore) -> None:
    """A picture asked about many emotions would otherwise need as many raters."""
    bare = [Item("a", "a.jpg"), Item("b", "b.jpg")]
    assert (
        read_project(make_store(protocol("binary", dimensions=("anger", "fear", "pride")), bare)).same_item == "avoid"
    )


def test_people_get_blinded_names_by_role(make_store: MakeStore) -> None:
    """Numbers count up within a role and stay when the role changes."""
    store = make_store(yes_or_no(), faces(1))
    first = add_person(store, name="Ada", login=" Ada@Example.org ", demographics={"degree": "master"})
    lead = add_person(store, role="lead")
    second = add_person(store)
    assert [person.code for person in people(store)] == ["rater-1", "lead-1", "rater-2"]
    assert find_person(store, login="ada@example.org") == first
    assert find_person(store, code="rater-2") == second
    assert change_person(store, second.id, role="lead").code == "rater-2"
    assert find_person(store, lead.id) == lead
    assert find_person(store, 99) is None
    with pytest.raises(UsageError, match="already"):
        add_person(store, login="ADA@example.org")
    with pytest.raises(UsageError, match="role"):
        add_person(store, role="king")  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="nobody"):
        change_person(store, 99, active=False)
