"""Whether a name is a file that can be opened, said in plain words before any decoder sees it."""

from __future__ import annotations

import os
import re
import stat
from pathlib import Path

from emonet.errors import UnreadableMediaError, UsageError

# One slash is enough: Path("http://host") has already lost the other.
_ADDRESS = re.compile(r"^(https?|ftps?|s3|gs|hf|file|data):/", re.IGNORECASE)


def checked_path(path: str | os.PathLike[str]) -> Path:
    """`path` as a `Path` to an ordinary, non-empty, readable file.

    Raises `UsageError` for an address; `UnreadableMediaError` for a missing file, a folder, a device or pipe, an empty
    file, and a file that this user may not read.
    """
    name = os.fspath(path)
    try:
        status = os.stat(name)
        if stat.S_ISREG(status.st_mode):
            with open(name, "rb"):
                pass
    except ValueError as error:
        raise UnreadableMediaError(repr(name), "is not a file name (it holds a NUL character)") from error
    except OSError as error:
        if address := _ADDRESS.match(name):
            raise UsageError(f"{name}: {address[1].lower()}:// is not read; download the file first.") from error
        raise UnreadableMediaError(name, _why(error)) from error
    if stat.S_ISDIR(status.st_mode):
        raise UnreadableMediaError(name, "is a folder; name the files in it")
    if not stat.S_ISREG(status.st_mode):
        raise UnreadableMediaError(name, "is not an ordinary file; save the stream to a file first")
    if not status.st_size:
        raise UnreadableMediaError(name, "the file is empty (0 bytes)")
    return Path(name)


def _why(error: OSError) -> str:
    if isinstance(error, FileNotFoundError):
        return "no such file"
    if isinstance(error, PermissionError):
        return "permission denied; check that you may read this file"
    return error.strerror or str(error)
