"""Words and vectors by services: words are checked in the text, failures lose nothing, nothing is asked twice."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("openai", reason="the services extra is not installed")
pytest.importorskip("sklearn", reason="the taxonomy extra is not installed")
from emonet.errors import ModelError, UsageError
from emonet.services import Endpoint
from emonet.taxonomy.derivation import Settings, derive, plan, read_review
from made_books import TEXT
from openai_server import Failure, Server, openai_server

_KNOWN = {
    "noun": "fear anxiety anger rage joy happiness delight sadness sorrow grief shame guilt envy jealousy foreboding",
    "adjective": "afraid anxious angry joyful sad ashamed envious jealous",
}
_SETTINGS = Settings(chunk_words=800, finder="service", resamples=0)


def _named(body: dict[str, Any]) -> str:
    """A model that knows some words and finds them in the text."""
    text = body["messages"][1]["content"].casefold()
    found = [
        {"word": word, "kind": kind}
        for kind, words in _KNOWN.items()
        for word in words.split()
        if re.search(rf"\b{word}\b", text)
    ]
    return json.dumps({"words": found})


@contextmanager
def _service(chat: Any = _named, vector: Any = None) -> Iterator[tuple[Server, Endpoint]]:
    def answer(path: str, body: dict[str, Any]) -> Any:
        return chat(body) if path == "/chat/completions" else vector(body["input"])

    with openai_server(answer) as server:
        yield server, Endpoint(server.url, "tiny", backoff_s=0.01, max_attempts=2, concurrency=2)


def test_a_model_finds_the_words(tmp_path: Path) -> None:
    """One call a chunk, each occurrence with its place; a second run asks nothing."""
    with _service() as (server, endpoint):
        done = derive(TEXT, tmp_path, _SETTINGS, endpoint=endpoint)
        assert len(server.requests) == done.chunks == 4
        body = server.requests[0][1]
        assert body["response_format"]["json_schema"]["strict"]
        derive(TEXT, tmp_path, _SETTINGS, endpoint=endpoint)
        (tmp_path / "mentions.jsonl").unlink()
        derive(TEXT, tmp_path, _SETTINGS, endpoint=endpoint)
        assert len(server.requests) == 4
    terms = {term.word: term for term in done.terms}
    text = TEXT.read_text(encoding="utf-8").casefold()
    assert terms["foreboding"].count == len(re.findall(r"\bforeboding\b", text))
    assert terms["anger"].words == ("anger", "angry")
    assert terms["anger"].by == ("service",)
    assert done.metrics["coverage_of_published_words"]["in_lexicon"] is None
    assert done.metrics["found_by"]["lexicon"] == 0


def test_words_that_do_not_occur_are_left_out_and_told(tmp_path: Path) -> None:
    """A few of them are noted; a reply that is mostly invented is asked for again with the fault."""
    told = []

    def invents(body: dict[str, Any]) -> str:
        words = json.loads(_named(body))["words"]
        told.append(len(body["messages"]))
        if len(body["messages"]) == 2:  # the first attempt
            return json.dumps({"words": [{"word": f"zorgness{k}", "kind": "noun"} for k in range(3)]})
        return json.dumps({"words": [*words, {"word": "zorgness", "kind": "noun"}]})

    with _service(invents) as (_, endpoint):
        done = derive(TEXT, tmp_path, _SETTINGS, endpoint=endpoint)
    assert "zorgness" not in {term.word for term in done.terms}
    rows = [json.loads(line) for line in (tmp_path / "mentions.jsonl").read_text(encoding="utf-8").splitlines()]
    assert all(row["invented"] == ["zorgness"] for row in rows)
    assert sorted(told) == [2, 2, 2, 2, 4, 4, 4, 4]


def test_failures_end_in_words_and_a_second_run_goes_on(tmp_path: Path) -> None:
    """Busy, broken, cut, fenced and malformed replies; a refusal names the chunk; what was answered is kept."""
    replies: list[Any] = [
        Failure(429, headers={"Retry-After": "0"}),
        Failure(500),
        Failure(0),
        "no JSON at all",
        "```json\n" + json.dumps({"words": [{"word": "fear", "kind": "noun"}]}) + "\n```",
    ]
    refuse = True

    def chat(body: dict[str, Any]) -> Any:
        if refuse and "LECTURE I." in body["messages"][1]["content"]:
            return {"refusal": "I would rather not."}
        return replies.pop(0) if replies else _named(body)

    with _service(chat) as (server, endpoint):
        patient = Endpoint(server.url, "tiny", backoff_s=0.01, max_attempts=5, concurrency=1, timeout_s=2)
        with pytest.raises(UsageError, match=r"1 of 4 chunks have no usable reply \(first: chunk 1, refused"):
            derive(TEXT, tmp_path, _SETTINGS, endpoint=patient)
        rows = [json.loads(line) for line in (tmp_path / "mentions.jsonl").read_text(encoding="utf-8").splitlines()]
        assert [row["status"] for row in rows] == ["refused", "ok", "ok", "ok"]
        refuse = False
        other = Endpoint(server.url, "tinier", backoff_s=0.01, concurrency=1)
        asked = len(server.requests)
        assert derive(TEXT, tmp_path, _SETTINGS, endpoint=other).chunks == 4
        assert len(server.requests) == asked + 4
        assert endpoint.model == "tiny"


def test_an_interrupted_run_asks_only_for_the_rest(tmp_path: Path) -> None:
    """What was answered when the user stopped it is not asked again."""

    def stop(line: str) -> None:
        if line == "words: 2 of 4 chunks":
            raise KeyboardInterrupt

    with _service() as (server, endpoint):
        slow = Endpoint(server.url, "tiny", concurrency=1)
        with pytest.raises(KeyboardInterrupt):
            derive(TEXT, tmp_path, _SETTINGS, endpoint=slow, progress=stop)
        assert 2 <= len(server.requests) <= 4
        derive(TEXT, tmp_path, _SETTINGS, endpoint=slow)
        assert len(server.requests) == 4
        assert endpoint.model == slow.model


def test_a_wrong_key_ends_at_once(tmp_path: Path) -> None:
    """No request will ever do."""
    with _service(lambda body: Failure(401, "wrong key")) as (server, endpoint), pytest.raises(ModelError, match="401"):
        derive(TEXT, tmp_path, _SETTINGS, endpoint=endpoint)
    assert len(server.requests) <= 2


def test_a_budget_leaves_chunks_unasked(tmp_path: Path) -> None:
    """They are named, and the plan says beforehand what all would take."""
    with _service() as (server, _):
        dear = Endpoint(server.url, "tiny", price_in=1000.0, price_out=1000.0, budget=1.0, concurrency=1)
        planned = plan(TEXT, _SETTINGS, endpoint=dear)
        assert planned.calls == 4
        assert planned.cost is not None
        assert planned.cost.cost is not None
        assert planned.cost.cost > 1
        assert not server.requests
        with pytest.raises(UsageError, match="not_asked"):
            derive(TEXT, tmp_path, _SETTINGS, endpoint=dear)


def test_an_embeddings_endpoint_groups_the_words(tmp_path: Path) -> None:
    """Words with like vectors come together, whatever the lexicon says; vectors are asked for once."""

    def vector(text: str) -> list[float]:
        cold = any(word in text for word in ("fear", "anxi", "sad", "sorrow", "grief"))
        return [1.0, 0.1, 0.0] if cold else [0.0, 0.1, 1.0]

    settings = Settings(chunk_words=800, finder="service", vectors="service", categories=2, resamples=3)
    with _service(vector=vector) as (server, endpoint):
        done = derive(TEXT, tmp_path, settings, endpoint=endpoint, embedding_endpoint=endpoint)
        asked = len(server.requests)
        derive(TEXT, tmp_path, settings, endpoint=endpoint, embedding_endpoint=endpoint)
        assert len(server.requests) == asked == 4 + len(done.terms)
    sections = [set(section.words) for section in read_review(done.review).categories]
    assert any({"fear", "sadness", "grief"} <= words and "anger" not in words for words in sections)
    assert done.metrics["stability"]["adjusted_rand"][0] == 1


@pytest.mark.parametrize(
    ("vector", "said"),
    [
        (lambda text: Failure(500), "gave no vector for .* words"),
        (lambda text: [1.0] * (2 + ("fear" in text)), "vectors of unequal length"),
    ],
)
def test_an_embeddings_endpoint_that_fails(tmp_path: Path, vector: Any, said: str) -> None:
    """The message says how many words are without."""
    settings = Settings(chunk_words=800, finder="service", vectors="service", resamples=0)
    with _service(vector=vector) as (_, endpoint), pytest.raises(UsageError, match=said):
        derive(TEXT, tmp_path, settings, endpoint=endpoint, embedding_endpoint=endpoint)
