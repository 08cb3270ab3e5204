"""Tokens of pages, cookies, headers, sizes: what stands before every route."""

from __future__ import annotations

from pathlib import Path

import pytest
from made_projects import DAY, Made, answer_to, binary_project, first_unit

from emonet.annotation.accounts import find_visitor, set_active
from emonet.annotation.web._guard import MAX_BODY
from emonet.annotation.web._sign_in import _inside

OUT_OF_DATE = "This page is out of date. Load it again and repeat."


def test_an_unsafe_request_needs_the_token_of_its_session(made: Made) -> None:
    """Without it, with another session's, or from another site, nothing happens."""
    client, other = made.client("rater"), made.client("rater")
    own = client.headers["X-CSRF-Token"]
    for headers in (
        {"X-CSRF-Token": ""},
        {"X-CSRF-Token": other.headers["X-CSRF-Token"]},
        {"X-CSRF-Token": own, "Sec-Fetch-Site": "cross-site"},
        {"X-CSRF-Token": own, "Sec-Fetch-Site": "same-site"},
        {"X-CSRF-Token": own, "Origin": "https://evil.example"},
        {"X-CSRF-Token": own, "Origin": "null"},
    ):
        answer = client.post("/api/assignments", json={}, headers=headers)
        assert (answer.status_code, answer.json()["detail"]) == (403, OUT_OF_DATE)
    assert client.post("/api/assignments", json={}, headers={"Origin": "http://testserver"}).status_code == 200
    assert client.post("/api/assignments", json={}, headers={"Sec-Fetch-Site": "same-origin"}).status_code == 200


def test_a_form_carries_the_token_in_a_field(made: Made) -> None:
    """Signing out works with the field and not without it."""
    client = made.client("rater")
    token = client.headers.pop("X-CSRF-Token")
    assert client.post("/sign-out").status_code == 403
    assert client.get("/api/session").status_code == 200
    assert client.post("/sign-out", data={"csrf": token}).status_code == 303
    assert client.get("/api/session").status_code == 401


def test_forms_for_people_who_are_not_signed_in_are_tied_to_their_browser(made: Made) -> None:
    """Another site cannot sign somebody in under a foreign account: the field must match the browser's cookie."""
    client = made.client()
    assert client.post("/sign-in", data={"login": "a", "password": "b"}).status_code == 403
    page = client.get("/sign-in")
    assert "httponly" in page.headers["set-cookie"].lower()
    assert "samesite=strict" in page.headers["set-cookie"].lower()
    assert client.post("/sign-in", data={"login": "a", "password": "b", "csrf": "x" * 43}).status_code == 403
    token = client.cookies["emonet-form"]
    assert client.post("/sign-in", data={"login": "a", "password": "b", "csrf": token}).status_code == 401


def test_every_answer_carries_the_security_headers(made: Made) -> None:
    """Pages, scripts' answers, refusals and files alike; no inline script, no other host."""
    client = made.client("rater")
    item = first_unit(client)["items"][0]["id"]
    for path in ("/", "/rate", "/api/session", f"/media/{item}", "/nowhere", "/sign-in"):
        headers = client.get(path).headers
        policy = headers["content-security-policy"]
        assert "script-src 'self';" in policy
        assert "unsafe" not in policy
        assert "http" not in policy
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["x-frame-options"] == "DENY"


def test_pages_hold_no_inline_script_or_style_and_no_other_host(made: Made) -> None:
    """What the policy forbids is not there in the first place."""
    client = made.client("rater")
    for path in ("/", "/rate", "/history", "/guide", "/account"):
        text = client.get(path).text
        assert "<style" not in text
        assert " style=" not in text
        assert " onclick=" not in text
        assert "://" not in text.replace("http://www.w3.org/", "")


def test_over_https_cookies_are_secure(tmp_path: Path) -> None:
    """The prefix __Host- makes browsers hold to it; browsers are told to stay on https."""
    made = binary_project(tmp_path, https=True)
    answer = made.client().get("/sign-in")
    cookie = answer.headers["set-cookie"]
    assert cookie.startswith("__Host-emonet-form=")
    assert "Secure" in cookie
    assert "max-age" in answer.headers["strict-transport-security"]
    made.store.close()


def test_bodies_over_the_limit_are_refused(made: Made) -> None:
    """By the stated length at once, by the true one when that is not stated."""
    client = made.client("rater")
    assert client.post("/api/answers", content=b"x" * (MAX_BODY + 1)).status_code == 413

    def parts():  # type: ignore[no-untyped-def]
        for _ in range(MAX_BODY // 1000 + 2):
            yield b"x" * 1000

    assert client.post("/api/answers", content=parts()).status_code == 413


def test_an_answer_from_a_closed_account_is_refused(made: Made) -> None:
    """Closing an account ends its sessions at once."""
    client, admin = made.client("rater"), made.session("admin")[0]
    unit = first_unit(client)
    by = find_visitor(made.store, admin, lasts=DAY)
    rater = find_visitor(made.store, client.cookies["emonet"], lasts=DAY)
    assert by is not None
    assert rater is not None
    set_active(made.store, rater.id, False, by=by)
    assert client.post("/api/answers", json=answer_to(unit, "11111111-a")).status_code == 401


@pytest.mark.parametrize(
    "address",
    ["//evil.example", "/\\evil.example", "https://evil.example", "evil", "", "/a\nb", "/a\\b", "javascript:1"],
)
def test_after_signing_in_nobody_is_sent_to_another_host(address: str) -> None:
    """The address to go on to is a path of this application."""
    assert _inside(address) == "/"
    assert _inside("/history?x=1") == "/history?x=1"
