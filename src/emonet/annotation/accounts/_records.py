"""Who is asking, and what can go wrong when somebody signs in or takes up an invitation."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from emonet.annotation.store import RoleName
from emonet.errors import UsageError

ROLES: tuple[RoleName, ...] = ("rater", "lead", "admin")
"""In rising order; each may do what the ones before it may."""


@dataclass(frozen=True, slots=True)
class Visitor:
    """A signed-in person. `code`: the blinded name in all data ("rater-3"). `login`: the code
    where the account has none, as one made at the command line. `csrf`: what a form of this session must
    carry. `session`: hash of the session's token, which ends it."""

    id: int
    code: str
    name: str
    login: str
    role: RoleName
    csrf: str
    session: str


@dataclass(frozen=True, slots=True)
class Invitation:
    """An invitation that can still be taken up."""

    role: RoleName
    expires: datetime


@dataclass(frozen=True, slots=True)
class NewSession:
    """What the browser gets once: the token itself is nowhere stored."""

    token: str
    csrf: str
    expires: datetime


class SignInError(UsageError):
    """Name and password do not match, or the account is closed; which of them is not said."""


class TooManyAttemptsError(SignInError):
    """Too many failed sign-ins for this name or from this address. `wait_s`: seconds until the next is heard."""

    def __init__(self, wait_s: int) -> None:
        self.wait_s = wait_s
        super().__init__(f"Too many attempts. Please wait {max(1, round(wait_s / 60))} min and try again.")


class InvitationError(UsageError):
    """The invitation is unknown, used up or too old."""


class PasswordError(UsageError):
    """The password is too short, too common or wrong."""
