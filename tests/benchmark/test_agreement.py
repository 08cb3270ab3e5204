"""Agreement of people, of pairs and of kinds of raters."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from emonet.benchmark._agreement import agreement_rows, vote_type
from emonet.benchmark._agreement_figures import agreements
from emonet.benchmark._board import make_board
from emonet.benchmark._results import Results
from emonet.benchmark._score import Analysis, score_raters
from emonet.datasets import read_ferplus, read_mdns
from emonet.statistics import Resampler
from made_ratings import made_raters, made_set, ratings_of, seen, truth

QUICK = Analysis(resamples=100)


@pytest.fixture(scope="module")
def results() -> Results:
    """60 items, 6 dimensions, 4 people, five raters."""
    return score_raters(made_set(), made_raters(), analysis=replace(QUICK, slices=()))


def test_intraclass_correlation_by_hand() -> None:
    """Shrout and Fleiss's six targets and four judges: ICC(1,1) is 0.17."""
    votes = np.asarray([[9, 2, 5, 8], [6, 1, 3, 2], [8, 4, 6, 8], [7, 1, 2, 6], [10, 5, 6, 9], [6, 2, 4, 7]], float)
    points, draws = agreements(votes.T[:, :, None], Resampler(6, seed=0, resamples=100))["icc"]
    assert points[0] == pytest.approx(0.166, abs=5e-4)
    assert draws.shape == (100, 1)


@pytest.mark.shared
def test_real_votes_agree_as_known(shared: Path) -> None:
    """People agree on smiles and hardly on contempt; graded votes on happiness only. One-way ICC, which is about the
    same question as alpha at the interval level, comes out within 0.01 of it."""
    ratings = shared / "data" / "ratings"
    tables = {}
    for labelled in (
        read_ferplus(ratings / "ferplus_votes.csv", usage=["PublicTest"]),
        read_mdns(ratings / "mdns_face_intensity.csv", tasks=["primary"]),
    ):
        rows = agreement_rows(
            make_board(labelled, ratings_of({})), Resampler(len(labelled.items), resamples=100, seed=0)
        )
        tables[labelled.name] = {(row.get("dimension"), row["metric"]): row["value"] for row in rows}
    for name, most, least in (("ferplus", "elation", "contempt"), ("mdns", "elation", "disgust")):
        alphas = {key: value for (key, metric), value in tables[name].items() if metric == "alpha_interval" and key}
        assert max(alphas, key=lambda key: alphas[key]) == most
        assert min(alphas, key=lambda key: alphas[key]) == least
        assert all(abs(value - tables[name][key, "icc"]) < 0.01 for key, value in alphas.items())
    assert tables["ferplus"]["elation", "alpha_nominal"] == pytest.approx(0.828, abs=0.001)
    assert tables["ferplus"][None, "alpha_nominal"] == pytest.approx(tables["ferplus"][None, "alpha_ordinal"])
    assert tables["mdns"][None, "alpha_nominal"] < tables["mdns"][None, "alpha_ordinal"] < 0.25


def test_share_of_agreeing_pairs_by_hand() -> None:
    """Three votes with one pair agreeing, and two votes that agree: two of four pairs; a single vote has no pair."""
    votes = np.asarray([[1, 2, 0], [1, 2, np.nan], [0, np.nan, np.nan]], float)[:, :, None]
    points, _ = agreements(votes, Resampler(3, seed=0, resamples=100))["percent"]
    assert points[0] == 0.5


def test_agreement_of_people_has_every_level(results: Results) -> None:
    """Alpha at three levels, ICC and percent, per dimension and as the mean, with intervals and numbers."""
    rows = results.agreement
    metrics = {"alpha_nominal", "alpha_ordinal", "alpha_interval", "icc", "percent"}
    assert set(rows["metric"]) == metrics
    assert rows.filter(pl.col("dimension").is_null()).height == len(metrics)
    assert rows.filter(pl.col("value").is_null() | pl.col("low").is_null()).is_empty()
    assert (rows["raters"] == 4).all()
    mean = {row["metric"]: row["value"] for row in rows.filter(pl.col("dimension").is_null()).iter_rows(named=True)}
    assert mean["alpha_nominal"] < mean["alpha_interval"]  # near misses count for something
    assert mean["alpha_interval"] == pytest.approx(mean["icc"], abs=0.02)


