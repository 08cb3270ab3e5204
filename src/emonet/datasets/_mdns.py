"""MDNS: 1,000 faces of ExpW, the intensity of 6, 15 or 21 expressions from 0 to 4, up to nine people per face."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal

import polars as pl

from emonet.datasets._classes import class_key
from emonet.datasets._media import files_by_name, folder_media
from emonet.datasets._records import LabelledSet, Rater, Ratings
from emonet.datasets._tables import fault, filled, in_order, numbers, rating_rows, read_text_table
from emonet.errors import UnknownNameError, UsageError

Task = Literal["primary", "compound", "all"]
_EXPRESSIONS = (
    "angry happy sad fear surprise disgust cruelty outrage dread contempt betrayal amazement desperation morbidness "
    "hopeful spooked unbelief disappointment horror devastation remorse"
).split()
_LEVELS = tuple(float(level) for level in range(5))


def read_mdns(
    ratings: Path,
    *,
    tasks: Sequence[Task] | None = None,
    images: Path | None = None,
    expressions: Mapping[str, str] | None = None,
) -> LabelledSet:
    """Read MDNS (columns item, task, rater_slot and one per expression).

    tasks: which of the three questionnaires, by default every one that is there: the 6 primary expressions, the 15
    others, or all 21. images: folder with the pictures. expressions: expression → emotion, by default those that have
    a near one among the 40: angry, happy, sad, fear, surprise, disgust, contempt, hopeful, disappointment; the others
    are left out. No two may stand for one emotion, since they were different questions.

    A rater slot is no person: the first slot of two faces may be two people. Slots of different tasks are different
    raters here, named `primary-0` and so on. Raises `UsageError`.
    """
    path = Path(ratings)
    chosen = _chosen(expressions)
    columns: dict[str, tuple[str, ...]] = dict.fromkeys(("item", "task", "rater_slot", *chosen), ())
    table = read_text_table(path, columns, layout="columns item, task, rater_slot and one per expression")
    held = filled(table, "task", path).unique().sort().to_list()
    for task in tasks or ():
        if task not in held:
            raise UnknownNameError("task of MDNS", task, held)
    wide = table.select(
        filled(table, "item", path),
        pl.col("task"),
        (pl.col("task") + "-" + filled(table, "rater_slot", path)).alias("rater"),
        *(_levels(table[name], path).alias(key) for name, key in chosen.items()),
    ).filter(pl.col("task").is_in(list(tasks or held)))
    long = wide.unpivot(list(chosen.values()), index=["item", "rater", "task"], variable_name="dimension")
    long = long.drop_nulls("value")
    items = wide.select("item").unique(maintain_order=True)
    read_media = None
    if images is not None:
        found = files_by_name(images, items["item"], what="picture")
        items, read_media = items.with_columns(media=found), folder_media(items["item"], found)
    left_out = [name for name in _EXPRESSIONS if name not in chosen]
    return LabelledSet(
        name="mdns",
        modality="face",
        items=items,
        ratings=Ratings(
            rating_rows(
                **{name: long[name] for name in ("item", "rater", "dimension", "value")}, protocol=long["task"]
            ),
            tuple(Rater(name, "human") for name in long["rater"].unique().sort()),
        ),
        dimensions=in_order(chosen.values(), "face"),
        scale=(0.0, 4.0),
        levels=_LEVELS,
        asked=long.select("item", "dimension").unique(maintain_order=True),
        read_media=read_media,
        licence="Apache-2.0",
        source="MDNS (amazon-science/mdns-facial-exp)",
        notes=(
            "A rater slot is no person: slot 0 of two items may be two people, so figures of one slot mean nothing.",
            f"Expressions left out: {', '.join(left_out) or 'none'}.",
        ),
    )


def _chosen(expressions: Mapping[str, str] | None) -> dict[str, str]:
    """Expression → key of an emotion, no emotion twice."""
    if expressions is None:
        near = ("angry", "happy", "sad", "fear", "surprise", "disgust", "contempt", "hopeful", "disappointment")
        expressions = {name: name for name in near}
    for name in expressions:
        if name not in _EXPRESSIONS:
            raise UnknownNameError("expression of MDNS", name, _EXPRESSIONS)
    keys = {name: key for name, emotion in expressions.items() if (key := class_key(emotion, "face"))}
    if len(set(keys.values())) < len(keys) or not keys:
        raise UsageError(f"expressions={dict(expressions)}: expected at least one, each for another emotion.")
    return keys


def _levels(said: pl.Series, path: Path) -> pl.Series:
    """0 to 4, empty where the expression was not asked for."""
    value = numbers(said, path, low=0, high=4)
    if (broken := (value != value.round()).fill_null(False)).any():
        at = int(broken.arg_true()[0])
        raise fault(path, at + 1, f"the column {said.name!r} holds {said[at]!r};", "expected 0, 1, 2, 3 or 4.")
    return value
