"""A worker's folder for samples that are being scored; what killed workers left is removed by the next one."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_PREFIX = "emonet-bulk-"
_LOCK = "lock"
_YOUNG_S = 60.0  # a folder of this age may not be locked yet


@contextmanager
def scratch() -> Iterator[Path]:
    """An empty folder under the system's folder for temporary files (`TMPDIR`), removed at the end of the block.

    Its lock is held as long as this process lives, so that others can tell folders in use from those left over.
    """
    base = Path(tempfile.gettempdir())
    _sweep(base)
    folder = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=base))
    lock = (folder / _LOCK).open("w")
    try:
        _hold(lock.fileno())
        samples = folder / "samples"
        samples.mkdir()
        yield samples
    finally:
        lock.close()
        shutil.rmtree(folder, ignore_errors=True)


def _sweep(base: Path) -> None:
    """Remove folders whose worker is dead."""
    if os.name == "nt":
        return  # a folder in use cannot be told there
    for folder in base.glob(f"{_PREFIX}*"):
        with contextlib.suppress(OSError), (folder / _LOCK).open("r+") as lock:
            if time.time() - os.fstat(lock.fileno()).st_mtime < _YOUNG_S:
                continue
            _hold(lock.fileno())
            shutil.rmtree(folder, ignore_errors=True)


def _hold(descriptor: int) -> None:
    """Lock an open file, or raise `OSError` when another process has."""
    if os.name != "nt":
        import fcntl

        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
