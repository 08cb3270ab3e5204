"""Dawid-Skene: the authors' anaesthetists, simulated truth, and properties on any ratings."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from emonet.errors import UsageError
from emonet.statistics import dawid_skene

Floats = NDArray[np.float64]
Array = NDArray[np.generic]

# Dawid and Skene 1979, table 1: 45 patients' fitness 1 to 4, by patient: three answers of the first anaesthetist and
# one of each of four others. Published: table 2, shares of fitness; 3, error rates; 4, patients.
ANAESTHETISTS = """
1111111 3334334 1122122 2223121 2223222 2223322 1222111 3333433 2222223 2322223 4444444 2223343 1111111 2223212 1211111
1112111 1111111 1111111 2222221 2221322 2222222 2222221 2223222 2212222 1111111 1111111 2322222 1111111 1111111 1121121
1111111 3333233 1111111 2222222 2223232 4334343 2212232 2323233 3333432 1111111 1111111 1212111 2322222 1211111 2222222
"""


def anaesthetists() -> Floats:
    """Ratings [5, 45, 3]; the four others answered once."""
    out = np.full((5, 45, 3), np.nan)
    for patient, answers in enumerate(ANAESTHETISTS.split()):
        out[0, patient] = [float(answer) for answer in answers[:3]]
        out[1:, patient, 0] = [float(answer) for answer in answers[3:]]
    return out


def literal(counts: Floats, iterations: int) -> tuple[Floats, Floats, Floats]:
    """The paper's equations 2.3 to 2.5 word by word, on counts [n, r, k]: posterior, shares, confusion [r, k, k]."""
    patients, raters, levels = counts.shape
    posterior = counts.sum(1) / counts.sum((1, 2))[:, None]
    for _ in range(iterations):
        shares = posterior.mean(0)
        confusion = np.einsum("ij,ikl->kjl", posterior, counts)
        confusion /= confusion.sum(2, keepdims=True)
        for i in range(patients):
            for j in range(levels):
                posterior[i, j] = shares[j] * np.prod([np.prod(confusion[k, j] ** counts[i, k]) for k in range(raters)])
        posterior /= posterior.sum(1, keepdims=True)
    return posterior, shares, confusion


def simulated(
    seed: int, *, items: int = 2000, reliability: tuple[float, ...] = (0.95, 0.85, 0.75, 0.65, 0.55), asked: float = 0.6
) -> tuple[Floats, Floats, Floats]:
    """Ratings [5, n] of three levels, truth [n] and the confusion matrices that made them."""
    draw = np.random.default_rng(seed)
    truth = draw.choice(3, items, p=[0.5, 0.3, 0.2])
    confusion = np.stack(
        [np.full((3, 3), (1 - right) / 2) + np.eye(3) * (right - (1 - right) / 2) for right in reliability]
    )
    given = np.stack([(draw.random(items)[:, None] > matrix[truth].cumsum(1)).sum(1) for matrix in confusion])
    return np.where(draw.random(given.shape) < asked, given, np.nan), truth.astype(float), confusion


def test_the_anaesthetists_have_the_published_shares_of_fitness() -> None:
    found = dawid_skene(anaesthetists())
    assert found.converged
    assert found.levels == (1.0, 2.0, 3.0, 4.0)
    np.testing.assert_allclose(found.prevalence[0], [0.40, 0.42, 0.11, 0.07], atol=0.005)


def test_the_first_anaesthetist_has_the_published_error_rates() -> None:
    published = [[0.89, 0.11, 0, 0], [0.07, 0.88, 0.05, 0], [0, 0.34, 0.66, 0], [0, 0, 0.56, 0.44]]
    np.testing.assert_allclose(dawid_skene(anaesthetists()).confusion[0], published, atol=0.005)


def test_the_first_patients_have_the_published_fitness() -> None:
    found = dawid_skene(anaesthetists())
    assert found.value[:6].tolist() == [1, 4, 2, 2, 2, 2]
    assert found.posterior[:6].max(1).round(2).tolist() == [1.0] * 6


def test_the_anaesthetists_follow_the_papers_equations() -> None:
    data = anaesthetists()
    counts = np.stack([(data == level).sum(2).T for level in (1.0, 2.0, 3.0, 4.0)], axis=2).astype(float)
    posterior, shares, confusion = literal(counts, 500)
    found = dawid_skene(data, tolerance=1e-12)
    np.testing.assert_allclose(found.posterior, posterior, atol=1e-8)
    np.testing.assert_allclose(found.prevalence[0], shares, atol=1e-8)
    np.testing.assert_allclose(found.confusion, confusion, atol=1e-8)


def test_truth_and_raters_of_a_simulation_are_found() -> None:
    ratings, truth, confusion = simulated(1, items=4000)
    found = dawid_skene(ratings, levels=(0, 1, 2))
    np.testing.assert_allclose(found.confusion, confusion, atol=0.06)
    np.testing.assert_allclose(found.prevalence[0], [0.5, 0.3, 0.2], atol=0.03)
    rated = np.isfinite(ratings).any(0)
    votes = np.stack([(ratings == level).sum(0) for level in range(3)])
    majority = votes.argmax(0)
    assert np.mean(found.value[rated] == truth[rated]) > np.mean(majority[rated] == truth[rated]) + 0.02


