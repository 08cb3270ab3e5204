"""EmoNet-Face HQ: 2,500 pictures, 40 sliders from 0 to 7, four people per picture and the ratings of many models.

The table of judgements holds one row per picture and rater with the text of a dict "Group|Emotion" → number. A slider
that was not touched is not in the dict and means 0 (arXiv 2505.20033, annotation section and analysis notebook).

Symbols: n rows of the table, d dimensions.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import polars as pl
from numpy.typing import NDArray

from emonet.datasets._hq_join import join_pictures
from emonet.datasets._hub import read_hub
from emonet.datasets._literals import parse_scores
from emonet.datasets._media import files_by_name, folder_media
from emonet.datasets._records import LabelledSet, Rater, RaterKind, Ratings
from emonet.datasets._tables import fault, filled, rating_rows, read_text_table, spread
from emonet.errors import UnknownNameError, UsageError
from emonet.taxonomy import EMOTIONS, attribute, emotion

SCALE = (0.0, 7.0)
SLIDERS, PREDICTED = "sliders", "prediction"
"""Values of `protocol`: people moved sliders, models' answers were published with them."""
_EXTRA = "Extra Dimensions|"
_LAYOUT = "EmoNet-Face HQ's columns image, annotator, human, annotations"
_COLUMNS: dict[str, tuple[str, ...]] = {"image": (), "annotator": (), "human": (), "annotations": ()}
_KINDS: tuple[tuple[str, RaterKind], ...] = (
    (r"^Hume\b", "api"),
    (r"^Random Baseline", "baseline"),
    (r"Empathic[ -]Insight", "bundle"),
    (r"\bMS\b\W*$", "multi-shot"),
    (r"\bZS\b\W*$", "zero-shot"),
)
"""What the notebook's groups are told by, the first that fits."""


@dataclass(frozen=True, slots=True, eq=False)
class Sheets:
    """Judgements before they become rows. `scores` float64 [n, d] of the 40 emotions, 0 where `named` [n, d] is False;
    `extras`: (row, key, value) of the other dimensions."""

    images: pl.Series
    raters: pl.Series
    scores: NDArray[np.float64]
    named: NDArray[np.bool_]
    extras: tuple[tuple[int, str, float], ...]


def read_face_hq(
    ratings: Path,
    *,
    images: Path | None = None,
    parquet: Path | Sequence[Path] | None = None,
    never_named: Literal["zero", "unrated"] = "zero",
    kinds: Mapping[str, RaterKind] | None = None,
) -> LabelledSet:
    """Read EmoNet-Face HQ with the ratings of people and models.

    ratings: the table (hq.csv). images: folder with the pictures under their names. parquet: the release's parquet
    files or their folder; their pictures lost their names and are joined by what each rater said, which must fit one
    picture only. never_named: an emotion that a model never names in any row counts as 0 there, as in the published
    analysis, or as not rated. kinds: kind of raters whose name does not tell it.

    Rows of one picture and rater that occur twice stay two judgements, which `Ratings.cube` averages. Hume answers
    from 0 to 1, its scale here; the published analysis multiplies by 7, which is the same. Values under
    "Extra Dimensions" are in the ratings but not among the set's dimensions. Raises `UsageError` naming file, row and
    remedy.
    """
    path = Path(ratings)
    table = read_text_table(path, _COLUMNS, layout=_LAYOUT)
    human = _flags(filled(table, "human", path), path)
    sheets = _sheets(table, human, path)
    raters = _raters(sheets.raters, human, kinds or {}, path)
    items = pl.DataFrame({"item": sheets.images.unique(maintain_order=True)})
    hub = read_hub(parquet, media="image") if parquet is not None else None
    read_media = None
    if hub is not None:
        people = sheets.raters.filter(human).unique()
        joined = join_pictures(hub, sheets.images, sheets.raters, sheets.scores, set(people), path)
        # Items in the order of the files, so that their bytes are read in passing.
        items = joined.drop("_row")
        read_media = hub.media(dict(zip(joined["item"], joined["_row"], strict=True)))
    if images is not None:
        found = files_by_name(images, items["item"], what="picture")
        items, read_media = items.with_columns(media=found), folder_media(items["item"], found)
    return LabelledSet(
        name="emonet-face-hq",
        modality="face",
        items=items,
        ratings=Ratings(_long(sheets, raters, never_named), raters),
        dimensions=tuple(one.key for one in EMOTIONS),
        scale=SCALE,
        levels=tuple(float(level) for level in range(8)),
        demographics=() if hub is None else hub.demographics,
        read_media=read_media,
        licence="CC BY 4.0",
        source="EmoNet-Face HQ (arXiv 2505.20033)",
        notes=(
            "Four of eight people rated each item; some two of them share no item.",
            "An emotion that a rater does not name counts as 0"
            + ("." if never_named == "zero" else ", unless a model never names it for any item."),
        ),
    )


