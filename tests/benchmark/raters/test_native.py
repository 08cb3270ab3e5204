"""Anthropic's and Google's own protocols through their SDKs, against a server that speaks them."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from benchmark.raters.made_items import answer, chat_rater, faces, picture, recording, voices
from benchmark.raters.model_server import TOKENS_IN, TOKENS_OUT, ModelServer, Reply
from emonet.benchmark.raters import RaterRunner
from emonet.errors import ModelError, UsageError

ONE = TOKENS_IN * 2e-6 + TOKENS_OUT * 10e-6
KINDS = ("anthropic", "gemini")


@pytest.fixture
def server() -> Iterator[ModelServer]:
    with ModelServer().running() as running:
        yield running


def rater_of(kind: str, server: ModelServer, cache: Path, **settings: Any) -> RaterRunner:
    """A rater of the kind against the server, with a key."""
    return chat_rater(server.url, cache, type=kind, base_url=server.url, **settings)


@pytest.mark.parametrize("kind", KINDS)
def test_answers_tokens_and_money(kind: str, server: ModelServer, tmp_path: Path) -> None:
    """Answers, cached tokens and thinking are read and paid as with chat completions."""
    server.script = {"f0": [Reply(answer(anger=5))]}
    rated = rater_of(kind, server, tmp_path).rate(faces(2))
    assert rated.ratings.filter(pl.col("value") > 0).select("item", "dimension", "value").rows() == [("f0", "anger", 5)]
    assert rated.replies["tokens_in"].to_list() == [TOKENS_IN] * 2
    assert rated.replies["tokens_out"].to_list() == [TOKENS_OUT] * 2
    assert rated.replies["cost"].sum() == pytest.approx(2 * ONE)


@pytest.mark.parametrize("kind", KINDS)
def test_failures_have_their_status(kind: str, server: ModelServer, tmp_path: Path) -> None:
    """Refusals, cut answers, timeouts, server errors and broken connections are told apart; the SDK retries none."""
    server.script = {
        "f0": [Reply("", refusal="SAFETY", finish="refusal")],
        "f1": [Reply('{"emotions": [', finish="length")],
        "f2": [Reply(delay_s=3.0)],
        "f3": [Reply(status=503)],
        "f4": [Reply(broken=True), Reply(answer(anger=1))],
        "f5": [Reply(status=429, headers={"retry-after": "0.1"}), Reply(answer(anger=1))],
    }
    rated = rater_of(kind, server, tmp_path, max_attempts=2, timeout_s=0.7).rate(faces(7))
    statuses = ["refused", "malformed", "timeout", "error", "ok", "ok", "ok"]
    assert rated.replies["status"].to_list() == statuses, rated.replies["message"].to_list()
    assert rated.replies["attempts"].to_list() == [1, 2, 2, 2, 2, 2, 1]
    assert server.tries == {f"f{i}": n for i, n in enumerate([1, 2, 2, 2, 2, 2, 1])}


@pytest.mark.parametrize("kind", KINDS)
def test_a_second_run_sends_nothing(kind: str, server: ModelServer, tmp_path: Path) -> None:
    """The cache and `regenerate` work alike for every protocol."""
    rater = rater_of(kind, server, tmp_path)
    first, second = rater.rate(faces(2)), rater.rate(faces(2))
    assert len(server.requests) == 2
    assert second.replies.equals(first.replies)
    assert rater.regenerate(faces(2)).ratings.equals(first.ratings)  # type: ignore[attr-defined]


@pytest.mark.parametrize("kind", KINDS)
def test_models_without_schemas_are_asked_in_words(kind: str, server: ModelServer, tmp_path: Path) -> None:
    """A refused schema changes the form of later requests."""
    body = '{"error": {"message": "output_config.format: JSON schema is not supported by this model"}}'
    server.script = {"f0": [Reply(status=400, body=body), Reply(answer(anger=1))]}
    rated = rater_of(kind, server, tmp_path, concurrency=1).rate(faces(2))
    assert rated.replies["status"].to_list() == ["ok", "ok"]
    assert len(rated.notes) == 1
    schemas = ["chema" in json.dumps(sent) for _, sent, _ in server.requests]
    assert schemas == [True, False, False]


@pytest.mark.parametrize("kind", KINDS)
def test_a_wrong_key_ends_the_rater(kind: str, server: ModelServer, tmp_path: Path) -> None:
    """One error names the service's reason."""
    server.default = lambda _: Reply(status=403, body='{"error": {"message": "key not valid"}}')
    with pytest.raises(ModelError, match="HTTP 403: key not valid"):
        rater_of(kind, server, tmp_path).rate(faces(5))


