"""A labelled set whose truth is known, with raters of known quality, for the benchmark's tests."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import polars as pl
from numpy.typing import NDArray

from emonet.datasets import RATING_SCHEMA, LabelledSet, Rater, RaterKind, Ratings

DIMENSIONS = ("amusement", "anger", "fear", "sadness", "pride", "doubt")
SCALE = (0.0, 7.0)
Floats = NDArray[np.float64]


def truth(items: int = 60, seed: int = 0) -> Floats:
    """What there is to see, [i, d], about half of it nothing."""
    generator = np.random.default_rng(seed)
    return np.clip(generator.normal(1.0, 3.0, (items, len(DIMENSIONS))), *SCALE)


def seen(real: Floats, noise: float, seed: int) -> Floats:
    """Whole numbers 0 to 7 that somebody with so much noise gives."""
    generator = np.random.default_rng(seed)
    return np.clip(np.round(real + generator.normal(0, noise, real.shape)), *SCALE)


def ratings_of(
    values: Mapping[str, Floats],
    *,
    kinds: Mapping[str, RaterKind] | None = None,
    scales: Mapping[str, tuple[float, float]] | None = None,
    dimensions: Sequence[str] = DIMENSIONS,
) -> Ratings:
    """Ratings from tables [i, d] by rater; NaN has no row. A kind is "bundle" and a scale 0..7 unless told."""
    tables = []
    for name, table in values.items():
        rows, columns = np.nonzero(~np.isnan(table))
        tables.append(
            pl.DataFrame(
                {
                    "item": [f"item-{row:03d}" for row in rows],
                    "rater": [name] * len(rows),
                    "dimension": [dimensions[column] for column in columns],
                    "value": table[rows, columns],
                    "protocol": ["made"] * len(rows),
                    "stage": [1] * len(rows),
                    "time": [None] * len(rows),
                },
                schema=RATING_SCHEMA,
            )
        )
    raters = tuple(Rater(name, (kinds or {}).get(name, "bundle"), (scales or {}).get(name, SCALE)) for name in values)
    return Ratings(pl.concat(tables) if tables else pl.DataFrame(schema=RATING_SCHEMA), raters)


def made_set(items: int = 60, people: int = 4, noise: float = 1.5, seed: int = 0) -> LabelledSet:
    """60 items, 6 dimensions, 4 people of one noise who each skip a few items; two ages and three voices per item."""
    real = truth(items, seed)
    votes = {f"human-{k + 1}": seen(real, noise, seed=100 + k) for k in range(people)}
    for k, table in enumerate(votes.values()):
        table[k :: 2 * people] = np.nan
    rows = range(items)
    return LabelledSet(
        name="made",
        modality="face",
        items=pl.DataFrame(
            {
                "item": [f"item-{row:03d}" for row in rows],
                "age": ["young" if row % 2 else "old" for row in rows],
                "speaker": [f"s{row // 3}" for row in rows],
            }
        ),
        ratings=ratings_of(votes, kinds=dict.fromkeys(votes, "human")),
        dimensions=DIMENSIONS,
        scale=SCALE,
        levels=tuple(float(level) for level in range(8)),
        demographics=("age",),
        cluster="speaker",
        licence="CC0",
        source="made by the tests",
    )


def made_raters(items: int = 60, seed: int = 0) -> Ratings:
    """A good and a poor model, a copy of the good one on 0..1, one that judges four dimensions, one that says 3."""
    real = truth(items, seed)
    good = seen(real, 1.0, seed=200)
    part = seen(real, 1.5, seed=202)
    part[:, 4:] = np.nan
    values = {
        "good": good,
        "poor": seen(real, 6.0, seed=201),
        "copy": good / 7,
        "partial": part,
        "flat": np.full(real.shape, 3.0),
    }
    kinds: dict[str, RaterKind] = {"poor": "zero-shot", "copy": "api", "partial": "multi-shot", "flat": "zero-shot"}
    return ratings_of(values, kinds=kinds, scales={"copy": (0.0, 1.0)})
