"""The part of the Hugging Face Hub's interface that sending a data set needs, on this machine, kept in memory."""

from __future__ import annotations

import base64
import hashlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlparse


class Hub:
    """What was made and sent: `files` of the one branch, `requests` as "METHOD path"."""

    def __init__(self) -> None:
        self.address = ""
        self.files: dict[str, bytes] = {}
        self.large: dict[str, bytes] = {}
        self.created: list[dict[str, Any]] = []
        self.commits: list[list[dict[str, Any]]] = []
        self.requests: list[str] = []
        self.refuse = False


@contextmanager
def local_hub() -> Iterator[Hub]:
    """A server on a free port of this machine."""
    hub = Hub()
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(hub))
    hub.address = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield hub
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _handler(hub: Hub) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _body(self) -> bytes:
            hub.requests.append(f"{self.command} {urlparse(self.path).path}")
            if self.headers.get("Transfer-Encoding") != "chunked":
                return self.rfile.read(int(self.headers.get("Content-Length") or 0))
            out = b""
            while size := int(self.rfile.readline(), 16):
                out += self.rfile.read(size)
                self.rfile.readline()
            self.rfile.readline()
            return out

        def _answer(self, value: Any, status: int = 200) -> None:
            content = json.dumps(value).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def do_GET(self) -> None:
            self._body()
            path = urlparse(self.path).path
            if "/tree/" in path:
                self._answer(
                    [{"type": "file", "path": name, "size": len(c), "oid": "0"} for name, c in hub.files.items()]
                )
            elif "/revision/" in path or path.endswith("/api/datasets/me/set"):
                siblings = [{"rfilename": name} for name in hub.files]
                self._answer({"id": "me/set", "sha": "0" * 40, "siblings": siblings, "private": True})
            else:
                self._answer({"error": "not found"}, 404)

        def do_HEAD(self) -> None:
            self._body()
            self.send_response(404)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def do_PUT(self) -> None:
            content = self._body()
            hub.large[hashlib.sha256(content).hexdigest()] = content
            self._answer({})

        def do_POST(self) -> None:
            body = self._body()
            path = urlparse(self.path).path
            if hub.refuse:
                self._answer({"error": "no right to write"}, 403)
            elif path == "/api/repos/create":
                hub.created.append(json.loads(body))
                self._answer({"url": f"{hub.address}/datasets/me/set", "name": "me/set", "id": "1"})
            elif path == "/api/validate-yaml":
                self._answer({"errors": [], "warnings": []})
            elif "/preupload/" in path:
                files = json.loads(body)["files"]
                self._answer({"files": [_mode(file["path"]) for file in files]})
            elif path.endswith("/info/lfs/objects/batch"):
                self._answer(
                    {"transfer": "basic", "objects": [_object(hub, one) for one in json.loads(body)["objects"]]}
                )
            elif "/commit/" in path:
                self._commit([json.loads(line) for line in body.splitlines()])
            else:
                self._answer({"error": f"not known here: {path}"}, 404)

        def _commit(self, lines: list[dict[str, Any]]) -> None:
            hub.commits.append(lines)
            for line in lines:
                value = line["value"]
                if line["key"] == "file":
                    hub.files[value["path"]] = base64.b64decode(value["content"])
                elif line["key"] == "lfsFile":
                    hub.files[value["path"]] = hub.large[value["oid"]]
                elif line["key"] == "deletedFile":
                    hub.files.pop(value["path"], None)
            number = f"{len(hub.commits):040d}"
            self._answer(
                {"success": True, "commitOid": number, "commitUrl": f"{hub.address}/datasets/me/set/commit/{number}"}
            )

        def log_message(self, *_: object) -> None:
            """Quiet."""

    return Handler


def _mode(path: str) -> dict[str, Any]:
    large = path.endswith((".tar", ".parquet", ".png"))
    return {"path": path, "uploadMode": "lfs" if large else "regular", "shouldIgnore": False}


def _object(hub: Hub, one: dict[str, Any]) -> dict[str, Any]:
    href = f"{hub.address}/upload/{one['oid']}"
    return {"oid": one["oid"], "size": one["size"], "authenticated": True, "actions": {"upload": {"href": href}}}
