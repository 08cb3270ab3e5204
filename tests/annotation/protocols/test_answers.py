"""What counts as an answer, how it is asked, and what practice says about it."""

from __future__ import annotations

import contextlib
import dataclasses
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from made_judgements import in_turn, says, unit

from emonet.annotation.protocols import (
    PROTOCOLS,
    Decision,
    Protocol,
    SyntheticRater,
    Unit,
    adjudicated,
    best_worst,
    binary,
    check_values,
    decide,
    feedback,
    hq,
    pairs,
    presence,
    protocol,
    question_text,
    questionnaire,
    synthetic_values,
)
from emonet.errors import UsageError

SLIDERS = Unit("a", ("a",), hq().dimensions)
PAIR = Unit("a|b:pride", ("a", "b"), ("pride",))
FOUR = Unit("a|b|c|d:pride", ("a", "b", "c", "d"), ("pride",))
FORM = Unit("questionnaire", (), ())
CONSENT = {"consent": "yes", "age": "25-34", "gender": "woman", "degree": "master"}


def test_questions_name_the_emotion_as_people_read_it() -> None:
    assert question_text(binary(), unit(dimension="jealousy_envy")) == "Does this face show Jealousy & Envy?"
    assert question_text(presence(), unit()) == "Is Elation present in this voice?"
    own = presence(dimensions=("sarcasm",))
    assert question_text(own, unit(dimension="sarcasm")) == "Is sarcasm present in this voice?"


@pytest.mark.parametrize(
    ("of", "asked", "values"),
    [
        (binary(), unit(), {"elation": 1.0}),
        (presence(), unit(), {"elation": 2.0}),
        (hq(), SLIDERS, {"elation": 7.0, "anger": 0.0}),
        (hq(), SLIDERS, {}),
        (pairs(), PAIR, {"a": 0.0, "b": 1.0}),
        (best_worst(), FOUR, {"a": 0.0, "b": 1.0, "c": -1.0, "d": 0.0}),
    ],
)
def test_complete_answers_pass(of: Protocol, asked: Unit, values: dict[str, float]) -> None:
    check_values(of, asked, values, {})


@pytest.mark.parametrize(
    ("of", "asked", "values", "told"),
    [
        (binary(), unit(), {}, "no answer for 'elation'"),
        (binary(), unit(), {"anger": 1.0}, "field 'anger': received 1.0; the unit asks for 'elation'"),
        (binary(), unit(), {"elation": 0.5}, r"received 0.5; expected one of 1 \(yes\), 0 \(no\)"),
        (binary(), unit(), {"elation": math.nan}, "finite"),
        (presence(), unit(), {"elation": 3.0}, "strongly present"),
        (hq(), SLIDERS, {"elation": 7.5}, "expected 0 to 7 in steps of 1"),
        (hq(), SLIDERS, {"elation": 8.0}, "expected 0 to 7"),
        (hq(), SLIDERS, {"joy": 1.0}, "field 'joy'"),
        (pairs(), PAIR, {"a": 1.0}, "no answer for 'b'"),
        (pairs(), PAIR, {"a": 1.0, "b": 1.0}, "1 for the item taken"),
        (best_worst(), FOUR, {"a": 1.0, "b": 1.0, "c": -1.0, "d": 0.0}, "one item with 1"),
        (questionnaire(), FORM, {"a": 1.0}, "field 'a'"),
    ],
)
def test_incomplete_or_impossible_answers_are_named(
    of: Protocol, asked: Unit, values: dict[str, float], told: str
) -> None:
    with pytest.raises(UsageError, match=told):
        check_values(of, asked, values, CONSENT if of.form else {})


def test_a_form_needs_its_required_fields_and_consent() -> None:
    check_values(questionnaire(), FORM, {}, CONSENT)
    for change, told in [
        ({"consent": "no"}, r"'consent' .* must be ticked"),
        ({"consent": ""}, "must be ticked"),
        ({"age": " "}, r"'age' .* must be answered"),
        ({"age": "12"}, "expected one of '18-24'"),
        ({"remarks": "x" * 10_001}, "at most 10000"),
        ({"shoe": "42"}, "'shoe' is not among those asked"),
    ]:
        with pytest.raises(UsageError, match=told):
            check_values(questionnaire(), FORM, {}, {**CONSENT, **change})


