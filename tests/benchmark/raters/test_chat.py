"""Prompted models over chat completions, against a real server on this machine."""

from __future__ import annotations

import base64
import json
import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from benchmark.raters.made_items import KEYS, answer, chat_rater, faces, picture, recording, voices
from benchmark.raters.model_server import TOKENS_IN, TOKENS_OUT, ModelServer, Reply, by_item, spread
from emonet.benchmark.raters import Rated
from emonet.errors import MissingExtraError, ModelError, UsageError

ONE = TOKENS_IN * 2e-6 + TOKENS_OUT * 10e-6
"""Price of one reply at the prices of `chat_rater`."""


@pytest.fixture
def server() -> Iterator[ModelServer]:
    with ModelServer().running() as running:
        yield running


def values(rated: Rated, item: str) -> dict[str, float]:
    """Ratings of an item by dimension."""
    rows = rated.ratings.filter(pl.col("item") == item)
    return dict(zip(rows["dimension"], rows["value"], strict=True))


def reply_of(rated: Rated, item: str) -> dict[str, Any]:
    """An item's row of replies."""
    return rated.replies.row(by_predicate=pl.col("item") == item, named=True)


def test_answers_become_ratings_and_absent_ones_zeros(server: ModelServer, tmp_path: Path) -> None:
    """Every emotion asked gets a value; what the model leaves out is 0, and an empty answer is all zeros."""
    server.script = {"f0": [Reply(answer(amusement=7, sadness=1))]}
    rated = chat_rater(server.url, tmp_path).rate(faces(2))
    assert values(rated, "f0") == {"amusement": 7, "anger": 0, "jealousy_envy": 0, "sadness": 1}
    assert values(rated, "f1") == dict.fromkeys(KEYS, 0)
    assert rated.ratings["protocol"].unique().to_list() == ["zero-shot"]
    assert rated.ratings["time"].null_count() == 0
    assert rated.replies["status"].to_list() == ["ok", "ok"]
    assert reply_of(rated, "f0")["dimension"] is None


def test_the_request_holds_file_taxonomy_scale_and_schema(server: ModelServer, tmp_path: Path) -> None:
    """The picture goes as a data URI as it is, the words name groups, emotions and scale, the schema every name."""
    chat_rater(server.url, tmp_path, temperature=0.5, max_tokens=300, extra={"seed": 7}).rate(faces(1))
    (_, body, _), text = server.requests[0], json.dumps(server.requests[0][1])
    file, words = body["messages"][1]["content"]
    assert file["image_url"]["url"] == "data:image/jpeg;base64," + base64.b64encode(picture("f0")).decode()
    assert all(name in words["text"] for name in ("Jealousy & Envy (", "Amusement (", "Positive High-Energy Emotions"))
    assert "a whole number from 0 to 7" in words["text"]
    names = body["response_format"]["json_schema"]["schema"]["properties"]["emotions"]["items"]["properties"]["emotion"]
    assert names["enum"] == ["Amusement", "Anger", "Jealousy & Envy", "Sadness"]
    assert (body["temperature"], body["max_tokens"], body["seed"], body["model"]) == (0.5, 300, 7, "made-1")
    assert "Example 1" not in text
    assert "f0" not in text.replace(base64.b64encode(picture("f0")).decode(), "")  # an item's name may give it away


def test_multi_shot_shows_examples_in_words(server: ModelServer, tmp_path: Path) -> None:
    """Worked examples are texts on the set's own scale, for the emotions that are asked only."""
    rater = chat_rater(server.url, tmp_path, prompt="multi-shot")
    rated = rater.rate(faces(1))
    words = server.requests[0][1]["messages"][1]["content"][1]["text"]
    assert 'Answer: {"emotions": [{"emotion": "Amusement", "intensity": 6}]}' in words
    assert 'Answer: {"emotions": []}' in words
    assert "Elation" not in words
    assert rater.rater.kind == "multi-shot"
    assert rated.ratings["protocol"].unique().to_list() == ["multi-shot"]


