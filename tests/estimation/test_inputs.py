"""What a user names becomes a list of files: folders, patterns, odd names, addresses refused."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emonet.errors import UsageError
from emonet.estimation import expand_inputs


def _touch(folder: Path, *names: str) -> list[Path]:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(b"x")
    return [folder / name for name in names]


def test_folder_gives_its_media_sorted(tmp_path: Path) -> None:
    """Media by ending in any case, subfolders unless switched off, nothing hidden, nothing else."""
    _touch(tmp_path, "b.wav", "a.JPG", "notes.txt", "sub/c.mp4", ".hidden/d.wav", ".e.wav")
    assert expand_inputs([tmp_path]) == [tmp_path / "a.JPG", tmp_path / "b.wav", tmp_path / "sub" / "c.mp4"]
    assert expand_inputs([tmp_path], recursive=False) == [tmp_path / "a.JPG", tmp_path / "b.wav"]


def test_pattern_and_order(tmp_path: Path) -> None:
    """A pattern gives its matches; the order of the arguments is kept and no file comes twice."""
    _touch(tmp_path, "1.wav", "2.wav", "sub/3.wav")
    assert expand_inputs([f"{tmp_path}/2*", f"{tmp_path}/*.wav"]) == [tmp_path / "2.wav", tmp_path / "1.wav"]
    assert len(expand_inputs([f"{tmp_path}/**/*.wav"])) == 3


def test_file_with_pattern_characters(tmp_path: Path) -> None:
    """A file whose name holds brackets is that file."""
    (path,) = _touch(tmp_path, "take[1].wav")
    assert expand_inputs([str(path)]) == [path]


def test_absent_file_is_kept(tmp_path: Path) -> None:
    """A name that does not exist is reported later, in its own row."""
    assert expand_inputs([tmp_path / "no.wav"]) == [tmp_path / "no.wav"]


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("https://example.org/a.wav", "download it first"),
        ("s3://bucket/a.wav", "download it first"),
        ("", "empty path"),
        ("*.nothing-here", "matches no file"),
    ],
)
def test_wrong_names_are_usage_errors(name: str, said: str) -> None:
    """Addresses, empty names and patterns without a match say what to do."""
    with pytest.raises(UsageError, match=said):
        expand_inputs([name])


def test_nothing_at_all(tmp_path: Path) -> None:
    """No path, or a folder without media, is wrong usage."""
    with pytest.raises(UsageError, match="No input"):
        expand_inputs([])
    with pytest.raises(UsageError, match="no image, audio or video file"):
        expand_inputs([tmp_path])


_NAMES = st.text(st.characters(blacklist_characters="/\0", blacklist_categories=("Cs",)), min_size=1, max_size=20)


@settings(max_examples=60, deadline=None)
@given(st.lists(_NAMES.filter(lambda name: name not in (".", "..") and len(name.encode()) < 200), max_size=8))
def test_every_named_file_comes_once_in_order(names: list[str]) -> None:
    """Whatever the files are called, each is in the list exactly once, in the order given."""
    with tempfile.TemporaryDirectory() as folder:
        paths = [Path(folder, f"{name}.wav") for name in names]
        for path in paths:
            path.write_bytes(b"x")
        unique = list(dict.fromkeys(paths))
        if not unique:
            return
        assert expand_inputs([str(path) for path in paths]) == unique
        found = expand_inputs([folder])
        assert set(found) == {path for path in unique if not path.name.startswith(".")} or not found
        assert [os.fspath(path) for path in found] == sorted(map(os.fspath, found))
