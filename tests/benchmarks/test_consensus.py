"""What docs/annotation-protocols.md says about strict consensus, majority and Dawid-Skene holds in small projects."""

from __future__ import annotations

import sys

import pytest
from benchmarks.consensus import PANELS, full, graded, sequential

from benchmarks import consensus


@pytest.mark.parametrize("name", PANELS)
def test_strict_consensus_is_right_more_often_than_majority_but_leaves_units_out(name: str) -> None:
    found = full(PANELS[name], 500, 1)
    assert found.strict > found.majority
    assert found.kept < 0.9
    assert found.latent > found.majority - 0.02


def test_dawid_skene_gains_where_raters_differ() -> None:
    found = full(PANELS["four in 90 %, two guess"], 1000, 1)
    assert found.latent > found.majority + 0.02
    assert found.surest >= found.strict


def test_triple_positives_are_worth_less_where_the_emotion_is_rare() -> None:
    common, rare = (sequential(PANELS["six right in 80 %"], 1500, 1, prevalence) for prevalence in (0.8, 0.05))
    assert common[0] > rare[0]
    assert common[1] > 0.97 > rare[1]


def test_the_rule_for_the_third_rater_trades_ratings_for_agreement() -> None:
    agree, disagree = graded("agree", 500, 1), graded("disagree", 500, 1)
    assert agree.strict > disagree.strict
    assert agree.kept < disagree.kept


def test_the_script_prints_its_tables(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(sys, "argv", ["consensus", "--items", "60"])
    consensus.main()
    assert sum(line.startswith("| --- |") for line in capsys.readouterr().out.splitlines()) == 3
