"""The typed client against a running server."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import numpy as np
import pytest

from emonet.client import Client, ServerRefusedError
from emonet.errors import UnreadableMediaError
from emonet.serve import ServeSettings
from tiny_models import face_bundle, picture, tone, voice_bundle  # noqa: F401  # fixtures

sys.path.insert(0, str(Path(__file__).parents[1] / "serve"))
from served import Served, served

KEY = "c" * 32


@pytest.fixture(scope="module")
def server(face_bundle: Path, voice_bundle: Path) -> Iterator[Served]:  # noqa: F811
    with served(ServeSettings(models=(str(face_bundle), str(voice_bundle)), keys=(KEY,))) as running:
        yield running


@pytest.fixture
def client(server: Served) -> Iterator[Client]:
    with Client(server.url, key=KEY) as made:
        yield made


def test_files_of_both_kinds_in_one_request(client: Client, picture, tone) -> None:  # type: ignore[no-untyped-def]  # noqa: F811
    """Paths and bytes; the reply tells the models and the strongest emotions."""
    reply = client.estimate([picture(), ("b.wav", tone().read_bytes())], values="raw", top=2, whole_image=True,
                            whole_audio=True)  # fmt: skip
    assert {row["source"] for row in reply.rows} == {"a.png", "b.wav"}
    assert [model["id"] for model in reply.models] == ["test/face", "test/voice"]
    assert len(reply.top) == 2
    assert reply.values == "raw"
    assert client.models()["stores"] is False


def test_refusals_are_errors_with_the_code(server: Served, client: Client, tmp_path: Path) -> None:
    """A wrong key, a file that is none, a path that is not there, a server that is not there."""
    with Client(server.url, key="wrong") as stranger, pytest.raises(ServerRefusedError, match="401"):
        stranger.models()
    with pytest.raises(ServerRefusedError) as caught:
        client.estimate(("a.bin", b"hello"))
    assert (caught.value.status, caught.value.code) == (415, "unknown_media")
    with pytest.raises(ServerRefusedError) as caught:
        client.caption(("a.bin", b"hello"))
    assert caught.value.status == 415
    with pytest.raises(UnreadableMediaError, match=r"none\.wav"):
        client.estimate(tmp_path / "none.wav")
    with Client("http://127.0.0.1:9", attempts=1) as nobody, pytest.raises(ServerRefusedError, match="does not answer"):
        nobody.models()


def test_a_stream_gives_rows_as_they_come(client: Client) -> None:
    """Rows with their latency; the last one reaches the end of the sound."""
    sound = np.random.default_rng(0).normal(0, 3000, 48_000).astype("<i2").tobytes()
    blocks = [sound[at : at + 16_000] for at in range(0, len(sound), 16_000)]
    replies = list(client.stream(blocks, values="raw"))
    assert replies[-1].row["end_s"] == pytest.approx(3.0)
    assert all(0 < reply.latency_s < 5 for reply in replies)
    with pytest.raises(ServerRefusedError, match="not_found"):
        list(client.stream(blocks, model="other"))


def test_a_busy_server_is_asked_again_after_what_it_says() -> None:
    """Two refusals with Retry-After, then the answer; other refusals are not repeated."""
    asked: list[str] = []

    class Busy(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_response(429 if len(asked) < 3 else 200)
            self.send_header("Retry-After", "0")
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"{}")

        def log_message(self, *_: object) -> None: ...

    with ThreadingHTTPServer(("127.0.0.1", 0), Busy) as busy:
        Thread(target=busy.serve_forever, daemon=True).start()
        with Client(f"http://127.0.0.1:{busy.server_port}") as client:
            assert client.models() == {}
        busy.shutdown()
    assert len(asked) == 3
