"""Chat completions, the protocol of OpenAI that vLLM, OpenRouter and most vendors speak, through the `openai` SDK."""

from __future__ import annotations

import base64
import threading
from collections.abc import Mapping
from functools import cached_property
from typing import Any

from emonet.benchmark.raters._chat import Message, api_key, close_client
from emonet.benchmark.raters._media_parts import Part
from emonet.benchmark.raters._prompts import Prompt, correction
from emonet.benchmark.raters._service import Exchange
from emonet.benchmark.raters._settings import OpenAISettings
from emonet.errors import require
from emonet.services._replies import Received, Usage, error_message, received_of

SOUNDS = ("audio/wav", "audio/mp3")
_FORMATS = {"audio/wav": "wav", "audio/mp3": "mp3"}


class OpenAIProtocol:
    """See `ChatProtocol`. The SDK's own retries are off: every request is one attempt that is kept."""

    def __init__(self, settings: OpenAISettings) -> None:
        self._settings = settings
        self._lock = threading.Lock()
        self._structured = settings.structured
        self._length_field = "max_tokens"

    @cached_property
    def _client(self) -> Any:
        openai = require("openai", extra="benchmark", feature="Rating with chat completions")
        chosen = self._settings
        # The SDK insists on a key; a server without keys ignores it.
        return openai.OpenAI(
            api_key=api_key(chosen) or "none", base_url=chosen.base_url, timeout=chosen.timeout_s, max_retries=0
        )

    def open(self) -> None:
        """See `ChatProtocol`."""
        _ = self._client

    def send(self, asked: Prompt, part: Part, earlier: tuple[Exchange, ...]) -> Received:
        """See `ChatProtocol`."""
        with self._lock:
            client, structured, length_field = self._client, self._structured, self._length_field
        form = f"{structured}:{length_field}"
        body: dict[str, Any] = {
            "model": self._settings.model,
            "messages": _messages(asked, part, earlier),
            length_field: self._settings.max_tokens,
        }
        if self._settings.temperature is not None:
            body["temperature"] = self._settings.temperature
        if structured:
            schema = {"name": "ratings", "strict": True, "schema": dict(asked.schema)}
            body["response_format"] = {"type": "json_schema", "json_schema": schema}
        try:
            reply = client.chat.completions.with_raw_response.create(**body, extra_body=self._settings.extra)
        except Exception as error:
            return received_of(error, form)
        return Received("reply", reply.http_response.text, 200, form=form)

    def close(self) -> None:
        """See `ChatProtocol`."""
        close_client(self)

    def adapt(self, received: Received) -> str | None:
        """Servers differ in two fields: whether they take a schema, and how the longest answer is called."""
        if received.http_status not in (400, 422):
            return None
        said = error_message(received.body).casefold()
        with self._lock:
            if received.form != f"{self._structured}:{self._length_field}":
                return ""  # changed already, since that request was sent
            if self._length_field == "max_tokens" and "max_completion_tokens" in said:
                self._length_field = "max_completion_tokens"
                return "the server wants max_completion_tokens instead of max_tokens"
            marks = ("response_format", "json_schema", "structured", "guided", "grammar", "schema")
            if self._structured and any(mark in said for mark in marks):
                self._structured = False
                return "the server takes no JSON schema for answers; asked for the form in words only"
        return None

    def message(self, reply: Mapping[str, Any]) -> Message | None:
        """See `ChatProtocol`."""
        choices = reply.get("choices")
        choice = choices[0] if isinstance(choices, list) and choices else None
        found = choice.get("message") if isinstance(choice, dict) else None
        if not isinstance(choice, dict) or not isinstance(found, dict):
            return None
        text, finish = _text(found.get("content")), choice.get("finish_reason")
        refusal = found.get("refusal")
        if isinstance(refusal, str) and refusal.strip():
            return Message(text, refusal)
        if finish == "content_filter":
            return Message(text, "stopped by the content filter")
        return Message(text, cut=finish == "length")

    def usage(self, reply: Mapping[str, Any]) -> Usage:
        """See `ChatProtocol`."""
        return counted(reply.get("usage"), "prompt_tokens", "completion_tokens")


def counted(usage: Any, tokens_in: str, tokens_out: str) -> Usage:
    """Token counts of a reply's `usage` object."""

    def number(key: str) -> int | None:
        value = usage.get(key) if isinstance(usage, dict) else None
        return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**53 else None

    return Usage(number(tokens_in), number(tokens_out))


def _messages(asked: Prompt, part: Part, earlier: tuple[Exchange, ...]) -> list[dict[str, Any]]:
    """System, file and question, then the unusable answers with what was wrong about them."""
    data = base64.b64encode(part.data).decode()
    if part.mime.startswith("image/"):
        file: dict[str, Any] = {"type": "image_url", "image_url": {"url": f"data:{part.mime};base64,{data}"}}
    else:
        file = {"type": "input_audio", "input_audio": {"data": data, "format": _FORMATS[part.mime]}}
    messages: list[dict[str, Any]] = [
        {"role": "system", "content": asked.system},
        {"role": "user", "content": [file, {"type": "text", "text": asked.user}]},
    ]
    for exchange in earlier:
        messages.append({"role": "assistant", "content": exchange.said or "(empty)"})
        messages.append({"role": "user", "content": correction(exchange.fault)})
    return messages


def _text(content: Any) -> str | None:
    """A message's content: a text, or on some servers a list of parts."""
    if isinstance(content, list):
        texts = [part.get("text") for part in content if isinstance(part, dict)]
        return "".join(text for text in texts if isinstance(text, str))
    return content if isinstance(content, str) else None
