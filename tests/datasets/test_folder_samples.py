"""Folders of media and manifests as samples, whole and in parts."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from emonet.datasets import list_shards, read_samples
from emonet.datasets._folder_samples import in_part
from emonet.errors import UnreadableMediaError, UsageError


def fill(folder: Path, files: dict[str, bytes]) -> Path:
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    return folder


def test_a_folder_gives_its_media_with_the_json_beside_them(tmp_path: Path) -> None:
    files = {
        "a.mp3": b"1", "a.json": b'{"caption": "calm", "licence": "MIT"}', "sub/b.JPG": b"2", "notes.txt": b"-",
        ".hidden/c.wav": b"-", "__MACOSX/a.mp3": b"-",
    }  # fmt: skip
    first, second = read_samples(fill(tmp_path / "in", files))
    assert (first.key, first.media, first.facts, first.licence) == ("a", b"1", {"caption": "calm"}, "MIT")
    assert (second.key, second.extension, second.modality, second.source) == ("sub/b", "jpg", "face", "in")


def test_files_that_differ_in_their_ending_keep_it(tmp_path: Path) -> None:
    samples = read_samples(fill(tmp_path, {"a.mp3": b"1", "a.wav": b"2", "b.wav": b"3"}))
    assert [one.key for one in samples] == ["a.mp3", "a.wav", "b"]


def test_an_empty_file_and_broken_facts_are_problems(tmp_path: Path) -> None:
    first, second = read_samples(fill(tmp_path, {"a.wav": b"", "b.wav": b"2", "b.json": b"{"}))
    assert "is empty" in first.problem
    assert "is no JSON" in second.problem
    assert second.media == b"2"


@pytest.mark.parametrize("ending", ["csv", "tsv", "jsonl", "parquet"])
def test_a_manifest_names_files_and_facts(tmp_path: Path, ending: str) -> None:
    rows = {"path": ["x/1.wav", "2.png"], "licence": ["MIT", "CC0-1.0"], "speaker": ["a", None]}
    fill(tmp_path, {"x/1.wav": b"1", "2.png": b"2"})
    table, path = pl.DataFrame(rows), tmp_path / f"list.{ending}"
    {
        "csv": lambda: table.write_csv(path),
        "tsv": lambda: table.write_csv(path, separator="\t"),
        "jsonl": lambda: table.write_ndjson(path),
        "parquet": lambda: table.write_parquet(path),
    }[ending]()
    first, second = read_samples(path)
    assert (first.key, first.media, first.licence, first.facts) == ("x/1.wav", b"1", "MIT", {"speaker": "a"})
    assert (second.media, second.extension, second.facts) == (b"2", "png", {"speaker": None})


def test_a_missing_file_of_a_manifest_is_a_problem(tmp_path: Path) -> None:
    fill(tmp_path, {"list.csv": b"file_name,key\nlost.wav,one\n,two\n"})
    first, second = read_samples(tmp_path / "list.csv")
    assert (first.key, first.media) == ("one", None)
    assert "no such file" in first.problem
    assert (second.key, second.problem) == ("two", f"row 2 of {tmp_path / 'list.csv'} names no file")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"a,b\n1,2\n", "no column names the files; it has a, b"),
        (b"path,b\n1\n", "line 2: 1 cells under 2 columns"),
        (b"path,path\n1,2\n", "two columns have one name"),
        (b"path,b\n", "holds no rows"),
        (b"", "holds no rows"),
    ],
)
def test_a_faulty_table_is_named_with_its_line(tmp_path: Path, content: bytes, message: str) -> None:
    fill(tmp_path, {"list.csv": content})
    with pytest.raises(UsageError, match=message):
        list(read_samples(tmp_path / "list.csv"))


def test_lines_that_are_no_objects_are_named(tmp_path: Path) -> None:
    fill(tmp_path, {"a.jsonl": b'{"path": "1.wav"}\n[1]\n', "b.jsonl": b"{\n", "c.csv": b"path\n\xff\xfe\n"})
    with pytest.raises(UsageError, match="line 2: is no JSON object"):
        list(read_samples(tmp_path / "a.jsonl"))
    with pytest.raises(UsageError, match="line 1: is no JSON"):
        list(read_samples(tmp_path / "b.jsonl"))
    with pytest.raises(UnreadableMediaError, match="cannot be read as a table"):
        list(read_samples(tmp_path / "c.csv"))


@pytest.mark.parametrize("path", ["/etc/passwd", "../secret.wav", "file:///etc/passwd", "local::file:///etc/passwd"])
def test_a_manifest_from_elsewhere_names_no_files_of_this_machine(memory_files: Any, path: str) -> None:
    memory_files("memory://set/list.jsonl", json.dumps({"path": path}).encode())
    (sample,) = read_samples("memory://set/list.jsonl")
    assert sample.media is None
    assert "outside the manifest's folder" in sample.problem or "a file of this machine" in sample.problem


def test_a_manifest_and_a_folder_are_read_from_other_storage(memory_files: Any) -> None:
    memory_files("memory://set/sub/1.wav", b"1")
    memory_files("memory://set/sub/1.json", b'{"x": 1}')
    memory_files("memory://set/list.csv", b"path\nsub/1.wav\n")
    (listed,) = read_samples("memory://set/list.csv")
    (found,) = read_samples("memory://set/sub")
    assert (listed.key, listed.media, found.key, found.facts) == ("sub/1.wav", b"1", "1", {"x": 1})


@pytest.mark.parametrize("table", [False, True])
def test_parts_hold_every_file_once(tmp_path: Path, table: bool) -> None:
    fill(tmp_path / "in", {f"{k:03d}.wav": bytes([k + 1]) for k in range(50)})
    if table:
        rows = "".join(f"{k:03d}.wav\n" for k in range(50))
        fill(tmp_path / "in", {"manifest.csv": f"path\n{rows}".encode()})
    shards = list_shards(tmp_path / "in", per_shard=8)
    assert len(shards) == 7
    assert len({shard.name for shard in shards}) == 7
    found = [one.key for shard in shards for one in read_samples(shard.address, kind=shard.kind)]
    assert sorted(found) == [f"{k:03d}{'.wav' if table else ''}" for k in range(50)]
    assert found == [one.key for shard in shards for one in read_samples(shard.address)]


@given(st.lists(st.text(max_size=8), unique=True), st.integers(1, 5))
def test_a_key_belongs_to_one_part_whatever_the_others_are(keys: list[str], parts: int) -> None:
    for key in keys:
        assert sum(in_part(key, (part, parts)) for part in range(parts)) == 1


def test_an_impossible_part_is_refused(tmp_path: Path) -> None:
    fill(tmp_path, {"a.wav": b"1"})
    with pytest.raises(UsageError, match="part 3 of 3"):
        read_samples(f"{tmp_path}#part=3/3")


@pytest.mark.shared
def test_real_media_are_read_by_their_manifest(shared: Path) -> None:
    """One part of the project's labelled media: bytes, licence and facts as the table states them."""
    (first, *others) = list_shards(shared / "data")
    assert first.kind == "manifest"
    assert len(others) > 10
    samples = list(read_samples(first.address, kind=first.kind))
    assert len(samples) == pytest.approx(first.size, rel=0.2)
    assert all(one.media and not one.problem for one in samples)
    assert {one.modality for one in samples} == {"face", "voice"}
    assert all(one.source and one.facts["split"] in ("train", "test") for one in samples)
