"""People and their blinded names. Passwords, sessions and invitations are the business of `accounts`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, insert, select, update

from emonet.annotation.store._engine import Store
from emonet.annotation.store._records import Person, RoleName
from emonet.annotation.store._rows import PEOPLE, person_of
from emonet.annotation.store._tables import PersonRow, ProjectRow
from emonet.errors import UsageError

ROLES: tuple[RoleName, ...] = ("rater", "lead", "admin")


def add_person(
    store: Store,
    *,
    role: RoleName = "rater",
    name: str = "",
    login: str | None = None,
    password_hash: str | None = None,
    demographics: Mapping[str, str] | None = None,
    now: datetime | None = None,
) -> Person:
    """Add somebody, under the next free blinded name of the role ("rater-3"). `UsageError` for a login in use."""
    with store.writing() as connection:
        return add_person_in(
            connection,
            role=role,
            name=name,
            login=login,
            password_hash=password_hash,
            demographics=demographics,
            now=now,
        )


def add_person_in(
    connection: Connection,
    *,
    role: RoleName = "rater",
    name: str = "",
    login: str | None = None,
    password_hash: str | None = None,
    demographics: Mapping[str, str] | None = None,
    now: datetime | None = None,
) -> Person:
    """The same, as part of the caller's transaction."""
    _check_role(role)
    # Whoever adds a person holds the project's row, so that no two get one number.
    connection.execute(select(ProjectRow.id).with_for_update(key_share=True)).all()
    login = _login(login)
    _check_free(connection, login)
    codes = connection.execute(select(PersonRow.code).where(PersonRow.code.like(f"{role}-%"))).scalars()
    taken = [int(found[1]) for code in codes if (found := re.fullmatch(rf"{role}-(\d+)", code))]
    made = connection.execute(
        insert(PersonRow)
        .values(
            code=f"{role}-{max(taken, default=0) + 1}",
            login=login,
            name=name,
            role=role,
            password_hash=password_hash,
            demographics=dict(demographics or {}),
            active=True,
            created=now or datetime.now(UTC),
        )
        .returning(PEOPLE)
    ).one()
    return person_of(made)


def change_person(
    store: Store,
    person_id: int,
    *,
    role: RoleName | None = None,
    name: str | None = None,
    active: bool | None = None,
    demographics: Mapping[str, str] | None = None,
    password_hash: str | None = None,
) -> Person:
    """Change what is given. The blinded name stays, also where the role changes: it is in the data."""
    given: dict[str, Any] = {"role": role, "name": name, "active": active, "password_hash": password_hash}
    values = {column: value for column, value in given.items() if value is not None}
    if role is not None:
        _check_role(role)
    if demographics is not None:
        values["demographics"] = dict(demographics)
    with store.writing() as connection:
        if values:
            connection.execute(update(PersonRow).where(PersonRow.id == person_id).values(**values))
        row = connection.execute(select(PEOPLE).where(PersonRow.id == person_id)).one_or_none()
    if row is None:
        raise UsageError(f"There is nobody with the number {person_id}.")
    return person_of(row)


def find_person(
    store: Store, person_id: int | None = None, *, code: str | None = None, login: str | None = None
) -> Person | None:
    """Somebody by number, blinded name or login."""
    query = select(PEOPLE)
    if person_id is not None:
        query = query.where(PersonRow.id == person_id)
    elif code is not None:
        query = query.where(PersonRow.code == code)
    else:
        query = query.where(PersonRow.login == _login(login))
    with store.reading() as connection:
        row = connection.execute(query).one_or_none()
    return None if row is None else person_of(row)


def people(store: Store) -> tuple[Person, ...]:
    """Everybody, in the order they came."""
    with store.reading() as connection:
        return tuple(person_of(row) for row in connection.execute(select(PEOPLE).order_by(PersonRow.id)))


def _login(login: str | None) -> str | None:
    return login.strip().lower() or None if login else None


def _check_role(role: str) -> None:
    if role not in ROLES:
        raise UsageError(f"There is no role {role!r}; expected one of {', '.join(ROLES)}.")


def _check_free(connection: Connection, login: str | None) -> None:
    if login is not None and connection.execute(select(PersonRow.id).where(PersonRow.login == login)).first():
        raise UsageError(f"Somebody with the login {login!r} has an account already.")
