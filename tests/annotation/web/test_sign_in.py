"""Invitation, sign-in, password and leaving, over HTTP."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path

from made_projects import Made, answer_to, binary_project, first_unit
from starlette.testclient import TestClient

from emonet.annotation.accounts import invite
from emonet.annotation.store import audit_log

PASSWORD = "a quiet morning tea"


def join(made: Made, login: str = "Ada@Lab.example", *, role: str = "rater", password: str = PASSWORD) -> TestClient:
    """Take up an invitation as a browser does."""
    client = made.client()
    address = f"/join/{invite(made.store, role)}"  # type: ignore[arg-type]
    token = field(client.get(address).text)
    form = {"csrf": token, "name": "Ada Rater", "login": login, "password": password}
    client.headers["X-Joined"] = str(client.post(address, data=form).status_code)
    return client


def field(page: str) -> str:
    found = re.search(r'name="csrf" value="([^"]+)"', page)
    assert found
    return found[1]


def enter(client: TestClient, login: str, password: str, **more: str) -> int:
    form = {"csrf": field(client.get("/sign-in").text), "login": login, "password": password, **more}
    return client.post("/sign-in", data=form).status_code


def test_an_invitation_makes_one_account_and_signs_in(made: Made) -> None:
    """The link works once; the person is signed in at once and greeted by name."""
    client = made.client()
    address = f"/join/{invite(made.store)}"
    page = client.get(address)
    assert "as a rater" in page.text
    form = {"csrf": field(page.text), "name": "Ada Rater", "login": "ada@lab.example", "password": PASSWORD}
    answer = client.post(address, data=form)
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    assert "Hello, Ada Rater" in client.get("/").text
    assert made.client().get(address).status_code == 404
    assert "used already" in made.client().get(address).text


def test_a_weak_password_is_refused_and_the_form_keeps_the_rest(made: Made) -> None:
    """The reason is shown; name and login need not be typed again; the password is not sent back."""
    client = made.client()
    address = f"/join/{invite(made.store)}"
    form = {"csrf": field(client.get(address).text), "name": "Ada", "login": "ada", "password": "short"}
    answer = client.post(address, data=form)
    assert answer.status_code == 422
    assert "at least 10" in answer.text
    assert 'value="Ada"' in answer.text
    assert "short" not in answer.text.replace("short sentence", "")


def test_signing_in_ignores_case_and_ends_with_sign_out(made: Made) -> None:
    """The old cookie is worth nothing afterwards."""
    join(made)
    client = made.client()
    assert enter(client, " ADA@lab.example ", PASSWORD) == 303
    session = client.cookies["emonet"]
    client.post("/sign-out", data={"csrf": field(client.get("/account").text)})
    thief = made.client()
    thief.cookies.set("emonet", session)
    assert thief.get("/").status_code == 303
    assert thief.get("/api/session").status_code == 401


def test_wrong_passwords_are_counted_by_name(tmp_path: Path) -> None:
    """After the limit even the right password has to wait, from any address; other names do not."""
    made = binary_project(tmp_path, attempts=3)
    join(made)
    join(made, "bob")
    client = made.client()
    assert [enter(client, "ada@lab.example", "wrong password") for _ in range(3)] == [401, 401, 401]
    assert enter(made.client(), "ada@lab.example", PASSWORD) == 429
    assert enter(made.client(), "bob", PASSWORD) == 303
    made.store.close()


def test_wrong_passwords_are_counted_by_address(tmp_path: Path) -> None:
    """Trying many names from one place ends too; names that do not exist count as well."""
    made = binary_project(tmp_path, attempts=1)
    client = made.client()
    assert [enter(client, f"name-{number}", "wrong password") for number in range(6)] == [401] * 5 + [429]
    answer = client.post("/sign-in", data={"csrf": client.cookies["emonet-form"], "login": "x", "password": "y"})
    assert int(answer.headers["retry-after"]) > 0
    made.store.close()


def test_waiting_ends(tmp_path: Path) -> None:
    """Attempts before the window do not count."""
    made = binary_project(tmp_path, attempts=1, attempts_for=timedelta(microseconds=1))
    join(made)
    assert enter(made.client(), "ada@lab.example", "wrong password") == 401
    assert enter(made.client(), "ada@lab.example", PASSWORD) == 303
    made.store.close()


def test_the_forwarded_address_is_believed_only_behind_a_proxy(tmp_path: Path) -> None:
    """Without one, a guesser could write any address into the header."""
    from emonet.annotation.web._sign_in import address_of

    open_, behind = binary_project(tmp_path / "a"), binary_project(tmp_path / "b", proxies=1)

    class Asked:
        headers = {"x-forwarded-for": "6.6.6.6, 9.9.9.9"}  # noqa: RUF012
        client = type("Client", (), {"host": "10.0.0.1"})

    assert address_of(Asked, open_.app.state.web) == "10.0.0.1"  # type: ignore[arg-type]
    assert address_of(Asked, behind.app.state.web) == "9.9.9.9"  # type: ignore[arg-type]
    open_.store.close()
    behind.store.close()


def test_after_signing_in_one_is_where_one_wanted_to_be(made: Made) -> None:
    """The page that asked for sign-in, and never another host."""
    join(made)
    for wanted, reached in (("/history", "/history"), ("//evil.example", "/"), ("https://evil.example", "/")):
        client = made.client()
        form = {
            "login": "ada@lab.example",
            "password": PASSWORD,
            "next": wanted,
            "csrf": field(client.get("/sign-in").text),
        }
        assert client.post("/sign-in", data=form).headers["location"] == reached


def test_a_new_password_ends_other_sessions(made: Made) -> None:
    """This one stays; the old password no longer works."""
    client = join(made)
    other = made.client()
    enter(other, "ada@lab.example", PASSWORD)
    form = {"csrf": field(client.get("/account").text), "old": PASSWORD, "new": "another long sentence"}
    assert client.post("/account/password", data={**form, "old": "not this one"}).status_code == 422
    assert client.post("/account/password", data=form).status_code == 200
    assert client.get("/api/session").status_code == 200
    assert other.get("/api/session").status_code == 401
    assert enter(made.client(), "ada@lab.example", PASSWORD) == 401
    assert enter(made.client(), "ada@lab.example", "another long sentence") == 303


def test_leaving_withdraws_the_answers_and_closes_the_account(made: Made) -> None:
    """They count no more, and nobody can sign in."""
    client = join(made)
    client.headers["X-CSRF-Token"] = client.get("/api/session").json()["csrf"]
    client.post("/api/answers", json=answer_to(first_unit(client), "aaaaaaaa-0001"))
    assert client.post("/account/leave").status_code == 303
    assert client.get("/api/session").status_code == 401
    assert enter(made.client(), "ada@lab.example", PASSWORD) == 401


def test_the_log_tells_what_happened_and_no_secrets(made: Made) -> None:
    """Invitation, account, sign-ins and failures; neither passwords nor tokens nor typed names."""
    join(made)
    enter(made.client(), "ada@lab.example", "wrong password")
    enter(made.client(), "my secret typed as a name", "x")
    enter(made.client(), "ada@lab.example", PASSWORD)
    log = audit_log(made.store)
    assert [entry.action for entry in reversed(log)] == [
        "invited",
        "joined",
        "sign-in failed",
        "sign-in failed",
        "signed in",
    ]
    assert "secret" not in str(log)
    assert PASSWORD not in str(log)
