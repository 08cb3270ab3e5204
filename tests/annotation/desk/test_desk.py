"""The lead's figures on projects that synthetic raters have filled."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emonet.annotation.desk import (
    agreement,
    agreement_by_dimension,
    disagreements,
    look,
    rater_detail,
    tabulate,
)
from emonet.annotation.protocols import (
    Item,
    Judgement,
    Protocol,
    Simulation,
    SyntheticRater,
    Unit,
    best_worst,
    binary,
    hq,
    pairs,
    presence,
    questionnaire,
    simulate,
)
from emonet.datasets import read_face_binary
from emonet.statistics import fleiss_kappa, krippendorff_alpha, percent_agreement

CAREFUL = tuple(SyntheticRater(f"rater-{k}", 0.92) for k in range(1, 6))
CARELESS = SyntheticRater("rater-6", 0.0, yes=0.95, median_ms=350)
ASKED = ("anger", "amusement", "fear", "pride")


def filled(
    protocol: Protocol, *, items: int = 160, gold: int = 0, raters: tuple[SyntheticRater, ...] = CAREFUL
) -> Simulation:
    """A project at its end; items are made for the asked emotions in turn."""
    targeted = protocol.question == "levels"
    work = [Item(f"i{k}", f"i{k}.png", dimensions=(ASKED[k % 4],) if targeted else ()) for k in range(items)]
    known = [Item(f"g{k}", f"g{k}.png", gold={"anger": float(k % 2)}) for k in range(gold)]
    return simulate(protocol, [*work, *known], raters, seed=5, audit=0.25 if protocol.name == "binary" else 0.0)


def test_figures_are_those_of_the_statistics_package() -> None:
    """Alpha, kappa and per cent of the desk equal the package's own on the same table."""
    made = filled(presence(dimensions=ASKED))
    table = tabulate(made.protocol, made.units, made.judgements)
    found = agreement(made.protocol, table)
    assert found.alpha.value == pytest.approx(krippendorff_alpha(table.values, "ordinal"))
    assert found.kappa.value == pytest.approx(fleiss_kappa(table.values))
    assert found.percent.value == pytest.approx(percent_agreement(table.values))
    for figure in (found.alpha, found.kappa, found.percent):
        assert figure.low < figure.value < figure.high


def test_intervals_hold_what_many_more_items_would_give() -> None:
    """The 95 % interval from 160 items holds the figure of 4,000 by the same raters."""
    few, many = (filled(presence(dimensions=ASKED), items=n) for n in (160, 4000))
    near = agreement(few.protocol, tabulate(few.protocol, few.units, few.judgements))
    far = agreement(many.protocol, tabulate(many.protocol, many.units, many.judgements), resamples=10)
    assert near.alpha.low < far.alpha.value < near.alpha.high
    assert near.kappa.low < far.kappa.value < near.kappa.high
    assert near.percent.low < far.percent.value < near.percent.high


def test_units_asked_openly_are_told_apart() -> None:
    """Where a second rater comes only after a yes, agreement over audited units is shown beside and is higher."""
    made = filled(binary(dimensions=ASKED))
    desk = look(made.protocol, made.units, made.judgements)
    assert not desk.overall.open
    assert desk.overall_open is not None
    assert desk.overall_open.open
    assert desk.overall_open.units == sum(unit.role == "plain" for unit in made.units)
    assert desk.overall_open.alpha.value > desk.overall.alpha.value


def test_each_dimension_has_its_own_row() -> None:
    """Rows come in the protocol's order and count only their own units."""
    made = filled(presence(dimensions=ASKED))
    rows = agreement_by_dimension(made.protocol, tabulate(made.protocol, made.units, made.judgements), resamples=20)
    assert [row.dimension for row in rows] == list(ASKED)
    assert sum(row.units for row in rows) == 160


