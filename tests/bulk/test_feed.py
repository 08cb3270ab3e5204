"""Samples as files, read ahead; folders of workers that were killed."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from emonet.bulk._feed import Feed
from emonet.bulk._scratch import scratch
from emonet.datasets import Sample


def sample(key: str, media: bytes | None = b"media", extension: str = "wav") -> Sample:
    """A sample with little in it."""
    return Sample(key=key, media=media, extension=extension, modality="voice")


def test_files_and_samples_come_in_the_same_order(tmp_path: Path) -> None:
    """Each file holds its sample's bytes and has its ending; the samples themselves hold no media any more."""
    with Feed(iter([sample("a", b"1"), sample("b/c", b"22", "mp3")]), tmp_path) as feed:
        paths = list(feed)
        assert [path.read_bytes() for path in paths] == [b"1", b"22"]
        assert [path.suffix for path in paths] == [".wav", ".mp3"]
        taken = [feed.take() for _ in paths]
    assert [fed.sample.key for fed in taken] == ["a", "b/c"]
    assert [fed.size for fed in taken] == [1, 2]
    assert all(fed.sample.media is None for fed in taken)


def test_what_is_not_to_be_decoded_says_why(tmp_path: Path) -> None:
    """Samples without media, those whose shard says what is wrong, and those that were found to kill their process."""
    broken = Sample(key="c", media=None, extension="wav", modality="voice", problem="its file is missing")
    with Feed(iter([sample("a", None), sample("b"), broken]), tmp_path, skip={"b": "it kills"}) as feed:
        list(feed)
        told = [feed.take().refused for _ in range(3)]
    assert told == ["the sample holds no media", "it kills", "its file is missing"]


def test_memory_is_bounded(tmp_path: Path) -> None:
    """The reader waits while nobody asks for more."""
    asked = 0

    def many() -> Iterator[Sample]:
        nonlocal asked
        for i in range(10_000):
            asked += 1
            yield sample(str(i))

    with Feed(many(), tmp_path) as feed:
        next(iter(feed))
        time.sleep(0.2)
        assert asked < 100
    assert len(list(tmp_path.iterdir())) == 0


def test_an_error_of_the_reader_comes_when_its_turn_has_come(tmp_path: Path) -> None:
    """Samples before it are handed out first."""

    def breaking() -> Iterator[Sample]:
        yield sample("a")
        raise OSError("the tar ends here")

    with Feed(breaking(), tmp_path) as feed:
        files = iter(feed)
        next(files)
        with pytest.raises(OSError, match="ends here"):
            next(files)


def test_endings_are_harmless(tmp_path: Path) -> None:
    """An extension from outside never leaves the folder."""
    with Feed(iter([sample("a", extension="../../x"), sample("b", extension="")]), tmp_path) as feed:
        assert [path.parent for path in feed] == [tmp_path, tmp_path]


def test_folders_of_dead_workers_go_away(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Those whose lock nobody holds, unless they are so young that it may not be held yet; live ones stay."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    dead, young = tmp_path / "emonet-bulk-dead", tmp_path / "emonet-bulk-young"
    for folder in (dead, young):
        folder.mkdir()
        (folder / "lock").write_text("")
    os.utime(dead / "lock", (0, 0))
    with scratch() as own:
        os.utime(own.parent / "lock", (0, 0))
        with scratch() as other:
            assert own.exists()
            assert other.exists()
        assert not dead.exists()
        assert young.exists()
    assert not own.parent.exists()
