"""Where a run's files lie: whole or not at all, locally and in an object store."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emonet.bulk import Storage, Summary
from emonet.bulk._storage import alone
from emonet.errors import UsageError
from made_shards import contents


def test_a_file_appears_when_it_is_whole(tmp_path: Path) -> None:
    """While it is written, and after an error, the older content stands and nothing is left over."""
    storage = Storage(tmp_path)
    storage.write_text("a/b.json", "old")
    with contextlib.suppress(RuntimeError), storage.new_file("a/b.json") as path:
        path.write_text("half")
        assert storage.read_text("a/b.json") == "old"
        raise RuntimeError
    assert storage.read_text("a/b.json") == "old"
    with storage.new_file("a/b.json") as path:
        path.write_text("new")
    assert storage.read_text("a/b.json") == "new"
    assert [entry.name for entry in (tmp_path / "a").iterdir()] == ["b.json"]


def test_names_are_those_with_the_ending(tmp_path: Path) -> None:
    """Sorted, without the ending, without unfinished files; none for a folder that is not there."""
    storage = Storage(tmp_path)
    for name in ("s/b.json", "s/a.json", "s/c.txt"):
        storage.write_text(name, "")
    (tmp_path / "s/.d.json.x.part").write_text("")
    (tmp_path / "s/.e.json").write_text("")
    assert storage.names("s", ".json") == ["a", "b"]
    assert storage.names("nowhere", ".json") == []


@settings(max_examples=50)
@given(name=st.text(st.characters(codec="utf-8", exclude_characters="/\0"), min_size=1, max_size=40))
def test_any_name_survives(tmp_path_factory: pytest.TempPathFactory, name: str) -> None:
    """Names of shards come from people; patterns in them mean nothing."""
    storage = Storage(tmp_path_factory.mktemp("names"))
    storage.write_text(f"s/x{name}.json", name)
    storage.write_text(f"s/x{name}.json", name)
    assert storage.read_text(f"s/x{name}.json") == name
    assert storage.names("s", ".json") == [f"x{name}"]


def test_deleting_twice_is_no_error(tmp_path: Path) -> None:
    """A file that is not there is as good as deleted."""
    storage = Storage(tmp_path)
    storage.write_text("a.json", "")
    storage.delete("a.json")
    storage.delete("a.json")
    assert storage.read_text("a.json") is None


def test_addresses_that_cannot_be_used(tmp_path: Path) -> None:
    """Each says what was expected."""
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match="expected a folder"):
        Storage(tmp_path / "file")
    with pytest.raises(UsageError, match="empty address"):
        Storage(" ")
    with pytest.raises(UsageError, match="nosuch"):
        Storage("nosuch://bucket/x")


def test_one_driver_at_a_time(tmp_path: Path) -> None:
    """The lock is held in the block, and free after it."""
    storage = Storage(tmp_path)
    with alone(storage, "run"), pytest.raises(UsageError, match="at work"), alone(storage, "run"):
        pass
    with alone(storage, "run"), alone(storage, "part-0-of-2"):
        pass


@pytest.fixture
def s3(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Address of a bucket on an S3 server of this machine."""
    pytest.importorskip("s3fs", reason="the S3 tests need s3fs")
    server = pytest.importorskip("moto.server", reason="the S3 tests need moto[server]")
    boto3 = pytest.importorskip("boto3", reason="the S3 tests need boto3, which moto brings")
    running: Any = server.ThreadedMotoServer(port=0, verbose=False)
    running.start()
    _, port = running.get_host_and_port()
    endpoint = f"http://127.0.0.1:{port}"
    for name, value in {
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ENDPOINT_URL": endpoint,
    }.items():
        monkeypatch.setenv(name, value)
    boto3.client("s3", endpoint_url=endpoint).create_bucket(Bucket="bucket")
    yield "s3://bucket"
    running.stop()


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning")
def test_a_run_from_and_to_an_object_store(s3: str, run: Callable[..., Summary], shards: Path, tmp_path: Path) -> None:
    """Shards read from S3 and written to S3 by worker processes: the same bytes as from disk to disk, and resumed."""
    import s3fs

    store = s3fs.S3FileSystem(skip_instance_cache=True)
    for path in shards.iterdir():
        store.put_file(str(path), f"bucket/in/{path.name}")
    run()
    made = run(f"{s3}/in/*.tar", f"{s3}/out", workers=2)
    assert made.ok
    stored = {name.rsplit("/", 1)[-1]: store.cat_file(name) for name in store.ls("bucket/out/scores", refresh=True)}
    assert stored == contents(tmp_path / "output")
    store.rm_file("bucket/out/statistics/002.json")
    store.invalidate_cache()
    assert run(f"{s3}/in/*.tar", f"{s3}/out").made == 1
    assert store.exists("bucket/out/summary.html")


def test_a_file_that_is_being_written_is_left_alone(tmp_path: Path) -> None:
    """Of two writers of one name each succeeds; only what a dead one left is removed."""
    storage = Storage(tmp_path)
    (tmp_path / ".a.json.dead.part").write_text("half")
    with storage.new_file("a.json") as first:
        assert not (tmp_path / ".a.json.dead.part").exists()
        with storage.new_file("a.json") as second:
            second.write_text("second")
        first.write_text("first")
    assert storage.read_text("a.json") == "first"
    assert [path.name for path in tmp_path.iterdir()] == ["a.json"]
