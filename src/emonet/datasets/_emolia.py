"""emolia-bench: real speech, three people per clip, "is this emotion present": not, weakly or strongly.

Layout of the published `annotations.csv`, one judgement per row, and of the `users.csv` beside it.
"""

from __future__ import annotations

from pathlib import Path

import polars as pl

from emonet.datasets._media import files_by_name, folder_media
from emonet.datasets._records import LabelledSet, Rater, Ratings
from emonet.datasets._tables import fault, filled, in_order, keys_of, rating_rows, read_text_table
from emonet.errors import UsageError

_ANSWERS = {"not_present": 0.0, "weakly_present": 1.0, "strongly_present": 2.0}
_COLUMNS: dict[str, tuple[str, ...]] = {
    "file_name": (),
    "username": (),
    "queried_emotion": (),
    "rating": (),
    "task_type": (),
    "created_at": (),
}
_LAYOUT = "emolia-bench's annotations.csv"
_KEPT_FACTS = ("age", "gender", "languages", "degree", "expertise", "listening_setup")


def read_emolia_bench(annotations: Path, *, users: Path | None = None, audio: Path | None = None) -> LabelledSet:
    """Read the emotion part of emolia-bench.

    annotations: one judgement per row. users: what the raters told of themselves, kept as their facts. audio: folder
    with the clips under their file names. `protocol` is the task type, which says whether the emotion is the one that
    a model had found (affirmative) or another one. Raises `UsageError` naming file, row and remedy.
    """
    path = Path(annotations)
    table = read_text_table(path, _COLUMNS, layout=_LAYOUT)
    said = filled(table, "rating", path)
    value = said.str.strip_chars().replace_strict(_ANSWERS, default=None, return_dtype=pl.Float64)
    if value.null_count():
        at = int(value.is_null().arg_true()[0])
        raise fault(path, at + 1, f"the rating is {said[at]!r};", f"expected {', '.join(_ANSWERS)}.")
    rows = rating_rows(
        item=filled(table, "file_name", path),
        rater=filled(table, "username", path),
        dimension=keys_of(filled(table, "queried_emotion", path), path, "voice"),
        value=value,
        protocol=filled(table, "task_type", path),
        time=_times(table["created_at"], path),
    )
    items = rows.select("item").unique(maintain_order=True)
    if "source_emotion" in table.columns:
        made_for = table.select(item="file_name", source_emotion="source_emotion").unique("item")
        items = items.join(made_for, on="item", how="left", maintain_order="left")
    read_media = None
    if audio is not None:
        found = files_by_name(audio, items["item"], what="clip")
        items, read_media = items.with_columns(media=found), folder_media(items["item"], found)
    facts = _facts(users) if users is not None else {}
    return LabelledSet(
        name="emolia-bench",
        modality="voice",
        items=items,
        ratings=Ratings(
            rows, tuple(Rater(name, "human", facts=facts.get(name, {})) for name in rows["rater"].unique().sort())
        ),
        dimensions=in_order(rows["dimension"].unique(), "voice"),
        scale=(0.0, 2.0),
        levels=(0.0, 1.0, 2.0),
        asked=rows.select("item", "dimension").unique(maintain_order=True),
        read_media=read_media,
        source="emolia-bench",
        notes=("The clips were chosen by a model's scores, so shares of present emotions are no natural rates.",),
    )


def _times(said: pl.Series, path: Path) -> pl.Series:
    """ISO 8601 as UTC; a time without zone is taken as UTC."""
    plain = said.str.strip_chars().str.replace(" ", "T").str.replace(r"(Z|\+00:?00)$", "")
    out = plain.str.to_datetime("%Y-%m-%dT%H:%M:%S%.f", strict=False, time_unit="us").dt.replace_time_zone("UTC")
    lost = said.is_not_null() & out.is_null()
    if lost.any():
        at = int(lost.arg_true()[0])
        raise fault(path, at + 1, f"the time is {said[at]!r};", "expected like 2025-06-01T12:30:00Z.")
    return out


def _facts(users: Path) -> dict[str, dict[str, str]]:
    table = read_text_table(users, {"username": ()}, layout="emolia-bench's users.csv")
    kept = [name for name in _KEPT_FACTS if name in table.columns]
    if not kept:
        raise UsageError(f"{users}: none of the columns {', '.join(_KEPT_FACTS)}; expected emolia-bench's users.csv.")
    rows = table.select("username", *kept).iter_rows(named=True)
    return {row["username"]: {name: row[name] for name in kept if row[name] is not None} for row in rows}
