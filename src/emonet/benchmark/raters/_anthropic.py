"""Anthropic's Messages API through its SDK. It takes pictures, no recordings."""

from __future__ import annotations

import base64
import threading
from collections.abc import Mapping
from functools import cached_property
from typing import Any

from emonet.benchmark.raters._chat import Message, api_key, close_client
from emonet.benchmark.raters._media_parts import Part
from emonet.benchmark.raters._openai import counted
from emonet.benchmark.raters._prompts import Prompt, correction
from emonet.benchmark.raters._service import Exchange
from emonet.benchmark.raters._settings import AnthropicSettings
from emonet.errors import require
from emonet.services._replies import Received, Usage, error_message, received_of


class AnthropicProtocol:
    """See `ChatProtocol`. The SDK's own retries are off: every request is one attempt that is kept."""

    def __init__(self, settings: AnthropicSettings) -> None:
        self._settings = settings
        self._lock = threading.Lock()
        self._structured = settings.structured

    @cached_property
    def _client(self) -> Any:
        anthropic = require("anthropic", extra="benchmark-anthropic", feature="Rating with Anthropic's API")
        chosen = self._settings
        return anthropic.Anthropic(
            api_key=api_key(chosen) or "none", base_url=chosen.base_url, timeout=chosen.timeout_s, max_retries=0
        )

    def open(self) -> None:
        """See `ChatProtocol`."""
        _ = self._client

    def send(self, asked: Prompt, part: Part, earlier: tuple[Exchange, ...]) -> Received:
        """See `ChatProtocol`."""
        with self._lock:
            client, structured = self._client, self._structured
        further: dict[str, Any] = dict(self._settings.extra)
        if self._settings.temperature is not None:
            further["temperature"] = self._settings.temperature
        if structured:
            schema = {"type": "json_schema", "schema": dict(asked.schema)}
            further["output_config"] = {**further.get("output_config", {}), "format": schema}
        try:
            reply = client.messages.with_raw_response.create(
                model=self._settings.model,
                max_tokens=self._settings.max_tokens,
                system=asked.system,
                messages=_messages(asked, part, earlier),
                extra_body=further,
            )
        except Exception as error:
            return received_of(error, str(structured))
        return Received("reply", reply.http_response.text, 200, form=str(structured))

    def close(self) -> None:
        """See `ChatProtocol`."""
        close_client(self)

    def adapt(self, received: Received) -> str | None:
        """Older models take no schema."""
        if received.http_status != 400:
            return None
        said = error_message(received.body).casefold()
        with self._lock:
            if received.form != str(self._structured):
                return ""
            if self._structured and any(mark in said for mark in ("output_config", "output_format", "schema")):
                self._structured = False
                return "the model takes no JSON schema for answers; asked for the form in words only"
        return None

    def message(self, reply: Mapping[str, Any]) -> Message | None:
        """See `ChatProtocol`."""
        blocks = reply.get("content")
        if not isinstance(blocks, list):
            return None
        texts = [block.get("text") for block in blocks if isinstance(block, dict) and block.get("type") == "text"]
        text = "".join(text for text in texts if isinstance(text, str))
        stop = reply.get("stop_reason")
        return Message(text, "declined by the model (stop_reason refusal)" if stop == "refusal" else "",
                       cut=stop == "max_tokens")  # fmt: skip

    def usage(self, reply: Mapping[str, Any]) -> Usage:
        """See `ChatProtocol`; what was read from or written to the prompt cache counts as read."""
        usage = reply.get("usage")
        found = counted(usage, "input_tokens", "output_tokens")
        if found.tokens_in is None:
            return found
        cached = counted(usage, "cache_read_input_tokens", "cache_creation_input_tokens")
        return Usage(found.tokens_in + (cached.tokens_in or 0) + (cached.tokens_out or 0), found.tokens_out)


def _messages(asked: Prompt, part: Part, earlier: tuple[Exchange, ...]) -> list[dict[str, Any]]:
    data = base64.b64encode(part.data).decode()
    picture = {"type": "image", "source": {"type": "base64", "media_type": part.mime, "data": data}}
    messages: list[dict[str, Any]] = [{"role": "user", "content": [picture, {"type": "text", "text": asked.user}]}]
    for exchange in earlier:
        messages.append({"role": "assistant", "content": exchange.said.strip() or "(empty)"})
        messages.append({"role": "user", "content": correction(exchange.fault)})
    return messages
