"""Asking a service: every kind of request, every failure, and nothing paid twice."""

from __future__ import annotations

import sqlite3
import threading
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from emonet.errors import ModelError, UnknownNameError, UsageError
from emonet.services import Endpoint, Reply, Request, ask, chat_body, estimate_cost, json_reply, read_account
from openai_server import Failure, openai_server


def endpoint(url: str, **changes: Any) -> Endpoint:
    return Endpoint(url, "made-1", **{"backoff_s": 0.01, **changes})


def chat(key: str, words: str = "", **changes: Any) -> Request:
    return Request(key, "chat", chat_body("You answer.", words or key), **changes)


def test_every_kind_of_request(tmp_path: Path) -> None:
    """What is sent and what comes back, six kinds in one run."""
    answers: dict[str, Any] = {
        "/chat/completions": "a word",
        "/audio/speech": b"RIFFspeech",
        "/images/generations": b"\x89PNG",
        "/audio/transcriptions": "as heard",
        "/embeddings": [0.5, -1.0],
    }

    def answer(path: str, body: dict[str, Any]) -> Any:
        return b"RIFFchat" if "modalities" in body else answers[path]

    requests = [
        chat("chat"),
        Request("speech", "speech", {"input": "Oh!", "voice": "ash", "response_format": "wav"}),
        Request("image", "image", {"prompt": "a face", "response_format": "b64_json"}),
        Request("said", "audio_chat", {"messages": [], "modalities": ["text", "audio"]}),
        Request("heard", "transcription", {"language": "en"}, file=b"RIFFfile"),
        Request("vector", "embedding", {"input": "joy"}),
    ]
    with openai_server(answer) as server:
        found = {reply.key: reply for reply in ask(requests, endpoint(server.url), cache=tmp_path)}
    assert {key: reply.status for key, reply in found.items()} == dict.fromkeys(found, "ok")
    assert found["chat"].text == "a word"
    assert found["speech"].data == b"RIFFspeech"
    assert found["image"].data == b"\x89PNG"
    assert (found["said"].data, found["said"].text) == (b"RIFFchat", "as said")
    assert found["heard"].text == "as heard"
    assert found["vector"].vector == (0.5, -1.0)
    sent = dict(server.requests)
    assert sent["/audio/transcriptions"] == {"language": "en", "model": "made-1", "file": b"RIFFfile"}
    assert all(body["model"] == "made-1" for _, body in server.requests)


def test_a_second_run_asks_nothing(tmp_path: Path) -> None:
    """Also under another key of the caller's; other words are another question."""
    with openai_server(lambda *_: "yes") as server:
        service = endpoint(server.url)
        list(ask([chat("a", "same"), chat("b")], service, cache=tmp_path))
        again = list(ask([chat("c", "same"), chat("b")], service, cache=tmp_path))
        assert len(server.requests) == 2
        assert all(reply.cached and reply.status == "ok" for reply in again)
        list(ask([chat("a", "other")], service, cache=tmp_path))
        assert len(server.requests) == 3


def test_failures_are_tried_again(tmp_path: Path) -> None:
    """A 500, a 429 with its wait, a cut connection and a timeout come before each answer."""
    failures = [
        Failure(500),
        Failure(429, headers={"Retry-After": "0.05"}),
        Failure(0),
        Failure(delay_s=1.5, then="too late"),
    ]
    seen: Counter[str] = Counter()

    def answer(_: str, body: dict[str, Any]) -> Any:
        words = body["messages"][1]["content"]
        seen[words] += 1
        return failures[int(words)] if seen[words] == 1 else "fine"

    with openai_server(answer) as server:
        service = endpoint(server.url, timeout_s=0.8)
        found = list(ask([chat(str(i)) for i in range(4)], service, cache=tmp_path))
    assert [reply.status for reply in found] == ["ok"] * 4
    assert sorted(reply.attempts for reply in found) == [2, 2, 2, 2]


def test_an_unusable_answer_is_told_what_is_wrong(tmp_path: Path) -> None:
    """The model hears the fault, and answers better; one that never does is given up and says why."""

    def answer(_: str, body: dict[str, Any]) -> Any:
        if body["messages"][1]["content"] == "stubborn":
            return "no"
        told = body["messages"][-1]["content"]
        return "YES" if "wants capitals" in told else "yes"

    def check(reply: Reply) -> str:
        return "" if reply.text.isupper() else "wants capitals"

    with openai_server(answer) as server:
        requests = [chat("a", check=check), chat("stubborn", check=check)]
        found = {one.key: one for one in ask(requests, endpoint(server.url, max_attempts=3), cache=tmp_path)}
        assert (found["a"].text, found["a"].attempts) == ("YES", 2)
        assert (found["stubborn"].status, found["stubborn"].message) == ("unusable", "wants capitals")
        before = len(server.requests)
        again = list(ask([chat("stubborn", check=check)], endpoint(server.url, max_attempts=3), cache=tmp_path))
        assert (again[0].status, len(server.requests)) == ("unusable", before)


