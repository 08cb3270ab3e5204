"""Locks on open files: the system frees them with the process, however that ends."""

from __future__ import annotations

import os


def held(descriptor: int) -> bool:
    """Lock an open file; False when another process, or another opening of it, has it locked.

    Windows has no such locks, nor have some network folders: there nothing is locked, and the answer is True.
    """
    return _locked(descriptor) is not False


def abandoned(path: str | os.PathLike[str]) -> bool:
    """Whether a file that its writer locks is there and locked by nobody. False where there are no locks."""
    try:
        with open(path, "r+b") as file:
            return _locked(file.fileno()) is True
    except OSError:
        return False


def _locked(descriptor: int) -> bool | None:
    """None where there are no locks."""
    if os.name == "nt":
        return None
    import fcntl

    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return None
    return True
