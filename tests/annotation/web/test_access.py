"""Every route against every role: nothing is open that is not meant to be."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from made_projects import Made, binary_project

from emonet.annotation.web._access import ACCESS, RANK

ROLES = (None, "rater", "lead", "admin")


def routes(app: FastAPI) -> Iterator[tuple[str, str]]:
    """Method and path of every route of an application, those of included routers too."""

    def walk(found: list[Any]) -> Iterator[tuple[str, str]]:
        for route in found:
            if hasattr(route, "effective_route_contexts"):  # a router included in the application
                yield from walk(list(route.effective_route_contexts()))
            elif getattr(route, "methods", None):
                yield from ((method, route.path) for method in route.methods - {"HEAD", "OPTIONS"})
            else:
                yield ("MOUNT", str(getattr(route, "path", route)))

    yield from walk(app.routes)


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Made]:
    made = binary_project(tmp_path_factory.mktemp("access"))
    yield made
    made.store.close()


def test_every_route_has_its_entry_and_every_entry_its_route(project: Made) -> None:
    """A page that is added without a line in `_access.py` fails here; so does a line that nothing needs."""
    assert set(routes(project.app)) == set(ACCESS)


def test_a_route_without_an_entry_is_closed_to_everybody(project: Made) -> None:
    """The gate refuses what is not listed, also to an admin."""
    with_secret = binary_project(Path(project.media).parent / "second")
    with_secret.app.add_api_route("/secret", lambda: "secret")
    assert ("GET", "/secret") in set(routes(with_secret.app))
    assert with_secret.client().get("/secret").status_code == 303
    assert with_secret.client("admin").get("/secret").status_code == 404
    with_secret.store.close()


@pytest.mark.parametrize("role", ROLES, ids=str)
@pytest.mark.parametrize(("method", "path"), sorted(ACCESS), ids=lambda part: part)
def test_access_matrix(project: Made, method: str, path: str, role: Any) -> None:
    """Each route lets in the roles from its least one upwards, and turns the others away before it does anything."""
    least = ACCESS[method, path]
    address = re.sub(r"\{[^}]*\}", "1", path)
    client = project.client(role)
    answer = client.request(method, address, headers={"Accept": "application/json"})
    refused = answer.status_code in (401, 403) and answer.json()["detail"] in (
        "Please sign in.",
        "Your account may not do this.",
    )
    allowed = RANK[role or "anyone"] >= RANK[least]
    assert refused != allowed
    if not allowed:
        assert answer.status_code == (403 if role else 401)


def test_people_who_are_not_signed_in_are_sent_to_sign_in_and_back(project: Made) -> None:
    """A page asks for sign-in; a script gets 401."""
    client = project.client()
    answer = client.get("/history")
    assert (answer.status_code, answer.headers["location"]) == (303, "/sign-in?next=/history")
    assert client.get("/api/session").status_code == 401
    assert client.get("/media/abc").status_code == 401


def test_the_openapi_document_is_not_served(project: Made) -> None:
    """Pages of documentation would load scripts from other hosts."""
    for path in ("/docs", "/redoc", "/openapi.json"):
        assert project.client("admin").get(path).status_code == 404