def test_one_emotion_at_a_time_where_the_set_asks_so(server: ModelServer, tmp_path: Path) -> None:
    """A set that asks one dimension an item gets one question each, with the dimension in the reply's row."""
    asked = pl.DataFrame({"item": ["f0", "f1"], "dimension": ["anger", "sadness"]})
    server.script = {"f0": [Reply('{"intensity": 5}')], "f1": [Reply('{"intensity": 0}')]}
    rated = chat_rater(server.url, tmp_path).rate(faces(3, asked=asked))
    assert rated.ratings.select("item", "dimension", "value").rows() == [("f0", "anger", 5), ("f1", "sadness", 0)]
    assert rated.replies["dimension"].to_list() == ["anger", "sadness"]
    words = by_item(server.requests)["f0"][0]["messages"][1]["content"][1]["text"]
    assert "Anger (" in words
    assert "Sadness" not in words


def test_one_by_one_can_be_asked_of_any_set(server: ModelServer, tmp_path: Path) -> None:
    """`mode = "one"` asks item by dimension, whatever the set."""
    server.default = lambda _: Reply('{"intensity": 3}')
    rated = chat_rater(server.url, tmp_path, mode="one").rate(faces(2))
    assert len(server.requests) == rated.replies.height == 8
    assert rated.ratings["value"].to_list() == [3.0] * 8


def test_yes_or_no_sets_are_answered_with_a_share(server: ModelServer, tmp_path: Path) -> None:
    """Where people say yes or no, a model gives the share of people who would say yes."""
    server.default = lambda _: Reply(answer(anger=0.25))
    rated = chat_rater(server.url, tmp_path).rate(faces(1, scale=(0.0, 1.0), levels=(0.0, 1.0)))
    assert values(rated, "f0")["anger"] == 0.25
    assert "share of attentive people" in server.requests[0][1]["messages"][1]["content"][1]["text"]


def test_another_scale_than_the_peoples(server: ModelServer, tmp_path: Path) -> None:
    """The voice paper asks models for 0..10 where people said 0, 1, 2; the rater then carries its own scale."""
    server.default = lambda _: Reply(answer(anger=10))
    rater = chat_rater(server.url, tmp_path, scale=[0, 10])
    rated = rater.rate(voices(1))
    assert rater.rater.scale == (0.0, 10.0)
    assert values(rated, "v0")["anger"] == 10
    assert chat_rater(server.url, tmp_path).rater.scale is None


def test_recordings_are_sent_as_wav(server: ModelServer, tmp_path: Path) -> None:
    """A WAV goes as it is, in a part of type input_audio."""
    chat_rater(server.url, tmp_path).rate(voices(1))
    file = server.requests[0][1]["messages"][1]["content"][0]
    assert file["type"] == "input_audio"
    assert file["input_audio"] == {"data": base64.b64encode(recording("v0")).decode(), "format": "wav"}


def test_refusals_malformed_answers_and_zeros_are_told_apart(server: ModelServer, tmp_path: Path) -> None:
    """Each way to give no answer has its own status, and none becomes a zero."""
    server.script = {
        "f0": [Reply("", refusal="I can't rate people.")],
        "f1": [Reply("", finish="content_filter")],
        "f2": [Reply("I'm sorry, but I can't help with that.")],
        "f3": [Reply("It looks quite happy.")],
        "f4": [Reply(answer(amusement=9))],
        "f5": [Reply('{"emotions": [{"emotion": "Ennui", "intensity": 3}]}')],
        "f6": [Reply('{"emotions": [{"emotion": "Amusement", "inten', finish="length")],
    }
    rated = chat_rater(server.url, tmp_path, max_attempts=2, max_tokens=99).rate(faces(8))
    assert rated.replies["status"].to_list() == ["refused"] * 3 + ["malformed"] * 4 + ["ok"]
    assert rated.replies["attempts"].to_list() == [1, 1, 1, 2, 2, 2, 2, 1]
    assert rated.ratings["item"].unique().to_list() == ["f7"]
    assert "a whole number from 0 to 7" in reply_of(rated, "f4")["message"]
    assert "Ennui" in reply_of(rated, "f5")["message"]
    assert "cut off at 99 tokens" in reply_of(rated, "f6")["message"]


