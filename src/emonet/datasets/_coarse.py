"""Corpora with one label per item: what an actor was asked to express, or the class one labeller chose."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Literal

import polars as pl

from emonet.datasets._classes import NEUTRAL, class_key
from emonet.datasets._media import folder_media
from emonet.datasets._records import LabelledSet, Rater, RaterKind, Ratings
from emonet.datasets._tables import fault, filled, in_order, numbers, rating_rows, read_text_table
from emonet.errors import UnknownNameError, UsageError
from emonet.taxonomy import Modality, dimension_key

LABEL = "label"
"""Name of the one rater and of the column with the corpus's own class."""
_LAYOUT = "columns path and label (further ones that are read: source, modality, split, subject, emonet40, licence)"
_UNDECIDED = ("", "ambiguous", "unknown", "other")


def read_coarse(
    manifest: Path,
    *,
    source: str | None = None,
    split: str | None = None,
    modality: Literal["face", "voice"] | None = None,
    labels: Mapping[str, str] | None = None,
    labelled_by: RaterKind = "human",
) -> LabelledSet:
    """Read the items of one source from a table of files with one class each.

    manifest: CSV with `path` (relative to the table) and `label`. source, split: only rows with this value in the
    column of that name. modality: by default the column's. labels: class → emotion, "" for none; by default the column
    `emonet40` (names separated by ";"), or without it the nearest emotion to the class's name. labelled_by: what gave
    the labels; a table that says they are a model's is refused as "human".

    The label is the one rater: 1 for the emotions of the item's class and 0 for those of the source's other classes;
    for a neutral item, 0 for all. A class without a near emotion ("boredom") has no ratings, but the item keeps its
    `label`, so that class results can be computed. `subject` becomes the cluster where every item has one. Raises
    `UsageError` naming file, row and remedy.
    """
    path = Path(manifest)
    table = read_text_table(path, {"path": ("file",), "label": ("class",)}, layout=_LAYOUT).with_row_index(
        "_row", offset=1
    )
    for column, wanted in (("source", source), ("split", split)):
        table = _only(table, column, wanted, path)
    if split is None and source is None and "source" in table.columns and table["source"].n_unique() > 1:
        raise UsageError(f"{path} holds several sources: {', '.join(_held(table, 'source'))}. Name one as source=.")
    kind = modality or _modality(table, path)
    if (
        labelled_by == "human"
        and "extra" in table.columns
        and table["extra"].str.contains('"label_origin": *"model').any()
    ):
        raise UsageError(
            f"{path}: the labels of {source or 'these rows'} are a model's, by their column 'extra'. Pass "
            'labelled_by="bundle" to read them as such; they are no ground truth.'
        )
    table = table.with_columns(pl.col("label").fill_null(""))
    emotions = _emotions(table, labels, kind, path)
    return labelled_by_class(
        items=_items(table, path),
        emotions=emotions,
        name=source or path.stem,
        modality=kind,
        labelled_by=labelled_by,
        licence=_single(table, "licence"),
        source=str(source or path.name),
    )


def labelled_by_class(
    *,
    items: pl.DataFrame,
    emotions: Mapping[str, tuple[str, ...] | None],
    name: str,
    modality: Modality,
    labelled_by: RaterKind,
    licence: str,
    source: str,
) -> LabelledSet:
    """A set of `items` (columns item, label, media, ...) whose only rater is the label.

    emotions: class → keys, () for a neutral class, None for one without ratings. Raises `UsageError` when no class has
    an emotion.
    """
    dimensions = in_order({key for keys in emotions.values() for key in keys or ()}, modality)
    if not dimensions:
        raise UsageError(
            f"{source}: no class ({', '.join(sorted(emotions))}) has a near emotion among the 40; say which as labels=."
        )
    rated = pl.DataFrame(
        [
            (label, key, float(key in keys))
            for label, keys in emotions.items()
            if keys is not None
            for key in dimensions
        ],
        schema={"label": pl.String, "dimension": pl.String, "value": pl.Float64},
        orient="row",
    )
    rows = items.select("item", "label").join(rated, on="label", maintain_order="left_right")
    unrated = sorted(label for label, keys in emotions.items() if keys is None)
    subject = "subject" in items.columns and items["subject"].null_count() == 0
    read_media = folder_media(items["item"], items["media"]) if "media" in items.columns else None
    return LabelledSet(
        name=name,
        modality=modality,
        items=items,
        ratings=Ratings(
            rating_rows(
                item=rows["item"], rater=LABEL, dimension=rows["dimension"], value=rows["value"], protocol="class"
            ),
            (Rater(LABEL, labelled_by),),
        ),
        dimensions=dimensions,
        scale=(0.0, 1.0),
        levels=(0.0, 1.0),
        asked=rows.select("item", "dimension"),
        cluster="subject" if subject else None,
        read_media=read_media,
        licence=licence,
        source=source,
        notes=(
            "One class per item: a 0 says that another class was meant, not that the emotion is absent. Nothing can be "
            "said on agreement.",
            f"Classes without a near emotion, not rated: {', '.join(unrated) or 'none'}.",
        ),
    )


