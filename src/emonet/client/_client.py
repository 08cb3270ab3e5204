"""The synchronous client, on httpx; streams on websockets."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from os import PathLike
from pathlib import Path
from types import TracebackType
from typing import Any, Literal
from urllib.parse import urlencode

from emonet.client._replies import Captioned, Reply, ServerRefusedError, StreamReply
from emonet.errors import UnreadableMediaError, require

Values = Literal["relative", "raw", "softmax", "calibrated", "all"]
Source = str | PathLike[str] | tuple[str, bytes]
"""A path, or a name with the bytes themselves."""

_LONGEST_WAIT_S = 60.0


class Client:
    """Asks one server; use it in a `with` statement or `close` it. For one thread at a time.

    `url`: where the server is; `key`: API key; `timeout_s`: of one attempt; `attempts`: a request that the server is
    too busy for (429), or that could not be connected, is repeated so often, after what Retry-After says.
    """

    def __init__(
        self, url: str = "http://127.0.0.1:8022", *, key: str = "", timeout_s: float = 120.0, attempts: int = 6
    ) -> None:
        self._httpx = require("httpx", extra="serve", feature="The client of `emonet serve`")
        self._url, self._key, self._attempts = url.rstrip("/"), key, max(1, attempts)
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        self._http = self._httpx.Client(base_url=self._url, headers=headers, timeout=timeout_s)

    def __enter__(self) -> Client:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def models(self) -> dict[str, Any]:
        """Loaded models with their cards, and the server's limits."""
        found: dict[str, Any] = self._ask("GET", "/v1/models")
        return found

    def estimate(
        self, sources: Source | Sequence[Source], *, model: str = "", values: Values = "relative", top: int = 0,
        **options: Any,
    ) -> Reply:  # fmt: skip
        """Rows of one file or of a batch. `options`: window_s, whole_audio, fps, whole_image, max_faces.

        Raises `ServerRefusedError` for a refusal and `UnreadableMediaError` for a path that cannot be read.
        """
        body = self._send("/v1/estimate", sources, {"model": model, "values": values, "top": top} | options)
        top_rows = tuple(body.get("top", ()))
        return Reply(tuple(body["estimates"]), tuple(body["models"]), body["values"], body["note"], top_rows)

    def caption(self, sources: Source | Sequence[Source], *, model: str = "", **options: Any) -> tuple[Captioned, ...]:
        """A caption for each face and stretch of voice. `options`: template, seed and those of `estimate`."""
        body = self._send("/v1/caption", sources, {"model": model} | options)
        return tuple(_caption(item) for item in body["captions"])

    def stream(
        self, blocks: Iterable[bytes], *, sample_rate: int = 16_000, format: Literal["s16le", "f32le"] = "s16le",
        model: str = "", **options: Any,
    ) -> Iterator[StreamReply]:  # fmt: skip
        """Rolling estimates while `blocks` of mono PCM are sent, as they come. `options`: values, window_s, every_s."""
        require("websockets", extra="serve", feature="Streams")
        from websockets.exceptions import ConnectionClosed
        from websockets.sync.client import connect

        query = {"sample_rate": sample_rate, "format": format} | ({"model": model} if model else {}) | options
        address = f"{self._url.replace('http', 'ws', 1)}/v1/stream?{urlencode(query)}"
        headers = {"Authorization": f"Bearer {self._key}"} if self._key else {}
        with connect(address, additional_headers=headers, open_timeout=10) as socket:
            _told(socket.recv(timeout=30))
            for block in blocks:
                try:
                    socket.send(block)
                except ConnectionClosed:
                    break  # the last message says why
                yield from _arrived(socket)
            else:
                socket.send(json.dumps({"type": "end"}))
            while (message := _told(socket.recv(timeout=30)))["type"] != "ended":
                yield _rolling(message)

    def _send(self, path: str, sources: Source | Sequence[Source], fields: Mapping[str, Any]) -> Any:
        several = [sources] if isinstance(sources, str | PathLike | tuple) else list(sources)
        files = [("file", _file(source)) for source in several]
        data = {
            name: str(value).lower() if isinstance(value, bool) else str(value)
            for name, value in fields.items()
            if value not in (None, "")
        }
        return self._ask("POST", path, files=files, data=data)

    def _ask(self, method: str, path: str, **body: Any) -> Any:
        for attempt in range(1, self._attempts + 1):
            last = attempt == self._attempts
            try:
                answer = self._http.request(method, path, **body)
            except self._httpx.ConnectError as error:
                if last:
                    raise ServerRefusedError(0, "no_server", f"{self._url} does not answer ({error})") from error
                time.sleep(min(0.2 * 2**attempt, 5))
                continue
            except self._httpx.HTTPError as error:
                raise ServerRefusedError(0, "broken", f"{self._url}: {error or type(error).__name__}") from error
            if answer.status_code < 400:
                return answer.json()
            refused = _refusal(answer)
            if last or refused.status != 429:
                raise refused
            wait = 1.0 if refused.retry_after is None else refused.retry_after
            time.sleep(min(wait, _LONGEST_WAIT_S))
        raise AssertionError("unreachable")


def _file(source: Source) -> tuple[str, bytes]:
    if isinstance(source, tuple):
        return source
    path = Path(source)
    try:
        return path.name, path.read_bytes()
    except OSError as error:
        raise UnreadableMediaError(str(path), error.strerror or str(error)) from error


def _refusal(answer: Any) -> ServerRefusedError:
    try:
        body = answer.json()
    except ValueError:
        body = {}
    body = body if isinstance(body, dict) else {}
    wait = answer.headers.get("retry-after", "")
    return ServerRefusedError(answer.status_code, str(body.get("code", "")), str(body.get("detail", answer.text[:300])),
                              float(wait) if wait.isdecimal() else None)  # fmt: skip


def _arrived(socket: Any) -> Iterator[StreamReply]:
    """What has come by now, without waiting."""
    while True:
        try:
            yield _rolling(_told(socket.recv(timeout=0)))
        except TimeoutError:
            return


def _told(text: str | bytes) -> dict[str, Any]:
    message: dict[str, Any] = json.loads(text)
    if message["type"] == "error":
        error = message["error"]
        raise ServerRefusedError(error["status"], error["code"], error["message"])
    return message


def _rolling(message: Mapping[str, Any]) -> StreamReply:
    return StreamReply(message["estimate"], message["latency_ms"] / 1000)


def _caption(item: Mapping[str, Any]) -> Captioned:
    return Captioned(
        item["source"], item["status"], item["text"], item["message"], item["start_s"], item["end_s"], item
    )
