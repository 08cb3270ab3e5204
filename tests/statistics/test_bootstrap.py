"""Resamples of many raters at once equal drawing the rows and calling the plain statistic."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from emonet import statistics
from emonet.errors import UnknownNameError, UsageError
from emonet.statistics import Resampler

PAIRS: list[tuple[Any, Callable[..., float]]] = [
    (statistics.bootstrap_spearman, statistics.spearman),
    (statistics.bootstrap_pearson, statistics.pearson),
    (statistics.bootstrap_mae, statistics.mae),
    (statistics.bootstrap_rmse, statistics.rmse),
    (statistics.bootstrap_auc, statistics.roc_auc),
]


def made(seed: int) -> tuple[Any, Any]:
    """Raters [3, n, 2]: continuous, whole numbers, and one with missing values; gold [n, 2]."""
    draw = np.random.default_rng(seed)
    n = int(draw.integers(2, 90))
    gold = np.rint(draw.normal(2, 2, (n, 2))) / 2
    values = gold + draw.normal(size=(3, n, 2))
    values[1] = np.rint(values[1])
    values[2][draw.random((n, 2)) < 0.3] = np.nan
    return values, gold


@pytest.mark.parametrize(("many", "one"), PAIRS)
@given(seed=st.integers(0, 10_000))
def test_resamples_equal_drawn_rows(many: Any, one: Callable[..., float], seed: int) -> None:
    """For every rater, dimension and resample."""
    values, gold = made(seed)
    if one is statistics.roc_auc:
        gold = (gold > 1).astype(float)
    resampler = Resampler(len(gold), seed=seed, resamples=3)
    drawn = many(values, gold, resampler, threads=1)
    for number, counts in enumerate(next(resampler.blocks())):
        rows = np.repeat(np.arange(len(gold)), counts.astype(int))
        for r, d in np.ndindex(3, 2):
            theirs = one(values[r, rows, d], gold[rows, d])
            assert np.isclose(drawn[number, r, d], theirs, rtol=1e-9, atol=1e-9, equal_nan=True)


@pytest.mark.parametrize("level", ["nominal", "ordinal", "interval"])
def test_alpha_of_resamples(level: Any) -> None:
    """As if the items had been repeated."""
    draw = np.random.default_rng(1)
    ratings = np.rint(draw.normal(2, 1, (4, 30)))
    ratings[draw.random(ratings.shape) < 0.3] = np.nan
    resampler = Resampler(30, seed=2, resamples=8)
    drawn = statistics.bootstrap_alpha(ratings, level, resampler)
    for value, counts in zip(drawn, next(resampler.blocks()), strict=True):
        repeated = np.repeat(ratings, counts.astype(int), axis=1)
        assert value == pytest.approx(statistics.krippendorff_alpha(repeated, level), abs=1e-9)


def test_threads_and_blocks_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same seed gives the same figures however the work is cut."""
    values, gold = made(5)
    resampler = Resampler(len(gold), seed=1, resamples=100)
    whole = statistics.bootstrap_spearman(values, gold, resampler, threads=1)
    monkeypatch.setattr("emonet.statistics._resampling._CELLS", 7 * len(gold))
    monkeypatch.setattr("emonet.statistics._bootstrap._AT_ONCE", 3)
    assert np.allclose(statistics.bootstrap_spearman(values, gold, resampler, threads=3), whole, equal_nan=True)


def test_whole_clusters_are_drawn() -> None:
    """Items of one speaker always come equally often."""
    labels = ["a", "a", "b", "c", "c", "c"]
    counts = np.concatenate(list(Resampler(6, labels, seed=0, resamples=50).blocks()))
    assert (counts[:, 0] == counts[:, 1]).all()
    assert (counts[:, 3] == counts[:, 5]).all()
    drawn = counts[:, [0, 2, 3]]
    assert (drawn.sum(axis=1) == 3).all()


def test_published_interval_over_dimensions() -> None:
    """The papers' interval: the generator 42 draws 1,000 times 40 of the 40 figures."""
    rho = np.random.default_rng(0).normal(0.3, 0.15, 40)
    drawn = [np.random.default_rng(42).choice(rho, (1000, 40), replace=True).mean(axis=1)]
    low, high = np.quantile(drawn[0], [0.025, 0.975])
    ours = statistics.bootstrap_mean(np.append(rho, np.nan))
    assert ours == (pytest.approx(rho.mean()), pytest.approx(low), pytest.approx(high))
    assert np.isnan(statistics.bootstrap_mean([np.nan]).value)


def test_rank_intervals() -> None:
    """A clear winner has rank 1; two that cannot be told apart share a range; one without a figure comes last."""
    draw = np.random.default_rng(0)
    points = np.array([0.9, 0.5, 0.5, np.nan])
    draws = points + draw.normal(0, 0.05, (500, 4))
    first, second, third, none = statistics.rank_intervals(points, draws)
    assert first == (1, 1, 1)
    assert second == third == (2.5, 2, 3)
    assert none == (4, 4, 4)


def test_kappa_matrix_is_every_pair() -> None:
    """Each pair alone gives the same, raters without shared items nothing."""
    draw = np.random.default_rng(3)
    values = np.clip(draw.normal(3, 2, (4, 60, 2)), -1.5, 8)
    values[0, :30] = np.nan
    values[3, 30:] = np.nan
    for published, one in ((False, statistics.weighted_kappa), (True, statistics.weighted_kappa_published)):
        matrix, shared = statistics.kappa_matrix(values, range(8), published=published)
        for a, b, d in np.ndindex(4, 4, 2):
            theirs = np.nan if a == b else one(values[a, :, d], values[b, :, d], range(8))
            assert np.isclose(matrix[a, b, d], theirs, equal_nan=True)
        assert shared[0, 3].tolist() == [0, 0]
        assert shared[1, 2].tolist() == [60, 60]


def test_wrong_shapes_and_names() -> None:
    """Each says what was given and what is expected."""
    with pytest.raises(UsageError, match=r"expected \[r, n, d\]"):
        statistics.bootstrap_mae(np.zeros((2, 3)), np.zeros((3, 1)), Resampler(3))
    with pytest.raises(UsageError, match="one label per item"):
        Resampler(3, ["a"])
    with pytest.raises(UnknownNameError, match="interval"):
        statistics.krippendorff_alpha(np.ones((2, 2)), "intervall")  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="increasing"):
        statistics.weighted_kappa([1.0], [1.0], [2, 1])
    with pytest.raises(UnknownNameError, match="ICC"):
        statistics.icc(np.ones((2, 2)), "ICC(2)")  # type: ignore[arg-type]


@pytest.mark.shared
def test_real_raters_agree_as_people_do(shared: Path) -> None:
    """Graded faces (MDNS, up to nine raters): happiness best, above sadness, above chance."""
    table = pl.read_csv(shared / "data" / "ratings" / "mdns_face_intensity.csv", infer_schema_length=None)
    table = table.filter(pl.col("task") == "primary")
    alphas = {}
    for name in ("happy", "sad", "fear"):
        wide = table.pivot(on="rater_slot", index="item", values=name).drop("item")
        ratings = wide.to_numpy().astype(float).T
        alphas[name] = statistics.krippendorff_alpha(ratings, "interval")
        interval = statistics.percentile_interval(
            statistics.bootstrap_alpha(ratings, "interval", Resampler(ratings.shape[1], seed=1, resamples=200)),
            alphas[name],
        )
        assert interval.low < alphas[name] < interval.high
    assert alphas["happy"] > alphas["sad"] > 0
    assert 0.4 < alphas["happy"] < 0.7