def nearest(classes: Iterable[str], modality: Modality, where: str) -> dict[str, tuple[str, ...] | None]:
    """Class → keys by its name. Raises `UsageError` for a class that is neither neutral, undecided nor near one."""
    out: dict[str, tuple[str, ...] | None] = {}
    for label in classes:
        if label.casefold() in _UNDECIDED:
            out[label] = None
            continue
        try:
            key = class_key(label, modality)
        except UsageError as error:
            raise UsageError(f'{where}: {error} As labels={{"{label}": "Anger"}}, or "" for none.') from error
        out[label] = (key,) if key else ()
    return out


def chosen(
    labels: Mapping[str, str], classes: Iterable[str], modality: Modality, where: str
) -> dict[str, tuple[str, ...] | None]:
    """Class → keys by a user's mapping; a neutral class need not be in it."""
    out: dict[str, tuple[str, ...] | None] = {}
    for label in classes:
        if label in labels:
            out[label] = (
                tuple(dimension_key(name, modality) for name in labels[label].split(";") if name.strip()) or None
            )
        elif label.casefold() in NEUTRAL:
            out[label] = ()
        elif label.casefold() in _UNDECIDED:
            out[label] = None
        else:
            raise UnknownNameError(f"class in {where}, not in labels=,", label, list(labels))
    return out


def _emotions(
    table: pl.DataFrame, labels: Mapping[str, str] | None, modality: Modality, path: Path
) -> dict[str, tuple[str, ...] | None]:
    classes = table["label"].unique().sort().to_list()
    if labels is not None:
        return chosen(labels, classes, modality, str(path))
    if "emonet40" not in table.columns:
        return nearest(classes, modality, str(path))
    out: dict[str, tuple[str, ...] | None] = {}
    for label, names, row in table.select("label", pl.col("emonet40").fill_null(""), "_row").iter_rows():
        try:
            keys = tuple(dimension_key(name, modality) for name in names.split(";") if name.strip())
        except UnknownNameError as error:
            raise fault(path, row, f"in 'emonet40': {error}") from error
        # An empty cell means either "none of the emotions" or "no name for it"; only the first is a judgement.
        found = keys or (() if label.casefold() in NEUTRAL else None)
        if out.setdefault(label, found) != found:
            raise fault(
                path, row, f"the class {label!r} stands for other emotions than in an earlier row.", "Make it one."
            )
    return out


def _items(table: pl.DataFrame, path: Path) -> pl.DataFrame:
    paths = filled(table, "path", path)
    if (again := ~paths.is_first_distinct()).any():
        at = int(again.arg_true()[0])
        raise fault(path, table["_row"][at], f"{paths[at]!r} occurs twice;", "expected one row per file.")
    facts = [
        name for name in table.columns if name not in ("path", "_row", "modality", "source", "licence", "emonet40")
    ]
    media = pl.Series("media", [str(path.parent / one) for one in paths], dtype=pl.String)
    if "duration_s" in facts:
        table = table.with_columns(numbers(table["duration_s"], path))
    told = [name for name in facts if name not in ("item", "media") and table[name].null_count() < len(table)]
    return table.select(paths.alias("item"), media, *told)


def _only(table: pl.DataFrame, column: str, wanted: str | None, path: Path) -> pl.DataFrame:
    if wanted is None:
        return table
    if column not in table.columns:
        raise UsageError(f"{path}: no column {column!r}, so no rows of {wanted!r}; leave {column}= out.")
    if wanted not in (held := _held(table, column)):
        raise UnknownNameError(f"{column} in {path}", wanted, held)
    return table.filter(pl.col(column) == wanted)


def _held(table: pl.DataFrame, column: str) -> list[str]:
    return table[column].drop_nulls().unique().sort().to_list()


def _single(table: pl.DataFrame, column: str) -> str:
    return "; ".join(_held(table, column)) if column in table.columns else ""


def _modality(table: pl.DataFrame, path: Path) -> Modality:
    held = _held(table, "modality") if "modality" in table.columns else []
    if held == ["face"]:
        return "face"
    if held == ["voice"]:
        return "voice"
    raise UsageError(f"{path}: rows of modality {', '.join(held) or 'unknown'}; name one as modality= (face or voice).")