def test_probabilities_mean_what_they_say() -> None:
    ratings, truth, _ = simulated(2, items=6000)
    posterior = dawid_skene(ratings, levels=(0, 1, 2)).posterior
    rated = np.isfinite(posterior[:, 0])
    best = posterior[rated].max(1)
    right = posterior[rated].argmax(1) == truth[rated]
    for low, high in ((0.5, 0.7), (0.7, 0.9), (0.9, 1.0)):
        inside = (best >= low) & (best < high)
        assert abs(best[inside].mean() - right[inside].mean()) < 0.05


def test_raters_stay_measurable_when_later_ones_are_asked_only_after_a_yes() -> None:
    draw = np.random.default_rng(3)
    truth = draw.random(12_000) < 0.4
    right = np.array([0.9, 0.8, 0.7])
    ratings = np.full((3, len(truth)), np.nan)
    for turn in range(3):  # each rater is the first for some items, the second and the third for others
        part = np.arange(turn, len(truth), 3)
        for rater in np.roll(np.arange(3), turn):
            ratings[rater, part] = np.where(draw.random(len(part)) < right[rater], truth[part], ~truth[part])
            part = part[ratings[rater, part] == 1]
    found = dawid_skene(ratings, levels=(0, 1))
    np.testing.assert_allclose(found.accuracy, right, atol=0.03)
    np.testing.assert_allclose(found.prevalence[0, 1], 0.4, atol=0.03)


def test_groups_have_shares_of_their_own() -> None:
    draw = np.random.default_rng(4)
    group = np.repeat([0, 1], 1500)
    truth = draw.random(3000) < np.where(group == 0, 0.9, 0.1)
    ratings = np.where(draw.random((4, 3000)) < 0.8, truth, ~truth).astype(float)
    found = dawid_skene(ratings, groups=group)
    np.testing.assert_allclose(found.prevalence[:, 1], [0.9, 0.1], atol=0.03)


def test_a_perfect_rater_is_told_from_a_guessing_one() -> None:
    draw = np.random.default_rng(5)
    truth = draw.integers(0, 2, 400)
    ratings = np.stack([truth, truth, draw.integers(0, 2, 400)]).astype(float)
    np.testing.assert_allclose(dawid_skene(ratings).accuracy, [1, 1, 0.5], atol=0.06)


def test_items_and_raters_without_a_rating_are_nan() -> None:
    found = dawid_skene([[0, 1, np.nan], [np.nan] * 3])
    assert np.isnan(found.posterior[2]).all()
    assert np.isnan(found.value[2])
    assert np.isnan(found.confusion[1]).all()
    assert np.isnan(found.accuracy[1])


@pytest.mark.parametrize(
    ("ratings", "options", "told"),
    [
        ([1.0, 2.0], {}, "shape"),
        ([[np.nan]], {}, "no rating"),
        ([[1.0, 3.0]], {"levels": (1, 2)}, "rating is 3"),
        ([[1.0, 2.0]], {"groups": [0]}, "Groups"),
        ([[1.0, 2.0]], {"groups": [0, -1]}, "Groups"),
    ],
)
def test_wrong_arguments_are_named(ratings: list[float], options: dict[str, object], told: str) -> None:
    with pytest.raises(UsageError, match=told):
        dawid_skene(ratings, **options)  # type: ignore[arg-type]


@given(st.integers(0, 2**32 - 1), st.sampled_from([0.0, 0.1, 1.0]))
def test_every_distribution_sums_to_one_and_order_does_not_matter(seed: int, smoothing: float) -> None:
    draw = np.random.default_rng(seed)
    ratings = draw.integers(0, 3, (int(draw.integers(1, 5)), int(draw.integers(1, 12)))).astype(float)
    ratings[draw.random(ratings.shape) < 0.3] = np.nan
    ratings[0, 0] = 1.0
    found = dawid_skene(ratings, levels=(0, 1, 2), smoothing=smoothing, iterations=30)
    rated = np.isfinite(ratings).any(0)
    np.testing.assert_allclose(found.posterior[rated].sum(1), 1)
    np.testing.assert_allclose(found.confusion[np.isfinite(ratings).any(1)].sum(2), 1)
    np.testing.assert_allclose(found.prevalence.sum(1), 1)
    order = draw.permutation(ratings.shape[1])
    again = dawid_skene(ratings[:, order], levels=(0, 1, 2), smoothing=smoothing, iterations=30)
    np.testing.assert_allclose(again.posterior, found.posterior[order], atol=1e-9)


@given(st.integers(0, 2**32 - 1))
def test_the_likelihood_never_falls(seed: int) -> None:
    ratings, _, _ = simulated(seed, items=40)
    seen = [
        dawid_skene(ratings, levels=(0, 1, 2), iterations=steps, tolerance=0).log_likelihood for steps in range(1, 15)
    ]
    assert np.all(np.diff(seen) > -1e-9)
