"""/v1/estimate, /v1/caption and /v1/models."""

from __future__ import annotations

import base64
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from starlette.testclient import TestClient

from emonet.estimation import Estimates, load
from emonet.serve import ServeSettings

WHOLE = {"whole_audio": "true", "whole_image": "true", "values": "raw"}


def post(api: TestClient, *files: tuple[str, bytes], **fields: str) -> dict[str, Any]:
    answer = api.post("/v1/estimate", files=[("file", file) for file in files], data=WHOLE | fields)
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    return body


def test_a_batch_gives_the_rows_that_the_library_gives(
    api: TestClient, wav: bytes, png: bytes, settings: ServeSettings, tmp_path: Path
) -> None:
    """The same numbers as `emonet.load(...)(file)`, in the order of the files."""
    body = post(api, ("a.wav", wav), ("b.png", png))
    (tmp_path / "a.wav").write_bytes(wav)
    (tmp_path / "b.png").write_bytes(png)
    face, voice = settings.models
    expected: list[Any] = [*load(voice, whole_audio=True)(tmp_path / "a.wav")]
    expected += load(face, whole_image=True)(tmp_path / "b.png")
    columns = Estimates(expected).dimensions
    assert [row["source"] for row in body["estimates"]] == [Path(item.source).name for item in expected]
    for row, item in zip(body["estimates"], expected, strict=True):
        wanted = item.to_row(values="raw", dimensions=columns)
        assert {k: row[k] for k in ("status", "start_s", "end_s", "scale")} == {
            k: wanted[k] for k in ("status", "start_s", "end_s", "scale")
        }
        for key in columns:
            assert row[key] == (None if wanted[key] is None else pytest.approx(wanted[key], rel=1e-5, abs=1e-6))


def test_a_reply_says_what_its_numbers_are(api: TestClient, png: bytes) -> None:
    """Scale, model, revision, licence, that it is perceived intensity, and where the reliability is found."""
    body = post(api, ("b.png", png), top="2")
    (model,) = body["models"]
    assert model["meaning"] == "perceived intensity"
    assert model["licence"] == "Apache-2.0"
    assert model["revision"] == body["estimates"][0]["revision"]
    assert body["estimates"][0]["scale"] == "raw"
    assert "*" in model["scale"]
    card = api.get(model["reliability"]).json()
    assert card["reliability"]["anger"][0]["value"] == 0.7
    assert card["reliability"]["fear"] == []
    assert len(body["top"][0]["models"]["test/face"]) == 2


def test_json_with_base64_is_the_same_request(api: TestClient, png: bytes) -> None:
    """Both forms of a request give equal rows."""
    sent = {"files": [{"name": "b.png", "data": base64.b64encode(png).decode()}], "whole_image": True, "values": "raw"}
    answer = api.post("/v1/estimate", json=sent)
    assert answer.json()["estimates"] == post(api, ("b.png", png))["estimates"]


def test_company_in_a_batch_changes_nothing(api: TestClient) -> None:
    """Sixteen requests at once give what each gives alone."""
    from made_uploads import grey

    files = [(f"{level}.png", grey((40 + level, 50), level)) for level in range(10, 170, 10)]
    alone = [post(api, file)["estimates"] for file in files]
    with ThreadPoolExecutor(16) as pool:
        together = list(pool.map(lambda file: post(api, file)["estimates"], files))
    for one, other in zip(alone, together, strict=True):
        for key, value in one[0].items():
            assert other[0][key] == (pytest.approx(value, rel=1e-5) if isinstance(value, float) else value)
    text = api.get("/metrics").text
    assert 'emonet_requests_total{route="/v1/estimate",status="200"}' in text


def test_one_bad_file_of_several_becomes_a_row(api: TestClient, png: bytes) -> None:
    """The others are scored; the row says what is wrong."""
    good, bad = post(api, ("b.png", png), ("c.png", png[:60]))["estimates"]
    assert good["status"] == "ok"
    assert bad["status"] == "unreadable"
    assert bad["source"] == "c.png"


@pytest.mark.parametrize(
    ("name", "content", "fields", "status", "code"),
    [
        ("a.bin", b"hello", {}, 415, "unknown_media"),
        ("a.png", b"", {}, 422, "unreadable"),
        ("a.png", b"\x89PNG\r\n\x1a\n", {}, 422, "unreadable"),
        ("a.wav", b"RIFF\0\0\0\0WAVE", {}, 422, "unreadable"),
        ("a.png", b"\x89PNG\r\n\x1a\n", {"values": "best"}, 422, "invalid"),
        ("a.png", b"\x89PNG\r\n\x1a\n", {"windows": "3"}, 422, "invalid"),
        ("a.png", b"\x89PNG\r\n\x1a\n", {"model": "other"}, 404, "not_found"),
    ],
)
def test_refusals_are_typed(
    api: TestClient, name: str, content: bytes, fields: dict[str, str], status: int, code: str
) -> None:
    """Problem details with a code for programs and a sentence without a path of this machine."""
    answer = api.post("/v1/estimate", files={"file": (name, content)}, data=fields)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert answer.headers["content-type"] == "application/problem+json"
    assert "emonet-serve-" not in answer.text


def test_captions_of_scores_and_files(api: TestClient, png: bytes) -> None:
    """A model without a baseline is refused with the reason, not with a wrong caption."""
    answer = api.post("/v1/caption", json={"scores": {"anger": 3.0}, "model": "test/voice"})
    assert answer.status_code == 422
    assert "baseline" in answer.json()["detail"]
    assert api.post("/v1/caption", json={"scores": {"anger": 3.0}, "template": "x"}).status_code == 422


def test_models_tell_the_limits(api: TestClient) -> None:
    """Cards, limits, and that nothing is stored."""
    body = api.get("/v1/models").json()
    assert [card["id"] for card in body["models"]] == ["test/face", "test/voice"]
    assert body["limits"]["max_bytes"] == 2_000_000
    assert body["stores"] is False
    assert np.isclose(body["models"][0]["metrics"][0]["value"], 0.8)
