"""Signing in with a name and a password, slowed down for whoever guesses."""

from __future__ import annotations

import hashlib
from datetime import timedelta

from sqlalchemy import delete, func, insert, select, update
from sqlalchemy.engine import Connection

from emonet.annotation.accounts._passwords import check_new_password, hash_password, verify_password
from emonet.annotation.accounts._records import NewSession, PasswordError, SignInError, TooManyAttemptsError, Visitor
from emonet.annotation.accounts._sessions import end_sessions, start_session
from emonet.annotation.accounts._tokens import now
from emonet.annotation.store import Store, record
from emonet.annotation.store._tables import AttemptRow, PersonRow

_PER_ADDRESS = 5
"""Times the limit of a name that one address may fail: a whole lab can share an address."""


def plain_login(login: str) -> str:
    """The login as it is stored and compared: without surrounding space, in lower case."""
    return login.strip().lower()


def sign_in(
    store: Store, login: str, password: str, *, address: str, limit: int, window: timedelta, lasts: timedelta
) -> NewSession:
    """A session for whoever knows the password.

    Failed attempts are counted in the database, by name (`limit` in `window`) and by address (five times as many),
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
            _note_failure(connection, name, address, person.id if person else None)
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
        _note_failure(connection, plain_login(visitor.login), address, visitor.id)
    raise PasswordError("The password now is not right.")


def set_active(store: Store, person: int, active: bool, *, by: Visitor) -> None:
    """Close an account or open it again; closing ends its sessions."""
    with store.writing() as connection:
        connection.execute(update(PersonRow).where(PersonRow.id == person).values(active=active))
        if not active:
            end_sessions(connection, person)
        code = connection.scalar(select(PersonRow.code).where(PersonRow.id == person)) or ""
        record(connection, "opened account" if active else "closed account", person=by.id, target=code)


def _subjects(name: str, address: str) -> tuple[tuple[str, int], ...]:
    """Under what a failure is counted, and how many times the limit of a name is allowed there."""
    return (_masked("name", name), 1), (_masked("address", address), _PER_ADDRESS)


def _slow_down(connection: Connection, name: str, address: str, limit: int, window: timedelta) -> None:
    """Raise when the name or the address failed too often of late."""
    since = now() - window
    failed = select(func.count(), func.min(AttemptRow.time)).where(AttemptRow.time > since)
    for subject, times in _subjects(name, address):
        count, first = connection.execute(failed.where(AttemptRow.subject == subject)).one()
        if count >= limit * times:
            raise TooManyAttemptsError(max(1, int((first + window - now()).total_seconds())))


def _note_failure(connection: Connection, name: str, address: str, person: int | None) -> None:
    """Count a failure; what is too old to count is cleared away."""
    time = now()
    connection.execute(delete(AttemptRow).where(AttemptRow.time < time - timedelta(days=1)))
    rows = [{"subject": subject, "time": time} for subject, _ in _subjects(name, address)]
    connection.execute(insert(AttemptRow), rows)
    record(connection, "sign-in failed", person=person, details={"address": address})


def _masked(kind: str, text: str) -> str:
    """What stands for a name in the table: people type passwords into the wrong field."""
    return f"{kind}:{hashlib.sha256(text.encode()).hexdigest()[:24]}"
