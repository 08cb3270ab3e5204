"""Parquet files of the Hub as samples: columns by role, keys by what is there, memory by rows."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from emonet.datasets import describe, read_samples
from emonet.errors import UnreadableMediaError, UsageError


def test_a_row_is_named_by_its_file_and_its_class_by_its_name(
    tmp_path: Path, write_parquet: Callable[..., Path], png: Callable[[int], bytes]
) -> None:
    media = [png(k) for k in range(3)]
    path = write_parquet(
        tmp_path / "train-0.parquet", media, names=[f"img/{k:05d}.png" for k in range(3)],
        facts={"emotion": [1, 0, 1], "when": [datetime.date(2025, 5, 1)] * 3, "score": [0.5, None, float("nan")]},
        classes={"emotion": ["Anger", "Hopelessness"]},
    )  # fmt: skip
    samples = list(read_samples(path))
    assert [one.key for one in samples] == ["00000", "00001", "00002"]
    assert [one.media for one in samples] == media
    assert samples[0].facts == {"emotion": "Hopelessness", "when": "2025-05-01", "score": 0.5}
    assert samples[2].facts["score"] is None
    assert (samples[0].extension, samples[0].modality, samples[0].source) == ("png", "face", "train-0.parquet")
    assert [describe(one).emotion for one in samples] == ["helplessness", "anger", "helplessness"]


def test_lost_names_leave_a_column_that_names_rows_or_their_numbers(
    tmp_path: Path, write_parquet: Callable[..., Path], png: Callable[[int], bytes]
) -> None:
    media = [png(k) for k in range(2)]
    named = write_parquet(tmp_path / "a.parquet", media, facts={"id": ["x", "y"], "label": ["{}", "{}"]})
    double = write_parquet(tmp_path / "b.parquet", media, facts={"id": ["x", "x"]}, names=["a.png", "a.png"])
    assert [one.key for one in read_samples(named)] == ["x", "y"]
    assert [one.key for one in read_samples(double)] == ["b-row-000000", "b-row-000001"]
    assert [one.extension for one in read_samples(named)] == ["png", "png"]


def test_a_row_without_bytes_has_a_problem(tmp_path: Path, write_parquet: Callable[..., Path]) -> None:
    path = write_parquet(tmp_path / "a.parquet", [b"\xff\xd8\xff1", None, b""])  # type: ignore[list-item]
    first, second, third = read_samples(path)
    assert (first.problem, first.extension) == ("", "jpg")
    assert second.problem == "row 2 holds no bytes in the column 'path'"
    assert third.media is None


def test_other_columns_of_bytes_are_left_out_by_name(tmp_path: Path, write_parquet: Callable[..., Path]) -> None:
    path = write_parquet(tmp_path / "a.parquet", [b"\xff\xd8\xff1"], facts={"embedding": [b"123"]})
    (sample,) = read_samples(path)
    assert (sample.left_out, sample.facts) == (("embedding",), {})


def test_two_columns_of_media_are_refused(tmp_path: Path) -> None:
    pq.write_table(pa.table({"left": pa.array([b"1"]), "right": pa.array([b"2"])}), tmp_path / "a.parquet")
    with pytest.raises(UsageError, match="found left, right"):
        list(read_samples(tmp_path / "a.parquet"))


def test_a_damaged_file_is_an_error(tmp_path: Path, write_parquet: Callable[..., Path]) -> None:
    path = write_parquet(tmp_path / "a.parquet", [bytes(10_000)] * 20)
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(UnreadableMediaError, match="cannot be read as Parquet"):
        list(read_samples(path))


def test_what_the_hub_publishes_brings_its_licence(
    memory_files: Any, tmp_path: Path, write_parquet: Callable[..., Path], png: Callable[[int], bytes]
) -> None:
    local = write_parquet(tmp_path / "a.parquet", [png(1)])
    address = "memory://datasets/laion/emonet-face-hq/data/a.parquet"
    memory_files(address, local.read_bytes())
    (sample,) = read_samples(address)
    assert (sample.licence, sample.consent) == ("CC BY 4.0", "generated; shows no real person")
    (mine,) = read_samples(local)
    assert mine.licence == ""


def test_one_row_group_of_any_size_is_read_in_pieces(tmp_path: Path) -> None:
    """The writer's memory is not what is measured; the reader's peak is."""
    rows, size = 300, 400_000
    table = pa.table({"image": pa.array([bytes([k % 256]) * size for k in range(rows)]), "id": list(range(rows))})
    pq.write_table(
        table, tmp_path / "a.parquet", row_group_size=rows, compression="none", use_dictionary=False,
        data_page_size=1 << 20, write_batch_size=1,
    )  # fmt: skip
    del table
    pool = pa.system_memory_pool()
    before = pa.default_memory_pool()
    pa.set_memory_pool(pool)
    try:
        held = pool.bytes_allocated()
        peak = 0
        for count, sample in enumerate(read_samples(tmp_path / "a.parquet")):
            assert sample.media == bytes([count % 256]) * size
            peak = max(peak, pool.bytes_allocated() - held)
    finally:
        pa.set_memory_pool(before)
    assert peak < rows * size * 0.75
