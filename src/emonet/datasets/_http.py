"""A file on a web server as a Python file: cut connections are taken up again where they broke."""

from __future__ import annotations

import http.client
import io
import re
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from email.message import Message
from typing import IO, Any, cast
from urllib.parse import urlsplit

from emonet.errors import UnreadableMediaError, UsageError

_AGAIN = frozenset({408, 425, 429, 500, 502, 503, 504})
_SKIP = 1 << 20


class HttpFile(io.RawIOBase):
    """Reads a web address from any position, one connection at a time.

    `size`: bytes, None where the server does not tell. `identity`: what the server calls this version of the file
    (ETag, else date of change), empty where it does not say. A connection that breaks or stalls is opened again, up to
    `retries` times without any progress, waiting twice as long each time. Raises `UsageError` when there is no such
    file or access is refused, `UnreadableMediaError` when the server stays away or the file changed meanwhile.
    """

    def __init__(
        self,
        url: str,
        *,
        start: int = 0,
        headers: Mapping[str, str] | None = None,
        retries: int = 8,
        wait_s: float = 0.5,
        timeout_s: float = 30.0,
    ) -> None:
        if urlsplit(url).scheme not in ("http", "https"):
            raise UsageError(f"{url}: expected an address that begins with http:// or https://.")
        self.url, self.size, self.identity = url, cast(int | None, None), ""
        self._headers, self._retries, self._wait_s, self._timeout_s = dict(headers or {}), retries, wait_s, timeout_s
        self._at, self._failed, self._known = start, 0, False
        self._response: IO[bytes] | None = None
        self._connect()

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        if whence == io.SEEK_END and self.size is None:
            raise UnreadableMediaError(self.url, "the server does not tell the file's size; download it first")
        at = offset + {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self.size or 0}[whence]
        if at != self._at:
            self._drop()
            self._at = at
        return at

    def readinto(self, buffer: Any) -> int:
        """Fill a part of the buffer; 0 at the end of the file."""
        if not len(buffer) or (self.size is not None and self._at >= self.size):
            return 0
        while True:
            try:
                self._connect()
                assert self._response is not None
                count = int(cast(Any, self._response).readinto(buffer))
            except (OSError, http.client.HTTPException) as error:
                self._pause(str(error) or type(error).__name__)
                continue
            if count:
                self._at += count
                self._failed = 0
                return count
            if self.size is None or self._at >= self.size:
                return 0
            self._pause(f"the connection ended at byte {self._at} of {self.size}")

    def close(self) -> None:
        self._drop()
        super().close()

    def _drop(self) -> None:
        if self._response is not None:
            self._response.close()
            self._response = None

    def _pause(self, reason: str, wait_s: float = 0.0) -> None:
        """Wait before the next attempt, or raise when there were too many."""
        self._drop()
        self._failed += 1
        if self._failed > self._retries:
            raise UnreadableMediaError(self.url, f"{reason}; tried {self._failed} times, try again later")
        time.sleep(min(max(self._wait_s * 2 ** (self._failed - 1), wait_s), 60.0))

    def _connect(self) -> None:
        """Open the file at the current position, with patience."""
        while self._response is None:
            try:
                self._response = self._answer()
            except (OSError, http.client.HTTPException) as error:
                self._pause(str(error) or type(error).__name__)

    def _answer(self) -> IO[bytes] | None:
        """One attempt. None after a pause, when the server asked for one."""
        headers = {"Accept-Encoding": "identity", "User-Agent": "emonet", **self._headers}
        request = urllib.request.Request(self.url, headers={**headers, "Range": f"bytes={self._at}-"})
        try:
            response = _OPENER.open(request, timeout=self._timeout_s)
        except urllib.error.HTTPError as error:
            error.close()
            if error.code == 416:  # nothing after this position: the end, or an empty file
                return self._end(error.headers)
            if error.code in _AGAIN:
                self._pause(f"the server answers {error.code}", _seconds(error.headers.get("Retry-After")))
                return None
            raise UsageError(
                f"{self.url}: the server answers {error.code} ({error.reason}); check the address and whether you have "
                "access."
            ) from error
        try:
            self._check(response)
        except BaseException:
            response.close()
            raise
        return cast(IO[bytes], response)

    def _check(self, response: Any) -> None:
        """Note what the server says of the file, or compare it to what it said before."""
        headers: Message = response.headers
        size: int | None
        if response.status == 206:
            span = re.match(r"bytes (\d+)-\d*/(\d+|\*)", headers.get("Content-Range") or "")
            if span is None or int(span[1]) != self._at:
                raise UnreadableMediaError(self.url, f"the server sent another part than from byte {self._at} on")
            size, skip = None if span[2] == "*" else int(span[2]), 0
        else:  # it knows no parts and begins at the beginning
            length = headers.get("Content-Length")
            size, skip = int(length) if length else None, self._at
        self._same(size, (headers.get("ETag") or headers.get("Last-Modified") or "").strip())
        while skip:
            got = len(response.read(min(skip, _SKIP)))
            if not got:
                raise ConnectionError("the connection ended before the position was reached")
            skip -= got

    def _end(self, headers: Message) -> IO[bytes]:
        total = re.match(r"bytes \*/(\d+)", headers.get("Content-Range") or "")
        size = int(total[1]) if total else self._at
        self._same(size, self.identity)
        if self._at > size:
            raise UnreadableMediaError(self.url, f"holds {size} bytes, byte {self._at} was asked for")
        return io.BytesIO()

    def _same(self, size: int | None, identity: str) -> None:
        if self._known and (size, identity) != (self.size, self.identity):
            raise UnreadableMediaError(self.url, "changed while it was read; begin again")
        self.size, self.identity, self._known = size, identity, True


class _Redirects(urllib.request.HTTPRedirectHandler):
    """Credentials are for the server they were given for, not for the one it points to."""

    def redirect_request(
        self, req: urllib.request.Request, fp: IO[bytes], code: int, msg: str, headers: Any, newurl: str
    ) -> urllib.request.Request | None:
        made = super().redirect_request(req, fp, code, msg, headers, newurl)
        if made is not None and urlsplit(newurl).netloc != urlsplit(req.full_url).netloc:
            for name in ("Authorization", "Cookie"):
                made.remove_header(name)
        return made


_OPENER = urllib.request.build_opener(_Redirects)


def _seconds(text: str | None) -> float:
    return float(text) if text and text.isdigit() else 0.0
