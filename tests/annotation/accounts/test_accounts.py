"""Passwords, invitations and sessions without the web."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from emonet.annotation.accounts import (
    InvitationError,
    PasswordError,
    SignInError,
    TooManyAttemptsError,
    Visitor,
    check_new_password,
    end_session,
    find_visitor,
    hash_password,
    invite,
    join,
    read_invitation,
    sign_in,
    token_hash,
    verify_password,
)
from emonet.annotation.protocols import Item, binary, make_units
from emonet.annotation.store import Project, Store, create_project, open_store
from emonet.annotation.store._tables import InvitationRow, PersonRow, SessionRow
from emonet.errors import UsageError

DAY = timedelta(days=1)
PASSWORD = "a quiet morning tea"


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """A project with one picture; accounts need no more."""
    opened = open_store(f"sqlite:///{tmp_path / 'annotation.db'}", create=True)
    protocol = binary(dimensions=("fear",), gold_every=0, training=0)
    items = [Item("a", "a.jpg", dimensions=("fear",))]
    create_project(opened, Project("P", protocol), items, make_units(protocol, items, seed=0))
    yield opened
    opened.close()


def visitor(store: Store, token: str) -> Visitor:
    found = find_visitor(store, token, lasts=DAY)
    assert found is not None
    return found


def attempt(store: Store, login: str, password: str, *, limit: int = 5) -> str:
    return sign_in(store, login, password, address="10.0.0.1", limit=limit, window=DAY, lasts=DAY).token


def test_hashes_are_argon2id_and_fit_their_password_alone() -> None:
    """Two hashes of one password differ by their salt."""
    first, second = hash_password(PASSWORD), hash_password(PASSWORD)
    assert first.startswith("$argon2id$")
    assert first != second
    assert verify_password(first, PASSWORD)
    assert not verify_password(first, PASSWORD + ".")


def test_nobody_fits_no_hash() -> None:
    """A missing or broken hash takes the time of a check and says no."""
    assert not verify_password(None, "nobody has this password")
    assert not verify_password("broken", PASSWORD)


@pytest.mark.parametrize("password", ["short", "aaaaaaaaaaaaaaaa", "Password123", "x" * 201, "ada@lab.example"])
def test_weak_passwords_are_refused(password: str) -> None:
    """Too short, too long, too common, the name itself."""
    with pytest.raises(PasswordError):
        check_new_password(password, login="ada@lab.example")


def test_blinded_names_count_up_by_role(store: Store) -> None:
    """The data know rater-1 and rater-2, whatever the people are called."""
    tokens = [
        join(store, invite(store, role), login=login, name="N", password=PASSWORD).token
        for role, login in (("rater", "a"), ("rater", "b"), ("lead", "c"))
    ]
    assert [visitor(store, token).code for token in tokens] == ["rater-1", "rater-2", "lead-1"]


def test_secrets_are_stored_as_hashes_only(store: Store) -> None:
    """Whoever reads the database can neither take up an invitation nor use a session."""
    secret = invite(store)
    session = join(store, secret, login="a", name="N", password=PASSWORD)
    with store.reading() as connection:
        kept = str(connection.execute(select(InvitationRow.__table__)).all())
        kept += str(connection.execute(select(SessionRow.token_hash)).all())
        kept += str(connection.execute(select(PersonRow.__table__)).all())
    assert token_hash(secret) in kept
    for secret_text in (secret, session.token, PASSWORD):
        assert secret_text not in kept


def test_an_invitation_is_good_for_one_account_also_at_once(store: Store) -> None:
    """Of many that take up one link at the same moment exactly one gets an account, and the others leave no trace."""
    secret = invite(store)

    def take(number: int) -> bool:
        try:
            join(store, secret, login=f"login-{number}", name="N", password=PASSWORD)
        except InvitationError:
            return False
        return True

    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(take, range(4))) == 1
    with store.reading() as connection:
        assert len(connection.execute(select(PersonRow.id)).all()) == 1


def test_old_and_unknown_invitations_are_refused(store: Store) -> None:
    """Each with its own sentence."""
    with pytest.raises(InvitationError, match="too old"):
        read_invitation(store, invite(store, lasts=timedelta(0)))
    with pytest.raises(InvitationError, match="not known"):
        read_invitation(store, "x" * 43)


def test_a_login_is_taken_once(store: Store) -> None:
    """Case and surrounding space do not make another."""
    join(store, invite(store), login="Ada", name="N", password=PASSWORD)
    with pytest.raises(UsageError):
        join(store, invite(store), login=" ada ", name="N", password=PASSWORD)


def test_only_admins_make_admins(store: Store) -> None:
    """A lead invites raters and leads, a rater nobody."""
    people = {
        role: visitor(store, join(store, invite(store, role), login=role, name="N", password=PASSWORD).token)
        for role in ("rater", "lead", "admin")
    }
    invite(store, "lead", by=people["lead"])
    invite(store, "admin", by=people["admin"])
    with pytest.raises(UsageError, match="cannot invite"):
        invite(store, "admin", by=people["lead"])
    with pytest.raises(UsageError, match="cannot invite"):
        invite(store, "rater", by=people["rater"])


def test_sessions_end_with_time_and_on_request(store: Store) -> None:
    """A session that is over is nobody's."""
    token = join(store, invite(store), login="a", name="N", password=PASSWORD).token
    end_session(store, visitor(store, token).session)
    assert find_visitor(store, token, lasts=DAY) is None
    late = sign_in(store, "a", PASSWORD, address="", limit=5, window=DAY, lasts=timedelta(0)).token
    assert find_visitor(store, late, lasts=DAY) is None
    assert find_visitor(store, "", lasts=DAY) is None


def test_guessing_is_slowed_down_and_tells_nothing(store: Store) -> None:
    """Known and unknown names answer alike; after the limit the right password waits too."""
    join(store, invite(store), login="a", name="N", password=PASSWORD)
    said = []
    for login in ("a", "nobody"):
        with pytest.raises(SignInError) as error:
            attempt(store, login, "wrong")
        said.append(str(error.value))
    assert said[0] == said[1]
    for _ in range(2):
        with pytest.raises(SignInError):
            attempt(store, "a", "wrong")
    with pytest.raises(TooManyAttemptsError) as slowed:
        attempt(store, "a", PASSWORD, limit=3)
    assert slowed.value.wait_s > 80_000
