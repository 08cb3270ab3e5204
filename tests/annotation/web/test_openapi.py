"""Whatever is sent to the interface, the server answers with a sentence and never with an error of its own."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from made_projects import Made, answer_to, binary_project, first_unit

from emonet.annotation.web._access import ACCESS

DESCRIBED = {entry for entry in ACCESS if entry[1].startswith(("/api", "/media"))}


def switches(routes: list[Any]) -> Iterator[Any]:
    """What decides whether a route is in the document: the routes, and the routers' inclusion."""
    for route in routes:
        if hasattr(route, "original_router"):
            yield route.include_context
            yield from switches(route.original_router.routes)
        else:
            yield route


@cache
def schema() -> Any:
    """The document of an application with all its routes; the same for every project."""
    with TemporaryDirectory() as folder:
        made = binary_project(Path(folder))
        made.store.close()
        before = [(switch, switch.include_in_schema) for switch in switches(made.app.routes)]
        for switch, _ in before:
            switch.include_in_schema = True
        document = made.app.openapi()
        for switch, shown in before:  # applications share their routers
            switch.include_in_schema = shown
        return schemathesis.openapi.from_dict(document)


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Made]:
    made = binary_project(tmp_path_factory.mktemp("openapi"))
    client = made.client("rater")
    client.post("/api/answers", json=answer_to(first_unit(client), "aaaaaaaa-0001"))
    yield made
    made.store.close()


def test_the_whole_interface_is_described(project: Made) -> None:
    """Every route under /api and /media is in the document; pages are not."""
    paths = project.app.openapi()["paths"]
    assert {(method.upper(), path) for path, methods in paths.items() for method in methods} == DESCRIBED


@pytest.mark.parametrize(("method", "path"), sorted(ACCESS), ids=lambda part: part)
def test_no_request_makes_the_server_fail(project: Made, method: str, path: str) -> None:
    """Generated requests, valid and invalid, sent by somebody who may do everything."""
    client = project.client("admin")
    strategy = schema()[path.replace(":path", "")][method].as_strategy()

    @settings(
        max_examples=15,
        deadline=None,
        derandomize=True,
        database=None,
        phases=(Phase.explicit, Phase.generate),
        suppress_health_check=list(HealthCheck),
    )
    @given(case=strategy)
    def attack(case: Any) -> None:
        sent = case.as_transport_kwargs(base_url="http://testserver")
        headers = {
            k: v for k, v in (sent.pop("headers") or {}).items() if k.lower() not in ("user-agent", "x-csrf-token")
        }
        answer = client.request(
            sent["method"],
            sent["url"],
            params=sent.get("params"),
            headers=headers,
            json=sent.get("json"),
            data=sent.get("data"),
        )
        if "emonet" not in client.cookies:  # signed out, or left
            client.cookies.set("emonet", project.session("admin")[0])
        assert answer.status_code < 500, answer.text
        if answer.headers.get("content-type") == "application/json" and answer.status_code >= 400:
            assert json.loads(answer.text)["detail"]

    attack()
