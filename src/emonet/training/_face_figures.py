"""How well a face bundle works, measured with the finished bundle on the test split.

Pictures take the way that users' pictures take: file, detected face (where the source is no tight crop already),
square crop, bundle. Symbols: n pictures, c expressions, d scored emotions.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image
import PIL.ImageFilter
from numpy.typing import NDArray

from emonet.media import decode_image, load_face_detector
from emonet.models import Card, Metric, Model, load_model, square_crop
from emonet.statistics import (
    Interval,
    auc_interval,
    balanced_accuracy_interval,
    mean_interval,
    spearman_interval,
)
from emonet.training._face_data import Faces
from emonet.training._manifest import Item

Pixels = NDArray[np.uint8]
_TIGHT = 48


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
    for source in recipe["sources"]:
        rows = np.asarray([i for i, item in enumerate(items) if item.split == "test" and item.source == source])
        crops, kept = detected_crops([items[i] for i in rows], model.card)
        rows = rows[kept]
        subjects = [items[i].subject or items[i].key for i in rows]
        figure = _Figures(recipe, recipe["sources"][source]["name"], subjects, metrics)
        expected = expected_shares(model, crops, len(shares[0]))
        figure.accuracy("top1_accuracy", expected, shares[rows])
        figure.balanced("balanced_accuracy", expected, shares[rows])
        figure.direct(model.raw_scores(crops), model.card, shares[rows])
        if source == "ferplus":
            figure.teacher(expected @ weights, shares[rows] @ weights, model.card, scored)
            _baselines(figure, faces, shares, train, rows)
            for name, change in CHANGES.items():
                worse = expected_shares(model, [change(crop) for crop in crops], len(shares[0]))
                figure.accuracy(f"top1_accuracy_{name}", worse, shares[rows])
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

    def accuracy(self, name: str, expected: NDArray[Any], shares: NDArray[np.float32]) -> None:
        hits = expected.argmax(axis=1) == shares.argmax(axis=1)
        self.add(name, mean_interval(hits, self.subjects, **self.options), len(hits), note="eight expressions")

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


def _jpeg(crop: Pixels) -> Pixels:
    memory = io.BytesIO()
    PIL.Image.fromarray(crop).save(memory, "JPEG", quality=20)
    return np.asarray(PIL.Image.open(memory).convert("RGB"))


def _picture(change: Callable[[PIL.Image.Image], PIL.Image.Image]) -> Callable[[Pixels], Pixels]:
    return lambda crop: np.asarray(change(PIL.Image.fromarray(crop)))


CHANGES: Mapping[str, Callable[[Pixels], Pixels]] = {
    "jpeg20": _jpeg,
    "blur1px": _picture(lambda picture: picture.filter(PIL.ImageFilter.GaussianBlur(1))),
    "half_size": _picture(lambda picture: picture.resize((picture.width // 2, picture.height // 2))),
    "turned15": _picture(lambda picture: picture.rotate(15, PIL.Image.Resampling.BILINEAR, fillcolor=(128, 128, 128))),
    "dark": _picture(lambda picture: picture.point(lambda value: value * 0.4)),
}
"""Damage to a 48-pixel crop under which accuracy is measured again."""
