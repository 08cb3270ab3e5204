"""Google's Gemini API through its SDK, `google-genai`."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from functools import cached_property
from typing import Any

from emonet.benchmark.raters._chat import Message, api_key, close_client
from emonet.benchmark.raters._media_parts import Part
from emonet.benchmark.raters._openai import counted
from emonet.benchmark.raters._prompts import Prompt, correction
from emonet.benchmark.raters._service import Exchange
from emonet.benchmark.raters._settings import GeminiSettings
from emonet.errors import require
from emonet.services._replies import Received, Usage, error_message, http_error, received_of

SOUNDS = ("audio/wav", "audio/mp3", "audio/flac")
_EXTRA, _FEATURE = "benchmark-gemini", "Rating with Gemini"
# Reasons, of the reply or of a candidate, that mean "will not answer" (API reference: BlockReason, FinishReason).
_REFUSALS = frozenset(
    "SAFETY BLOCKLIST PROHIBITED_CONTENT SPII RECITATION IMAGE_SAFETY IMAGE_PROHIBITED_CONTENT JAILBREAK "
    "MODEL_ARMOR".split()
)


class GeminiProtocol:
    """See `ChatProtocol`. The SDK's own retries are off: every request is one attempt that is kept."""

    def __init__(self, settings: GeminiSettings) -> None:
        self._settings = settings
        self._lock = threading.Lock()
        self._structured = settings.structured
        self._raw = threading.local()

    @cached_property
    def _client(self) -> Any:
        genai = require("google.genai", extra=_EXTRA, feature=_FEATURE)
        chosen = self._settings
        return genai.Client(
            vertexai=False,
            api_key=api_key(chosen) or "none",
            http_options=genai.types.HttpOptions(
                base_url=chosen.base_url,
                timeout=round(chosen.timeout_s * 1000),
                client_args={"event_hooks": {"response": [self._keep]}},
                extra_body=chosen.extra or None,
            ),
        )

    def _keep(self, response: Any) -> None:
        """The SDK gives back parsed objects only; the raw reply is noted as it passes, one a thread."""
        response.read()
        self._raw.response = response

    def open(self) -> None:
        """See `ChatProtocol`."""
        _ = self._client

    def send(self, asked: Prompt, part: Part, earlier: tuple[Exchange, ...]) -> Received:
        """See `ChatProtocol`."""
        types = require("google.genai.types", extra=_EXTRA, feature=_FEATURE)
        with self._lock:
            client, structured = self._client, self._structured
        config = types.GenerateContentConfig(
            system_instruction=asked.system,
            temperature=self._settings.temperature,
            max_output_tokens=self._settings.max_tokens,
            response_mime_type="application/json" if structured else None,
            response_json_schema=dict(asked.schema) if structured else None,
        )
        self._raw.response = None
        try:
            client.models.generate_content(
                model=self._settings.model, contents=_contents(types, asked, part, earlier), config=config
            )
        except Exception as error:
            # A reply that arrived is kept, whatever the SDK thinks of it.
            if self._raw.response is None:
                return received_of(error, str(structured))
        response = self._raw.response
        if response.status_code == 200:
            return Received("reply", response.text, 200, form=str(structured))
        return http_error(response, str(structured))

    def close(self) -> None:
        """See `ChatProtocol`."""
        close_client(self)

    def adapt(self, received: Received) -> str | None:
        """Some models take no schema."""
        if received.http_status != 400:
            return None
        said = error_message(received.body).casefold()
        with self._lock:
            if received.form != str(self._structured):
                return ""
            if self._structured and any(mark in said for mark in ("json mode", "schema", "mime")):
                self._structured = False
                return "the model takes no JSON schema for answers; asked for the form in words only"
        return None

    def message(self, reply: Mapping[str, Any]) -> Message | None:
        """See `ChatProtocol`."""
        feedback = reply.get("promptFeedback")
        if isinstance(feedback, dict) and feedback.get("blockReason"):
            return Message(None, f"blocked by the service ({feedback['blockReason']})")
        candidates = reply.get("candidates")
        first = candidates[0] if isinstance(candidates, list) and candidates else None
        if not isinstance(first, dict):
            return None
        finish = first.get("finishReason")
        content = first.get("content")
        parts = content.get("parts") if isinstance(content, dict) else None
        # Thoughts are no answer.
        texts = [part.get("text") for part in parts or [] if isinstance(part, dict) and not part.get("thought")]
        text = "".join(text for text in texts if isinstance(text, str))
        return Message(text, f"blocked by the service ({finish})" if finish in _REFUSALS else "",
                       cut=finish == "MAX_TOKENS")  # fmt: skip

    def usage(self, reply: Mapping[str, Any]) -> Usage:
        """See `ChatProtocol`; thinking is billed as output."""
        usage = reply.get("usageMetadata")
        found = counted(usage, "promptTokenCount", "candidatesTokenCount")
        thoughts = counted(usage, "thoughtsTokenCount", "").tokens_in
        if found.tokens_in is None or (found.tokens_out is None and thoughts is None):
            # A blocked prompt has no candidates and so no count of them.
            return Usage(found.tokens_in, found.tokens_out if found.tokens_in is None else 0)
        return Usage(found.tokens_in, (found.tokens_out or 0) + (thoughts or 0))


def _contents(types: Any, asked: Prompt, part: Part, earlier: tuple[Exchange, ...]) -> list[Any]:
    file = types.Part.from_bytes(data=part.data, mime_type=part.mime)
    turns = [types.Content(role="user", parts=[file, types.Part.from_text(text=asked.user)])]
    for exchange in earlier:
        turns.append(types.Content(role="model", parts=[types.Part.from_text(text=exchange.said or "(empty)")]))
        turns.append(types.Content(role="user", parts=[types.Part.from_text(text=correction(exchange.fault))]))
    return turns
