"""/v1/stream."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from starlette.testclient import TestClient

from emonet.serve import ServeSettings, create_app
from made_uploads import SMALL


def speech(seconds: float = 4.0, rate: int = 16_000) -> bytes:
    """Sound as int16 blocks; nobody speaks in it."""
    rng = np.random.default_rng(0)
    return (rng.normal(0, 3000, round(seconds * rate))).astype("<i2").tobytes()


def until_end(socket: Any) -> list[dict[str, Any]]:
    messages = [socket.receive_json()]
    while messages[-1]["type"] not in ("ended", "error"):
        messages.append(socket.receive_json())
    return messages


@pytest.mark.parametrize("by_query", [True, False])
def test_sound_goes_in_and_rolling_rows_come_out(api: TestClient, by_query: bool) -> None:
    """The settings come in the query or in a first message; each row tells its stretch of time."""
    query = "?sample_rate=8000&values=all" if by_query else ""
    with api.websocket_connect(f"/v1/stream{query}") as socket:
        if not by_query:
            socket.send_json({"type": "start", "sample_rate": 8000, "values": "all"})
        started = socket.receive_json()
        assert (started["type"], started["model"]["meaning"]) == ("started", "perceived intensity")
        sound = speech(4, 8000)
        for at in range(0, len(sound), 8000):
            socket.send_bytes(sound[at : at + 8000])
        socket.send_json({"type": "end"})
        *rows, end = until_end(socket)
    assert end == {"type": "ended", "seconds": 4.0}
    last = rows[-1]
    assert last["estimate"]["end_s"] == pytest.approx(4.0)
    assert last["estimate"]["status"] in ("ok", "no_speech")
    assert last["latency_ms"] < 5000


@pytest.mark.parametrize(
    ("query", "frame", "code"),
    [
        ("?sample_rate=1", b"", "invalid"),
        ("?what=1", b"", "invalid"),
        ("?model=other", b"", "not_found"),
        ("?model=test/face", b"", "unknown_media"),
        ("?sample_rate=16000", b"odd", "invalid"),
        ("?format=f32le", np.full(16_000, np.nan, "<f4").tobytes(), "invalid"),
    ],
)
def test_what_is_no_stream_is_told_and_closed(api: TestClient, query: str, frame: bytes, code: str) -> None:
    """The reason comes as a message, then the socket closes."""
    with api.websocket_connect(f"/v1/stream{query}") as socket:
        if frame:
            assert socket.receive_json()["type"] == "started"
            socket.send_bytes(frame)
            socket.send_json({"type": "end"})
        assert until_end(socket)[-1]["error"]["code"] == code


@pytest.mark.parametrize("text", ["", "[]", "{", '{"type": "stop"}', '{"sample_rate": "x"}', "[" * 5000])
def test_odd_first_messages_are_refused(api: TestClient, text: str) -> None:
    """Whatever comes first, the answer is a sentence."""
    with api.websocket_connect("/v1/stream") as socket:
        socket.send_text(text)
        assert until_end(socket)[-1]["type"] == "error"


def test_streams_are_counted_and_need_the_key_and_no_other_site(settings: ServeSettings) -> None:
    """A stream too many, a missing key and a page of another site are refused; the key may come in the query."""
    key = "s" * 32
    with TestClient(create_app(replace(settings, keys=(key,), limits=replace(SMALL, streams=1)))) as client:
        with client.websocket_connect("/v1/stream?sample_rate=16000") as socket:
            assert socket.receive_json()["error"]["code"] == "no_key"
        address = f"/v1/stream?sample_rate=16000&key={key}"
        with client.websocket_connect(address, headers={"origin": "https://elsewhere.example"}) as socket:
            assert socket.receive_json()["error"]["code"] == "no_key"
        with client.websocket_connect(address) as first:
            assert first.receive_json()["type"] == "started"
            with client.websocket_connect(address) as second:
                assert second.receive_json()["error"]["code"] == "queue_full"
