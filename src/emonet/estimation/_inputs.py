"""From what a user names - files, folders, patterns - to a list of files."""

from __future__ import annotations

import glob
import os
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from emonet.errors import UsageError
from emonet.media import AUDIO_SUFFIXES, IMAGE_SUFFIXES, VIDEO_SUFFIXES

MEDIA_SUFFIXES = IMAGE_SUFFIXES | AUDIO_SUFFIXES | VIDEO_SUFFIXES
"""Endings that a folder is searched for. A file named outright is tried whatever its ending."""

_URL = re.compile(r"^[a-z][a-z0-9+.-]+://", re.IGNORECASE)


def expand_inputs(paths: Iterable[str | Path], *, recursive: bool = True) -> list[Path]:
    """Files behind `paths`, in order, each once.

    A folder stands for the media files in it (by ending, hidden ones left out, sorted; with `recursive` in all its
    subfolders); a pattern with `*`, `?` or `[]` for what it matches (`**` crosses folders). A name that does not
    exist stays in the list, so that it is reported and not lost. Raises `UsageError` for an URL, an empty name, a
    folder without media, a pattern without a match, or no path at all.
    """
    found: dict[str, Path] = {}
    for name in paths:
        for path in _expand(name, recursive):
            found.setdefault(os.path.normpath(os.path.abspath(path)), path)
    if not found:
        raise UsageError("No input. Name at least one file, folder or pattern.")
    return list(found.values())


def _expand(name: str | Path, recursive: bool) -> Iterator[Path]:
    text = os.fspath(name)
    if not text.strip():
        raise UsageError("An empty path was given; name a file, folder or pattern.")
    if _URL.match(text):
        raise UsageError(f"{text!r} is an address. emonet reads only local files; download it first.")
    if "\0" in text:
        raise UsageError(f"{text!r} holds a NUL character and cannot be a path.")
    path = Path(text)
    if path.is_dir():
        yield from _folder(path, recursive)
    elif isinstance(name, str) and not os.path.lexists(path) and glob.has_magic(text):
        yield from _pattern(text, recursive)
    else:
        yield path


def _folder(folder: Path, recursive: bool) -> Iterator[Path]:
    empty = True
    for root, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if recursive and not name.startswith("."))
        for name in sorted(names):
            if not name.startswith(".") and os.path.splitext(name)[1].lower() in MEDIA_SUFFIXES:
                empty = False
                yield Path(root, name)
    if empty:
        hint = "" if recursive else " (subfolders were not searched)"
        raise UsageError(f"{folder}: no image, audio or video file in this folder{hint}.")


def _pattern(text: str, recursive: bool) -> Iterator[Path]:
    matches = sorted(glob.glob(text, recursive=True))
    if not matches:
        raise UsageError(f"{text!r} matches no file.")
    for match in matches:
        if not os.path.isdir(match):
            yield Path(match)
        elif os.path.basename(text.rstrip(os.sep)) != "**":  # `**` lists the folders' files by itself
            yield from _folder(Path(match), recursive)
