"""Where shards lie: local paths, http(s), and every storage that fsspec knows, through the same few functions."""

from __future__ import annotations

import glob
import io
import itertools
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any, NamedTuple

from emonet.errors import UnreadableMediaError, UsageError, require

_PART = re.compile(r"#part=(\d+)/(\d+)$")
_RANGE = re.compile(r"(\d+)\.\.(\d+)")
_BUFFER = 1 << 20


class Entry(NamedTuple):
    """A file: its address and size in bytes."""

    address: str
    size: int


def local_path(address: str) -> Path | None:
    """The local path an address names, None for a remote one."""
    if address.startswith("file://"):
        return Path(address.removeprefix("file://"))
    return None if "://" in address else Path(address).expanduser()


def is_http(address: str) -> bool:
    """Whether the address is a plain web address."""
    return address.startswith(("http://", "https://"))


def split_part(address: str) -> tuple[str, tuple[int, int] | None]:
    """An address without its `#part=i/n`, and (i, n). Raises `UsageError` for an i that is not below n."""
    found = _PART.search(address)
    if found is None:
        return address, None
    part, parts = int(found[1]), int(found[2])
    if part >= parts:
        raise UsageError(f"{address}: part {part} of {parts}; expected i/n with i from 0 to n-1.")
    return address[: found.start()], (part, parts)


def name_of(address: str) -> str:
    """Last part of an address."""
    path = local_path(address)
    return path.absolute().name if path is not None else address.split("?")[0].rstrip("/").rpartition("/")[2]


def folder_of(address: str) -> str:
    """The address of the folder that holds it."""
    path = local_path(address)
    return str(path.parent) if path is not None else address.split("?")[0].rpartition("/")[0]


def inside(address: str, home: str) -> str:
    """The path of a file below a folder; its name when it does not lie there."""
    path, folder = local_path(address), local_path(home)
    if path is not None and folder is not None:
        return path.relative_to(folder).as_posix() if path.is_relative_to(folder) else path.name
    # Storages write their own root in different ways: memory://a and memory:///a.
    whole, start = (one.partition("://")[2].strip("/") for one in (address, home))
    return whole[len(start) + 1 :] if whole.startswith(f"{start}/") else name_of(address)


def open_address(address: str) -> IO[bytes]:
    """A file to read from its beginning, which can be sought in. Raises `UsageError` when there is none."""
    path = local_path(address)
    try:
        if path is not None:
            return path.open("rb")
        if is_http(address):
            from emonet.datasets._http import HttpFile

            return io.BufferedReader(HttpFile(address), _BUFFER)
        fs, place = filesystem(address)
        opened: IO[bytes] = fs.open(place, "rb")
        return opened
    except FileNotFoundError as error:
        raise UsageError(f"{address}: no such file; expected a shard.") from error
    except OSError as error:
        raise UnreadableMediaError(address, f"cannot be opened ({error.strerror or error})") from error


def filesystem(address: str) -> tuple[Any, str]:
    """fsspec's file system of a remote address, and the path in it."""
    fsspec = require("fsspec", extra="datasets", feature=f"The address {address}")
    try:
        fs, path = fsspec.core.url_to_fs(address)
    except ImportError as error:
        scheme = address.partition("://")[0]
        raise UsageError(f"{address}: {scheme}:// needs another package ({error}).") from error
    except ValueError as error:
        raise UsageError(f"{address}: {error}.") from error
    return fs, str(path)


def is_folder(address: str) -> bool:
    """Whether there is a folder. Web addresses never are."""
    path = local_path(address)
    if path is not None:
        return path.is_dir()
    if is_http(address):
        return False
    fs, place = filesystem(address)
    return bool(fs.isdir(place))


def find_entry(address: str) -> Entry | None:
    """The file at an address, None when there is none. Of web servers `UsageError` says what they answer."""
    path = local_path(address)
    if path is not None:
        return Entry(str(path), path.stat().st_size) if path.is_file() else None
    if is_http(address):
        from emonet.datasets._http import HttpFile

        with HttpFile(address) as file:
            return Entry(address, file.size or 0)
    fs, place = filesystem(address)
    try:
        info = fs.info(place)
    except FileNotFoundError:
        return None
    return Entry(address, int(info.get("size") or 0)) if info["type"] == "file" else None


def files_under(address: str) -> Iterator[Entry]:
    """The files of a folder at any depth: a folder's files by name, then its folders. Hidden ones are left out."""
    path = local_path(address)
    if path is not None:
        yield from _local_files(path)
        return
    fs, place = filesystem(address)
    yield from _remote_files(fs, place)


def matching(pattern: str) -> list[Entry]:
    """The files, and those in no folder, that fit a pattern with `*`, `?` and `[...]`, sorted."""
    path = local_path(pattern)
    if path is not None:
        found = [Path(one) for one in sorted(glob.glob(str(path), recursive=True))]
        return [Entry(str(one), one.stat().st_size) for one in found if one.is_file()]
    if is_http(pattern):
        raise UsageError(f"{pattern}: a web server tells no file names; use {{000..127}} instead of * and ?.")
    fs, place = filesystem(pattern)
    infos = fs.glob(place, detail=True)
    return [
        Entry(fs.unstrip_protocol(path), int(info.get("size") or 0))
        for path, info in sorted(infos.items())
        if info["type"] == "file"
    ]


def has_wildcard(address: str) -> bool:
    """Whether an address holds `*`, `?` or `[`. A `?` in a web address begins its query."""
    return bool(re.search(r"[*\[]" if is_http(address) else r"[*?\[]", address))


def expand_braces(address: str) -> list[str]:
    """`a-{00..02}.tar` → a-00.tar, a-01.tar, a-02.tar; `{en,de}.tar` → en.tar, de.tar. Zeros in front are kept."""
    pieces: list[list[str]] = []
    for text in re.split(r"(\{[^{}]*\})", address):
        span = _RANGE.fullmatch(text[1:-1]) if text.startswith("{") else None
        if span:
            first, last = int(span[1]), int(span[2])
            step = 1 if first <= last else -1
            pieces.append([f"{k:0{len(span[1])}d}" for k in range(first, last + step, step)])
        elif text.startswith("{") and "," in text:
            pieces.append(text[1:-1].split(","))
        else:
            pieces.append([text])
    return ["".join(parts) for parts in itertools.product(*pieces)]


def _local_files(folder: Path) -> Iterator[Entry]:
    try:
        with os.scandir(folder) as found:
            entries = sorted((one for one in found if not _hidden(one.name)), key=lambda one: one.name)
    except OSError as error:
        raise UnreadableMediaError(str(folder), f"cannot be listed ({error.strerror})") from error
    folders = []
    for entry in entries:
        if entry.is_dir(follow_symlinks=False):
            folders.append(Path(entry.path))
        elif entry.is_file():
            yield Entry(entry.path, entry.stat().st_size)
    for one in folders:
        yield from _local_files(one)


def _remote_files(fs: Any, folder: str) -> Iterator[Entry]:
    folders = []
    for info in sorted(fs.ls(folder, detail=True), key=lambda one: str(one["name"])):
        path = str(info["name"])
        if _hidden(path.rstrip("/").rpartition("/")[2]) or path.rstrip("/") == folder.rstrip("/"):
            continue
        if info["type"] == "directory":
            folders.append(path)
        else:
            yield Entry(fs.unstrip_protocol(path), int(info.get("size") or 0))
    for one in folders:
        yield from _remote_files(fs, one)


def _hidden(name: str) -> bool:
    return name.startswith(".") or name == "__MACOSX"
