"""Passwords: argon2id, nothing else; and what is too weak to accept."""

from __future__ import annotations

import threading
from functools import lru_cache
from typing import TYPE_CHECKING

from emonet.annotation.accounts._records import PasswordError
from emonet.errors import require

if TYPE_CHECKING:
    from argon2 import PasswordHasher

SHORTEST, LONGEST = 10, 200
"""Length of a password in characters. The upper end bounds the work of hashing."""

_COMMON = frozenset(
    "password passwort qwertyuiop qwertzuiop qwerty123 1234567890 12345678910 0123456789 iloveyou password1 "
    "password12 password123 letmeinplease welcome123 administrator changeme123 emonetemonet".split()
)
# Hashing takes 64 MiB and a core each time; more at once would let a flood of sign-ins stop the raters' pages.
_AT_ONCE = threading.BoundedSemaphore(2)


def hash_password(password: str) -> str:
    """Argon2id hash with its salt and parameters (RFC 9106, second recommended option: 64 MiB, 3 passes)."""
    with _AT_ONCE:
        return _hasher().hash(password)


def verify_password(hashed: str | None, password: str) -> bool:
    """Whether the password fits. Without a hash (nobody of that name) it takes as long and says no, so that the time
    does not tell which names exist."""
    from argon2.exceptions import InvalidHashError, VerificationError

    with _AT_ONCE:
        try:
            return _hasher().verify(hashed or _decoy(), password) and hashed is not None
        except (VerificationError, InvalidHashError):
            return False


def check_new_password(password: str, *, login: str = "") -> None:
    """Raise `PasswordError` for one that is too short, too long, too common or made of the login name."""
    if len(password) < SHORTEST:
        raise PasswordError(f"The password has {len(password)} characters; please use at least {SHORTEST}.")
    if len(password) > LONGEST:
        raise PasswordError(f"The password has {len(password)} characters; please use at most {LONGEST}.")
    plain = password.casefold().strip()
    if plain in _COMMON or len(set(plain)) < 4 or (login and plain == login.casefold()):
        raise PasswordError("This password is easily guessed; please choose another, for example a short sentence.")


@lru_cache(maxsize=1)
def _hasher() -> PasswordHasher:
    require("argon2", extra="annotation", feature="Signing in")
    from argon2 import PasswordHasher

    return PasswordHasher(time_cost=3, memory_cost=65536, parallelism=4)


@lru_cache(maxsize=1)
def _decoy() -> str:
    return _hasher().hash("nobody has this password")