def _flags(said: pl.Series, path: Path) -> pl.Series:
    truth = {"true": True, "false": False, "1": True, "0": False}
    out = said.str.strip_chars().str.to_lowercase().replace_strict(truth, default=None, return_dtype=pl.Boolean)
    if out.null_count():
        at = int(out.is_null().arg_true()[0])
        raise fault(path, at + 1, f"the column 'human' holds {said[at]!r};", "expected True or False.")
    return out


def _sheets(table: pl.DataFrame, human: pl.Series, path: Path) -> Sheets:
    """Parse every row. A person's value must be a whole number from 0 to 7; models answer as they like."""
    columns = {one.key: column for column, one in enumerate(EMOTIONS)}
    scores = np.zeros((len(table), len(columns)))  # n d
    named = np.zeros(scores.shape, bool)
    places: dict[str, int | str] = {}  # spelling → column, or key of an extra dimension
    extras = []
    for row, text in enumerate(filled(table, "annotations", path)):
        try:
            sheet = parse_scores(text)
            for name, value in sheet.items():
                if (place := places.get(name)) is None:
                    place = places[name] = _place(name, columns)
                if isinstance(place, str):
                    extras.append((row, place, float(value)))
                else:
                    scores[row, place], named[row, place] = value, True
        except UsageError as error:
            remedy = "Expected {'Group|Emotion': number}; get the file again or correct the row."
            raise fault(path, row + 1, str(error), remedy) from error
    wrong = human.to_numpy()[:, None] & ((scores < 0) | (scores > SCALE[1]) | (scores != np.round(scores)))
    if wrong.any():
        row, column = np.argwhere(wrong)[0]
        found = f"a person gave {scores[row, column]:g} for {EMOTIONS[column].name};"
        raise fault(path, int(row) + 1, found, "expected a whole number from 0 to 7.")
    return Sheets(filled(table, "image", path), filled(table, "annotator", path), scores, named, tuple(extras))


def _place(name: str, columns: Mapping[str, int]) -> int | str:
    """Column of an emotion, or the key of an extra dimension, in plain letters when the taxonomy has none."""
    if not name.startswith(_EXTRA):
        return columns[emotion(name).key]
    try:
        return attribute(name, modality="face").key
    except UnknownNameError:
        return "extra_" + re.sub(r"\W+", "_", name.removeprefix(_EXTRA)).strip("_").casefold()


def _raters(names: pl.Series, human: pl.Series, kinds: Mapping[str, RaterKind], path: Path) -> tuple[Rater, ...]:
    """People first, each group in order of its names."""
    flags = pl.DataFrame({"name": names, "human": human}).unique()
    if double := flags.filter(pl.col("name").is_duplicated())["name"].to_list():
        raise UsageError(f"{path}: {double[0]!r} is a person in some rows and a model in others; correct the file.")
    out = []
    for name, is_human in flags.sort(~pl.col("human"), "name").select("name", "human").iter_rows():
        kind: RaterKind | None = "human" if is_human else kinds.get(name)
        kind = kind or next((one for pattern, one in _KINDS if re.search(pattern, name)), None)
        if kind is None:
            raise UsageError(
                f"{path}: the name of the rater {name!r} does not tell its kind. Say it: "
                f'kinds={{"{name}": "zero-shot"}} (or multi-shot, api, bundle, baseline).'
            )
        out.append(Rater(name, kind, (0.0, 1.0) if kind == "api" and name.startswith("Hume") else None))
    return tuple(out)


def _long(sheets: Sheets, raters: Sequence[Rater], never_named: Literal["zero", "unrated"]) -> pl.DataFrame:
    """The ratings table: every emotion of every row, then the extra dimensions that were named."""
    n, d = sheets.scores.shape
    keep = np.ones((n, d), bool)
    if never_named == "unrated":
        for rater in raters:
            if rater.kind != "human":
                rows = (sheets.raters == rater.name).to_numpy()
                keep[rows] = sheets.named[rows].any(axis=0)
    row, column = np.nonzero(keep)
    keys = [one.key for one in EMOTIONS]
    protocol = {rater.name: SLIDERS if rater.kind == "human" else PREDICTED for rater in raters}

    def rows_of(row: NDArray[np.int64], dimension: pl.Series, value: pl.Series) -> pl.DataFrame:
        at = pl.Series(row).cast(pl.UInt32)
        rater = sheets.raters.gather(at)
        return rating_rows(
            item=sheets.images.gather(at),
            rater=rater,
            dimension=dimension,
            value=value,
            protocol=rater.replace_strict(protocol, return_dtype=pl.String),
        )

    table = rows_of(row, spread(keys, column), pl.Series(sheets.scores[row, column]))
    if not sheets.extras:
        return table
    at, names, values = zip(*sheets.extras, strict=True)
    extras = rows_of(np.asarray(at, np.int64), pl.Series(list(names), dtype=pl.String), pl.Series(list(values)))
    return pl.concat([table, extras])
