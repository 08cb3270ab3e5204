"""How well a face bundle works, measured with the finished bundle on the test split.

Pictures take the way that users' pictures take: file, detected face (where the source is no tight crop already),
square crop, bundle. Symbols: n pictures, c expressions, d scored emotions.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emonet.media import decode_image, load_face_detector
from emonet.models import Card, Metric, Model, load_model, square_crop
from emonet.statistics import (
    Interval,
    Resampler,
    auc_interval,
    balanced_accuracy_interval,
    mean_interval,
    percentile_interval,
    spearman_interval,
)
from emonet.training._calibration import calibrated
from emonet.training._face_damage import DAMAGES, damaged
from emonet.training._face_data import Faces
from emonet.training._manifest import Item

Pixels = NDArray[np.uint8]
_TIGHT = 48
_GROUP = 30  # probabilities in a group of the reliability figure
_CONFUSED, _FEWEST_CONFUSED = 0.2, 10  # share of an expression's pictures, and pictures, that make a known failure


def measured_figures(
    bundle: Path,
    recipe: Mapping[str, Any],
    items: Sequence[Item],
    shares: NDArray[np.float32],
    faces: Faces,
    train: NDArray[np.bool_],
    weights: NDArray[np.float64],
    scored: Sequence[str],
) -> tuple[Metric, ...]:
    """Every figure of the card. `weights`: float64 [c, d], how the scored emotions follow from the expressions."""
    model = load_model(bundle)
    metrics: list[Metric] = []
    for source, described in {**recipe["sources"], **recipe.get("evaluation", {})}.items():
        rows = np.asarray([i for i, item in enumerate(items) if item.split == "test" and item.source == source])
        crops, kept = detected_crops([items[i] for i in rows], model.card)
        rows = rows[kept]
        subjects = [items[i].subject or items[i].key for i in rows]
        figure = _Figures(recipe, described["name"], subjects, metrics)
        expected, raw = expected_shares(model, crops, len(shares[0])), model.raw_scores(crops)
        figure.accuracy("top1_accuracy", expected, shares[rows])
        figure.balanced("balanced_accuracy", expected, shares[rows])
        figure.direct(raw, model.card, shares[rows])
        if source == "ferplus":
            figure.teacher(expected @ weights, shares[rows] @ weights, model.card, scored)
            figure.reliability(raw, model.card, shares[rows])
            _baselines(figure, faces, shares, train, rows)
            _majority(figure.recipe, model, metrics, [items[i] for i in rows], crops, described["name"])
    return tuple(metrics)


def detected_crops(items: Sequence[Item], card: Card) -> tuple[list[Pixels], NDArray[np.int64]]:
    """(crops, their numbers in `items`); pictures in which no face is detected are left out."""
    detector = load_face_detector()
    crops, kept = [], []
    margin = getattr(card.preprocessing, "margin", 0.0)
    for i, item in enumerate(items):
        pixels = decode_image(item.path).pixels
        if pixels.shape[:2] != (_TIGHT, _TIGHT):
            found = detector.detect(pixels)
            if not found:
                continue
            pixels = square_crop(pixels, found[0].box, margin=margin)
        crops.append(pixels)
        kept.append(i)
    return crops, np.asarray(kept, np.int64)


def expected_shares(model: Model, crops: Sequence[Pixels], classes: int) -> NDArray[np.float64]:
    """Shares float64 [n, c], the last part of the embedding."""
    return np.asarray(model.embed(crops)[:, -classes:], np.float64)


class _Figures:
    """Adds the figures of one source to a list."""

    def __init__(self, recipe: Mapping[str, Any], name: str, subjects: Sequence[str], metrics: list[Metric]) -> None:
        self.recipe, self.name, self.subjects, self.metrics = recipe, name, subjects, metrics
        self.options: dict[str, Any] = {"seed": recipe["seed"], "resamples": recipe["support"]["resamples"]}
        self.classes: list[str] = recipe["targets"]["classes"]

    def add(self, name: str, found: Interval, n: int, dimension: str | None = None, note: str = "") -> None:
        if np.isfinite(found.value):
            value, low, high = (round(float(v), 4) for v in found)
            self.metrics.append(
                Metric(
                    name=name, dimension=dimension, value=value, low=low, high=high, n=n, data=f"{self.name}, test",
                    note=note,
                )
            )  # fmt: skip

    def accuracy(self, name: str, expected: NDArray[Any], shares: NDArray[np.float32], note: str = "") -> None:
        hits = expected.argmax(axis=1) == shares.argmax(axis=1)
        self.add(name, mean_interval(hits, self.subjects, **self.options), len(hits), note=note or "eight expressions")

    def balanced(self, name: str, expected: NDArray[Any], shares: NDArray[np.float32]) -> None:
        found = balanced_accuracy_interval(
            expected.argmax(axis=1), shares.argmax(axis=1), self.subjects, **self.options
        )
        self.add(name, found, len(expected), note="mean recall of the expressions")

    def direct(self, raw: NDArray[np.float32], card: Card, shares: NDArray[np.float32]) -> None:
        """AUC for the most voted expression, and rank correlation with the share of votes where there are votes."""
        winner = shares.argmax(axis=1)
        for name, key in self.recipe["targets"]["direct"].items():
            if key in card.missing:
                continue
            column, scores = self.classes.index(name), raw[:, card.dimensions.index(key)]
            present = winner == column
            if present.sum() < 10:
                continue  # an interval over so few would mean nothing
            found = auc_interval(scores, present, self.subjects, **self.options)
            self.add(
                "auc", found, len(raw), key, f"{int(present.sum())} pictures with {name!r} as the most voted expression"
            )
            if len(np.unique(shares[:, column])) > 2:
                found = spearman_interval(scores, shares[:, column], self.subjects, **self.options)
                self.add("spearman", found, len(raw), key, "with the share of votes")

    def teacher(self, raw: NDArray[np.float64], target: NDArray[np.float64], card: Card, scored: Sequence[str]) -> None:
        """Rank correlation with what the teacher's table and people's votes give; no person labelled these."""
        for column, key in enumerate(scored):
            if card.evidence[key].kind == "teacher":
                found = spearman_interval(raw[:, column], target[:, column], self.subjects, **self.options)
                self.add(
                    "spearman_expected_teacher", found, len(raw), key, "with the teacher's output expected from votes"
                )

    def reliability(self, raw: NDArray[np.float32], card: Card, shares: NDArray[np.float32]) -> None:
        """Calibrated probabilities of all direct emotions against the shares of people, in ten groups and as one
        error: the mean distance of a group's prediction from what was found, weighted by its size."""
        direct = [(c, k) for c, k in self.recipe["targets"]["direct"].items() if k in card.calibration]
        if not direct:
            return
        p = np.stack([calibrated(card.calibration[key], raw[:, card.dimensions.index(key)]) for _, key in direct])
        found = np.stack([shares[:, self.classes.index(name)] for name, _ in direct])
        group = np.minimum((p * 10).astype(int), 9)
        for number in range(10):
            inside = group == number
            if inside.sum() >= _GROUP:
                subjects = [self.subjects[int(i)] for i in np.nonzero(inside)[1]]
                share = mean_interval(found[inside], subjects, **self.options)
                self.add("reliability", share, int(inside.sum()), note=f"{p[inside].mean():.3f} predicted")
        self.add("calibration_error", self._error(group, p - found), p.size, note="direct emotions, ten groups")

    def _error(self, group: NDArray[np.int64], distance: NDArray[np.float64]) -> Interval:
        """`group` and `distance` [emotions, n]; whole pictures are drawn again."""
        sums = np.stack([np.where(group == number, distance, 0.0).sum(axis=0) for number in range(10)], axis=1)

        def error(counts: NDArray[np.float64]) -> NDArray[np.float64]:
            return np.asarray(np.abs(counts @ sums).sum(axis=1) / (counts.sum(axis=1) * len(group)))

        resampler = Resampler(len(sums), self.subjects, **self.options)
        drawn = np.concatenate([error(counts) for counts in resampler.blocks()])
        return percentile_interval(drawn, float(error(np.ones((1, len(sums))))[0]))


