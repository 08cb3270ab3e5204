"""Keys, limits, turns, the drain and the log."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import signal
import threading
from dataclasses import replace
from pathlib import Path

import httpx
import pytest
from served import served
from starlette.testclient import TestClient

from emonet.errors import UsageError
from emonet.serve import Limits, ServeSettings, create_app, read_keys, refuse_open_door
from emonet.serve._problems import Problem
from emonet.serve._queue import Turns
from made_uploads import SMALL, grey

KEY = "k" * 32


def test_without_a_key_only_the_page_and_health_answer(settings: ServeSettings, png: bytes) -> None:
    """Either header will do; a wrong key is refused like none."""
    with TestClient(create_app(replace(settings, keys=(KEY,)))) as client:
        assert client.get("/health").status_code == 200
        assert client.get("/").status_code == 200
        for headers in ({}, {"Authorization": "Bearer wrong"}, {"X-API-Key": KEY[:-1]}):
            answer = client.post("/v1/estimate", files={"file": ("a.png", png)}, headers=headers)
            assert (answer.status_code, answer.json()["code"]) == (401, "no_key")
            assert answer.headers["www-authenticate"] == "Bearer"
        assert client.get("/metrics").status_code == 401
        for headers in ({"Authorization": f"Bearer {KEY}"}, {"X-API-Key": KEY}):
            assert client.get("/v1/models", headers=headers).status_code == 200


def test_a_public_address_needs_keys() -> None:
    """Loopback is open by default, anything else is refused unless keys or --open are given."""
    for host in ("127.0.0.1", "::1", "localhost"):
        refuse_open_door(host, (), open_door=False)
    for host in ("0.0.0.0", "::", "192.0.2.1", "example.org"):
        with pytest.raises(UsageError, match="--keys"):
            refuse_open_door(host, (), open_door=False)
        refuse_open_door(host, (KEY,), open_door=False)
        refuse_open_door(host, (), open_door=True)


def test_keys_come_from_a_file_and_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Comments and empty lines are left out; short keys are refused without being repeated."""
    file = tmp_path / "keys"
    file.write_text(f"# ours\n{KEY}\n\n")
    monkeypatch.setenv("EMONET_API_KEYS", "e" * 20)
    assert read_keys(file) == ("e" * 20, KEY)
    file.write_text("tooshort\n")
    with pytest.raises(UsageError, match="16 characters") as caught:
        read_keys(file)
    assert "tooshort" not in str(caught.value)


def test_a_request_may_have_so_many_bytes(api: TestClient) -> None:
    """By its header, and by what really comes when the header says nothing."""
    big = b"\0" * (SMALL.max_bytes + 1)
    assert api.post("/v1/estimate", files={"file": ("a.png", big)}).status_code == 413

    def chunks() -> object:
        yield from (big[:100_000] for _ in range(40))

    answer = api.post("/v1/estimate", content=chunks(), headers={"content-type": "application/json"})
    assert (answer.status_code, answer.json()["code"]) == (413, "too_large")


def test_media_beyond_the_limits_are_refused(api: TestClient) -> None:
    """Pixels, seconds and files."""
    from made_uploads import hum

    many = [("file", (f"{i}.png", grey((8, 8)))) for i in range(5)]
    for files in ([("file", ("a.png", grey((1001, 1000))))], [("file", ("a.wav", hum(61, rate=8000)))], many):
        answer = api.post("/v1/estimate", files=files)
        assert (answer.status_code, answer.json()["code"]) == (413, "too_large"), answer.text


def test_a_client_has_its_rate(settings: ServeSettings) -> None:
    """The third request of a minute in which two are allowed waits thirty seconds."""
    limits = replace(SMALL, per_minute=2)
    with TestClient(create_app(replace(settings, limits=limits))) as client:
        codes = [client.post("/v1/estimate").status_code for _ in range(3)]
        assert codes[-1] == 429
        assert 25 <= int(client.post("/v1/estimate").headers["retry-after"]) <= 31


