"""A server on this machine that speaks OpenAI's protocol as far as it is used here, failures included."""

from __future__ import annotations

import base64
import json
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Answer = Callable[[str, dict[str, Any]], Any]
"""Called with the path after /v1 and the body; see `openai_server`."""


@dataclass(frozen=True, slots=True)
class Failure:
    """An answer that is none. `status` 0 cuts the connection; `delay_s`: waits before it answers with `then`."""

    status: int = 500
    message: str = "made to fail"
    headers: Mapping[str, str] = field(default_factory=dict)
    delay_s: float = 0.0
    then: Any = None


@dataclass(slots=True)
class Server:
    """`url`: with /v1. `requests`: path and body of every request, in the order of arrival."""

    url: str
    requests: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)


@contextmanager
def openai_server(answer: Answer) -> Iterator[Server]:
    """Run one. `answer` gives for chats a text or a dict (the whole message), for embeddings a list (the vector), for
    speech, pictures and audio chats bytes, for transcriptions a text; a `Failure` for any; a dict with "raw" is sent as
    it is."""
    server = Server("")

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            raw = self.rfile.read(int(self.headers["Content-Length"]))
            path = self.path.removeprefix("/v1")
            body = (
                _form(self.headers["Content-Type"], raw)
                if "multipart" in self.headers["Content-Type"]
                else json.loads(raw)
            )
            server.requests.append((path, body))
            server.keys.append(self.headers.get("Authorization", ""))
            said = answer(path, body)
            if isinstance(said, Failure) and said.delay_s:
                time.sleep(said.delay_s)
                said = said.then
            if isinstance(said, Failure):
                if not said.status:
                    self.close_connection = True
                    self.connection.shutdown(socket.SHUT_RDWR)
                    return
                self._send(said.status, json.dumps({"error": {"message": said.message}}).encode(), headers=said.headers)
                return
            kind, content = _reply(path, body, said)
            self._send(200, content, kind)

        def do_GET(self) -> None:  # a picture that a reply only named
            said = answer(self.path, {})
            self._send(200, said if isinstance(said, bytes) else b"", "image/png")

        def _send(
            self, status: int, content: bytes, kind: str = "application/json", headers: Mapping[str, str] | None = None
        ) -> None:
            try:
                self.send_response(status)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(content)))
                for name, value in (headers or {}).items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(content)
            except OSError:
                pass  # the client has left, as clients with a time limit do

        def log_message(self, *_: object) -> None:
            pass

    httpd = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    httpd.daemon_threads = True
    thread = threading.Thread(target=httpd.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    server.url = f"http://127.0.0.1:{httpd.server_address[1]}/v1"
    try:
        yield server
    finally:
        httpd.shutdown()
        httpd.server_close()
        thread.join()


def _reply(path: str, body: Mapping[str, Any], said: Any) -> tuple[str, bytes]:
    if isinstance(said, dict) and "raw" in said:
        return "application/json", json.dumps(said["raw"]).encode()
    if path == "/audio/speech":
        return "audio/wav", said
    if path == "/audio/transcriptions":
        return "application/json", json.dumps({"text": said}).encode()
    if path == "/images/generations":
        held = {"url": said} if isinstance(said, str) else {"b64_json": base64.b64encode(said).decode()}
        return "application/json", json.dumps({"data": [held]}).encode()
    if path == "/embeddings":
        usage = {"prompt_tokens": 3, "total_tokens": 3}
        return "application/json", json.dumps({"data": [{"embedding": said}], "usage": usage}).encode()
    message: dict[str, Any] = {"role": "assistant", "content": said if isinstance(said, str) else None}
    if isinstance(said, bytes):
        message["audio"] = {"data": base64.b64encode(said).decode(), "transcript": "as said"}
    if isinstance(said, dict):
        message |= said
    usage = {"prompt_tokens": 20, "completion_tokens": 10}
    whole = {"choices": [{"message": message, "finish_reason": "stop"}], "usage": usage, "model": body.get("model")}
    return "application/json", json.dumps(whole).encode()


def _form(kind: str, raw: bytes) -> dict[str, Any]:
    """Fields of a multipart body; files as bytes."""
    message = message_from_bytes(b"Content-Type: " + kind.encode() + b"\r\n\r\n" + raw)
    fields: dict[str, Any] = {}
    for part in message.get_payload():  # type: ignore[union-attr]
        name = part.get_param("name", header="content-disposition")  # type: ignore[union-attr]
        content = part.get_payload(decode=True)  # type: ignore[union-attr]
        fields[str(name)] = content if part.get_filename() else content.decode()  # type: ignore[union-attr]
    return fields
