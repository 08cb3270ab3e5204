"""Resamples of many raters at once equal drawing the rows and calling the plain statistic."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
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


@pytest.mark.parametrize("published", [False, True])
@given(seed=st.integers(0, 10_000))
def test_kappas_of_resamples_equal_drawn_rows(published: bool, seed: int) -> None:
    """Of any two columns of values, whichever way they become categories."""
    values, gold = made(seed)
    resampler = Resampler(len(gold), seed=seed, resamples=3)
    drawn = statistics.bootstrap_kappa(values, gold, range(5), resampler, published=published, threads=1)
    one = statistics.weighted_kappa_published if published else statistics.weighted_kappa
    for number, counts in enumerate(next(resampler.blocks())):
        rows = np.repeat(np.arange(len(gold)), counts.astype(int))
        for r, d in np.ndindex(3, 2):
            theirs = one(values[r, rows, d], gold[rows, d], range(5))
            assert np.isclose(drawn[number, r, d], theirs, rtol=1e-9, atol=1e-9, equal_nan=True)


@pytest.mark.parametrize("decimals", [0, 1, 12])
@pytest.mark.parametrize("n", [1, 2, 15, 16, 17, 256, 300, 1000])
def test_many_items_with_few_many_and_no_ties(n: int, decimals: int) -> None:
    """Columns of few values, of many tied ones and of different ones are summed in different ways."""
    draw = np.random.default_rng(n)
    gold = np.rint(draw.normal(0, 1, (n, 1)))
    values = np.round(gold + draw.normal(size=(1, n, 1)), decimals)
    resampler = Resampler(n, seed=n, resamples=20)
    drawn = statistics.bootstrap_spearman(values, gold, resampler, threads=1)[:, 0, 0]
    for value, counts in zip(drawn, next(resampler.blocks()), strict=True):
        rows = np.repeat(np.arange(n), counts.astype(int))
        assert np.isclose(value, statistics.spearman(values[0, rows, 0], gold[rows, 0]), atol=1e-12, equal_nan=True)


@pytest.mark.parametrize("far", [1e3, 1e8, 1e12])
def test_an_outlier_that_is_not_drawn_does_no_harm(far: float) -> None:
    """Sums of squares about a mean that one item moved far away would lose the others' digits."""
    draw = np.random.default_rng(2)
    gold = draw.normal(size=(30, 1))
    values = gold[None] + draw.normal(size=(1, 30, 1))
    values[0, 0] = far
    resampler = Resampler(30, seed=3, resamples=40)
    drawn = statistics.bootstrap_pearson(values, gold, resampler, threads=1)[:, 0, 0]
    for value, counts in zip(drawn, next(resampler.blocks()), strict=True):
        rows = np.repeat(np.arange(30), counts.astype(int))
        assert value == pytest.approx(statistics.pearson(values[0, rows, 0], gold[rows, 0]), abs=1e-9)


def test_threads_and_blocks_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same seed gives the same figures however the work is cut."""
    values, gold = made(5)
    resampler = Resampler(len(gold), seed=1, resamples=100)
    whole = statistics.bootstrap_spearman(values, gold, resampler, threads=1)
    monkeypatch.setattr("emonet.statistics._resampling._CELLS", 7 * len(gold))
    monkeypatch.setattr("emonet.statistics._bootstrap._PART", 20 * len(gold))
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
    generator = np.random.default_rng(42)
    drawn = [generator.choice(rho, size=40, replace=True).mean() for _ in range(1000)]
    low, high = np.percentile(drawn, [2.5, 97.5])
    ours = statistics.bootstrap_mean(np.append(rho, np.nan))
    assert [*ours] == pytest.approx([rho.mean(), low, high])
    assert np.isnan(statistics.bootstrap_mean([np.nan]).value)


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


def test_percentiles() -> None:
    """Undefined resamples do not count; without any the ends are open; an undefined figure has no interval."""
    assert [*statistics.percentile_interval([*range(101), np.nan], 50.0)] == pytest.approx([50, 2.5, 97.5])
    value, low, high = statistics.percentile_interval([np.nan], 0.3)
    assert value == 0.3
    assert np.isnan([low, high]).all()
    assert np.isnan(statistics.percentile_interval([0.1, 0.2], float("nan"))).all()


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
    with pytest.raises(UsageError, match=r"\[r, n, d\]"):
        statistics.kappa_matrix(np.ones((2, 3)), range(3))
    with pytest.raises(UnknownNameError, match="ICC"):
        statistics.icc(np.ones((2, 2)), "ICC(2)")  # type: ignore[arg-type]
