"""Rated pictures made on the fly: shades and spots that raters judge with a little noise."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping, Sequence

import numpy as np
import PIL.Image
import polars as pl

from emonet.datasets import RATING_SCHEMA, LabelledSet, Rater, Ratings

Values = Mapping[str, Callable[[np.ndarray, np.ndarray], np.ndarray]]


def grey_pictures(count: int, seed: int) -> tuple[dict[str, bytes], np.ndarray, np.ndarray]:
    """Pictures of one shade with a spot of another: files, shades and spots 0..1."""
    draw = np.random.default_rng(seed)
    shades, spots = draw.uniform(0.1, 0.6, count), draw.uniform(0.6, 1.0, count)
    files = {}
    for number, (shade, spot) in enumerate(zip(shades, spots, strict=True)):
        pixels = np.full((16, 16, 3), round(255 * shade), np.uint8)
        pixels[6:9, 6:9] = round(255 * spot)
        file = io.BytesIO()
        PIL.Image.fromarray(pixels).save(file, "PNG")
        files[f"{number:03d}.png"] = file.getvalue()
    return files, shades, spots


def labelled(
    name: str, values: Values, *, count: int = 200, seed: int = 0, levels: tuple[float, ...] | None = None,
    raters: Sequence[str] = ("a", "b", "c"),
) -> LabelledSet:  # fmt: skip
    """Raters who judge shade and spot with a little noise, as `values` says; levels (0, 1): absent or present."""
    files, shades, spots = grey_pictures(count, seed)
    draw = np.random.default_rng(seed + 1)
    rows = []
    for dimension, of in values.items():
        for rater in raters:
            noisy = np.clip(of(shades, spots) + draw.normal(0, 0.03, count), 0, 1)
            given = (noisy > 0.5).astype(float) if levels else 7 * noisy
            rows += [
                {"item": item, "rater": rater, "dimension": dimension, "value": value}
                for item, value in zip(files, given, strict=True)
            ]
    table = pl.DataFrame(rows).with_columns(
        pl.lit("made").alias("protocol"), pl.lit(1).alias("stage"), pl.lit(None).alias("time")
    )
    table = table.cast(dict(RATING_SCHEMA)).select(*RATING_SCHEMA)
    labels = ["neutral" if number % 4 == 0 else "other" for number in range(count)]
    return LabelledSet(
        name=name,
        modality="face",
        items=pl.DataFrame({"item": list(files), "label": labels}),
        ratings=Ratings(table, tuple(Rater(rater, "human") for rater in raters)),
        dimensions=tuple(values),
        scale=(0.0, 1.0) if levels else (0.0, 7.0),
        levels=levels,
        read_media=files.__getitem__,
    )  # fmt: skip


WEAK = {"amusement": lambda shade, _: (shade - 0.1) / 0.5, "anger": lambda _, spot: (spot - 0.6) / 0.4}
PRESENT = {"amusement": lambda shade, _: (shade - 0.1) / 0.5}
