"""A local model server for tests: chat completions, Messages, generateContent and Hume's two services over real HTTP.

What it answers is told by the item: a test puts a `Reply` for every try of an item into `script`, and each picture or
recording names its item in its content (see `made_items`). Everything that was asked is counted.
"""

from __future__ import annotations

import base64
import json
import re
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

TOKENS_IN, TOKENS_OUT = 1000, 50


@dataclass(frozen=True)
class Reply:
    """`text`: the model's words. `status`, `body`: an HTTP error. `refusal`, `finish`: fields of the message.
    `delay_s`: pause before the answer. `broken`: close the connection in the middle of the answer. `counted`: tell
    the tokens."""

    text: str = '{"emotions": []}'
    status: int = 200
    body: str = ""
    refusal: str | None = None
    finish: str = "stop"
    delay_s: float = 0.0
    broken: bool = False
    counted: bool = True
    headers: dict[str, str] = field(default_factory=dict)


class ModelServer:
    """`script`: replies to the tries of an item, the last one repeated; items without one get `default`. `requests`:
    (item, JSON body, time) of all requests; `most_at_once`: of requests that were open together."""

    def __init__(self) -> None:
        self.script: dict[str, list[Reply]] = {}
        self.default: Callable[[str], Reply] = lambda _: Reply()
        self.requests: list[tuple[str, dict[str, Any], float]] = []
        self.headers: list[dict[str, str]] = []
        self.most_at_once = 0
        self.jobs: dict[str, dict[str, Any]] = {}
        self.job_polls = 2
        self.hume: dict[str, Any] = {}
        self._tries: Counter[str] = Counter()
        self._open = 0
        self._lock = threading.Lock()
        self.url = ""

    @property
    def tries(self) -> dict[str, int]:
        """Requests by item."""
        return dict(self._tries)

    @contextmanager
    def running(self, port: int = 0) -> Iterator[ModelServer]:
        """Serve on `port`, by default a free one, until the block ends."""
        server = ThreadingHTTPServer(("127.0.0.1", port), self._handler())
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        self.url = f"http://127.0.0.1:{server.server_address[1]}"
        try:
            yield self
        finally:
            server.shutdown()
            server.server_close()
            thread.join()

    def next_reply(self, item: str, body: dict[str, Any], headers: dict[str, str]) -> Reply:
        """Note a request and find its reply."""
        with self._lock:
            self.requests.append((item, body, time.monotonic()))
            self.headers.append(headers)
            told = self.script.get(item)
            at = self._tries[item]
            self._tries[item] += 1
            self._open += 1
            self.most_at_once = max(self.most_at_once, self._open)
        return self.default(item) if not told else told[min(at, len(told) - 1)]

    def done(self) -> None:
        """Note that a request was answered."""
        with self._lock:
            self._open -= 1

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        model = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_: Any) -> None:
                pass

            def do_GET(self) -> None:
                _send(self, 200, json.dumps(_job(model, self.path)))

            def do_POST(self) -> None:
                raw = self.rfile.read(int(self.headers.get("content-length", 0)))
                if "/v1/expression/" in self.path or "/batch/jobs" in self.path:
                    _serve_hume(model, self, raw)
                    return
                body = json.loads(raw)
                item = _item_of(body)
                reply = model.next_reply(item, body, dict(self.headers))
                try:
                    time.sleep(reply.delay_s)
                    _answer(self, reply, body)
                except OSError:  # the client gave up
                    pass
                finally:
                    model.done()

        return Handler


