"""Careless raters stand out, careful ones do not."""

from __future__ import annotations

import dataclasses
import math

import pytest
from made_judgements import in_turn, pictures, says, unit

from emonet.annotation.protocols import (
    Item,
    Judgement,
    RaterSigns,
    Simulation,
    SyntheticRater,
    binary,
    hq,
    pairs,
    presence,
    screen_raters,
    simulate,
)
from emonet.errors import UsageError

CAREFUL = [SyntheticRater(f"careful-{number}", 0.9) for number in range(4)]
GOLD = [Item(f"g{number}", "g.png", gold={"elation": float(number % 2)}) for number in range(10)]


def screened(run: Simulation) -> dict[str, RaterSigns]:
    return {row.rater: row for row in screen_raters(run.judgements, run.units)}


def kinds(row: RaterSigns) -> list[str]:
    return [sign.partition(":")[0] for sign in row.signs]


def constant(one: Judgement) -> Judgement:
    """The same judgement with a yes whatever was there."""
    return dataclasses.replace(one, values=dict.fromkeys(one.values, 1.0)) if one.rater == "careful-3" else one


@pytest.mark.parametrize("seed", range(4))
def test_careful_raters_have_no_signs(seed: int) -> None:
    run = simulate(binary(), [*pictures(150, "elation"), *GOLD], CAREFUL, seed=seed)
    assert all(row.signs == () for row in screened(run).values())


def test_a_guesser_fails_gold_and_disagrees() -> None:
    raters = [*CAREFUL, SyntheticRater("guesser", 0.0)]
    run = simulate(presence(third="always"), [*pictures(300, "elation"), *GOLD], raters, seed=1)
    rows = screened(run)
    assert {"gold", "agreement"} <= set(kinds(rows["guesser"]))
    assert rows["guesser"].gold == 10
    assert rows["guesser"].agreement < rows["guesser"].expected_agreement
    assert all(row.signs == () for name, row in rows.items() if name != "guesser")


def test_somebody_who_does_not_look_is_fast() -> None:
    raters = [*CAREFUL, SyntheticRater("hasty", 0.9, median_ms=300)]
    rows = screened(simulate(binary(), pictures(100, "elation"), raters, seed=1))
    assert kinds(rows["hasty"]) == ["fast"]
    assert rows["hasty"].fast > 0.9
    assert rows["hasty"].median_ms == pytest.approx(300, rel=0.2)


def test_the_same_answer_to_everything_is_told() -> None:
    run = simulate(binary(), pictures(150, "elation"), CAREFUL, seed=2)
    rows = {row.rater: row for row in screen_raters([constant(one) for one in run.judgements], run.units)}
    assert "constant" in kinds(rows["careful-3"])
    assert rows["careful-3"].run > 50
    assert all(row.signs == () for name, row in rows.items() if name != "careful-3")


def test_many_noes_to_contrasts_are_no_sign() -> None:
    raters = [SyntheticRater(f"r{n}", 0.98, yes=0.1) for n in range(3)]
    run = simulate(binary(), pictures(400, "elation"), raters, seed=3, prevalence=0.02, contrast_prevalence=0.01)
    rows = screened(run)
    assert max(row.run for row in rows.values()) > 30
    assert all(row.signs == () for row in rows.values())


def test_the_same_side_of_every_pair_is_told() -> None:
    run = simulate(pairs(dimensions=("pride",)), pictures(40, "pride"), CAREFUL, seed=5)
    sides = {one.key: {one.items[0]: 1.0, one.items[1]: 0.0} for one in run.units}
    changed = [
        dataclasses.replace(one, values=sides[one.unit]) if one.rater == "careful-0" else one for one in run.judgements
    ]
    rows = {row.rater: row for row in screen_raters(changed, run.units)}
    assert "constant" in kinds(rows["careful-0"])
    assert "constant" not in kinds(rows["careful-1"])


def test_sliders_agree_by_presence() -> None:
    raters = [*CAREFUL, SyntheticRater("guesser", 0.0, yes=1.0)]
    run = simulate(hq(dimensions=("elation", "anger")), pictures(60), raters, seed=6, prevalence=0.4)
    rows = screened(run)
    assert rows["careful-0"].agreement > rows["guesser"].agreement


def test_one_rater_alone_has_nothing_to_be_compared_with() -> None:
    target = unit()
    (row,) = screen_raters(in_turn(target, [1]), [target])
    assert (row.answers, row.run, row.signs) == (1, 1, ())
    assert math.isnan(row.fast)
    assert math.isnan(row.agreement)


def test_skips_are_counted_and_practice_is_not() -> None:
    target, practice = unit(), dataclasses.replace(unit("training"), key="t", gold={"elation": 1.0})
    (row,) = screen_raters([says(target, "rater-1", None), says(practice, "rater-1", 0)], [target, practice])
    assert (row.answers, row.skips, row.gold) == (0, 1, 0)
    assert math.isnan(row.median_ms)


def test_unknown_units_are_refused() -> None:
    with pytest.raises(UsageError, match="not among"):
        screen_raters(in_turn(unit(), [1]), [])