@pytest.mark.parametrize(
    "said",
    [{"refusal": "I would rather not."}, Failure(400, "flagged: content_policy_violation")],
    ids=["by the model", "by a filter"],
)
def test_refusals_are_final(tmp_path: Path, said: Any) -> None:
    with openai_server(lambda *_: said) as server:
        (reply,) = ask([chat("a")], endpoint(server.url), cache=tmp_path)
        (again,) = ask([chat("a")], endpoint(server.url), cache=tmp_path)
    assert (reply.status, again.status, len(server.requests)) == ("refused", "refused", 1)
    assert reply.message


def test_a_wrong_key_ends_the_run(tmp_path: Path) -> None:
    """No further money or time is spent on a service that will never answer."""
    with (
        openai_server(lambda *_: Failure(401, "bad key")) as server,
        pytest.raises(ModelError, match=r"401.*Check key"),
    ):
        list(ask([chat(str(i)) for i in range(50)], endpoint(server.url, concurrency=2), cache=tmp_path))
    assert len(server.requests) <= 4


def test_a_request_that_will_never_do_is_left_alone(tmp_path: Path) -> None:
    """One prompt too long does not stop the others."""

    def answer(_: str, body: dict[str, Any]) -> Any:
        return Failure(400, "too long") if body["messages"][1]["content"] == "long" else "fine"

    with openai_server(answer) as server:
        found = {one.key: one for one in ask([chat("long"), chat("short")], endpoint(server.url), cache=tmp_path)}
    assert found["short"].status == "ok"
    assert (found["long"].status, found["long"].attempts) == ("error", 1)
    assert "too long" in found["long"].message


def test_the_budget_holds(tmp_path: Path) -> None:
    """What is spent, in this run and before, never exceeds it; what was not asked says so."""
    with openai_server(lambda *_: "fine") as server:
        service = endpoint(server.url, price_request=1.0, budget=3.0)
        found = list(ask([chat(str(i)) for i in range(5)], service, cache=tmp_path))
        assert Counter(reply.status for reply in found) == {"ok": 3, "not_asked": 2}
        assert read_account(tmp_path).cost == 3.0
        later = list(ask([chat("another")], service, cache=tmp_path))
        assert later[0].status == "not_asked"
        assert "budget" in later[0].message
        assert len(server.requests) == 3


def test_a_caller_that_leaves_loses_nothing(tmp_path: Path) -> None:
    """Replies under way when the caller stops are kept, and none is begun afterwards."""
    begun = threading.Event()

    def answer(*_: Any) -> Any:
        begun.set()
        return Failure(delay_s=0.2, then="fine")

    with openai_server(answer) as server:
        service = endpoint(server.url, concurrency=2)
        replies = ask([chat(str(i)) for i in range(40)], service, cache=tmp_path)
        next(replies)
        replies.close()  # type: ignore[attr-defined]
        sent = len(server.requests)
        assert sent < 8
        assert read_account(tmp_path).replies == sent


def test_a_picture_behind_an_address_is_fetched(tmp_path: Path) -> None:
    """The cache holds the picture: the address may be gone tomorrow."""

    def answer(path: str, body: dict[str, Any]) -> Any:
        return b"\x89PNG" if not body else server.url.removesuffix("/v1") + "/made.png"

    with openai_server(answer) as server:
        request = Request("a", "image", {"prompt": "a face"})
        assert next(ask([request], endpoint(server.url), cache=tmp_path)).data == b"\x89PNG"
    (again,) = ask([request], endpoint(server.url), cache=tmp_path)
    assert again.data == b"\x89PNG"


def test_a_picture_whose_address_has_expired_stops_nobody(tmp_path: Path) -> None:
    """It was answered and paid for, so it counts; the other pictures still come."""

    def answer(_: str, body: dict[str, Any]) -> Any:
        return "http://127.0.0.1:9/gone.png" if body["prompt"] == "gone" else b"\x89PNG"

    with openai_server(answer) as server:
        service = endpoint(server.url, max_attempts=1, price_request=1.0)
        requests = [Request(words, "image", {"prompt": words}) for words in ("gone", "there")]
        found = {reply.key: reply for reply in ask(requests, service, cache=tmp_path)}
    assert (found["gone"].status, found["there"].status) == ("unusable", "ok")
    assert "could not be fetched" in found["gone"].message
    assert read_account(tmp_path).cost == 2.0


