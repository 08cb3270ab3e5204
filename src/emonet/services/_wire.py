"""Requests of each kind on the wire, through the `openai` SDK, and what their replies hold.

One request is one attempt: the SDK's own retries are off. Replies are kept as text: JSON as it came, sound as a data
URL.
"""

from __future__ import annotations

import base64
import binascii
import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from emonet.errors import require
from emonet.services._forms import Form, in_form
from emonet.services._limits import backoff_s
from emonet.services._records import Endpoint, Kind, Request
from emonet.services._replies import Received, Usage, json_object, received_of

_PATHS: Mapping[Kind, str] = {
    "chat": "/chat/completions",
    "audio_chat": "/chat/completions",
    "speech": "/audio/speech",
    "image": "/images/generations",
    "transcription": "/audio/transcriptions",
    "embedding": "/embeddings",
}
_CHARACTERS_PER_TOKEN = 3  # fewer than in most languages, so that estimates are rather high
_LONGEST_ANSWER = 4096  # tokens, where a chat request names no limit
_DATA = "data:application/octet-stream;base64,"
_TOKENS_OF_FILE = 6000  # about the most that a picture or short recording in a chat takes
_DOWNLOADS = 3  # tries to fetch a picture that a reply only names


@dataclass(frozen=True, slots=True)
class Exchange:
    """One answer that could not be used, and the fault that the model is told."""

    said: str
    fault: str


@dataclass(frozen=True, slots=True)
class Content:
    """What a reply holds. `fault`: why it is not of the documented form; `refusal`: why there is no answer."""

    text: str = ""
    data: bytes = b""
    vector: tuple[float, ...] = ()
    refusal: str = ""
    fault: str = ""


def open_client(endpoint: Endpoint) -> Any:
    """The SDK's client. Raises `UsageError` for a missing key, `MissingExtraError` without the package."""
    openai = require("openai", extra="services", feature="Asking language, speech and image models")
    # The SDK insists on a key; a server without keys ignores it.
    key = endpoint.api_key or "none"
    return openai.OpenAI(api_key=key, base_url=endpoint.base_url, timeout=endpoint.timeout_s, max_retries=0)


def send(
    client: Any, endpoint: Endpoint, request: Request, earlier: Sequence[Exchange], form: Form
) -> Received:  # fmt: skip
    """Send one request. `earlier`: unusable answers of a chat to the same request, oldest first; `form`: of chats."""
    httpx = require("httpx", extra="services", feature="Asking language, speech and image models")
    body = {"model": endpoint.model, **in_form({**_with_earlier(request, earlier), **endpoint.extra}, form)}
    files: dict[str, Any] = {}
    if request.file is not None:
        files = {
            "files": {"file": ("recording.wav", request.file, "application/octet-stream")},
            "options": {"headers": {"Content-Type": "multipart/form-data"}},
        }
    try:
        reply = client.post(_PATHS[request.kind], cast_to=httpx.Response, body=body, **files)
        if request.kind == "speech":
            return Received("reply", _DATA + base64.b64encode(reply.content).decode(), 200)
        text = reply.text
    except Exception as error:
        return received_of(error)
    return Received("reply", _with_picture(text, endpoint, httpx) if request.kind == "image" else text, 200)


def read(kind: Kind, body: str) -> Content:
    """What a raw reply holds. Never raises."""
    if kind == "speech":
        data = _bytes(body.removeprefix(_DATA))
        return Content(data=data) if data else Content(fault="the reply holds no sound")
    found = json_object(body)
    if kind in ("chat", "audio_chat"):
        return _message(found, kind)
    if kind == "transcription":
        text = found.get("text")
        return Content(text=text) if isinstance(text, str) else Content(fault="the reply holds no transcript")
    first = found.get("data")
    first = first[0] if isinstance(first, list) and first else None
    if kind == "embedding":
        return _vector(first.get("embedding") if isinstance(first, dict) else None)
    data = _bytes(first.get("b64_json")) if isinstance(first, dict) else b""
    if data:
        return Content(data=data)
    named = isinstance(first, dict) and first.get("url")
    return Content(fault="its picture could not be fetched from its address" if named else "the reply holds no picture")


