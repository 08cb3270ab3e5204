"""Invitations: a link that makes one account of a given role."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import insert, select, update

from emonet.annotation.accounts._passwords import check_new_password, hash_password
from emonet.annotation.accounts._records import (
    ROLES,
    Invitation,
    InvitationError,
    NewSession,
    Visitor,
)
from emonet.annotation.accounts._sessions import start_session
from emonet.annotation.accounts._sign_in import plain_login
from emonet.annotation.accounts._tokens import new_token, now, token_hash
from emonet.annotation.store import RoleName, Store, record
from emonet.annotation.store._people import add_person_in
from emonet.annotation.store._tables import InvitationRow
from emonet.errors import UnknownNameError, UsageError


def invite(
    store: Store,
    role: RoleName = "rater",
    *,
    by: Visitor | None = None,
    note: str = "",
    lasts: timedelta = timedelta(days=14),
) -> str:
    """Make an invitation and return its token, for the address /join/<token>; it is shown once and not stored.

    by: who invites, None from the command line. note: for whom it is meant, for the lead's own memory. A lead
    invites raters and leads, only an admin another admin."""
    if by is not None and (by.role == "rater" or (role == "admin" and by.role != "admin")):
        raise UsageError(f"{by.code} is {by.role} and cannot invite with the role {role!r}.")
    if role not in ROLES:
        raise UnknownNameError("role", role, ROLES)
    token = new_token()
    made_by = by.id if by else None
    with store.writing() as connection:
        connection.execute(
            insert(InvitationRow).values(
                token_hash=token_hash(token),
                role=role,
                note=note[:200],
                made_by=made_by,
                made=now(),
                expires=now() + lasts,
                used_by=None,
                used=None,
            )
        )
        record(connection, "invited", person=made_by, target=role, details={"note": note[:200]})
    return token


def read_invitation(store: Store, token: str) -> Invitation:
    """The invitation of a token. `InvitationError` when there is none, it is used or too old."""
    with store.reading() as connection:
        row = connection.execute(
            select(InvitationRow.role, InvitationRow.expires, InvitationRow.used_by).where(
                InvitationRow.token_hash == token_hash(token)
            )
        ).one_or_none()
    if row is None:
        raise InvitationError("This invitation is not known. Please ask for a new link.")
    if row.used_by is not None:
        raise InvitationError("This invitation was used already. Sign in instead, or ask for a new link.")
    if row.expires <= now():
        raise InvitationError("This invitation is too old. Please ask for a new link.")
    return Invitation(row.role, row.expires)


def join(
    store: Store,
    token: str,
    *,
    login: str,
    name: str,
    password: str,
    address: str = "",
    lasts: timedelta = timedelta(days=14),
) -> NewSession:
    """Take up an invitation: make the account, give it the next blinded name and sign in.

    Raises `InvitationError`, `PasswordError`, or `UsageError` for a login that is taken or empty.
    """
    invitation = read_invitation(store, token)
    plain, shown = plain_login(login), " ".join(name.split())
    if not plain or len(plain) > 200 or not plain.isprintable():
        raise UsageError("Please give an e-mail address or a user name.")
    if not shown or len(shown) > 100 or not shown.isprintable():
        raise UsageError("Please give your name.")
    check_new_password(password, login=plain)
    hashed = hash_password(password)
    time = now()
    with store.writing() as connection:
        person = add_person_in(
            connection, role=invitation.role, name=shown, login=plain, password_hash=hashed, now=time
        )
        # The condition on `used_by` makes the link good for one account also when it is sent twice at once.
        taken = connection.execute(
            update(InvitationRow)
            .where(InvitationRow.token_hash == token_hash(token), InvitationRow.used_by.is_(None))
            .values(used_by=person.id, used=time)
        )
        if taken.rowcount != 1:
            raise InvitationError("This invitation was used already. Sign in instead, or ask for a new link.")
        record(connection, "joined", person=person.id, target=person.code, details={"address": address})
        return start_session(connection, person.id, lasts=lasts)