def test_a_malformed_answer_is_followed_by_a_remark(server: ModelServer, tmp_path: Path) -> None:
    """The model sees its own unusable answer and what was wrong with it; both requests are paid for."""
    server.script = {"f0": [Reply("Happy!"), Reply(answer(amusement=4))]}
    rated = chat_rater(server.url, tmp_path).rate(faces(1))
    assert values(rated, "f0")["amusement"] == 4
    first, second = by_item(server.requests)["f0"]
    assert second["messages"][:2] == first["messages"]
    assert second["messages"][2] == {"role": "assistant", "content": "Happy!"}
    assert "no JSON object" in second["messages"][3]["content"]
    row = reply_of(rated, "f0")
    assert (row["attempts"], row["tokens_in"], row["tokens_out"]) == (2, 2 * TOKENS_IN, 2 * TOKENS_OUT)
    assert row["cost"] == pytest.approx(2 * ONE)


def test_failures_are_tried_again_and_counted(server: ModelServer, tmp_path: Path) -> None:
    """Server errors, broken connections and timeouts get further attempts; what stays is a status, not an error."""
    server.script = {
        "f0": [Reply(status=503), Reply(broken=True), Reply(answer(anger=2))],
        "f1": [Reply(status=500)],
        "f2": [Reply(delay_s=3.0)],
        "f3": [Reply(broken=True)],
    }
    rated = chat_rater(server.url, tmp_path, max_attempts=3, timeout_s=0.6).rate(faces(5))
    assert rated.replies["status"].to_list() == ["ok", "error", "timeout", "error", "ok"]
    assert rated.replies["attempts"].to_list() == [3, 3, 3, 3, 1]
    assert server.tries == {"f0": 3, "f1": 3, "f2": 3, "f3": 3, "f4": 1}
    assert "HTTP 500: told to fail" in reply_of(rated, "f1")["message"]
    assert rated.replies["cost"].sum() == pytest.approx(2 * ONE)  # what failed was not billed, as far as one can know
    assert reply_of(rated, "f2")["seconds"] >= 1.7


def test_too_many_requests_are_waited_out(server: ModelServer, tmp_path: Path) -> None:
    """HTTP 429 holds everybody for the time that Retry-After names, and does not use up the attempts."""
    busy = Reply(status=429, headers={"retry-after": "0.4"})
    server.script = {"f0": [busy, busy, busy, Reply(answer(anger=1))]}
    rated = chat_rater(server.url, tmp_path, max_attempts=1, concurrency=1).rate(faces(2))
    assert rated.replies["status"].to_list() == ["ok", "ok"]
    assert reply_of(rated, "f0")["attempts"] == 4
    assert spread(server.requests) >= 1.2


def test_waiting_has_an_end(server: ModelServer, tmp_path: Path) -> None:
    """After `max_waits` refusals for want of capacity the question is given up."""
    server.default = lambda _: Reply(status=429, headers={"retry-after": "0"})
    rated = chat_rater(server.url, tmp_path, max_waits=2).rate(faces(1))
    assert rated.replies.select("status", "attempts").row(0) == ("error", 3)
    assert "HTTP 429" in rated.replies["message"][0]


def test_a_wrong_key_ends_the_rater_at_once(server: ModelServer, tmp_path: Path) -> None:
    """Key, model name and empty accounts concern all requests: one error instead of thousands of rows."""
    server.default = lambda _: Reply(status=401, body='{"error": {"message": "Incorrect API key provided"}}')
    with pytest.raises(ModelError, match="made model: the service answers HTTP 401: Incorrect API key provided"):
        chat_rater(server.url, tmp_path, concurrency=2).rate(faces(30))
    assert len(server.requests) <= 4
    server.default = lambda _: Reply(
        status=429, body='{"error": {"code": "insufficient_quota", "message": "No money"}}'
    )
    with pytest.raises(ModelError, match="No money"):
        chat_rater(server.url, tmp_path / "other").rate(faces(1))


def test_a_model_that_takes_no_pictures_is_noticed(server: ModelServer, tmp_path: Path) -> None:
    """When every request is refused for its form, the rater gives up after a few."""
    server.default = lambda _: Reply(status=400, body='{"error": {"message": "image input is not supported"}}')
    with pytest.raises(ModelError, match="image input is not supported"):
        chat_rater(server.url, tmp_path, concurrency=1).rate(faces(30))
    assert len(server.requests) == 5


