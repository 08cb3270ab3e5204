"""Whatever is sent to /v1, the server answers with rows or with a problem, never with an error of its own."""

from __future__ import annotations

from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from starlette.testclient import TestClient

ROUTES = {
    ("GET", "/health"), ("GET", "/ready"), ("GET", "/metrics"), ("GET", "/v1/models"), ("GET", "/v1/models/{model}"),
    ("POST", "/v1/estimate"), ("POST", "/v1/caption"), ("POST", "/predict"), ("POST", "/score"), ("GET", "/columns"),
    ("POST", "/rank"),
}  # fmt: skip


def test_every_route_is_described_and_the_bodies_have_examples(api: TestClient) -> None:
    """The document has the whole interface; the page's own routes are not in it."""
    paths = api.get("/openapi.json").json()["paths"]
    assert {(method.upper(), path) for path, methods in paths.items() for method in methods} == ROUTES
    for path in ("/v1/estimate", "/v1/caption"):
        content = paths[path]["post"]["requestBody"]["content"]
        assert set(content) == {"multipart/form-data", "application/json"}
        example = content["application/json"]["examples"]["one"]["value"]
        assert api.post(path, json=example).status_code == 422  # well-formed; silence, and no baseline


@pytest.mark.parametrize(("method", "path"), sorted(ROUTES))
def test_generated_requests(api: TestClient, method: str, path: str) -> None:
    """Fifteen requests that the document allows."""
    schema = schemathesis.openapi.from_dict(api.get("/openapi.json").json())

    @settings(
        max_examples=15,
        deadline=None,
        derandomize=True,
        database=None,
        phases=(Phase.explicit, Phase.generate),
        suppress_health_check=list(HealthCheck),
    )
    @given(case=schema[path][method].as_strategy())
    def attack(case: Any) -> None:
        sent = case.as_transport_kwargs(base_url="http://testserver")
        headers = {k: v for k, v in (sent.pop("headers") or {}).items() if k.lower() != "user-agent"}
        passed = {k: sent[k] for k in ("params", "json", "data", "files") if sent.get(k) is not None}
        if files := passed.get("files"):  # their values in the form that this client sends
            passed["files"] = [(name, _part(value)) for name, value in files]
        answer = api.request(sent["method"], sent["url"], headers=headers, **passed)
        assert answer.status_code < 500, answer.text
        if answer.headers["content-type"] == "application/problem+json":
            assert set(answer.json()) == {"type", "title", "status", "code", "detail"}

    attack()


def _part(value: Any) -> tuple[str | None, bytes]:
    """A generated part as a file; a field stays one without a name."""
    name, content = (value[0], value[1]) if isinstance(value, tuple) else ("upload", value)
    return name, content if isinstance(content, bytes) else str(content).encode("utf-8", "replace")
