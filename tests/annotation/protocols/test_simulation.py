"""Synthetic raters drive every protocol to its end, as the protocol's own rules have it."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from made_judgements import pictures

from emonet.annotation.protocols import (
    PROTOCOLS,
    Item,
    SyntheticRater,
    binary,
    check_values,
    decide,
    hq,
    presence,
    protocol,
    questionnaire,
    rule_of,
    simulate,
)
from emonet.errors import UsageError

FIVE = [SyntheticRater(f"rater-{number}", 0.8, noise=0.5, skip=0.05) for number in range(1, 6)]


@settings(max_examples=40, deadline=None)
@given(st.sampled_from(sorted(PROTOCOLS)), st.integers(0, 2**32 - 1), st.integers(4, 12), st.sampled_from([0.0, 0.4]))
def test_every_protocol_ends_as_its_rules_say(name: str, seed: int, count: int, audit: float) -> None:
    of = protocol(name, **({} if name == "questionnaire" else {"dimensions": ("elation", "sadness")}))
    items = [] if name == "questionnaire" else pictures(count, "elation")
    run = simulate(of, items, FIVE, seed=seed, audit=audit if of.question == "levels" else 0.0)
    units = {unit.key: unit for unit in run.units}
    given_answers = {key: [one for one in run.judgements if one.unit == key] for key in units}
    for key, unit in units.items():
        answers = [one for one in given_answers[key] if one.skipped is None]
        assert len({one.rater for one in given_answers[key]}) == len(given_answers[key])  # nobody twice
        assert len(answers) <= sum(stage.raters for stage in rule_of(of, unit))
        assert run.decisions[key] == decide(of, unit, given_answers[key])
        assert (run.decisions[key].outcome is None) == (key in run.unfinished)
        for one in answers:
            check_values(of, unit, one.values, one.form)


def test_a_simulation_is_that_of_its_seed() -> None:
    first, again, other = (simulate(binary(), pictures(20, "elation"), FIVE, seed=seed) for seed in (7, 7, 8))
    assert first == again
    assert first.judgements != other.judgements


def test_perfect_raters_find_what_is_there() -> None:
    raters = [SyntheticRater(f"r{n}", 1.0) for n in range(3)]
    run = simulate(presence(third="always"), pictures(100, "elation"), raters, seed=1)
    assert all(decision.outcome == "agreed" for decision in run.decisions.values())
    assert all(run.decisions[key].values == truth for key, truth in run.truth.items())


def test_sensitivity_and_specificity_are_those_asked_for() -> None:
    rater = SyntheticRater.seeing("r", 0.9, 0.6)
    run = simulate(binary(contrast=False, dimensions=("elation",)), pictures(4000, "elation"), [rater], seed=1)
    said = {one.unit: one.values["elation"] for one in run.judgements}
    for level, share in ((1.0, 0.9), (0.0, 0.4)):
        of_level = [said[key] for key, truth in run.truth.items() if truth["elation"] == level]
        assert sum(of_level) / len(of_level) == pytest.approx(share, abs=0.03)
    with pytest.raises(UsageError, match="sum to at least 1"):
        SyntheticRater.seeing("r", 0.4, 0.5)


def test_work_is_spread_evenly_and_an_item_goes_to_new_eyes_first() -> None:
    raters = [SyntheticRater(f"r{n}", 1.0) for n in range(4)]
    run = simulate(binary(), pictures(100, "elation"), raters, seed=1)
    load = Counter(one.rater for one in run.judgements)
    assert max(load.values()) - min(load.values()) <= 0.15 * max(load.values())
    seen = Counter((one.rater, one.unit.partition(":")[0]) for one in run.judgements)
    twice = sum(count > 1 for count in seen.values())
    assert twice <= 0.05 * len(seen)


def test_units_that_want_more_people_than_there_are_stay_open() -> None:
    run = simulate(hq(), pictures(3), FIVE[:2], seed=1, prevalence=0.2)
    assert set(run.unfinished) == {"p000", "p001", "p002"}
    assert all(decision.wanted >= 2 for decision in run.decisions.values())


def test_known_answers_are_put_to_everybody_and_forms_are_filled() -> None:
    gold = Item("g", "g.png", gold={"elation": 1.0})
    run = simulate(binary(), [gold, *pictures(2, "elation")], FIVE, seed=1)
    assert {one.rater for one in run.judgements if one.unit == "g:elation"} == {rater.name for rater in FIVE}
    form = simulate(questionnaire(raters=2), [], [SyntheticRater("a"), SyntheticRater("b")], seed=1)
    assert [one.form["consent"] for one in form.judgements] == ["yes", "yes"]


def test_two_raters_of_one_name_are_refused() -> None:
    with pytest.raises(UsageError, match="have one name"):
        simulate(binary(), [], [FIVE[0], FIVE[0]], seed=1)
