"""Where pulled and converted models are kept, and which of their large files were already checked."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import sys
from pathlib import Path


def home() -> Path:
    """`$EMONET_HOME`, or `emonet` in the platform's folder for caches."""
    if chosen := os.environ.get("EMONET_HOME"):
        return Path(chosen)
    if sys.platform == "win32":
        base = Path(os.environ.get("LOCALAPPDATA", Path.home() / "AppData" / "Local"))
    elif sys.platform == "darwin":
        base = Path.home() / "Library" / "Caches"
    else:
        base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return base / "emonet"


def model_folder(hub_id: str) -> Path:
    """Folder of a converted Hub model: "laion/X" → `<home>/models/laion--X`."""
    return home() / "models" / hub_id.replace("/", "--")


def writable_folder(name: str) -> Path | None:
    """A folder of the cache, made if needed; None where nothing may be written."""
    folder = home() / name
    with contextlib.suppress(OSError):
        folder.mkdir(parents=True, exist_ok=True)
        if os.access(folder, os.W_OK):
            return folder
    return None


def was_checked(path: Path, digest: str) -> bool:
    """Whether this very file, by size and time of change, was found to have this SHA-256."""
    try:
        return bool(json.loads(_note(path).read_text(encoding="utf-8")) == _state(path, digest))
    except (OSError, ValueError):
        return False


def remember_checked(path: Path, digest: str) -> None:
    """Note that the file has this SHA-256. Without a writable cache it is simply checked again next time."""
    note = _note(path)
    with contextlib.suppress(OSError):
        note.parent.mkdir(parents=True, exist_ok=True)
        temporary = note.with_suffix(f".{os.getpid()}")
        temporary.write_text(json.dumps(_state(path, digest)), encoding="utf-8")
        os.replace(temporary, note)


def _note(path: Path) -> Path:
    return home() / "checked" / (hashlib.sha256(str(path.resolve()).encode()).hexdigest()[:24] + ".json")


def _state(path: Path, digest: str) -> dict[str, str | int]:
    status = path.stat()
    return {"file": str(path.resolve()), "size": status.st_size, "changed_ns": status.st_mtime_ns, "sha256": digest}
