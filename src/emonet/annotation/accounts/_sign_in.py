"""Signing in with a name and a password, slowed down for whoever guesses."""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta

from sqlalchemy import func, select, update
from sqlalchemy.engine import Connection

from emonet.annotation.accounts._audit import now, record
from emonet.annotation.accounts._passwords import check_new_password, hash_password, verify_password
from emonet.annotation.accounts._records import NewSession, PasswordError, SignInError, TooManyAttemptsError, Visitor
from emonet.annotation.accounts._sessions import end_sessions, start_session
from emonet.annotation.store import Store
from emonet.annotation.store._tables import AuditRow, PersonRow

_FAILED = "sign-in failed"
_PER_ADDRESS = 5
"""Times the limit of a name that one address may fail: a whole lab can share an address."""


def plain_login(login: str) -> str:
    """The login as it is stored and compared: without surrounding space, in lower case."""
    return login.strip().casefold()


def sign_in(
    store: Store, login: str, password: str, *, address: str, limit: int, window: timedelta, lasts: timedelta
) -> NewSession:
    """A session for whoever knows the password.

    Failed attempts are counted in the audit log, by name (`limit` in `window`) and by address (five times as many),
    so that the count holds for all processes of the server. Raises `TooManyAttemptsError` before the password is
    looked at, `SignInError` when it does not fit; neither tells whether the name exists.
    """
    name = plain_login(login)
    with store.reading() as connection:
        _slow_down(connection, name, address, limit, window)
        found = select(PersonRow.id, PersonRow.password_hash, PersonRow.active).where(PersonRow.login == name)
        person = connection.execute(found).one_or_none()
    fits = verify_password(person.password_hash if person else None, password)
    with store.writing() as connection:
        if person is None or not fits or not person.active:
            record(connection, _FAILED, target=_masked(name), details={"address": address})
        else:
            record(connection, "signed in", person=person.id, details={"address": address})
            return start_session(connection, person.id, lasts=lasts)
    raise SignInError("That name and password do not match.")


def change_password(store: Store, visitor: Visitor, *, old: str, new: str, address: str) -> None:
    """Set a new password and end the person's other sessions. `PasswordError` when the old one is wrong or the new
    one too weak; wrong ones count as failed sign-ins."""
    check_new_password(new, login=visitor.login)
    with store.reading() as connection:
        _slow_down(connection, plain_login(visitor.login), address, 20, timedelta(minutes=15))
        hashed = connection.scalar(select(PersonRow.password_hash).where(PersonRow.id == visitor.id))
    fits = verify_password(hashed, old)
    made = hash_password(new) if fits else ""
    with store.writing() as connection:
        if fits:
            connection.execute(update(PersonRow).where(PersonRow.id == visitor.id).values(password_hash=made))
            end_sessions(connection, visitor.id, but=visitor.session)
            record(connection, "changed password", person=visitor.id, target=visitor.code)
            return
        record(connection, _FAILED, person=visitor.id, target=_masked(plain_login(visitor.login)), details={"address": address})
    raise PasswordError("The password now is not right.")


def leave(store: Store, visitor: Visitor) -> None:
    """Close one's own account: all sessions end and nobody can sign in to it."""
    with store.writing() as connection:
        connection.execute(update(PersonRow).where(PersonRow.id == visitor.id).values(active=False))
        end_sessions(connection, visitor.id)
        record(connection, "left", person=visitor.id, target=visitor.code)


def set_active(store: Store, person: int, active: bool, *, by: Visitor) -> None:
    """Close an account or open it again; closing ends its sessions."""
    with store.writing() as connection:
        connection.execute(update(PersonRow).where(PersonRow.id == person).values(active=active))
        if not active:
            end_sessions(connection, person)
        code = connection.scalar(select(PersonRow.code).where(PersonRow.id == person)) or ""
        record(connection, "opened account" if active else "closed account", person=by.id, target=code)


def _slow_down(connection: Connection, name: str, address: str, limit: int, window: timedelta) -> None:
    """Raise when the name or the address failed too often of late."""
    since = now() - window
    failed = select(func.count(), func.min(AuditRow.time)).where(AuditRow.action == _FAILED, AuditRow.time > since)
    by_name = failed.where(AuditRow.target == _masked(name))
    by_address = failed.where(AuditRow.details["address"].as_string() == address)
    for query, most in ((by_name, limit), (by_address, _PER_ADDRESS * limit)):
        count, first = connection.execute(query).one()
        if count >= most:
            oldest: datetime = first
            raise TooManyAttemptsError(max(1, int((oldest + window - now()).total_seconds())))


def _masked(name: str) -> str:
    """What stands for a name in the log of failures: people type passwords into the wrong field."""
    return "login:" + hashlib.sha256(name.encode()).hexdigest()[:24]
