"""Sessions: a random token in the browser's cookie, its hash in the database."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import delete, insert, select, update
from sqlalchemy.engine import Connection

from emonet.annotation.accounts._records import NewSession, Visitor
from emonet.annotation.accounts._tokens import new_token, now, token_hash
from emonet.annotation.store import Store
from emonet.annotation.store._tables import PersonRow, SessionRow

_NOTED_EVERY = timedelta(minutes=5)
"""How exactly the last use is known; a write for every request would cost more than the request."""

_FIND = (
    select(
        SessionRow.csrf,
        SessionRow.expires,
        SessionRow.seen,
        PersonRow.id,
        PersonRow.code,
        PersonRow.name,
        PersonRow.login,
        PersonRow.role,
        PersonRow.active,
    )
    .join(PersonRow, PersonRow.id == SessionRow.person)
)  # fmt: skip


def find_visitor(store: Store, token: str, *, lasts: timedelta) -> Visitor | None:
    """Who holds the token, None when it is unknown, too old or the account is closed. Use prolongs the session to
    `lasts` from now."""
    if not 20 <= len(token) <= 100:
        return None
    hashed = token_hash(token)
    with store.reading() as connection:
        row = connection.execute(_FIND.where(SessionRow.token_hash == hashed)).one_or_none()
    time = now()
    if row is None or not row.active or row.expires <= time:
        return None
    if time - row.seen > _NOTED_EVERY:
        with store.writing() as connection:
            used = update(SessionRow).where(SessionRow.token_hash == hashed)
            connection.execute(used.values(seen=time, expires=time + lasts))
    return Visitor(row.id, row.code, row.name, row.login or row.code, row.role, row.csrf, hashed)


def start_session(connection: Connection, person: int, *, lasts: timedelta) -> NewSession:
    """A new session within the caller's transaction; sessions that are over are cleared away."""
    time = now()
    connection.execute(delete(SessionRow).where(SessionRow.expires <= time))
    made = NewSession(new_token(), new_token(), time + lasts)
    connection.execute(
        insert(SessionRow).values(
            token_hash=token_hash(made.token),
            person=person,
            csrf=made.csrf,
            created=time,
            expires=made.expires,
            seen=time,
        )
    )
    return made


def end_session(store: Store, session: str) -> None:
    """Sign out. `session`: hash of the token, as in `Visitor`."""
    with store.writing() as connection:
        connection.execute(delete(SessionRow).where(SessionRow.token_hash == session))


def end_sessions(connection: Connection, person: int, *, but: str = "") -> None:
    """End all sessions of a person within the caller's transaction, except the one with the hash `but`."""
    connection.execute(delete(SessionRow).where(SessionRow.person == person, SessionRow.token_hash != but))
