"""A worker's folder for samples that are being scored; what killed workers left is removed by the next one."""

from __future__ import annotations

import contextlib
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from emonet.bulk._locks import abandoned, held

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
    with (folder / _LOCK).open("w") as lock:
        held(lock.fileno())
        try:
            samples = folder / "samples"
            samples.mkdir()
            yield samples
        finally:
            shutil.rmtree(folder, ignore_errors=True)


def _sweep(base: Path) -> None:
    """Remove folders whose worker is dead."""
    for folder in base.glob(f"{_PREFIX}*"):
        lock = folder / _LOCK
        with contextlib.suppress(OSError):
            if time.time() - lock.stat().st_mtime > _YOUNG_S and abandoned(lock):
                shutil.rmtree(folder, ignore_errors=True)
