"""One file from anywhere to a local disk: taken up again where it broke off, and checked."""

from __future__ import annotations

import hashlib
import json
import os
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from emonet.datasets._addresses import filesystem, is_http
from emonet.datasets._http import HttpFile
from emonet.errors import UnreadableMediaError

NOTES = ".download"
"""Folder, in that of the files, of what is known about them and of their parts."""
_CHUNK = 1 << 20

Watch = Callable[[str, int, int | None], None]
"""Called with a file's name, its bytes so far and its size (None when unknown)."""


class StoppedError(Exception):
    """The caller wants no more."""


@dataclass(frozen=True, slots=True)
class RemoteFile:
    """`name`: path below the folder it is downloaded to. `digest`: SHA-256 (64 digits) or Git's blob id (40), empty
    when it is not known."""

    address: str
    name: str
    digest: str = ""


def fetch(file: RemoteFile, folder: Path, *, watch: Watch | None, stop: threading.Event) -> Path:
    """Download one file, or find it complete. Raises `UnreadableMediaError` when its bytes are not those expected."""
    from filelock import FileLock

    target, note = folder / file.name, note_of(file, folder)
    target.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(note.with_suffix(".lock")):
        if is_complete(file, target, note):
            return target
        source, size, identity = _opened(file.address)
        with source:
            digest = _copy(file, source, size, identity, note.with_suffix(".part"), watch, stop)
        os.replace(note.with_suffix(".part"), target)
        remember(file, target, note, digest)
    return target


def note_of(file: RemoteFile, folder: Path) -> Path:
    """Where it is noted that a file is complete."""
    (folder / NOTES).mkdir(exist_ok=True)
    return folder / NOTES / f"{hashlib.sha256(file.name.encode()).hexdigest()[:24]}.json"


def remember(file: RemoteFile, target: Path, note: Path, digest: str) -> None:
    """Note that a file is complete and which SHA-256 it has."""
    _write(note, {**_state(file, target), "sha256": digest})


def check(path: Path, file: RemoteFile) -> str:
    """SHA-256 of a file that was downloaded. Raises `UnreadableMediaError` when it has another digest than expected."""
    with path.open("rb") as content:
        found = hashlib.file_digest(content, "sha256").hexdigest()
        if len(file.digest) == 40:
            content.seek(0)
            _same(file, _git_digest(content, path.stat().st_size))
        else:
            _same(file, found)
    return found


def _same(file: RemoteFile, found: str) -> None:
    if file.digest and found != file.digest.lower():
        raise UnreadableMediaError(
            file.address, f"has the digest {found}, expected {file.digest}; what was downloaded is not kept, try again"
        )


def _git_digest(content: IO[bytes], size: int) -> str:
    """Git's name of a blob: SHA-1 over its length and bytes."""
    made = hashlib.sha1(b"blob %d\0" % size, usedforsecurity=False)
    while chunk := content.read(_CHUNK):
        made.update(chunk)
    return made.hexdigest()


def is_complete(file: RemoteFile, target: Path, note: Path) -> bool:
    """Whether the file is there and was found right, or is right now that it is looked at."""
    if not target.is_file():
        return False
    if _state(file, target).items() <= _read(note).items():
        return True
    if not file.digest:
        return False
    try:
        remember(file, target, note, check(target, file))
    except UnreadableMediaError:
        return False
    return True


def _opened(address: str) -> tuple[IO[bytes], int | None, str]:
    """The file, its size, and what tells this version of it from another."""
    if is_http(address):
        file = HttpFile(address)
        return file, file.size, file.identity  # type: ignore[return-value]
    fs, path = filesystem(address)
    try:
        info = fs.info(path)
        return fs.open(path, "rb"), info.get("size"), str(info.get("ETag") or info.get("LastModified") or "")
    except OSError as error:
        raise UnreadableMediaError(address, f"cannot be opened ({error.strerror or error})") from error


def _copy(
    file: RemoteFile,
    source: IO[bytes],
    size: int | None,
    identity: str,
    part: Path,
    watch: Watch | None,
    stop: threading.Event,
) -> str:
    """Write the rest of the file to `part`; its SHA-256. A part of another version begins again."""
    mark = part.with_suffix(".begun.json")
    begun = {"address": file.address, "size": size, "identity": identity}
    if _read(mark) != begun or not identity:
        part.unlink(missing_ok=True)
        _write(mark, begun)
    digest = hashlib.sha256()
    with part.open("ab+") as out:
        out.seek(0)
        while chunk := out.read(_CHUNK):
            digest.update(chunk)
        done = out.tell()
        source.seek(done)
        while chunk := source.read(_CHUNK):
            out.write(chunk)
            digest.update(chunk)
            done += len(chunk)
            if watch is not None:
                watch(file.name, done, size)
            if stop.is_set():
                raise StoppedError
        out.flush()
        os.fsync(out.fileno())
    try:
        if size is not None and done != size:
            raise UnreadableMediaError(file.address, f"gave {done} bytes of {size}; try again")
        if len(file.digest) == 40:
            check(part, file)
        else:
            _same(file, digest.hexdigest())
    except UnreadableMediaError:
        part.unlink(missing_ok=True)
        raise
    finally:
        mark.unlink(missing_ok=True)
    return digest.hexdigest()


def _state(file: RemoteFile, target: Path) -> dict[str, Any]:
    status = target.stat()
    return {
        "name": file.name,
        "address": file.address,
        "digest": file.digest.lower(),
        "size": status.st_size,
        "changed_ns": status.st_mtime_ns,
    }


def _read(path: Path) -> dict[str, Any]:
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return value if isinstance(value, dict) else {}


def _write(path: Path, value: dict[str, Any]) -> None:
    beside = path.with_suffix(".new")
    beside.write_text(json.dumps(value), encoding="utf-8")
    os.replace(beside, path)
