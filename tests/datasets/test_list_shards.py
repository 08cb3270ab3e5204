"""Which shards lie at an address."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from emonet.datasets import _http, list_shards, read_samples
from emonet.datasets._addresses import expand_braces
from emonet.errors import UnknownNameError, UsageError
from flaky_server import FlakyServer, flaky_server
from made_shards import write_tar


def names(address: str | Path) -> list[str]:
    return [shard.name for shard in list_shards(address)]


def test_a_folder_of_tars_stands_for_them_in_order_and_by_their_place(tmp_path: Path) -> None:
    for name in ("b/1.tar", "a/1.tar", "2.tar", "1.tar.gz"):
        write_tar(tmp_path / name, {"x.wav": b"1"})
    (tmp_path / "README.md").write_text("no shard")
    shards = list_shards(tmp_path)
    assert [shard.name for shard in shards] == ["1", "2", "a--1", "b--1"]
    assert {shard.kind for shard in shards} == {"webdataset"}
    assert [shard.size for shard in shards] == [Path(shard.address).stat().st_size for shard in shards]


def test_patterns_and_counts_name_shards(tmp_path: Path) -> None:
    for name in ("en-000.tar", "en-001.tar", "de-000.tar", "sub/en-000.tar"):
        write_tar(tmp_path / name, {"x.wav": b"1"})
    assert names(f"{tmp_path}/en-*.tar") == ["en-000", "en-001"]
    assert names(f"{tmp_path}/{{en,de}}-000.tar") == ["en-000", "de-000"]
    assert names(f"{tmp_path}/en-{{000..001}}.tar") == ["en-000", "en-001"]
    assert names(f"{tmp_path}/**/en-000.tar") == ["en-000", "sub--en-000"]
    twice = list_shards([f"{tmp_path}/en-*.tar", tmp_path / "en-000.tar"])
    assert [shard.name for shard in twice] == ["en-000", "en-001"]


def test_a_manifest_stands_for_its_folder(tmp_path: Path) -> None:
    (tmp_path / "1.wav").write_bytes(b"1")
    (tmp_path / "metadata.csv").write_text("file_name,text\n1.wav,hello\n")
    (shard,) = list_shards(tmp_path)
    assert (shard.kind, shard.size, shard.name) == ("manifest", 1, tmp_path.name)
    (sample,) = read_samples(shard.address, kind=shard.kind)
    assert sample.facts == {"text": "hello"}


def test_built_and_rated_sets_stand_for_their_media(tmp_path: Path) -> None:
    write_tar(tmp_path / "built/data/train/train-000000.tar", {"x.wav": b"1"})
    (tmp_path / "built/dataset.json").write_text("{}")
    (tmp_path / "built/items.parquet").write_bytes(b"a table that is no shard")
    assert names(tmp_path / "built") == ["train--train-000000"]
    (tmp_path / "rated").mkdir()
    (tmp_path / "rated/set.toml").write_text("scale = [0, 2]")
    (tmp_path / "rated/items.csv").write_text("item,media\na,1.wav\n")
    (tmp_path / "rated/ratings.csv").write_text("item,rater,dimension,value\n")
    (tmp_path / "rated/1.wav").write_bytes(b"1")
    (shard,) = list_shards(tmp_path / "rated")
    assert [(one.key, one.media) for one in read_samples(shard.address)] == [("a", b"1")]


def test_parquet_with_media_and_parquet_that_names_them_are_told_apart(
    tmp_path: Path, write_parquet: Callable[..., Path]
) -> None:
    import polars as pl

    write_parquet(tmp_path / "data" / "train-0.parquet", [b"1"])
    pl.DataFrame({"path": ["1.wav"]}).write_parquet(tmp_path / "list.parquet")
    assert [shard.kind for shard in list_shards(tmp_path / "data")] == ["parquet"]
    assert [shard.kind for shard in list_shards(tmp_path / "list.parquet")] == ["manifest"]
    assert next(read_samples(tmp_path / "list.parquet")).problem


def test_other_storage_is_listed_like_a_disk(memory_files: Any, tmp_path: Path) -> None:
    content = write_tar(tmp_path / "a.tar", {"x.wav": b"1"}).read_bytes()
    for name in ("b/1.tar", "1.tar"):
        memory_files(f"memory://in/{name}", content)
    shards = list_shards("memory://in")
    assert [(shard.name, shard.size) for shard in shards] == [("1", len(content)), ("b--1", len(content))]
    assert [shard.name for shard in list_shards("memory://in/*.tar")] == ["1"]
    assert [one.media for shard in shards for one in read_samples(shard.address)] == [b"1", b"1"]


def test_a_web_server_gives_shards_by_counting(tmp_path: Path) -> None:
    content = write_tar(tmp_path / "a.tar", {"x.wav": b"1"}).read_bytes()
    with flaky_server() as web:
        for number in range(3):
            web.add(f"/set/{number:02d}.tar", content)
        shards = list_shards(f"{web.url}/set/{{00..02}}.tar")
        assert [shard.name for shard in shards] == ["00", "01", "02"]
        assert [one.media for shard in shards for one in read_samples(shard.address)] == [b"1"] * 3
        with pytest.raises(UsageError, match="a web server tells no file names"):
            list_shards(f"{web.url}/set/*.tar")
        with pytest.raises(UsageError, match="answers 404"):
            list_shards(f"{web.url}/set/03.tar")


def test_a_tar_is_read_through_cut_connections(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_http.time, "sleep", lambda _: None)
    members = {f"{k:03d}.wav": bytes([k]) * 20_000 for k in range(40)}
    content = write_tar(tmp_path / "a.tar", members).read_bytes()
    with flaky_server() as web:
        address = web.add("/a.tar", content)
        web.faults += [len(content), 100_000, ("status", 503), 333_333]
        assert _read(address, web) == members


def _read(address: str, web: FlakyServer) -> dict[str, bytes | None]:
    next(read_samples(address))  # takes the first fault, an answer that is not read to its end
    found = {f"{one.key}.wav": one.media for one in read_samples(address)}
    assert [first for _, _, first, _ in web.requests][-3:] == [100_000, 100_000, 433_333]
    return found


@pytest.mark.parametrize(
    ("files", "address", "message"),
    [
        ((), "nowhere.tar", "nothing is there"),
        ((), "*.tar", "no tar, Parquet file or manifest fits"),
        (("empty/notes.txt",), "empty", "no tar, no Parquet file, no manifest and no media file"),
        (("both/1.wav", "both/1.tar"), "both", "holds both shards"),
        (("odd.bin",), "odd.bin", "its name does not tell what it is"),
    ],
)
def test_an_address_without_shards_says_what_was_expected(
    tmp_path: Path, files: tuple[str, ...], address: str, message: str
) -> None:
    for name in files:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"1")
    with pytest.raises(UsageError, match=message):
        list_shards(tmp_path / address)


def test_empty_and_impossible_calls_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="No address"):
        list_shards([])
    with pytest.raises(UsageError, match="empty address"):
        list_shards([" "])
    with pytest.raises(UsageError, match="per_shard is 0"):
        list_shards(tmp_path, per_shard=0)
    with pytest.raises(UnknownNameError, match="webdataset"):
        read_samples(tmp_path, kind="tar")  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="has no parts"):
        read_samples("a.tar#part=0/2", kind="webdataset")


def test_braces_expand_as_a_shell_does() -> None:
    assert expand_braces("a{08..10}-{x,y}") == ["a08-x", "a08-y", "a09-x", "a09-y", "a10-x", "a10-y"]
    assert expand_braces("{2..1}{one}") == ["2{one}", "1{one}"]