def test_fields_beside_other_questions_are_refused() -> None:
    with pytest.raises(UsageError, match="asked: none"):
        check_values(binary(), unit(), {"elation": 1.0}, {"remark": "blurred"})


@given(st.sampled_from(sorted(PROTOCOLS)), st.integers(0, 2**32 - 1), st.floats(0, 1))
def test_synthetic_raters_always_answer_completely(name: str, seed: int, reliability: float) -> None:
    of = protocol(name)
    asked = {"pair": PAIR, "best-worst": FOUR, "sliders": SLIDERS, "form": FORM}.get(of.question, unit())
    rater = SyntheticRater("r", reliability, noise=1.0)
    values = synthetic_values(of, asked, rater, {"elation": 1.0, "a": 0.3}, np.random.default_rng(seed))
    check_values(of, asked, values, CONSENT if of.form else {})


@given(
    st.sampled_from(sorted(PROTOCOLS)),
    st.dictionaries(st.sampled_from(["elation", "a", "b", "c", "d", "x"]), st.floats() | st.sampled_from([-1, 0, 1])),
    st.dictionaries(st.sampled_from([*CONSENT, "x"]), st.text() | st.just("yes")),
)
def test_any_answer_passes_or_is_refused_with_a_reason(
    name: str, values: dict[str, float], form: dict[str, str]
) -> None:
    of = protocol(name)
    asked = {"pair": PAIR, "best-worst": FOUR, "sliders": SLIDERS, "form": FORM}.get(of.question, unit())
    with contextlib.suppress(UsageError):
        check_values(of, asked, values, form)
        decide(of, asked, [says(asked, "rater-1", values)])


@pytest.mark.parametrize(
    ("given_value", "verdict", "text"),
    [
        (2.0, "right", "That is right. Elation: strongly present."),
        (1.0, "near", "Nearly. Elation: strongly present."),
        (0.0, "wrong", "Not quite. Elation: strongly present."),
    ],
)
def test_practice_tells_right_near_and_wrong(given_value: float, verdict: str, text: str) -> None:
    known = dataclasses.replace(unit("training"), gold={"elation": 2.0})
    told = feedback(presence(), known, {"elation": given_value})
    assert (told.verdict, told.text, told.expected) == (verdict, text, {"elation": 2.0})


def test_weak_is_not_near_absent_and_no_is_not_near_yes() -> None:
    weak = dataclasses.replace(unit(), gold={"elation": 0.0})
    assert feedback(presence(), weak, {"elation": 1.0}).verdict == "wrong"
    assert feedback(binary(), weak, {"elation": 1.0}).verdict == "wrong"


def test_sliders_are_judged_by_the_known_dimensions_within_the_tolerance() -> None:
    known = dataclasses.replace(SLIDERS, gold={"elation": 5.0, "anger": 0.0}, tolerance=1.0)
    assert feedback(hq(), known, {"elation": 4.0, "pride": 7.0}).verdict == "right"
    assert feedback(hq(), known, {"elation": 3.0}).verdict == "near"
    told = feedback(hq(), known, {"elation": 5.0, "anger": 3.0})
    assert (told.verdict, told.text) == ("wrong", "Not quite. Anger: 0 of 7.")


def test_comparisons_are_told_by_place() -> None:
    known = dataclasses.replace(FOUR, gold={"a": -1.0, "b": 0.0, "c": 0.0, "d": 1.0})
    assert feedback(best_worst(), known, dict(known.gold)).text == "That is right."
    told = feedback(best_worst(), known, {"a": 1.0, "b": 0.0, "c": 0.0, "d": -1.0})
    assert told.text == "Not quite. Here number 1 shows the least and number 4 shows the most."


def test_feedback_needs_a_known_answer() -> None:
    with pytest.raises(UsageError, match="no known answer"):
        feedback(binary(), unit(), {"elation": 1.0})


def test_an_adjudicator_settles_what_is_closed() -> None:
    target = unit()
    disputed = decide(binary(), target, in_turn(target, [1, 1, 0]))
    settled = adjudicated(binary(), target, disputed, {"elation": 1.0})
    assert settled == Decision(3, 0, "agreed", {"elation": 1.0}, "2:1 adjudicated")
    with pytest.raises(UsageError, match="still wants 1 rater"):
        adjudicated(binary(), target, decide(binary(), target, []), {"elation": 1.0})
    with pytest.raises(UsageError, match=r"received 2\.0"):
        adjudicated(binary(), target, disputed, {"elation": 2.0})
