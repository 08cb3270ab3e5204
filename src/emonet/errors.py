"""Every error that emonet raises on purpose.

EmonetError
├── UsageError (ValueError)          a wrong argument; the message names the right ones
│   └── UnknownNameError             an unknown emotion, model or format; carries the nearest name
├── MissingExtraError (ImportError)  an optional dependency is absent; carries the install line
├── MediaError                       one file cannot be used
│   ├── UnreadableMediaError         missing, empty, truncated, not media at all, or full of NaN
│   └── MediaTooLargeError           over a stated limit of pixels or bytes
├── ModelError                       a model cannot be used
│   ├── BundleError                  a bundle folder is incomplete, altered or of another format
│   └── CheckpointError              an official checkpoint is unsafe, misnamed or of a wrong shape
└── EstimationError                  a single call found nothing to score (no face, no speech, too short)

Each message says what was received, what was expected, where, and what to do next.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from importlib import import_module
from types import ModuleType


class EmonetError(Exception):
    """Base of all errors raised on purpose."""


class UsageError(EmonetError, ValueError):
    """A wrong argument."""


class UnknownNameError(UsageError):
    """A name that is not in a closed list; `nearest` holds the closest known name, if any is close."""

    def __init__(self, kind: str, name: str, known: Iterable[str]) -> None:
        self.kind, self.name, self.known = kind, name, tuple(known)
        close = difflib.get_close_matches(name.lower(), [k.lower() for k in self.known], n=1, cutoff=0.5)
        self.nearest = next((k for k in self.known if close and k.lower() == close[0]), None)
        hint = f" Did you mean {self.nearest!r}?" if self.nearest else ""
        listed = ", ".join(self.known[:60])
        super().__init__(f"Unknown {kind} {name!r}.{hint} Known: {listed}.")


class MissingExtraError(EmonetError, ImportError):
    """An optional dependency is not installed."""

    def __init__(self, feature: str, extra: str, package: str) -> None:
        self.extra = extra
        super().__init__(f"{feature} needs the package {package!r}. Install it with: pip install 'emonet[{extra}]'")


class MediaError(EmonetError):
    """One media file cannot be used; `source` names it."""

    def __init__(self, source: str, reason: str) -> None:
        self.source, self.reason = source, reason
        super().__init__(f"{source}: {reason}")


class UnreadableMediaError(MediaError):
    """The file is missing, empty, truncated or not media."""


class MediaTooLargeError(MediaError):
    """The file exceeds a stated limit."""


class ModelError(EmonetError):
    """A model cannot be used."""


class BundleError(ModelError):
    """A bundle is incomplete, altered or of an unknown format."""


class CheckpointError(ModelError):
    """An official checkpoint is unsafe, misnamed or of a wrong shape."""


class EstimationError(EmonetError):
    """A single call found nothing to score; `status` is the row's status (`no_face`, `no_speech`, `too_short`)."""

    def __init__(self, source: str, status: str, message: str) -> None:
        self.source, self.status = source, status
        super().__init__(f"{source}: {message}")


def require(package: str, *, extra: str, feature: str) -> ModuleType:
    """Import an optional package or raise `MissingExtraError` with the exact install line."""
    try:
        return import_module(package)
    except ModuleNotFoundError as error:
        if error.name and error.name.partition(".")[0] != package.partition(".")[0]:
            raise
        raise MissingExtraError(feature, extra, package.partition(".")[0]) from error