def usage(kind: Kind, body: str) -> Usage:
    """Tokens by a raw reply; None where it tells none."""
    told = {} if kind == "speech" else json_object(body).get("usage")

    def number(*names: str) -> int | None:
        values = [told.get(name) for name in names] if isinstance(told, dict) else []
        return next((v for v in values if isinstance(v, int) and not isinstance(v, bool) and v >= 0), None)

    return Usage(number("prompt_tokens", "input_tokens"), number("completion_tokens", "output_tokens"))


def most(request: Request) -> Usage:
    """About the most tokens that a request can take."""
    told = 0
    if request.kind in ("chat", "audio_chat"):
        answer = request.body.get("max_tokens") or request.body.get("max_completion_tokens")
        told = answer if isinstance(answer, int) else _LONGEST_ANSWER
    return Usage(_length(request.body) // _CHARACTERS_PER_TOKEN + 8, told)


def _length(value: Any) -> int:
    """Characters of all texts in a body; a file inside it counts as so many tokens at most."""
    if isinstance(value, str):
        return len(value) if len(value) < 20_000 or " " in value[:200] else _TOKENS_OF_FILE * _CHARACTERS_PER_TOKEN
    if isinstance(value, Mapping):
        return sum(len(str(key)) + _length(item) for key, item in value.items())
    if isinstance(value, list | tuple):
        return sum(map(_length, value))
    return 4


def _with_earlier(request: Request, earlier: Sequence[Exchange]) -> dict[str, Any]:
    body = dict(request.body)
    if request.kind == "chat" and earlier:
        messages = list(body.get("messages", []))
        for exchange in earlier:
            messages.append({"role": "assistant", "content": exchange.said or "(empty)"})
            messages.append({"role": "user", "content": f"That answer cannot be used: {exchange.fault} Answer again."})
        body["messages"] = messages
    return body


def _with_picture(text: str, endpoint: Endpoint, httpx: Any) -> str:
    """A reply that names an address instead of holding the picture, completed by the picture: addresses expire.

    It is left as it is when the picture cannot be fetched, since it was answered and is paid for.
    """
    found = json_object(text)
    items = found.get("data")
    first = items[0] if isinstance(items, list) and items and isinstance(items[0], dict) else {}
    if first.get("b64_json") or not isinstance(first.get("url"), str):
        return text
    for tried in range(_DOWNLOADS):
        if tried:
            time.sleep(backoff_s(tried, endpoint.backoff_s))
        try:
            reply = httpx.get(first["url"], timeout=endpoint.timeout_s, follow_redirects=True)
            reply.raise_for_status()
        except (httpx.HTTPError, httpx.InvalidURL):
            continue
        first["b64_json"] = base64.b64encode(reply.content).decode()
        return json.dumps(found)
    return text


def _message(found: Mapping[str, Any], kind: Kind) -> Content:
    choices = found.get("choices")
    choice = choices[0] if isinstance(choices, list) and choices else None
    message = choice.get("message") if isinstance(choice, dict) else None
    if not isinstance(choice, dict) or not isinstance(message, dict):
        return Content(fault="the reply is not of the protocol's form")
    text, finish = _text(message.get("content")), choice.get("finish_reason")
    refusal = message.get("refusal")
    if isinstance(refusal, str) and refusal.strip():
        return Content(text, refusal=refusal)
    if finish == "content_filter":
        return Content(text, refusal="stopped by the content filter")
    if kind == "chat":
        fault = "it broke off at its longest length." if finish == "length" else "" if text else "it is empty."
        return Content(text, fault=fault)
    audio = message.get("audio")
    data = _bytes(audio.get("data")) if isinstance(audio, dict) else b""
    said = str(audio.get("transcript") or "") if isinstance(audio, dict) else ""
    return Content(said or text, data, fault="" if data else "the reply holds no sound")


def _text(content: Any) -> str:
    """A message's content: a text, or on some servers a list of parts."""
    if isinstance(content, list):
        texts = [part.get("text") for part in content if isinstance(part, dict)]
        return "".join(text for text in texts if isinstance(text, str))
    return content if isinstance(content, str) else ""


def _vector(value: Any) -> Content:
    if isinstance(value, list) and value and all(isinstance(v, int | float) for v in value):
        return Content(vector=tuple(map(float, value)))
    return Content(fault="the reply holds no vector")


def _bytes(value: Any) -> bytes:
    try:
        return base64.b64decode(value, validate=True) if isinstance(value, str) else b""
    except (binascii.Error, ValueError):
        return b""