def test_one_bad_item_is_one_bad_row(server: ModelServer, tmp_path: Path) -> None:
    """A file that the service refuses, or that cannot be read, costs nobody else anything."""
    server.script = {"f1": [Reply(status=400, body='{"error": {"message": "image too large"}}')]}
    made = faces(3)
    assert made.read_media is not None
    read = made.read_media
    broken = replace(made, read_media=lambda item: b"not a picture" if item == "f2" else read(item))
    rated = chat_rater(server.url, tmp_path, concurrency=1).rate(broken)
    assert rated.replies["status"].to_list() == ["ok", "error", "error"]
    assert rated.replies["attempts"].to_list() == [1, 1, 0]
    assert "not a picture" in reply_of(rated, "f2")["message"]
    assert rated.replies["cost"].to_list() == [pytest.approx(ONE), None, None]


def test_a_filter_that_answers_400_is_a_refusal(server: ModelServer, tmp_path: Path) -> None:
    """Some gateways report their content filter as a bad request."""
    body = '{"error": {"code": "content_filter", "message": "The response was filtered"}}'
    server.default = lambda _: Reply(status=400, body=body)
    rated = chat_rater(server.url, tmp_path).rate(faces(1))
    assert rated.replies.select("status", "attempts").row(0) == ("refused", 1)


def test_servers_without_schemas_are_asked_in_words(server: ModelServer, tmp_path: Path) -> None:
    """A refused response_format or max_tokens field changes the form of all later requests, and is said."""
    refused = {
        "response_format": Reply(status=400, body='{"error": {"message": "response_format is not supported"}}'),
        "max_tokens": Reply(status=400, body='{"error": {"message": "Use max_completion_tokens instead"}}'),
    }
    original = server.next_reply

    def picky(item: str, body: dict[str, Any], headers: dict[str, str]) -> Reply:
        reply = original(item, body, headers)
        return next((refused[key] for key in refused if key in body), reply)

    server.next_reply = picky  # type: ignore[method-assign]
    said: list[str] = []
    rated = chat_rater(server.url, tmp_path, concurrency=1).rate(faces(3), progress=said.append)
    assert rated.replies["status"].to_list() == ["ok"] * 3
    assert rated.replies["attempts"].to_list() == [3, 1, 1]
    assert [("response_format" in body, "max_tokens" in body) for _, body, _ in server.requests][-1] == (False, False)
    assert len(rated.notes) == 2
    assert any("takes no JSON schema" in line for line in said)


def test_an_unknown_reply_is_an_error_that_is_tried_again(server: ModelServer, tmp_path: Path) -> None:
    """A gateway's page instead of a chat reply is no malformed answer of the model."""
    original = server.next_reply
    server.next_reply = lambda *given: replace(original(*given), status=200)  # type: ignore[method-assign]
    rated = chat_rater(server.url + "/messages", tmp_path, max_attempts=2).rate(faces(0))
    assert rated.replies.is_empty()
    server.script = {"f0": [Reply(status=200)]}
    rater = chat_rater(server.url, tmp_path, max_attempts=2, base_url=f"{server.url}/generateContent")
    rated = rater.rate(faces(1))
    assert rated.replies.select("status", "attempts").row(0) == ("error", 2)


def test_no_more_requests_at_once_than_allowed(server: ModelServer, tmp_path: Path) -> None:
    """`concurrency` is a bound, and is used."""
    server.default = lambda _: Reply(delay_s=0.1)
    chat_rater(server.url, tmp_path, concurrency=3).rate(faces(9))
    assert server.most_at_once == 3


def test_requests_keep_their_rate(server: ModelServer, tmp_path: Path) -> None:
    """600 requests a minute are one every 0.1 s, whatever the number of threads."""
    chat_rater(server.url, tmp_path, requests_per_minute=600, concurrency=8).rate(faces(8))
    times = sorted(at for _, _, at in server.requests)
    assert times[-1] - times[0] >= 0.55