def _majority(
    recipe: Mapping[str, Any],
    model: Model,
    metrics: list[Metric],
    items: Sequence[Item],
    crops: Sequence[Pixels],
    name: str,
) -> None:
    """Accuracy as the field measures it: against the label that most taggers gave, pictures without one left out.
    Then what is taken for what, and accuracy under damage."""
    classes: list[str] = recipe["targets"]["classes"]
    labelled = [i for i, item in enumerate(items) if item.label in classes]
    actual = np.asarray([classes.index(items[i].label) for i in labelled])
    kept = [crops[i] for i in labelled]
    figure = _Figures(recipe, name, [items[i].subject or items[i].key for i in labelled], metrics)
    one_hot = np.eye(len(classes), dtype=np.float32)[actual]
    expected = expected_shares(model, kept, len(classes))
    figure.accuracy("majority_accuracy", expected, one_hot)
    for a in np.flatnonzero(np.bincount(actual, minlength=len(classes)) >= _FEWEST_CONFUSED):
        own = np.flatnonzero(actual == a)
        for b in np.flatnonzero(
            np.bincount(expected[own].argmax(axis=1), minlength=len(classes)) >= _CONFUSED * len(own)
        ):
            if a != b:
                share = mean_interval(
                    expected[own].argmax(axis=1) == b, [figure.subjects[int(i)] for i in own], **figure.options
                )
                figure.add("confusion", share, len(own), note=f"{classes[a]} taken for {classes[b]}")
    for kind, damage in DAMAGES.items():
        for strength in damage.strengths:
            worse = expected_shares(model, damaged(kept, damage, strength, seed=recipe["seed"]), len(classes))
            figure.accuracy(f"damage_{kind}", worse, one_hot, note=f"{strength:g} {damage.unit}")


def _baselines(
    figure: _Figures,
    faces: Faces,
    shares: NDArray[np.float32],
    train: NDArray[np.bool_],
    rows: NDArray[np.int64],
) -> None:
    """The most frequent expression for every picture, and logistic regression on 16 x 16 pixels."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    small = faces.pixels.reshape(len(faces.pixels), 16, 4, 16, 4).mean(axis=(2, 4)).reshape(len(faces.pixels), -1)
    labels = shares.argmax(axis=1)
    draw = np.random.default_rng(figure.recipe["seed"]).permutation(np.flatnonzero(train))[:8000]
    line = make_pipeline(StandardScaler(), LogisticRegression(C=0.01, max_iter=300)).fit(small[draw], labels[draw])
    one_hot = np.eye(len(shares[0]))
    figure.accuracy("baseline_logistic_accuracy", one_hot[line.predict(small[rows])], shares[rows])
    frequent = int(np.bincount(labels[train]).argmax())
    figure.accuracy("baseline_majority_accuracy", one_hot[np.full(len(rows), frequent)], shares[rows])
