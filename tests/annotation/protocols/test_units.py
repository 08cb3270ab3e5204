"""From items to questions: what is asked of each, gold, practice, audits, and linked comparisons."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st
from made_judgements import pictures

from emonet.annotation.protocols import Item, Unit, best_worst, binary, hq, make_units, pairs, presence, questionnaire
from emonet.errors import UsageError


def linked(units: tuple[Unit, ...]) -> int:
    """How many groups of items no comparison connects."""
    group = {item: item for unit in units for item in unit.items}

    def root(item: str) -> str:
        while group[item] != item:
            item = group[item]
        return item

    for unit in units:
        for item in unit.items:
            group[root(item)] = root(unit.items[0])
    return len({root(item) for item in group})


def test_binary_asks_the_prompted_emotion_and_its_opposite() -> None:
    units = make_units(binary(), pictures(3, "elation"), seed=1)
    assert Counter((unit.role, unit.dimensions) for unit in units) == {
        ("target", ("elation",)): 3,
        ("contrast", ("sadness",)): 3,
    }
    assert Unit("p000:elation", ("p000",), ("elation",), "target") in units


def test_an_item_made_for_both_is_no_contrast_of_itself() -> None:
    units = make_units(binary(), pictures(1, "elation", "sadness"), seed=1)
    assert {(unit.role, unit.key) for unit in units} == {("target", "p000:elation"), ("target", "p000:sadness")}


def test_an_item_without_an_emotion_is_asked_about_all() -> None:
    units = make_units(presence(dimensions=("anger", "fear")), pictures(2), seed=1)
    assert sorted(unit.key for unit in units) == ["p000:anger", "p000:fear", "p001:anger", "p001:fear"]


def test_sliders_are_one_unit_an_item_and_a_form_is_one_in_all() -> None:
    assert [(unit.role, len(unit.dimensions)) for unit in make_units(hq(), pictures(2), seed=0)] == [("plain", 40)] * 2
    assert make_units(questionnaire(), (), seed=0) == (Unit("questionnaire", (), ()),)


def test_the_order_is_that_of_the_seed() -> None:
    first, again, other = (make_units(hq(), pictures(30), seed=seed) for seed in (1, 1, 2))
    assert first == again != other
    assert sorted(unit.key for unit in first) == sorted(unit.key for unit in other)


def test_an_audit_turns_a_share_of_the_targets_into_plain_units() -> None:
    units = make_units(binary(), pictures(40, "elation"), seed=3, audit=0.1)
    assert Counter(unit.role for unit in units) == {"target": 36, "plain": 4, "contrast": 40}


def test_gold_and_practice_come_first_and_carry_their_answer() -> None:
    items = [
        *pictures(2, "elation"),
        Item("check", "check.png", gold={"anger": 0.0, "elation": 1.0}),
        Item("practice", "practice.png", gold={"elation": 1.0}, training=True),
    ]
    units = make_units(binary(), items, seed=1)
    assert units[:3] == (
        Unit("check:anger", ("check",), ("anger",), "target", {"anger": 0.0}),
        Unit("check:elation", ("check",), ("elation",), "target", {"elation": 1.0}),
        Unit("practice:elation", ("practice",), ("elation",), "training", {"elation": 1.0}),
    )
    assert not any(unit.gold for unit in units[3:])


def test_gold_of_sliders_is_one_unit_with_a_tolerance() -> None:
    (unit,) = make_units(hq(), [Item("check", "c.png", gold={"elation": 6.0}, tolerance=2.0)], seed=1)
    assert (unit.gold, unit.tolerance, len(unit.dimensions)) == ({"elation": 6.0}, 2.0, 40)


def test_gold_of_comparisons_is_made_of_items_of_known_strength() -> None:
    strong = [Item(f"g{value}", "g.png", gold={"pride": float(value)}) for value in range(4)]
    left, right = make_units(pairs(), strong, seed=1)
    assert (left.gold, right.gold) == ({"g0": 0.0, "g2": 1.0}, {"g1": 0.0, "g3": 1.0})
    (four,) = make_units(best_worst(), strong, seed=1)
    assert four.gold == {"g0": -1.0, "g1": 0.0, "g2": 0.0, "g3": 1.0}


@pytest.mark.parametrize("count", [2, 3, 7, 20])
def test_pairs_link_all_items_and_show_each_equally_often(count: int) -> None:
    units = make_units(pairs(), pictures(count, "pride"), seed=5, appearances=4)
    shown = Counter(item for unit in units for item in unit.items)
    assert linked(units) == 1
    assert max(shown.values()) <= 4
    assert len({frozenset(unit.items) for unit in units}) == len(units)
    if count == 20:
        assert min(shown.values()) >= 3


def test_no_side_is_favoured() -> None:
    units = make_units(pairs(), pictures(200, "pride"), seed=5)
    first = sum(unit.items[0] < unit.items[1] for unit in units)
    assert 0.45 < first / len(units) < 0.55


@given(st.integers(4, 60), st.integers(3, 6), st.integers(1, 12), st.integers(0, 999))
def test_sets_hold_different_items_and_link_all(count: int, size: int, appearances: int, seed: int) -> None:
    if count < size:
        return
    units = make_units(best_worst(set_size=size), pictures(count, "pride"), seed=seed, appearances=appearances)
    assert all(len(set(unit.items)) == size for unit in units)
    assert linked(units) == 1
    assert max(Counter(item for unit in units for item in unit.items).values()) <= max(size, appearances + size / 2)


@pytest.mark.parametrize(
    ("items", "told"),
    [
        ([*pictures(1, "elation"), *pictures(1, "elation")], "'p000' occurs 2 times"),
        (pictures(1, "joy"), "'p000' has the dimension 'joy'"),
        ([Item("a", "a.png", training=True)], "'a' is for training but has no known answer"),
        ([Item("a", "a.png", gold={"elation": 0.5})], "received 0.5"),
        ([Item("a", "a", dimensions=("elation",)), Item("a:elation", "b", gold={"sadness": 1.0})], None),
    ],
)
def test_faulty_items_are_named(items: list[Item], told: str | None) -> None:
    if told is None:
        assert len(make_units(binary(), items, seed=0)) == 3
        return
    with pytest.raises(UsageError, match=told):
        make_units(binary(), items, seed=0)


def test_faulty_designs_are_named() -> None:
    with pytest.raises(UsageError, match="1 items are asked about 'pride'; a set takes 2"):
        make_units(pairs(), pictures(1, "pride"), seed=0)
    with pytest.raises(UsageError, match="tie on 'pride'"):
        make_units(pairs(), [Item(name, "g", gold={"pride": 1.0}) for name in "ab"], seed=0)
    with pytest.raises(UsageError, match="1 gold items have a known 'pride'"):
        make_units(pairs(), [Item("a", "g", gold={"pride": 1.0})], seed=0)
    with pytest.raises(UsageError, match="appearances is 0"):
        make_units(pairs(), pictures(3, "pride"), seed=0, appearances=0)
    with pytest.raises(UsageError, match="audit is 2"):
        make_units(binary(), pictures(3, "pride"), seed=0, audit=2)
    with pytest.raises(UsageError, match="no rule for audited units"):
        make_units(hq(), pictures(3), seed=0, audit=0.5)