def test_a_remark_follows_a_malformed_answer_at_anthropic(server: ModelServer, tmp_path: Path) -> None:
    """The Messages API gets picture and text, the model's answer and the remark; temperature and extras go along."""
    server.script = {"f0": [Reply("Angry."), Reply(answer(anger=1))]}
    rater_of("anthropic", server, tmp_path, temperature=0.2, extra={"top_k": 3}).rate(faces(1))
    body = server.requests[1][1]
    source = body["messages"][0]["content"][0]["source"]
    assert source == {"type": "base64", "media_type": "image/jpeg", "data": base64.b64encode(picture("f0")).decode()}
    assert [turn["role"] for turn in body["messages"]] == ["user", "assistant", "user"]
    assert body["messages"][1]["content"] == "Angry."
    assert (body["temperature"], body["top_k"], body["max_tokens"]) == (0.2, 3, 2000)
    assert body["output_config"]["format"]["type"] == "json_schema"
    assert "You rate facial expressions" in body["system"]


def test_a_remark_follows_a_malformed_answer_at_google(server: ModelServer, tmp_path: Path) -> None:
    """generateContent gets the recording inline, the model's answer and the remark."""
    server.script = {"v0": [Reply("Angry."), Reply(answer(anger=1))]}
    rated = rater_of("gemini", server, tmp_path, temperature=0.2, extra={"labels": {"a": "b"}}).rate(voices(1))
    assert rated.replies["status"].to_list() == ["ok"]
    body = server.requests[1][1]
    inline = body["contents"][0]["parts"][0]["inlineData"]
    assert (inline.get("mimeType") or inline.get("mime_type")) == "audio/wav"  # protobuf's JSON has both spellings
    assert base64.b64decode(inline["data"].replace("-", "+").replace("_", "/")) == recording("v0")
    assert [turn["role"] for turn in body["contents"]] == ["user", "model", "user"]
    assert body["contents"][1]["parts"][0]["text"] == "Angry."
    assert body["generationConfig"]["temperature"] == 0.2
    assert body["generationConfig"]["responseMimeType"] == "application/json"
    assert body["labels"] == {"a": "b"}
    assert "You rate vocal expressions" in json.dumps(body["systemInstruction"])


def test_google_can_name_its_delay_in_the_body(server: ModelServer, tmp_path: Path) -> None:
    """A 429 of Google's tells the delay as RetryInfo."""
    details = [{"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "0.5s"}]
    body = json.dumps({"error": {"code": 429, "message": "slow down", "details": details}})
    server.script = {"f0": [Reply(status=429, body=body), Reply(answer(anger=1))]}
    rated = rater_of("gemini", server, tmp_path).rate(faces(1))
    assert rated.replies.select("status", "attempts").row(0) == ("ok", 2)
    assert server.requests[1][2] - server.requests[0][2] >= 0.5


def test_anthropic_takes_no_recordings(server: ModelServer, tmp_path: Path) -> None:
    """Said before anything is sent."""
    with pytest.raises(UsageError, match="takes no recordings"):
        rater_of("anthropic", server, tmp_path).rate(voices(1))
    assert not server.requests
