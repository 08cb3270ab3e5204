"""Summaries of units, and Dawid-Skene beside the strict rule."""

from __future__ import annotations

import math

import pytest
from made_judgements import in_turn, pictures, says, unit

from emonet.annotation.protocols import (
    SyntheticRater,
    Unit,
    binary,
    decide,
    hq,
    latent_consensus,
    pairs,
    presence,
    settle,
    simulate,
)
from emonet.errors import UsageError


def test_a_unit_is_summed_up_with_its_decision() -> None:
    target, silent = unit(), unit(dimension="anger")
    given = [*in_turn(target, [2, 2, 1]), says(target, "rater-4", None)]
    first, second = settle(presence(), [target, silent], given)
    assert (first.decision, first.answers, first.skips) == (decide(presence(), target, given), 3, 1)
    assert (first.median, first.present, first.spread) == ({"elation": 2.0}, {"elation": 1.0}, {"elation": 1.0})
    assert first.mean["elation"] == pytest.approx(5 / 3)
    assert (second.answers, second.mean, second.decision.wanted) == (0, {}, 2)


def test_an_untouched_slider_counts_as_zero_but_is_told_apart_from_a_zero() -> None:
    whole = Unit("a", ("a",), ("elation", "anger"))
    given = [says(whole, "rater-1", {"elation": 4.0, "anger": 0.0}), says(whole, "rater-2", {"elation": 2.0})]
    (row,) = settle(hq(dimensions=("elation", "anger")), [whole], given)
    assert row.mean == {"elation": 3.0, "anger": 0.0}
    assert row.touched == {"elation": 1.0, "anger": 0.5}
    assert row.present == {"elation": 1.0, "anger": 0.0}


def test_judgements_of_other_units_are_refused() -> None:
    with pytest.raises(UsageError, match="unit 'a:anger', which is not among the 1 units"):
        settle(presence(), [unit()], in_turn(unit(dimension="anger"), [1]))


def test_dawid_skene_finds_truth_and_raters_where_votes_are_split() -> None:
    raters = [SyntheticRater(f"good-{n}", 0.9) for n in range(3)] + [SyntheticRater(f"poor-{n}", 0.2) for n in range(2)]
    run = simulate(binary(dimensions=("elation",)), pictures(600, "elation"), raters, seed=2, audit=1.0)
    latent = latent_consensus(run.protocol, run.units, run.judgements)
    assert latent.converged
    assert all(latent.accuracy[f"good-{n}"] > 0.85 for n in range(3))
    assert all(latent.accuracy[f"poor-{n}"] < 0.7 for n in range(2))
    truth = {key: run.truth[key]["elation"] for key in latent.units}
    votes = {row.unit.key: float(row.mean["elation"] > 0.5) for row in settle(run.protocol, run.units, run.judgements)}
    right = sum(latent.value[key] == truth[key] for key in truth)
    assert right > sum(votes[key] == truth[key] for key in truth)


def test_dawid_skene_keeps_contrasts_and_targets_apart() -> None:
    raters = [SyntheticRater(f"r{n}", 0.8) for n in range(4)]
    run = simulate(binary(), pictures(300, "elation"), raters, seed=3, prevalence=0.8)
    latent = latent_consensus(run.protocol, run.units, run.judgements)
    present = {role: [] for role in ("target", "contrast")}  # type: ignore[var-annotated]
    for one in run.units:
        present[one.role].append(latent.probability[one.key][1])
    assert sum(present["target"]) / 300 == pytest.approx(0.8, abs=0.08)
    assert sum(present["contrast"]) / 300 < 0.25


def test_somebody_who_shares_no_unit_cannot_be_measured() -> None:
    target, contrast = unit(), unit("contrast", dimension="sadness")
    given = [*in_turn(target, [1, 1, 1]), says(contrast, "alone", 0)]
    accuracy = latent_consensus(binary(), [target, contrast], given).accuracy
    assert math.isnan(accuracy["alone"])
    assert not math.isnan(accuracy["rater-1"])


def test_gold_practice_and_nothing_at_all_are_left_out() -> None:
    gold = Unit("g:elation", ("g",), ("elation",), "target", {"elation": 1.0})
    assert latent_consensus(binary(), [gold], in_turn(gold, [1])).units == ()
    assert latent_consensus(binary(), [], []).value == {}


def test_dawid_skene_needs_levels() -> None:
    with pytest.raises(UsageError, match="'pairs' asks by 'pair'"):
        latent_consensus(pairs(), [], [])