def _answer(handler: BaseHTTPRequestHandler, reply: Reply, body: dict[str, Any]) -> None:
    if reply.status != 200:
        _send(handler, reply.status, reply.body or json.dumps({"error": {"message": "told to fail"}}), reply.headers)
        return
    path = handler.path
    wire = _messages if path.endswith("/messages") else _gemini if "generateContent" in path else _completions
    text = json.dumps(wire(reply, body))
    if reply.broken:
        handler.send_response(200)
        handler.send_header("content-type", "application/json")
        handler.send_header("content-length", str(len(text.encode())))
        handler.end_headers()
        handler.wfile.write(text.encode()[: len(text) // 2])
        handler.wfile.flush()
        handler.close_connection = True
        handler.connection.close()
        return
    _send(handler, 200, text, reply.headers)


def _send(handler: BaseHTTPRequestHandler, status: int, text: str, headers: dict[str, str] | None = None) -> None:
    data = text.encode()
    handler.send_response(status)
    handler.send_header("content-type", "application/json")
    handler.send_header("content-length", str(len(data)))
    for key, value in (headers or {}).items():
        handler.send_header(key, value)
    handler.end_headers()
    handler.wfile.write(data)


def _completions(reply: Reply, body: dict[str, Any]) -> dict[str, Any]:
    usage = {"prompt_tokens": TOKENS_IN, "completion_tokens": TOKENS_OUT, "total_tokens": TOKENS_IN + TOKENS_OUT}
    message = {"role": "assistant", "content": reply.text, "refusal": reply.refusal}
    return {
        "id": "chat-1", "object": "chat.completion", "created": 1, "model": body["model"],
        "choices": [{"index": 0, "message": message, "finish_reason": reply.finish, "logprobs": None}],
        "usage": usage if reply.counted else None,
    }  # fmt: skip


def _messages(reply: Reply, body: dict[str, Any]) -> dict[str, Any]:
    stop = {"stop": "end_turn", "length": "max_tokens"}.get(reply.finish, reply.finish)
    return {
        "id": "msg_1", "type": "message", "role": "assistant", "model": body["model"],
        "content": [{"type": "text", "text": reply.text}], "stop_reason": stop, "stop_sequence": None,
        "usage": {
            "input_tokens": TOKENS_IN - 100, "cache_read_input_tokens": 100, "cache_creation_input_tokens": 0,
            "output_tokens": TOKENS_OUT,
        },
    }  # fmt: skip


def _gemini(reply: Reply, body: dict[str, Any]) -> dict[str, Any]:
    del body
    usage = {"promptTokenCount": TOKENS_IN, "totalTokenCount": TOKENS_IN + TOKENS_OUT}
    if reply.refusal:
        return {"promptFeedback": {"blockReason": reply.refusal}, "usageMetadata": usage}
    finish = {"stop": "STOP", "length": "MAX_TOKENS"}.get(reply.finish, reply.finish)
    parts = [{"text": "a thought", "thought": True}, {"text": reply.text}]
    return {
        "candidates": [{"content": {"role": "model", "parts": parts}, "finishReason": finish, "index": 0}],
        "usageMetadata": {**usage, "candidatesTokenCount": TOKENS_OUT - 20, "thoughtsTokenCount": 20},
    }


def _item_of(body: dict[str, Any]) -> str:
    """Item whose name stands in the file that was sent."""
    found = re.findall(r'"(?:data:[^"]*?base64,)?([A-Za-z0-9+/=_-]{100,})"', json.dumps(body))
    for data in found:
        if name := _named(base64.b64decode(data.replace("-", "+").replace("_", "/"))):
            return name
    return "?"


def _named(data: bytes) -> str:
    """The name that a made picture or recording carries in its bytes (see `made_items`)."""
    match = re.search(rb"item=([\w.-]+);", data.replace(b"\0", b""))
    return match.group(1).decode() if match else ""


def _serve_hume(model: ModelServer, handler: BaseHTTPRequestHandler, raw: bytes) -> None:
    """Upload: the measurements at once. Jobs: a number, by which state and predictions are fetched."""
    item = _named(raw) or "?"
    parts = {
        key.decode(): value.decode("latin-1")
        for key, value in re.findall(rb'name="(json|config)"\r\n\r\n(.*?)\r\n', raw)
    }
    reply = model.next_reply(item, {"path": handler.path, "size": len(raw), **parts}, dict(handler.headers))
    try:
        time.sleep(reply.delay_s)
        if reply.status != 200:
            _send(handler, reply.status, reply.body or json.dumps({"type": "error", "message": "told to fail"}))
        elif "batch" in handler.path:
            job = f"job-{len(model.jobs) + 1}"
            model.jobs[job] = {"item": item, "looks": 0}
            _send(handler, 200, json.dumps({"job_id": job}))
        else:
            _send(handler, 200, json.dumps(model.hume[item]))
    finally:
        model.done()


def _job(model: ModelServer, path: str) -> Any:
    number = path.split("/jobs/")[1].split("/")[0]
    job = model.jobs[number]
    if path.endswith("/predictions"):
        return model.hume[job["item"]]
    job["looks"] += 1
    return {"job_id": number, "state": {"status": "COMPLETED" if job["looks"] >= model.job_polls else "IN_PROGRESS"}}


def spread(requests: list[tuple[str, dict[str, Any], float]]) -> float:
    """Seconds between the first and the last request."""
    times = [at for _, _, at in requests]
    return max(times) - min(times)


def by_item(requests: list[tuple[str, dict[str, Any], float]]) -> dict[str, list[dict[str, Any]]]:
    """Bodies by item, in order."""
    out: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for item, body, _ in requests:
        out[item].append(body)
    return out
