"""Intraclass correlation, Cronbach's alpha and Fleiss' kappa: identities, invariance, undefined cases."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from emonet.errors import UsageError
from emonet.statistics import cronbach_alpha, fleiss_kappa, icc, krippendorff_alpha, percent_agreement

Floats = NDArray[np.float64]
FORMS: tuple[Any, ...] = ("ICC(1,1)", "ICC(2,1)", "ICC(3,1)", "ICC(1,k)", "ICC(2,k)", "ICC(3,k)")
SEEDS = st.integers(0, 10_000)


def ratings(seed: int) -> Floats:
    """2 to 5 raters, 3 to 20 items, each rater with an own level."""
    draw = np.random.default_rng(seed)
    r, n = int(draw.integers(2, 6)), int(draw.integers(3, 21))
    return np.asarray(draw.normal(0, 1, n) + draw.normal(0, 1, (r, 1)) + draw.normal(0, 1, (r, n)))


@given(SEEDS, st.sampled_from(FORMS), st.sampled_from([1e-9, 1.0, 1e6]))
def test_scale_and_origin_do_not_matter(seed: int, kind: Any, scale: float) -> None:
    """All six forms are the same in any unit."""
    table = ratings(seed)
    assert icc(scale * table, kind) == pytest.approx(icc(table, kind), rel=1e-6, abs=1e-9)
    assert icc(table + 7, kind) == pytest.approx(icc(table, kind), rel=1e-6, abs=1e-9)


@given(SEEDS)
def test_spearman_brown_links_one_rater_and_the_mean(seed: int) -> None:
    """k raters' reliability follows from one rater's; consistency ignores a rater's own level."""
    table = ratings(seed)
    k = len(table)
    for number in (1, 2, 3):
        kinds: tuple[Any, Any] = (f"ICC({number},1)", f"ICC({number},k)")
        one, mean = icc(table, kinds[0]), icc(table, kinds[1])
        assert mean * (1 + (k - 1) * one) == pytest.approx(k * one, rel=1e-7, abs=1e-7)
    shifted = table + np.arange(k)[:, None]
    assert icc(shifted, "ICC(3,1)") == pytest.approx(icc(table, "ICC(3,1)"), abs=1e-9)
    assert cronbach_alpha(table) == pytest.approx(icc(table, "ICC(3,k)"), rel=1e-9, abs=1e-9)


@given(SEEDS)
def test_fleiss_approaches_alpha(seed: int) -> None:
    """With every item rated by all, nominal alpha is Fleiss' kappa corrected for the number of ratings N:
    1 - alpha = (1 - kappa) (N - 1) / N."""
    table = np.rint(ratings(seed))
    kappa, alpha = fleiss_kappa(table), krippendorff_alpha(table, "nominal")
    n = table.size
    assert 1 - alpha == pytest.approx((1 - kappa) * (n - 1) / n, nan_ok=True)
    pairs = [a == b for column in table.T for i, a in enumerate(column) for b in column[i + 1 :]]
    assert percent_agreement(table) == pytest.approx(np.mean(pairs))


def test_incomplete_items_are_left_out() -> None:
    """Items that a rater did not judge do not count in tables that must be complete."""
    table = ratings(3)
    holed = np.concatenate([table, np.full((len(table), 1), np.nan)], axis=1)
    holed[0, -1] = 4
    for kind in FORMS:
        assert icc(holed, kind) == icc(table, kind)
    assert cronbach_alpha(holed) == cronbach_alpha(table)


@pytest.mark.parametrize("table", [np.full((3, 4), 1.1), np.ones((1, 5)), np.ones((5, 1)), np.full((2, 3), np.nan)])
def test_without_variation_nothing_is_defined(table: Floats) -> None:
    """One value only, one rater, one item, nobody: NaN without a warning."""
    assert all(np.isnan(icc(table, kind)) for kind in FORMS)
    assert np.isnan(cronbach_alpha(table))
    assert np.isnan(fleiss_kappa(table))


def test_opposite_raters() -> None:
    """Two who contradict each other: a sum that does not vary has no Cronbach's alpha, one rater's reliability is
    negative."""
    table = np.array([[1.0, 2, 3, 4], [4.0, 3, 2, 1]])
    assert np.isnan(cronbach_alpha(table))
    assert np.isnan(icc(table, "ICC(3,k)"))
    assert icc(table, "ICC(3,1)") == pytest.approx(-1)


def test_shape_is_named() -> None:
    """A column instead of a table is refused."""
    with pytest.raises(UsageError, match=r"shape \(3,\)"):
        icc([1, 2, 3])
