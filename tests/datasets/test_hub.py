"""Parquet files of the Hub: columns by role, media row by row."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from emonet.datasets._hub import read_hub
from emonet.errors import UnknownNameError, UnreadableMediaError, UsageError

MEDIA = [bytes([k]) * (k + 1) for k in range(7)]
LABELS = ["{'human-1': {'Anger': 1}}"] * 7


@pytest.mark.parametrize("column", ["path", "image", "picture"])
def test_the_media_column_is_the_one_with_bytes(
    tmp_path: Path, write_parquet: Callable[..., Path], column: str
) -> None:
    hub = read_hub(write_parquet(tmp_path / "a.parquet", MEDIA, column=column, facts={"label": LABELS}), media="image")
    assert hub.media_column == column
    assert hub.frame.columns == ["label"]
    assert hub.names == (None,) * 7
    assert hub.votes() == ("label", [[("human-1", "Anger", 1)]] * 7)


def test_plain_bytes_are_media_too(tmp_path: Path) -> None:
    pq.write_table(pa.table({"image": pa.array(MEDIA), "label": LABELS}), tmp_path / "a.parquet")
    read = read_hub(tmp_path / "a.parquet", media="image").media({"one": 1, "six": 6})
    assert [read("six"), read("one")] == [MEDIA[6], MEDIA[1]]


def test_two_media_columns_are_told_apart_by_their_declared_kind(
    tmp_path: Path, write_parquet: Callable[..., Path]
) -> None:
    path = write_parquet(tmp_path / "a.parquet", MEDIA, facts={"thumbnail": MEDIA, "label": LABELS})
    assert read_hub(path, media="image").media_column == "path"
    with pytest.raises(UsageError, match="found path, thumbnail"):
        read_hub(path, media="audio")


def test_rows_are_read_in_any_order_from_any_thread_over_several_files(
    tmp_path: Path, write_parquet: Callable[..., Path]
) -> None:
    files = [write_parquet(tmp_path / f"{part}.parquet", MEDIA, group=3, facts={"label": LABELS}) for part in (1, 0)]
    hub = read_hub(files, media="image")
    read = hub.media({str(row): row for row in range(14)})
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(read, [str(row) for row in reversed(range(14))]))
    assert found == list(reversed(MEDIA + MEDIA))
    with pytest.raises(UnknownNameError, match="14"):
        read("14")


def test_a_row_without_bytes_is_named(tmp_path: Path, write_parquet: Callable[..., Path]) -> None:
    path = write_parquet(tmp_path / "a.parquet", [b"x", b""], facts={"label": LABELS[:2]})
    with pytest.raises(UnreadableMediaError, match="row 2"):
        read_hub(path, media="image").media({"lost": 1})("lost")


def test_people_are_described_by_nested_or_plain_columns(tmp_path: Path, write_parquet: Callable[..., Path]) -> None:
    person = {"ethnicity": "any", "gender": "any", "age": "40"}
    hub = read_hub(
        write_parquet(tmp_path / "a.parquet", MEDIA, facts={"demographics": [person] * 7, "item": range(7)}),
        media="image",
    )
    assert hub.demographics == ("ethnicity", "gender", "age")
    assert hub.frame.columns == ["ethnicity", "gender", "age", "source_item"]


def test_an_emotion_is_a_class_label_or_a_text(tmp_path: Path, write_parquet: Callable[..., Path]) -> None:
    names = ["Anger", "Hopelessness"]
    path = write_parquet(tmp_path / "a.parquet", MEDIA, facts={"emotion": [1] * 7}, classes={"emotion": names})
    assert read_hub(path, media="image").emotions("face")[1].to_list() == ["helplessness"] * 7
    path = write_parquet(tmp_path / "b.parquet", MEDIA, facts={"Emotion": ["Jealousy & Envy"] * 7})
    column, keys = read_hub(path, media="image").emotions("face")
    assert (column, keys.unique().to_list()) == ("Emotion", ["jealousy_envy"])
    path = write_parquet(tmp_path / "c.parquet", MEDIA, facts={"emotion": [2] * 7}, classes={"emotion": names})
    with pytest.raises(UsageError, match="data row 1: the column 'emotion' holds no known class"):
        read_hub(path, media="image").emotions("face")
    path = write_parquet(tmp_path / "d.parquet", MEDIA, facts={"note": ["?"] * 7})
    with pytest.raises(UsageError, match="one column with the emotion of each row"):
        read_hub(path, media="image").emotions("face")


def test_files_of_different_columns_are_refused(tmp_path: Path, write_parquet: Callable[..., Path]) -> None:
    write_parquet(tmp_path / "a.parquet", MEDIA, facts={"label": LABELS})
    write_parquet(tmp_path / "b.parquet", MEDIA, facts={"labels": LABELS})
    with pytest.raises(UsageError, match="different columns"):
        read_hub(tmp_path, media="image")


def test_lists_of_texts_are_labels_too(tmp_path: Path, write_parquet: Callable[..., Path]) -> None:
    cells = [["{'human-1': {'Anger': 1}}", "{'human-2': {'Anger': 2}}"]] * 7
    path = write_parquet(tmp_path / "a.parquet", MEDIA, facts={"prompt": ["a face"] * 7, "notes": cells})
    column, votes = read_hub(path, media="image").votes()
    assert column == "notes"
    assert votes[0] == [("human-1", "Anger", 1), ("human-2", "Anger", 2)]
    assert read_hub(path, media="image").frame.schema["notes"] == pl.List(pl.String)