def test_tokens_keep_their_rate(server: ModelServer, tmp_path: Path) -> None:
    """1,050 tokens a request at 315,000 a minute are one request every 0.2 s, once a reply has told so many."""
    chat_rater(server.url, tmp_path, tokens_per_minute=315_000, concurrency=1).rate(faces(4))
    assert 0.4 <= spread(server.requests) < 6


def test_the_budget_is_not_exceeded(server: ModelServer, tmp_path: Path) -> None:
    """Asking stops before the money is spent; the rest is said to be unasked, and a larger budget goes on."""
    said: list[str] = []
    server.default = lambda item: Reply(answer(anger=int(item[1:]) % 7))
    rater = chat_rater(server.url, tmp_path, budget=10.4 * ONE, concurrency=4, max_tokens=50)
    rated = rater.rate(faces(30), progress=said.append)
    assert len(server.requests) == rated.replies.filter(pl.col("attempts") > 0).height == 10
    assert rated.replies["cost"].sum() == pytest.approx(10 * ONE)
    assert "budget" in rated.replies.filter(pl.col("attempts") == 0)["message"][0]
    assert len(rated.notes) == 1
    assert any("budget" in line for line in said)
    again = chat_rater(server.url, tmp_path, budget=100 * ONE, max_tokens=50).rate(faces(30))
    assert again.replies["status"].to_list() == ["ok"] * 30
    assert len(server.requests) == 30


def test_a_reply_without_token_counts_is_budgeted_at_its_highest_price(server: ModelServer, tmp_path: Path) -> None:
    """A server that does not count tokens cannot outrun the budget: its cost is unknown, not nothing."""
    original = server.next_reply
    server.next_reply = lambda *given: replace(original(*given), counted=False)  # type: ignore[method-assign]
    rated = chat_rater(server.url, tmp_path, budget=0.02, max_tokens=500).rate(faces(9))
    asked = rated.replies.filter(pl.col("attempts") > 0)
    assert 0 < asked.height < 4
    assert asked["cost"].null_count() == asked.height


def test_one_answer_for_everything_is_remarked(server: ModelServer, tmp_path: Path) -> None:
    """A model that says the same of all items may not see them."""
    server.default = lambda _: Reply(answer(anger=3))
    assert "12 of 12 answers are identical" in chat_rater(server.url, tmp_path).rate(faces(12)).notes[0]
    server.default = lambda item: Reply(answer(anger=int(item[1:]) % 7))
    assert not chat_rater(server.url, tmp_path, model="other").rate(faces(12)).notes


def test_costs_without_prices_are_unknown(server: ModelServer, tmp_path: Path) -> None:
    """No price, no cost: null rather than 0; a price per request counts requests."""
    rated = chat_rater(server.url, tmp_path, price_in=None, price_out=None).rate(faces(1))
    assert rated.replies.select("tokens_in", "cost").row(0) == (TOKENS_IN, None)
    rated = chat_rater(server.url, tmp_path / "b", price_in=None, price_out=None, price_request=0.5).rate(faces(1))
    assert rated.replies["cost"].to_list() == [0.5]


def test_an_answer_is_asked_for_once(server: ModelServer, tmp_path: Path) -> None:
    """A second run sends nothing; another model, prompt or parameter asks anew; workers and prices do not matter."""
    first = chat_rater(server.url, tmp_path).rate(faces(3))
    again = chat_rater(server.url, tmp_path, concurrency=2, timeout_s=9, price_in=1.0).rate(faces(3))
    assert len(server.requests) == 3
    assert again.ratings.equals(first.ratings)
    assert again.replies.equals(first.replies)
    for change in ({"model": "made-2"}, {"prompt": "multi-shot"}, {"temperature": 1.0}, {"scale": (0, 10)}):
        before = len(server.requests)
        chat_rater(server.url, tmp_path, **change).rate(faces(1))
        assert len(server.requests) == before + 1, change