def test_the_funnel_counts_every_unit_once() -> None:
    """Of the units that enter a stage each goes on, ends there or still waits."""
    made = filled(binary(dimensions=ASKED))
    half = made.judgements[: len(made.judgements) // 2]
    for judgements in (made.judgements, half, ()):
        for funnel in look(made.protocol, made.units, judgements, resamples=5).funnels:
            for stage, later in zip(funnel.stages, (*funnel.stages[1:], None), strict=True):
                on = later.entered if later else 0
                assert stage.entered == on + stage.untouched + stage.waiting + sum(n for _, n in stage.ended)
            assert funnel.stages[0].entered == funnel.units


def test_careless_rater_stands_out() -> None:
    """Who never looks comes first with reasons, little kappa, low accuracy; nobody else is told."""
    made = filled(presence(dimensions=ASKED), gold=8, raters=(*CAREFUL, CARELESS))
    desk = look(made.protocol, made.units, made.judgements)
    assert [row.rater for row in desk.flagged] == ["rater-6"]
    bad, *good = desk.raters
    assert bad.kappa.high < min(row.kappa.low for row in good)
    assert bad.accuracy < min(row.accuracy for row in good)
    assert bad.alpha_without > desk.overall.alpha.value
    assert bad.present > bad.expected_present
    detail = rater_detail(made.protocol, made.units, made.judgements, "rater-6")
    assert len(detail.durations_ms) == bad.signs.answers
    assert {one.unit for one in detail.missed} <= {unit.key for unit in made.units if unit.gold}


def test_strict_rule_stands_beside_dawid_skene() -> None:
    """Every finished unit is in the table of both once; disputed ones come to the lead, most doubtful first."""
    made = filled(presence(dimensions=ASKED))
    desk = look(made.protocol, made.units, made.judgements)
    assert desk.beside is not None
    assert sum(map(sum, desk.beside.counts)) == desk.done == 160
    assert {one.row.ending for one in desk.disagreements} == {"disputed"}
    weights = [one.weight for one in desk.disagreements]
    assert weights == sorted(weights, reverse=True)
    assert 0 <= min(weights) <= max(weights) <= 1


def test_adjudicated_units_go_to_the_end() -> None:
    """A lead's word stands beside the answers and takes the unit off the list of the undecided."""
    made = filled(presence(dimensions=ASKED))
    before = look(made.protocol, made.units, made.judgements, resamples=5)
    first = before.disagreements[0].row
    dimension = first.settled.unit.dimensions[0]
    after = look(made.protocol, made.units, made.judgements, {first.key: {dimension: 2.0}}, resamples=5)
    assert len(after.undecided) == len(before.undecided) - 1
    assert after.disagreements[-1].row.key == first.key
    assert after.disagreements[-1].row.strict == {dimension: 2.0}


def test_graded_scales_list_what_lies_far_apart() -> None:
    """Without a rule of consensus, items whose ratings are half the scale apart are listed, widest first."""
    made = filled(hq(dimensions=ASKED), items=40)
    desk = look(made.protocol, made.units, made.judgements)
    assert desk.latent is None
    assert desk.beside is None
    assert all(one.row.spread >= 0.5 for one in desk.disagreements)
    assert [one.weight for one in desk.disagreements] == sorted(
        (one.weight for one in desk.disagreements), reverse=True
    )


@pytest.mark.parametrize("protocol", [pairs(dimensions=ASKED), best_worst(dimensions=ASKED)])
def test_comparisons_have_agreement_too(protocol: Protocol) -> None:
    """Raters who compare by the same strengths agree; the units of a dimension are its sets."""
    raters = tuple(SyntheticRater(f"rater-{k}", 0.95, noise=0.2) for k in range(4))
    desk = look(protocol, *_parts(filled(protocol, items=24, raters=raters)))
    assert desk.overall.alpha.low > 0.3
    assert len(desk.by_dimension) == 4


def _parts(made: Simulation) -> tuple[tuple, tuple]:
    return made.units, made.judgements


@pytest.mark.parametrize("protocol", [binary(), hq(), presence(), pairs(), best_worst(), questionnaire()])
def test_an_empty_project_has_a_desk(protocol: Protocol) -> None:
    """Before the first answer all figures are undefined, none raises."""
    made = simulate(protocol, [Item(f"i{k}", f"i{k}.png") for k in range(8)], (), seed=1)
    desk = look(protocol, made.units, ())
    assert math.isnan(desk.overall.alpha.value)
    assert desk.raters == desk.rows == desk.disagreements == desk.activity.counts == ()
    assert desk.done == desk.answers == 0


def test_activity_fills_the_gaps() -> None:
    """Steps are hours at first and days later; none is left out, and the sum is that of the answers."""
    made = filled(presence(dimensions=ASKED), items=20)
    short = look(made.protocol, made.units, made.judgements, resamples=5).activity
    assert short.step == timedelta(hours=1)
    spread = [replace(one, time=one.time + timedelta(days=3 * k)) for k, one in enumerate(made.judgements)]
    long = look(made.protocol, made.units, spread, resamples=5).activity
    assert long.step >= timedelta(days=1)
    assert len(long.counts) <= 61
    assert sum(short.counts) == sum(long.counts) == len(made.judgements)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000), st.floats(0, 1), st.integers(2, 4))
def test_figures_stay_within_their_ranges(seed: int, reliability: float, raters: int) -> None:
    """Whatever the raters, shares are shares, kappa and alpha at most 1, and nothing warns."""
    people = [SyntheticRater(f"r{k}", reliability, skip=0.2) for k in range(raters)]
    made = simulate(presence(dimensions=ASKED), [Item(f"i{k}", f"i{k}.png") for k in range(5)], people, seed=seed)
    desk = look(made.protocol, made.units, made.judgements, resamples=10)
    figures = [desk.overall, *desk.by_dimension]
    assert all(np.isnan(row.alpha.value) or row.alpha.value <= 1 for row in figures)
    assert all(np.isnan(row.percent.value) or 0 <= row.percent.value <= 1 for row in figures)
    assert disagreements(desk.rows) == desk.disagreements
    assert desk.answers + desk.skips == len(made.judgements)


@pytest.mark.shared
def test_real_judgements_give_the_same_alpha_by_another_way(shared: Path) -> None:
    """EmoNet-Face Binary's judgements: alpha of the desk is that of the data set's own table of ratings."""
    labelled = read_face_binary(shared / "data" / "ratings" / "emonet_face_binary.csv")
    rows = labelled.ratings.table.select("item", "rater", "dimension", "value").rows()
    keys = dict.fromkeys((item, dimension) for item, _, dimension, _ in rows)
    units = [Unit(f"{item}:{dimension}", (item,), (dimension,), "plain") for item, dimension in keys]
    start = datetime(2026, 1, 1, tzinfo=UTC)
    judgements = [
        Judgement(f"{item}:{dimension}", rater, 1, {dimension: value}, start, 1000)
        for item, rater, dimension, value in rows
    ]
    table = tabulate(binary(), units, judgements)
    found = agreement(binary(), table, resamples=50)
    column = {key: place for place, key in enumerate(keys)}
    raters = sorted({rater for _, rater, _, _ in rows})
    values = np.full((len(raters), len(keys)), np.nan)
    for item, rater, dimension, value in rows:
        values[raters.index(rater), column[item, dimension]] = value
    assert found.alpha.value == pytest.approx(krippendorff_alpha(values, "nominal"))
    assert found.percent.value == pytest.approx(percent_agreement(values))
    assert found.alpha.low < found.alpha.value < found.alpha.high
