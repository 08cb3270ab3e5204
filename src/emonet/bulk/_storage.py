"""Where a run's files lie: a local folder, or any address that fsspec knows. Files appear whole or not at all."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from emonet.bulk._locks import abandoned, held
from emonet.errors import UsageError, require

_PART = ".part"
"""Ending of local files that are being written; one that is left over belongs to a writer that was killed."""


class Storage:
    """A folder and the few things a run does there.

    `address`: a local path, or an URL such as s3://bucket/prefix (extra `bulk`; credentials and endpoint come from the
    environment). Names are relative, with forward slashes. Raises `UsageError` for an address that cannot be used.
    """

    def __init__(self, address: str | Path) -> None:
        text = os.fspath(address)
        if not text.strip():
            raise UsageError("An empty address was given; name a folder or an URL such as s3://bucket/prefix.")
        self.local: Path | None = None
        if "://" not in text or text.startswith("file://"):
            self.local = Path(text.removeprefix("file://")).expanduser().absolute()
            if self.local.exists() and not self.local.is_dir():
                raise UsageError(f"{self.local} is a file; expected a folder.")
            self.address = str(self.local)
            return
        fsspec = require("fsspec", extra="bulk", feature=f"The address {text}")
        try:
            self._fs, root = fsspec.core.url_to_fs(text, use_listings_cache=False, skip_instance_cache=True)
        except ImportError as error:
            scheme = text.partition("://")[0]
            raise UsageError(f"{text}: {scheme}:// needs another package ({error}).") from error
        except ValueError as error:
            raise UsageError(f"{text}: {error}.") from error
        self._root, self.address = str(root).rstrip("/"), text.rstrip("/")

    def read_text(self, name: str) -> str | None:
        """Content of a file, None when there is none."""
        try:
            with self.open(name) as file:
                content: bytes = file.read()
        except FileNotFoundError:
            return None
        return content.decode("utf-8")

    def open(self, name: str) -> IO[bytes]:
        """A file to read; `FileNotFoundError` when there is none."""
        if self.local is not None:
            return (self.local / name).open("rb")
        opened: IO[bytes] = self._fs.open(f"{self._root}/{name}", "rb")
        return opened

    def names(self, folder: str, ending: str) -> list[str]:
        """Names in `folder` that end in `ending`, without both, sorted."""
        if self.local is not None:
            try:
                found = [entry.name for entry in os.scandir(self.local / folder)]
            except FileNotFoundError:
                return []
        else:
            try:
                listed: list[Any] = self._fs.ls(f"{self._root}/{folder}", detail=False, refresh=True)
            except (FileNotFoundError, NotADirectoryError):
                return []
            except TypeError:  # not every file system knows `refresh`
                listed = self._fs.ls(f"{self._root}/{folder}", detail=False)
            found = [str(path).rsplit("/", 1)[-1] for path in listed]
        return sorted(name.removesuffix(ending) for name in found if name.endswith(ending) and not name.startswith("."))

    def delete(self, name: str) -> None:
        """Remove a file if it is there."""
        if self.local is not None:
            (self.local / name).unlink(missing_ok=True)
            return
        try:
            self._fs.rm_file(f"{self._root}/{name}")
        except FileNotFoundError:
            return

    def write_text(self, name: str, text: str) -> None:
        """Write a small file whole."""
        with self.new_file(name) as path:
            path.write_text(text, encoding="utf-8")

    @contextmanager
    def new_file(self, name: str) -> Iterator[Path]:
        """A local path to write to; at the end of the block the file appears under `name`, or not if it raised.

        Parts of the same file that a killed writer left are removed.
        """
        if self.local is not None:
            with _replacement(self.local / name) as path:
                yield path
            return
        with tempfile.TemporaryDirectory(prefix="emonet-upload-") as folder:
            path = Path(folder, "file")
            yield path
            self._fs.makedirs(f"{self._root}/{name}".rsplit("/", 1)[0], exist_ok=True)
            self._fs.put_file(str(path), f"{self._root}/{name}")  # an object appears when it is complete


@contextmanager
def _replacement(target: Path) -> Iterator[Path]:
    """A file beside `target` that takes its place. It is locked while it is written."""
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        for left in target.parent.glob(f".{_escaped(target.name[:80])}.*{_PART}"):
            if abandoned(left):
                left.unlink(missing_ok=True)
        part = _new_part(target)
    except OSError as error:
        raise UsageError(f"{target.parent}: cannot be written ({error.strerror}).") from error
    path = Path(part.name)
    try:
        yield path
        os.fsync(part.fileno())  # a machine that loses power must not leave a name without content
        path.chmod(0o666 & ~_umask())
        if os.name == "nt":  # which renames no open file
            part.close()
        os.replace(path, target)
    finally:
        part.close()
        path.unlink(missing_ok=True)


def _new_part(target: Path) -> IO[bytes]:
    """A new file, open and locked. One that was taken for abandoned before it was locked is made again."""
    while True:
        part = tempfile.NamedTemporaryFile(  # noqa: SIM115
            prefix=f".{target.name[:80]}.", suffix=_PART, dir=target.parent, delete=False
        )
        if held(part.fileno()) and os.fstat(part.fileno()).st_nlink:
            return part
        part.close()


def _escaped(name: str) -> str:
    return "".join(f"[{character}]" if character in "*?[" else character for character in name)


def _umask() -> int:
    mask = os.umask(0o022)
    os.umask(mask)
    return mask


@contextmanager
def alone(storage: Storage, name: str) -> Iterator[None]:
    """Hold the lock `name` of a local run; `UsageError` when another process holds it. Object stores have no locks."""
    if storage.local is None:
        yield
        return
    storage.local.mkdir(parents=True, exist_ok=True)
    with (storage.local / f".{name}.lock").open("w") as file:
        if not held(file.fileno()):
            raise UsageError(
                f"{storage.address}: another process is at work on this run ({name}). Wait for it, or stop it first."
            )
        yield