def test_one_person_agrees_with_nobody() -> None:
    """A set with one vote an item has no agreement, and no warning is raised."""
    alone = score_raters(made_set(people=1), made_raters(), analysis=replace(QUICK, slices=()))
    assert alone.agreement.is_empty()
    assert alone.annotators.is_empty()


@pytest.mark.parametrize(
    ("yes", "no", "name"),
    [(3, 0, "3:0 present"), (2, 1, "2:1"), (1, 1, "1:1"), (0, 1, "1:0 absent"), (0, 2, "2:0 absent"), (1, 2, "1:2")],
)
def test_names_of_vote_patterns(yes: int, no: int, name: str) -> None:
    """As in the published figure: those who saw it first."""
    assert vote_type(yes, no) == name


def test_vote_patterns_of_a_sequence() -> None:
    """Stop at the first no: two of three, all three, one against one and a lone no are told apart."""
    table = {
        "human-1": np.asarray([[1.0], [1.0], [1.0], [0.0]]),
        "human-2": np.asarray([[1.0], [1.0], [0.0], [np.nan]]),
        "human-3": np.asarray([[1.0], [0.0], [np.nan], [np.nan]]),
    }
    made = made_set(4)
    ratings = ratings_of(table, kinds=dict.fromkeys(table, "human"), dimensions=("anger",))
    sequence = replace(made, ratings=ratings, dimensions=("anger",), scale=(0.0, 1.0), levels=(0.0, 1.0))
    types = score_raters(sequence, ratings_of({}), analysis=replace(QUICK, slices=())).types
    assert dict(types.select("type", "items").iter_rows()) == {"3:0 present": 1, "2:1": 1, "1:1": 1, "1:0 absent": 1}


def test_pairs_hold_every_two_raters_once(results: Results) -> None:
    """People with people, people with raters, raters with raters; each pair once, near 1 for a copy."""
    means = results.pairs.filter(pl.col("dimension").is_null(), pl.col("definition") == "strict")
    pairs = [frozenset(pair) for pair in means.select("rater_a", "rater_b").iter_rows()]
    assert len(pairs) == len(set(pairs)) == 12 * 11 // 2
    copy = means.filter(pl.col("rater_a") == "good", pl.col("rater_b") == "copy")
    assert copy["kappa"].item() == pytest.approx(1.0)


def test_pairs_without_shared_items_are_left_out() -> None:
    """Two people who never met have no row, and nothing else suffers."""
    real = truth()
    first, second = seen(real, 1.0, 1), seen(real, 1.0, 2)
    first[:30], second[30:] = np.nan, np.nan
    votes = {"human-1": first, "human-2": second, "human-3": seen(real, 1.0, 3)}
    made = replace(made_set(), ratings=ratings_of(votes, kinds=dict.fromkeys(votes, "human")))
    pairs = score_raters(made, ratings_of({}), analysis=replace(QUICK, slices=())).pairs
    people = pairs.filter(pl.col("rater_a").str.starts_with("human"), pl.col("dimension").is_null())
    strict = people.filter(pl.col("definition") == "strict")
    assert set(strict.select("rater_a", "rater_b").iter_rows()) == {("human-1", "human-3"), ("human-2", "human-3")}


def test_kinds_are_compared(results: Results) -> None:
    """People agree more with one another than null raters do with them; every pair of kinds has its correction."""
    strict = results.kinds.filter(pl.col("definition") == "strict")
    assert strict.height == 6 * 5 // 2
    row = strict.filter(pl.col("kind_a") == "human", pl.col("kind_b") == "baseline").row(0, named=True)
    assert row["low"] > 0
    assert row["p_holm"] < 0.01
    assert (strict["p_holm"] >= strict["p"]).all()


def test_could_a_rater_be_one_of_the_people(results: Results) -> None:
    """The poor rater is worse than a person; by the published test it is not one."""
    verdict = {(row["definition"], row["rater"]): row["verdict"] for row in results.annotators.iter_rows(named=True)}
    assert verdict["strict", "poor"] == "worse"
    assert verdict["published", "poor"] == "no"
    assert verdict["strict", "good"] == "better"
    assert ("published", "human-1") in verdict
    assert ("strict", "human-1") not in verdict
