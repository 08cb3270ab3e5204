"""Corpora that publish how many people chose each class, not who they were.

Symbols: i items, c classes, s slots (votes of an item).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Literal

import numpy as np
import polars as pl
from numpy.typing import NDArray

from emonet.datasets._classes import class_key
from emonet.datasets._media import files_by_name, folder_media
from emonet.datasets._records import LabelledSet, Rater, Ratings
from emonet.datasets._tables import fault, filled, in_order, numbers, rating_rows, read_text_table, spread
from emonet.errors import UnknownNameError
from emonet.taxonomy import Modality

VOTES = "votes"
"""`protocol` of ratings that were made from counts."""
_NO_RATERS = (
    "Ratings were made from counts of votes: `vote-1`, `vote-2`, ... are votes in random order, not people. Figures "
    "that do not ask who voted (means, Krippendorff's alpha) hold; those of single raters mean nothing."
)
_FERPLUS = ("neutral", "happiness", "surprise", "sadness", "anger", "disgust", "fear", "contempt")
_CREMAD = ("anger", "disgust", "fear", "happiness", "neutral", "sadness")


def read_ferplus(
    votes: Path, *, images: Path | None = None, usage: Sequence[str] | None = None, seed: int = 0
) -> LabelledSet:
    """Read FER+: ten votes per picture, each for one of eight classes, "unknown" or "no face".

    A vote for a class says 1 for its emotion and 0 for the others; for neutral, 0 for all; "unknown" and "no face"
    say nothing. usage: only rows of these parts (Training, PublicTest, PrivateTest). images: folder with the pictures.
    Rows without a picture's name, which the release has, are left out. seed: of the order of the votes.
    """
    path = Path(votes)
    columns: dict[str, tuple[str, ...]] = dict.fromkeys(("usage", *_FERPLUS, "unknown", "nf"), ())
    columns["image"] = ("Image name",)
    table = read_text_table(path, columns, layout="FER+'s columns usage, image and one per class")
    table = _counted(table, _FERPLUS, path)
    if usage is not None:
        known = table["usage"].unique().drop_nulls().sort().to_list()
        for part in usage:
            if part not in known:
                raise UnknownNameError("part of FER+", part, known)
        table = table.filter(pl.col("usage").is_in(list(usage)))
    lost = table["image"].null_count()
    table = table.drop_nulls("image")
    table, repeated = _once(table, "image", _FERPLUS)
    items = table.select(item="image", usage="usage")
    read_media = None
    if images is not None:
        found = files_by_name(images, items["item"], what="picture")
        items, read_media = items.with_columns(media=found), folder_media(items["item"], found)
    notes = (f"Left out: {lost} rows without a picture's name, {repeated} that repeat another word for word.",)
    return _set_of_counts(
        table, items, _FERPLUS, path, modality="face", seed=seed, name="ferplus",
        licence="labels MIT; no licence stated for the pictures", source="FER+ (arXiv 1608.01041)", notes=notes,
        read_media=read_media,
    )  # fmt: skip


def read_cremad(votes: Path, *, shown: Literal["voice", "face", "both"] = "voice", seed: int = 0) -> LabelledSet:
    """Read the votes on CREMA-D: about ten people chose one of six classes for a clip they heard, saw, or both.

    shown: which of the three sittings; "both" is a set of voices of which the raters also saw the face. `items` has
    the actor, by which clips are resampled together, and the mean intensity where the file has it. seed: of the order
    of the votes.
    """
    if shown not in ("voice", "face", "both"):
        raise UnknownNameError("sitting of CREMA-D", shown, ("voice", "face", "both"))
    path = Path(votes)
    columns: dict[str, tuple[str, ...]] = dict.fromkeys(("clip", "modality", *_CREMAD), ())
    table = read_text_table(path, columns, layout="columns clip, modality and one per class")
    table = _counted(table, _CREMAD, path)
    if "meanEmoResp" in table.columns:
        table = table.with_columns(numbers(table["meanEmoResp"], path))
    held = filled(table, "modality", path).unique().sort().to_list()
    table = table.filter(pl.col("modality") == shown)
    if table.is_empty():
        raise UnknownNameError("sitting in this file", shown, held)
    table, repeated = _once(table, "clip", _CREMAD)
    items = table.select(pl.col("clip").alias("item"), pl.col("clip").str.split("_").list.first().alias("actor"))
    if "meanEmoResp" in table.columns:
        items = items.with_columns(mean_intensity=table["meanEmoResp"])
    return _set_of_counts(
        table, items, _CREMAD, path, modality="face" if shown == "face" else "voice", seed=seed,
        name=f"crema-d-{shown}", licence="ODbL 1.0", source="CREMA-D (doi 10.1109/TAFFC.2014.2336244)", cluster="actor",
        notes=(
            *(("The raters also saw the face.",) if shown == "both" else ()),
            f"Left out: {repeated} rows that repeat another word for word.",
        ),
    )  # fmt: skip


def _set_of_counts(
    table: pl.DataFrame,
    items: pl.DataFrame,
    classes: Sequence[str],
    path: Path,
    *,
    modality: Modality,
    seed: int,
    name: str,
    licence: str,
    source: str,
    cluster: str | None = None,
    notes: tuple[str, ...] = (),
    read_media: Callable[[str], bytes] | None = None,
) -> LabelledSet:
    if (again := ~items["item"].is_first_distinct()).any():
        at = int(again.arg_true()[0])
        found = f"{items['item'][at]!r} occurs twice;"
        raise fault(path, table["_row"][at], found, "expected one row of votes per item.")
    counts = table.select(classes).to_numpy()  # i c
    keys = {one: class_key(one, modality) for one in classes}
    rows, slots = _ratings(items["item"], counts, classes, keys, seed)
    return LabelledSet(
        name=name,
        modality=modality,
        items=items,
        ratings=Ratings(rows, tuple(Rater(f"vote-{k + 1}", "human") for k in range(slots))),
        dimensions=in_order([key for key in keys.values() if key], modality),
        scale=(0.0, 1.0),
        levels=(0.0, 1.0),
        cluster=cluster,
        read_media=read_media,
        licence=licence,
        source=source,
        notes=(_NO_RATERS, *notes),
    )


def _once(table: pl.DataFrame, item: str, classes: Sequence[str]) -> tuple[pl.DataFrame, int]:
    """The table without rows that repeat the votes of an earlier row on the same item, and how many those were."""
    kept = table.unique([item, *classes], keep="first", maintain_order=True)
    return kept, len(table) - len(kept)


def _counted(table: pl.DataFrame, classes: Sequence[str], path: Path) -> pl.DataFrame:
    """The table with its votes as whole numbers, 0 for an empty cell, and `_row`, the number of each row."""
    for one in classes:
        counts = numbers(table[one], path, low=0, high=float(2**15)).fill_null(0)
        if (broken := counts != counts.round()).any():
            at = int(broken.arg_true()[0])
            raise fault(path, at + 1, f"{counts[at]:g} votes in {one!r};", "expected a whole number.")
        table = table.with_columns(counts.cast(pl.Int64))
    return table.with_row_index("_row", offset=1)


def _ratings(
    items: pl.Series, counts: NDArray[np.int64], classes: Sequence[str], keys: Mapping[str, str | None], seed: int
) -> tuple[pl.DataFrame, int]:
    """A row for each vote and emotion, and the largest number of votes of an item.

    An item's votes are numbered in random order: in the order of the classes, the first slot would always hold the
    first class, and slots would look like raters who favour one.
    """
    item = np.repeat(np.arange(len(counts)), counts.sum(axis=1))
    chosen = np.concatenate([np.repeat(np.arange(len(classes)), row) for row in counts] or [np.empty(0, np.int64)])
    order = np.lexsort((np.random.default_rng(seed).random(len(item)), item))
    chosen = chosen[order].astype(np.int64)
    first = np.concatenate([[0], np.cumsum(counts.sum(axis=1))])[:-1]
    slot = np.arange(len(item)) - np.repeat(first, counts.sum(axis=1))
    slots = int(counts.sum(axis=1).max(initial=0))
    dimensions = [key for key in keys.values() if key]
    of_class = np.asarray([dimensions.index(key) if (key := keys[one]) else -1 for one in classes], np.int64)
    d = len(dimensions)
    value = of_class[chosen][:, None] == np.arange(d)
    rows = rating_rows(
        item=items.gather(pl.Series(np.repeat(item, d)).cast(pl.UInt32)),
        rater=spread([f"vote-{k + 1}" for k in range(slots)], np.repeat(slot, d)),
        dimension=spread(dimensions, np.tile(np.arange(d), len(item))),
        value=pl.Series(value.ravel().astype(np.float64)),
        protocol=VOTES,
    )
    return rows, slots