def test_unsettled_questions_are_asked_again(server: ModelServer, tmp_path: Path) -> None:
    """Timeouts and errors get new attempts in the next run; refusals and hopeless answers do not."""
    server.script = {
        "f0": [Reply(status=500), Reply(status=500), Reply(answer(anger=1))],
        "f1": [Reply("no"), Reply("no"), Reply(answer(anger=1))],
        "f2": [Reply("", refusal="no")],
    }
    first = chat_rater(server.url, tmp_path, max_attempts=2).rate(faces(3))
    assert first.replies["status"].to_list() == ["error", "malformed", "refused"]
    second = chat_rater(server.url, tmp_path, max_attempts=2).rate(faces(3))
    assert second.replies["status"].to_list() == ["ok", "malformed", "refused"]
    assert second.replies["attempts"].to_list() == [3, 2, 1]
    assert chat_rater(server.url, tmp_path, max_attempts=3).rate(faces(3)).replies["status"][1] == "ok"


def test_scores_come_from_kept_replies_without_network(server: ModelServer, tmp_path: Path) -> None:
    """`regenerate` gives the same tables with no server, no key and even no media."""
    server.script = {"f1": [Reply("", refusal="no")], "f2": [Reply("?"), Reply(answer(sadness=2))]}
    rater = chat_rater(server.url, tmp_path)
    rated = rater.rate(faces(4))
    count = len(server.requests)
    for made in (faces(4), replace(faces(4), read_media=None)):
        again = rater.regenerate(made)  # type: ignore[attr-defined]
        assert again.ratings.equals(rated.ratings)
        assert again.replies.equals(rated.replies)
    assert len(server.requests) == count
    more = rater.regenerate(faces(5))  # type: ignore[attr-defined]
    assert more.replies["message"][-1] == "not asked: no reply is kept"


def test_the_cache_holds_raw_replies_and_prompts_but_no_key(
    server: ModelServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What came back is kept as it came, with the words that were asked; the key is only ever sent."""
    monkeypatch.setenv("MADE_KEY", "sk-secret")
    server.script = {"f0": [Reply("junk"), Reply(answer(anger=1))]}
    rater = chat_rater(server.url, tmp_path, api_key_env="MADE_KEY")
    rater.rate(faces(1))
    assert server.headers[0]["authorization" if "authorization" in server.headers[0] else "Authorization"].endswith(
        "sk-secret"
    )
    with sqlite3.connect(tmp_path / "replies.sqlite") as connection:
        rows = connection.execute("SELECT state, status, body, tokens_in FROM attempts ORDER BY id").fetchall()
        texts = connection.execute("SELECT group_concat(text) FROM texts").fetchone()[0]
    connection.close()
    assert [(state, status) for state, status, _, _ in rows] == [("reply", "malformed"), ("reply", "ok")]
    assert json.loads(rows[0][2])["choices"][0]["message"]["content"] == "junk"
    assert "You rate facial expressions" in texts
    assert b"sk-secret" not in (tmp_path / "replies.sqlite").read_bytes()
    assert "sk-secret" not in str(rater.rater)


def test_a_missing_key_is_said_before_anything_is_sent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The message names the variable; a server on this machine needs none."""
    monkeypatch.delenv("MADE_KEY", raising=False)
    rater = chat_rater("https://models.invalid", tmp_path, api_key_env="MADE_KEY")
    with pytest.raises(UsageError, match="MADE_KEY"):
        rater.rate(faces(1))


def test_two_items_with_one_file_are_paid_for_once(server: ModelServer, tmp_path: Path) -> None:
    """Equal files share the answer; the second row says so and costs nothing."""
    made = faces(2)
    same = replace(made, read_media=lambda _: picture("f0"))
    rated = chat_rater(server.url, tmp_path).rate(same)
    assert len(server.requests) == 1
    assert rated.replies["message"].to_list() == [None, "same file as f0"]
    assert rated.replies["cost"].sum() == pytest.approx(ONE)
    assert rated.ratings.height == 8


def test_a_set_without_media_is_refused(server: ModelServer, tmp_path: Path) -> None:
    """There is nothing to look at."""
    with pytest.raises(UsageError, match="has no media"):
        chat_rater(server.url, tmp_path).rate(faces(1, read_media=None))


def test_a_missing_sdk_names_the_install_line(
    server: ModelServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without the extra the message says what to install."""
    import sys

    monkeypatch.setitem(sys.modules, "openai", None)
    with pytest.raises(MissingExtraError, match=r"emonet\[benchmark\]"):
        chat_rater(server.url, tmp_path).rate(faces(1))