@pytest.mark.parametrize(
    ("refused", "message"),
    [
        ("max_tokens", "Unsupported parameter: 'max_tokens'. Use 'max_completion_tokens' instead."),
        ("response_format", "response_format of type json_schema is not supported"),
    ],
)
def test_a_server_is_asked_in_its_own_form(tmp_path: Path, refused: str, message: str) -> None:
    """Servers differ in two fields; their refusal tells, and all further requests have the other form."""

    def answer(_: str, body: dict[str, Any]) -> Any:
        return Failure(400, message) if refused in body else "{}"

    requests = [Request(str(i), "chat", chat_body("You answer.", str(i), schema={"type": "array"})) for i in range(9)]
    said: list[str] = []
    with openai_server(answer) as server:
        found = list(ask(requests, endpoint(server.url, concurrency=1), cache=tmp_path, progress=said.append))
    assert {reply.status for reply in found} == {"ok"}
    assert len(server.requests) == 10
    body = server.requests[-1][1]
    assert ("max_completion_tokens" in body) == (refused == "max_tokens")
    assert ('{"type": "array"}' in body["messages"][0]["content"]) == (refused == "response_format")
    assert len(said) == 1


def test_the_same_question_under_two_keys_is_asked_once(tmp_path: Path) -> None:
    """Also when both are under way at once."""
    with openai_server(lambda *_: Failure(delay_s=0.1, then="fine")) as server:
        found = list(ask([chat(str(i), "same") for i in range(4)], endpoint(server.url), cache=tmp_path))
    assert sorted(reply.key for reply in found) == ["0", "1", "2", "3"]
    assert {reply.status for reply in found} == {"ok"}
    assert len(server.requests) == 1


def test_a_reply_that_was_kept_but_not_priced_counts(tmp_path: Path) -> None:
    """A process killed between the two must not make room in the budget."""
    with openai_server(lambda *_: "fine") as server:
        service = endpoint(server.url, price_request=1.0, budget=2.0, concurrency=1)
        list(ask([chat("a")], service, cache=tmp_path))
        with sqlite3.connect(tmp_path / "replies.sqlite") as kept:
            kept.execute("UPDATE attempts SET status = NULL, cost = NULL")
        kept.close()
        found = {one.key: one.status for one in ask([chat(k) for k in "abc"], service, cache=tmp_path)}
    assert found == {"a": "ok", "b": "ok", "c": "not_asked"}
    assert read_account(tmp_path).cost == 2.0


def test_costs_are_told_before(tmp_path: Path) -> None:
    """A dry run sends nothing and needs no server."""
    service = Endpoint("http://127.0.0.1:9/v1", "m", price_in=1.0, price_out=2.0)
    found = estimate_cost([chat(str(i)) for i in range(10)], service)
    assert (found.requests, found.tokens_out) == (10, 20_000)
    assert found.cost == pytest.approx((found.tokens_in + 2 * found.tokens_out) / 1e6)


def test_keys_come_from_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A remote service without one is refused by name; the key is sent and is nowhere in the cache."""
    monkeypatch.delenv("MADE_KEY", raising=False)
    with pytest.raises(UsageError, match="MADE_KEY"):
        list(ask([chat("a")], Endpoint("https://models.example/v1", "m", api_key_env="MADE_KEY"), cache=tmp_path))
    monkeypatch.setenv("MADE_KEY", "secret-1")
    with openai_server(lambda *_: "fine") as server:
        list(ask([chat("a")], endpoint(server.url, api_key_env="MADE_KEY"), cache=tmp_path))
    assert server.keys == ["Bearer secret-1"]
    assert all(b"secret-1" not in path.read_bytes() for path in tmp_path.iterdir())


def test_wrong_use_is_told(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="expected an address"):
        Endpoint("models.example", "m")
    with pytest.raises(UsageError, match="budget needs prices"):
        Endpoint("http://localhost/v1", "m", budget=1.0)
    with pytest.raises(UnknownNameError, match="speech"):
        Request("a", "speach", {})  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="a file belongs to a transcription"):
        Request("a", "transcription", {})
    with openai_server(lambda *_: "fine") as server, pytest.raises(UsageError, match="Two requests"):
        list(ask([chat("a"), chat("a")], endpoint(server.url), cache=tmp_path))


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ('{"a": 1}', {"a": 1}),
        ('```json\n{"a": 1}\n```', {"a": 1}),
        ('Here it is: {"a": [1, 2]} as asked.', {"a": [1, 2]}),
        ("[1, 2]", [1, 2]),
    ],
)
def test_json_in_an_answer(text: str, value: Any) -> None:
    """However the model wraps it."""
    assert json_reply(text) == value


def test_no_json_in_an_answer() -> None:
    with pytest.raises(ValueError, match="no JSON"):
        json_reply("I cannot.")
