"""A small web server that can cut connections, refuse, and change files while they are read."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class FlakyServer:
    """`files`: path → bytes. `faults`: what happens to the next requests for bytes, in order: a number cuts the answer
    after so many bytes, ("status", 503) refuses, "whole" ignores the range, "stall" sends nothing. `requests`: (method,
    path, first byte asked for, Authorization)."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.files: dict[str, bytes] = {}
        self.answers: dict[str, Any] = {}
        self.faults: list[Any] = []
        self.requests: list[tuple[str, str, int, str | None]] = []
        self.ranges = True
        self.sizes = True

    def add(self, path: str, content: bytes) -> str:
        """Serve a file; its address."""
        self.files[path] = content
        return self.url + path

    def add_dataset(self, repo: str, files: dict[str, bytes], *, lfs: bool = True, commit: str = "c" * 40) -> None:
        """Serve a data set as the Hub does: its tree with digests, and its files."""
        tree = []
        for path, content in files.items():
            blob = hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()
            entry: dict[str, Any] = {"type": "file", "path": path, "size": len(content), "oid": blob}
            if lfs:
                digest = hashlib.sha256(content).hexdigest()
                entry["lfs"] = {"size": len(content), "oid": digest, "pointerSize": 130}
            tree.append(entry)
            self.files[f"/datasets/{repo}/resolve/{commit}/{path}"] = content
        info = {"id": repo, "sha": commit, "siblings": [], "tags": [], "private": False, "downloads": 0, "likes": 0}
        self.answers[f"/api/datasets/{repo}"] = info
        self.answers[f"/api/datasets/{repo}/revision/main"] = info
        self.answers[f"/api/datasets/{repo}/tree/{commit}"] = tree


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Any

    def do_HEAD(self) -> None:
        self._answer(body=False)

    def do_GET(self) -> None:
        self._answer(body=True)

    def log_message(self, format: str, *args: Any) -> None:
        pass

    def _answer(self, *, body: bool) -> None:
        world: FlakyServer = self.server.world
        path = self.path.split("?")[0]
        asked = self.headers.get("Range")
        start = int(asked.removeprefix("bytes=").split("-")[0]) if asked else 0
        world.requests.append((self.command, path, start, self.headers.get("Authorization")))
        if path in world.answers:
            self._send(200, json.dumps(world.answers[path]).encode(), {"Content-Type": "application/json"})
            return
        if path not in world.files:
            self._send(404, b"")
            return
        content = world.files[path]
        fault = world.faults.pop(0) if body and world.faults else None
        if isinstance(fault, tuple):
            self._send(fault[1], b"", {"Location": fault[2]} if len(fault) > 2 else {})
            return
        digest = hashlib.sha256(content).hexdigest()
        headers = {"ETag": f'"{digest}"', "X-Repo-Commit": "c" * 40, "Accept-Ranges": "bytes"}
        status = 200
        if asked and world.ranges and fault != "whole":
            if start >= len(content):
                self._send(416, b"", {"Content-Range": f"bytes */{len(content)}"})
                return
            status = 206
            headers["Content-Range"] = f"bytes {start}-{len(content) - 1}/{len(content)}"
            content = content[start:]
        self._send(status, content, headers, cut=fault if isinstance(fault, int) else None, body=body)

    def _send(
        self, status: int, content: bytes, headers: dict[str, str] | None = None, *, cut: int | None = None,
        body: bool = True,
    ) -> None:  # fmt: skip
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        if self.server.world.sizes:
            self.send_header("Content-Length", str(len(content)))
        else:
            self.send_header("Connection", "close")
            self.close_connection = True
        self.end_headers()
        if body:
            self.wfile.write(content if cut is None else content[:cut])
        if cut is not None:
            self.close_connection = True


@contextmanager
def flaky_server() -> Iterator[FlakyServer]:
    """A server on this machine, for the length of the block."""
    server: Any = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    server.daemon_threads = True
    server.world = FlakyServer(f"http://127.0.0.1:{server.server_address[1]}")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield server.world
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