def test_clients_behind_a_proxy_have_a_rate_each(settings: ServeSettings) -> None:
    """Behind one proxy each address that it appends has its own rate, whatever the client itself claims."""
    limited = replace(settings, limits=replace(SMALL, per_minute=2), proxies=1)
    with TestClient(create_app(limited)) as client:

        def ask(claimed: str, seen: str) -> int:
            return client.post("/v1/estimate", headers={"x-forwarded-for": f"{claimed}, {seen}"}).status_code

        assert [ask(f"1.1.1.{i}", "9.9.9.9") for i in range(3)][-1] == 429
        assert ask("1.1.1.1", "8.8.8.8") != 429


def test_turns_are_bounded_and_go_round_the_clients() -> None:
    """A client with a full queue does not keep out or delay another one."""

    async def scene() -> None:
        turns = Turns(Limits(queue=8, running=1))
        order: list[str] = []
        gate = asyncio.Event()

        async def ask(client: str) -> None:
            async with turns.turn(client):
                order.append(client)
                await gate.wait()

        greedy = [asyncio.create_task(ask("greedy")) for _ in range(9)]
        await asyncio.sleep(0)
        refused = [task for task in greedy if task.done()]
        assert len(refused) == 1
        with pytest.raises(Problem) as caught:
            await refused[0]
        assert (caught.value.status, caught.value.code) == (429, "queue_full")
        assert caught.value.retry_after
        modest = asyncio.create_task(ask("modest"))
        left = greedy[5]
        await asyncio.sleep(0)
        left.cancel()
        gate.set()
        await asyncio.gather(*greedy, modest, return_exceptions=True)
        assert order.index("modest") <= 2
        assert order.count("greedy") == 7
        assert (turns.present, turns.waiting) == (0, 0)

    asyncio.run(scene())


def test_the_log_holds_no_content_names_or_keys(
    settings: ServeSettings, png: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    """One line of JSON a request: route, status, duration, size."""
    with (
        caplog.at_level(logging.INFO, "emonet.serve"),
        TestClient(create_app(replace(settings, keys=(KEY,)))) as client,
    ):
        headers = {"Authorization": f"Bearer {KEY}"}
        client.post("/v1/estimate?note=private", files={"file": ("private-name.png", png)}, headers=headers)
    line = json.loads(caplog.records[-1].getMessage())
    assert (line["event"], line["route"], line["status"]) == ("request", "/v1/estimate", 200)
    assert KEY not in caplog.text
    assert "private" not in caplog.text


def test_a_stop_finishes_what_was_accepted(settings: ServeSettings) -> None:
    """After SIGTERM new requests get 503 while the one under way is answered, then the server ends."""
    with served(settings) as server:
        state = server.app.state.serve
        engine, began, go_on = state.engine, threading.Event(), threading.Event()
        real = engine._pieces

        def slow(*arguments: object) -> object:
            began.set()
            go_on.wait(10)
            return real(*arguments)

        engine._pieces = slow
        answers: list[httpx.Response] = []
        send = lambda: answers.append(httpx.post(f"{server.url}/v1/estimate", files={"file": grey((32, 32))}))  # noqa: E731
        waiting = threading.Thread(target=send)
        waiting.start()
        assert began.wait(10)
        server.server.handle_exit(signal.SIGTERM, None)
        refused = httpx.post(f"{server.url}/v1/estimate", files={"file": b"x"})
        assert (refused.status_code, refused.json()["code"]) == (503, "stopping")
        assert "retry-after" in refused.headers
        assert httpx.get(f"{server.url}/ready").status_code == 503
        go_on.set()
        waiting.join(10)
        assert answers[0].status_code in (200, 422)
        server.thread.join(10)
        assert not server.thread.is_alive()


def test_nothing_is_left_on_disk(api: TestClient, png: bytes, wav: bytes, temporary: Path) -> None:
    """Temporary files are gone after good and bad requests, whatever the file was called."""
    for name, content in (("../../x.png", png), ("..\\x\0.wav", wav), ("/etc/passwd", png[:50]), ("x" * 3000, b"zip")):
        answer = api.post("/v1/estimate", files={"file": (name, content)})
        assert answer.status_code in (200, 415, 422), answer.text
        if answer.status_code == 200:
            assert "/" not in answer.json()["estimates"][0]["source"]
    assert os.listdir(temporary) == []
