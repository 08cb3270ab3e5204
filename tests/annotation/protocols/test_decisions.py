"""Stages, stops and consensus of every protocol, as examples and as properties of any sequence of answers."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from made_judgements import in_turn, says, unit

from emonet.annotation.protocols import (
    Decision,
    Protocol,
    Unit,
    best_worst,
    binary,
    decide,
    first_stage,
    hq,
    pairs,
    presence,
    questionnaire,
)
from emonet.errors import UsageError

PAIR = Unit("a|b:elation", ("a", "b"), ("elation",))
LEFT, RIGHT = {"a": 1.0, "b": 0.0}, {"a": 0.0, "b": 1.0}


@pytest.mark.parametrize(
    ("answers", "expected"),
    [
        ([], Decision(1, 1, None, {}, "")),
        ([0], Decision(1, 0, "rated", {}, "1:0 absent")),
        ([1], Decision(2, 1, None, {}, "1:0 present")),
        ([1, 0], Decision(2, 0, "disputed", {}, "1:1")),
        ([1, 1], Decision(3, 1, None, {}, "2:0 present")),
        ([1, 1, 0], Decision(3, 0, "disputed", {}, "2:1")),
        ([1, 1, 1], Decision(3, 0, "agreed", {"elation": 1.0}, "3:0 present")),
    ],
)
def test_binary_asks_on_after_a_yes_and_stops_at_the_first_no(answers: list[float], expected: Decision) -> None:
    target = unit("target")
    assert decide(binary(), target, in_turn(target, answers)) == expected


@pytest.mark.parametrize(("answer", "kind"), [(0, "1:0 absent"), (1, "1:0 present")])
def test_a_contrast_is_put_to_one_rater_and_is_no_consensus(answer: float, kind: str) -> None:
    contrast = unit("contrast")
    assert decide(binary(), contrast, in_turn(contrast, [answer])) == Decision(1, 0, "rated", {}, kind)


def test_an_audited_unit_gets_all_three_whatever_they_say() -> None:
    audited = unit("plain")
    wanted = [decide(binary(), audited, in_turn(audited, [0] * count)).wanted for count in range(4)]
    assert wanted == [3, 2, 1, 0]
    assert decide(binary(), audited, in_turn(audited, [0, 0, 0])).type == "3:0 absent"


@pytest.mark.parametrize(
    ("third", "answers", "wanted", "outcome", "kind"),
    [
        ("agree", [2, 2], 1, None, "2:0 present"),
        ("agree", [0, 0], 1, None, "2:0 absent"),
        ("agree", [1, 2], 0, "disputed", "2:0 present"),
        ("agree", [0, 1], 0, "disputed", "1:1"),
        ("agree", [2, 2, 2], 0, "agreed", "3:0 present"),
        ("agree", [2, 2, 1], 0, "disputed", "3:0 present"),
        ("agree", [0, 0, 1], 0, "disputed", "1:2"),
        ("all-present", [1, 2], 1, None, "2:0 present"),
        ("all-present", [0, 0], 0, "agreed", "2:0 absent"),
        ("disagree", [2, 2], 0, "agreed", "2:0 present"),
        ("disagree", [0, 2], 1, None, "1:1"),
        ("disagree", [0, 2, 2], 0, "agreed", "2:1"),
        ("disagree", [0, 2, 1], 0, "disputed", "2:1"),
        ("always", [0, 2], 1, None, "1:1"),
    ],
)
def test_presence_asks_a_third_rater_by_its_rule(
    third: str, answers: list[float], wanted: int, outcome: str | None, kind: str
) -> None:
    target = unit()
    decision = decide(presence(third=third), target, in_turn(target, answers))  # type: ignore[arg-type]
    assert (decision.wanted, decision.outcome, decision.type) == (wanted, outcome, kind)


def test_presence_asks_two_at_once() -> None:
    assert first_stage(presence(), unit()) == Decision(1, 2, None, {}, "")


def test_a_fourth_answer_counts_too() -> None:
    target = unit()
    decision = decide(presence(), target, in_turn(target, [2, 2, 2, 0]))
    assert (decision.outcome, decision.type) == ("disputed", "3:1")


def test_sliders_are_rated_by_everybody_and_agree_on_nothing() -> None:
    whole = Unit("a", ("a",), hq().dimensions)
    given = [says(whole, f"rater-{number}", {"elation": float(number)}) for number in range(4)]
    assert [decide(hq(), whole, given[:count]).wanted for count in range(5)] == [4, 3, 2, 1, 0]
    assert decide(hq(), whole, given) == Decision(1, 0, "rated", {}, "4 ratings")


def test_pairs_are_decided_by_most_votes() -> None:
    given = [says(PAIR, f"rater-{number}", value) for number, value in enumerate([LEFT, RIGHT, LEFT])]
    assert decide(pairs(), PAIR, given) == Decision(1, 0, "agreed", LEFT, "2:1")
    assert decide(pairs(raters=2), PAIR, given[:2]).outcome == "disputed"


def test_sets_and_forms_are_counted() -> None:
    four = Unit("a|b|c|d:elation", ("a", "b", "c", "d"), ("elation",))
    values = {"a": 1.0, "b": 0.0, "c": -1.0, "d": 0.0}
    assert decide(best_worst(raters=1), four, [says(four, "r", values)]) == Decision(1, 0, "rated", {}, "1 rating")
    form = Unit("questionnaire", (), ())
    assert decide(questionnaire(raters=2), form, [says(form, "r", {})]).wanted == 1


def test_skips_are_not_answers() -> None:
    target = unit()
    assert decide(binary(), target, [says(target, "rater-1", None)]).wanted == 1
    assert decide(binary(), target, [says(target, "rater-1", None), says(target, "rater-2", 1, minute=1)]).stage == 2


@pytest.mark.parametrize("known", [unit("training"), dataclasses.replace(unit(), gold={"elation": 1.0})])
def test_units_with_a_known_answer_want_nobody(known: Unit) -> None:
    decision = decide(binary(), known, in_turn(known, [0, 0]))
    assert (decision.wanted, decision.outcome, decision.values) == (0, "agreed", known.gold)


def test_a_corrected_first_answer_reopens_or_closes_the_sequence() -> None:
    target = unit()
    yes, second = in_turn(target, [1, 1])
    corrected = dataclasses.replace(yes, values={"elation": 0.0})
    assert decide(binary(), target, [yes, second]).wanted == 1
    assert decide(binary(), target, [corrected, second]).outcome == "disputed"
    assert decide(binary(), target, [second]).stage == 2  # the first was withdrawn: one more is wanted


def test_faults_are_named() -> None:
    target = unit()
    with pytest.raises(UsageError, match="Rater 'rater-1' has 2 answers"):
        decide(binary(), target, [says(target, "rater-1", 1), says(target, "rater-1", 0)])
    with pytest.raises(UsageError, match="unit 'a:anger' were passed with unit 'a:elation'"):
        decide(binary(), target, [says(unit(dimension="anger"), "rater-1", 1)])
    with pytest.raises(UsageError, match="role 'contrast', for which protocol 'presence' has no rule"):
        decide(presence(), unit("contrast"), [])


PROTOCOLS = st.sampled_from(
    [binary(), presence(), presence(third="all-present"), presence(third="disagree"), presence(third="always")]
)
ROLES = st.sampled_from(["target", "plain"])


@st.composite
def answered(draw: st.DrawFn) -> tuple[Protocol, Unit, list[float | None]]:
    """A protocol, a unit, and what the raters that come by say, None for a skip."""
    protocol = draw(PROTOCOLS)
    levels = [choice.value for choice in protocol.choices]
    return protocol, unit(draw(ROLES)), draw(st.lists(st.sampled_from([*levels, None]), min_size=12, max_size=12))


@given(answered())
def test_asking_as_long_as_somebody_is_wanted_comes_to_an_end(case: tuple[Protocol, Unit, list[float | None]]) -> None:
    protocol, target, values = case
    answers = [value for value in values if value is not None]
    most = sum(stage.raters for stage in protocol.rules[target.role])
    given, before = [], 0
    for number, value in enumerate(answers):
        decision = decide(protocol, target, given)
        assert (decision.wanted == 0) == (decision.outcome is not None)
        assert decision.stage >= before
        before = decision.stage
        if not decision.wanted:
            break
        given.append(says(target, f"rater-{number}", value, stage=decision.stage, minute=number))
    else:
        assert len(answers) <= most
    assert len(given) <= most


@given(answered(), st.randoms())
def test_the_order_in_which_judgements_are_passed_does_not_matter(
    case: tuple[Protocol, Unit, list[float | None]], random: np.random.Generator
) -> None:
    protocol, target, values = case
    given = [says(target, f"rater-{n}", value, stage=1 + n // 2, minute=n) for n, value in enumerate(values[:5])]
    mixed = list(given)
    random.shuffle(mixed)  # type: ignore[arg-type]
    assert decide(protocol, target, mixed) == decide(protocol, target, given)


@given(answered())
def test_agreed_values_are_those_of_the_answers(case: tuple[Protocol, Unit, list[float | None]]) -> None:
    protocol, target, values = case
    given = in_turn(target, [value for value in values[:4] if value is not None])
    decision = decide(protocol, target, given)
    if decision.outcome == "agreed":
        matching = sum(answer.values == decision.values for answer in given)
        assert matching == len(given) if protocol.consensus == "strict" else matching > len(given) / 2
    else:
        assert decision.values == {}


@given(answered())
def test_skips_change_nothing_but_who_is_left(case: tuple[Protocol, Unit, list[float | None]]) -> None:
    protocol, target, values = case
    given = [says(target, f"rater-{n}", value, stage=n, minute=n) for n, value in enumerate(values[:6])]
    without = [judgement for judgement in given if judgement.skipped is None]
    assert decide(protocol, target, given) == decide(protocol, target, without)
