"""The page's routes without a browser: headers, what is written into it, examples, and no other host anywhere."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from page_server import application
from starlette.testclient import TestClient

import emonet.serve.page
from emonet.taxonomy import EMOTIONS, GROUPS

STATIC = Path(emonet.serve.page.__file__).parents[1] / "static"


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> TestClient:
    """The page's application without a network."""
    return TestClient(application(tmp_path_factory.mktemp("router")))


def test_the_page_may_load_from_its_own_server_alone(client: TestClient) -> None:
    """A strict policy; camera and microphone for this page; never stored by a cache."""
    answer = client.get("/")
    policy = answer.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'")
    assert "unsafe" not in policy
    assert "http" not in policy
    assert "camera=(self)" in answer.headers["permissions-policy"]
    assert answer.headers["cache-control"] == "no-store"
    assert not re.search(r"<script(?![^>]*(src=|application/json))", answer.text)
    assert not re.search(r" style=| on[a-z]+=", answer.text)


def test_the_taxonomy_is_written_into_the_page(client: TestClient) -> None:
    """40 emotions in 7 groups, group by group, each with a short name that fits a spoke."""
    found = re.search(r'id="setup">(.*?)</script>', client.get("/").text, re.S)
    assert found is not None
    setup = json.loads(found[1])
    assert [group["name"] for group in setup["groups"]] == list(GROUPS)
    assert {emotion["key"] for emotion in setup["emotions"]} == {emotion.key for emotion in EMOTIONS}
    places = [emotion["group"] for emotion in setup["emotions"]]
    assert places == sorted(places)
    short = [emotion["short"] for emotion in setup["emotions"]]
    assert len(set(short)) == 40
    assert max(map(len, short)) <= 16


def test_no_file_names_another_host() -> None:
    """Scripts and styles hold no address but the names of XML's own namespaces."""
    for path in STATIC.rglob("*.*"):
        found = set(re.findall(r"https?://[^\s\"'`)]+", path.read_text(encoding="utf-8")))
        assert found <= {"http://www.w3.org/2000/svg", "http://localhost."}, path


def test_scripts_never_make_markup_from_text() -> None:
    """No innerHTML, eval or document.write: file names and messages stay text."""
    for path in STATIC.rglob("*.js"):
        text = path.read_text(encoding="utf-8")
        assert not re.search(r"innerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function", text), path


@pytest.mark.parametrize("name", ["nothing.png", "portrait.gif", "..%2Fsecret.png", "portrait.png%00.wav"])
def test_only_known_examples(client: TestClient, name: str) -> None:
    """Any other name is refused."""
    assert client.get(f"/examples/{name}").status_code in (404, 422)


def test_examples_are_media(client: TestClient) -> None:
    """A PNG and a WAV, cached by the browser."""
    pytest.importorskip("skimage", reason="the extra `demo` is not installed")
    pytest.importorskip("espeakng_loader", reason="the extra `demo` is not installed")
    picture, sound = client.get("/examples/portrait.png"), client.get("/examples/sentence.wav")
    assert picture.content[:4] == b"\x89PNG"
    assert sound.content[:4] == b"RIFF"
    assert "max-age" in sound.headers["cache-control"]
