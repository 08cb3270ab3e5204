"""Krippendorff's alpha of graded and continuous ratings, of resamples, of real people."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import krippendorff
import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from emonet.errors import UsageError
from emonet.statistics import (
    Resampler,
    alpha_columns,
    bootstrap_alpha,
    fleiss_kappa,
    icc,
    kappa_matrix,
    krippendorff_alpha,
    percent_agreement,
    percentile_interval,
)

Floats = NDArray[np.float64]
LEVELS: tuple[Any, ...] = ("nominal", "ordinal", "interval")


def ratings(seed: int, *, n: int, decimals: int = 0) -> Floats:
    """Four raters who agree a little; three ratings in ten are missing."""
    draw = np.random.default_rng(seed)
    table = np.round(draw.normal(2, 1, n) + draw.normal(0, 1, (4, n)), decimals)
    table[draw.random(table.shape) < 0.3] = np.nan
    return table


@pytest.mark.parametrize("level", LEVELS)
def test_krippendorffs_example(level: Any) -> None:
    """Four observers, twelve units: part D of "Computing Krippendorff's Alpha-Reliability" (2011)."""
    x = np.nan
    table = np.array(
        [
            [1, 2, 3, 3, 2, 1, 4, 1, 2, x, x, x],
            [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, x, 3],
            [x, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, x],
            [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, x],
        ]
    )
    published = {"nominal": 0.743, "ordinal": 0.815, "interval": 0.849}
    assert krippendorff_alpha(table, level) == pytest.approx(published[level], abs=6e-4)


@pytest.mark.parametrize("level", LEVELS)
@given(seed=st.integers(0, 10_000))
def test_continuous_ratings(level: Any, seed: int) -> None:
    """With more values than are tabulated, the same figures as the reference package."""
    table = ratings(seed, n=25, decimals=3)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = krippendorff.alpha(table, level_of_measurement=level)
    assert krippendorff_alpha(table, level) == pytest.approx(theirs, abs=1e-9)


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("decimals", [0, 2])
def test_resamples_repeat_items(level: Any, decimals: int) -> None:
    """Each resample's alpha is that of a table in which its items come as often as they were drawn."""
    cube = np.stack([ratings(seed, n=30, decimals=decimals) for seed in range(3)], axis=2)
    resampler = Resampler(30, seed=2, resamples=8)
    drawn = bootstrap_alpha(cube, level, resampler)
    assert drawn.shape == (8, 3)
    assert np.array_equal(bootstrap_alpha(cube[:, :, 1], level, resampler), drawn[:, 1])
    for row, counts in zip(drawn, next(resampler.blocks()), strict=True):
        repeated = np.repeat(cube, counts.astype(int), axis=1)
        assert row == pytest.approx(alpha_columns(repeated, level), abs=1e-9)


@pytest.mark.parametrize("level", LEVELS)
def test_resamples_of_one_value_are_undefined(level: Any) -> None:
    """Where only items with the same value were drawn there is nothing to disagree about: NaN."""
    table = np.array([[1.1, 1.1, 2.3], [1.1, 1.1, 2.3]])
    resampler = Resampler(3, seed=0, resamples=40)
    drawn = bootstrap_alpha(table, level, resampler)
    counts = next(resampler.blocks())
    one_value = (counts[:, 2] == 0) | (counts[:, 2] == 3)
    assert one_value.any()
    assert np.isnan(drawn[one_value]).all()
    assert drawn[~one_value] == pytest.approx(1)


def test_wrong_shapes() -> None:
    """A single rater's column and resamples of another number of items are refused."""
    with pytest.raises(UsageError, match=r"expected \[raters, items\]"):
        krippendorff_alpha([1, 2, 3], "nominal")
    with pytest.raises(UsageError, match="same number"):
        bootstrap_alpha(np.ones((2, 3)), "nominal", Resampler(4))


@pytest.mark.shared
def test_graded_faces(shared: Path) -> None:
    """MDNS, nine people on 0 to 4: the documented figures, each within its interval and equal to ICC(1,1)."""
    table = pl.read_csv(shared / "data" / "ratings" / "mdns_face_intensity.csv", infer_schema_length=None)
    table = table.filter(pl.col("task") == "primary")
    documented = {"happy": 0.500, "angry": 0.296, "sad": 0.243, "surprise": 0.093, "fear": 0.075, "disgust": 0.028}
    for name, figure in documented.items():
        wide = table.pivot(on="rater_slot", index="item", values=name).drop("item").to_numpy().astype(float).T
        alpha = krippendorff_alpha(wide, "interval")
        assert alpha == pytest.approx(figure, abs=5e-4)
        _, low, high = percentile_interval(bootstrap_alpha(wide, "interval", Resampler(1000, seed=0)), alpha)
        assert low < alpha < high
        assert icc(wide, "ICC(1,1)") == pytest.approx(alpha, abs=5e-4)
        kappas, _ = kappa_matrix(wide[:, :, None], range(5))
        assert np.nanmean(kappas) == pytest.approx(alpha, abs=3e-3)
        if name == "happy":
            assert (low, high) == pytest.approx((0.475, 0.522), abs=5e-4)
            assert krippendorff_alpha(wide, "ordinal") == pytest.approx(0.505, abs=5e-4)
            assert krippendorff_alpha(wide, "nominal") == pytest.approx(0.221, abs=5e-4)


@pytest.mark.shared
@pytest.mark.parametrize(
    ("usage", "alpha", "kappa", "percent"),
    [("Training", [0.557, 0.553, 0.560], 0.547, 0.66), ("PublicTest", [0.599, 0.588, 0.609], 0.589, 0.69)],
)
def test_crowd_votes(shared: Path, usage: str, alpha: list[float], kappa: float, percent: float) -> None:
    """FER+, ten votes a face over eight emotions: the documented figures."""
    table = pl.read_csv(shared / "data" / "ratings" / "ferplus_votes.csv").filter(pl.col("usage") == usage)
    names = ["neutral", "happiness", "surprise", "sadness", "anger", "disgust", "fear", "contempt"]
    counts = table.select(names).to_numpy()
    votes = np.full((10, len(counts)), np.nan)
    for item, row in enumerate(counts):
        given = np.repeat(np.arange(len(names)), row)
        votes[: len(given), item] = given
    drawn = bootstrap_alpha(votes, "nominal", Resampler(len(counts), seed=0))
    interval = percentile_interval(drawn, krippendorff_alpha(votes, "nominal"))
    assert [*interval] == pytest.approx(alpha, abs=5e-4)
    assert fleiss_kappa(votes) == pytest.approx(kappa, abs=5e-4)
    assert percent_agreement(votes) == pytest.approx(percent, abs=5e-3)
