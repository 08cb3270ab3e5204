"""API keys: where they come from and how one is compared."""

from __future__ import annotations

import hashlib
import hmac
import os
from pathlib import Path

from starlette.datastructures import Headers

from emonet.errors import UsageError

VARIABLE = "EMONET_API_KEYS"
_SHORTEST = 16


def read_keys(file: Path | None = None) -> tuple[str, ...]:
    """Keys of `file`, one a line, and of the environment variable EMONET_API_KEYS, separated by commas.

    Raises `UsageError` for a file that cannot be read and for keys that are too short to be safe.
    """
    found = [key.strip() for key in os.environ.get(VARIABLE, "").split(",")]
    if file is not None:
        try:
            lines = file.read_text(encoding="utf-8").splitlines()
        except (OSError, UnicodeDecodeError) as error:
            raise UsageError(f"The file of keys {file} cannot be read ({error}); expected one key a line.") from error
        found += [line.strip() for line in lines if not line.lstrip().startswith("#")]
    keys = tuple(dict.fromkeys(key for key in found if key))
    if any(len(key) < _SHORTEST or not key.isascii() for key in keys):
        raise UsageError(f"An API key has fewer than {_SHORTEST} characters or is not ASCII; make one with: "
                         "python -c 'import secrets; print(secrets.token_urlsafe(32))'")  # fmt: skip
    if file is not None and not keys:
        raise UsageError(f"{file} holds no API key; expected one a line.")
    return keys


def given_key(headers: Headers, query: str = "") -> str:
    """The key that a request carries: `Authorization: Bearer`, `X-API-Key`, or for web sockets the query's `key`."""
    scheme, _, token = headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else headers.get("x-api-key", "") or query


def known_key(given: str, keys: tuple[str, ...]) -> bool:
    """Whether `given` is one of `keys`, compared with all of them in constant time."""
    digest = hashlib.sha256(given.encode("utf-8", "surrogateescape")).digest()
    same = [hmac.compare_digest(digest, hashlib.sha256(key.encode()).digest()) for key in keys]
    return any(same)
