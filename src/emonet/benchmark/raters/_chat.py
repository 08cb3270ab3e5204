"""Models that are asked in words, whatever their protocol."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Protocol
from urllib.parse import urlsplit

from emonet.benchmark.raters._media_parts import Part, audio_part, image_part
from emonet.benchmark.raters._parsing import parse_reply
from emonet.benchmark.raters._prompts import Prompt, prompt
from emonet.benchmark.raters._questions import AnswerScale, Question
from emonet.benchmark.raters._service import Answer, Call, Exchange
from emonet.benchmark.raters._settings import ChatSettings, ServiceSettings
from emonet.errors import UsageError
from emonet.services._records import public_address
from emonet.services._replies import Received, Usage, json_object
from emonet.taxonomy import Modality

_TOKENS_OF_PICTURE = 3000  # about the most that a picture takes at any of the services
_TOKENS_PER_SECOND = 40  # of sound
_BYTES_PER_SECOND = 1000  # least of a compressed recording, for when its length is not known
_CHARACTERS_PER_TOKEN = 3


@dataclass(frozen=True, slots=True)
class Message:
    """What a chat reply holds. `text`: the model's words. `refusal`: why there are none. `cut`: they broke off at the
    longest length."""

    text: str | None
    refusal: str = ""
    cut: bool = False


class ChatProtocol(Protocol):
    """One way to put a chat on the wire; used from several threads. `send`, `adapt`: as in `Service`. `message`: None
    for a reply that is none of this protocol."""

    def open(self) -> None: ...

    def send(self, asked: Prompt, part: Part, earlier: tuple[Exchange, ...]) -> Received: ...

    def close(self) -> None: ...

    def adapt(self, received: Received) -> str | None: ...

    def message(self, reply: Mapping[str, Any]) -> Message | None: ...

    def usage(self, reply: Mapping[str, Any]) -> Usage: ...


class ChatService:
    """A prompted model as a `Service`. `sounds`: formats of recordings that the protocol takes as they are."""

    def __init__(
        self, settings: ChatSettings, protocol: ChatProtocol, scale: AnswerScale, modality: Modality,
        sounds: tuple[str, ...],
    ) -> None:  # fmt: skip
        if modality == "voice" and not sounds:
            raise UsageError(f"{settings.name!r}: {settings.type} takes no recordings, and the set is one of voices.")
        self._settings, self._protocol, self._scale = settings, protocol, scale
        self._modality, self._sounds = modality, sounds
        # Prompts of one configuration differ only by the dimensions asked, so there are few of them.
        self._prompt = lru_cache(maxsize=4096)(self._made_prompt)

    @property
    def configuration(self) -> Mapping[str, Any]:
        """See `Service`. The address counts: two servers may give one name to two models."""
        chosen = self._settings
        return {
            "type": chosen.type,
            "base_url": public_address(chosen.base_url),
            "model": chosen.model,
            "temperature": chosen.temperature,
            "max_tokens": chosen.max_tokens,
            "structured": chosen.structured,
            "max_side": chosen.max_side,
            "extra": chosen.extra,
        }

    def prompt(self, question: Question) -> Prompt:
        """See `Service`."""
        return self._prompt(question.dimensions, question.dimension)

    def part(self, item: str, data: bytes) -> Part:
        """See `Service`."""
        if self._modality == "voice":
            return audio_part(data, item, accepted=self._sounds)
        return image_part(data, item, max_side=self._settings.max_side)

    def open(self) -> None:
        """See `Service`."""
        self._protocol.open()

    def send(self, call: Call) -> Received:
        """See `Service`."""
        return self._protocol.send(call.prompt, call.part, call.earlier)

    def close(self) -> None:
        """See `Service`."""
        self._protocol.close()

    def adapt(self, received: Received) -> str | None:
        """See `Service`."""
        return self._protocol.adapt(received)

    def interpret(self, body: str, question: Question) -> Answer:
        """See `Service`."""
        message = self._protocol.message(json_object(body))
        if message is None:
            return Answer("error", message="the reply is not of the service's documented form")
        if message.refusal:
            return Answer("refused", message=message.refusal[:300], said=message.text or "")
        parsed = parse_reply(message.text, question, self._scale, self._modality)
        fault = parsed.message
        if parsed.status == "malformed" and message.cut:
            fault = f"it was cut off at {self._settings.max_tokens} tokens ({fault})"
        return Answer(parsed.status, parsed.values, fault, message.text or "")

    def usage(self, body: str) -> Usage:
        """See `Service`."""
        return self._protocol.usage(json_object(body))

    def most(self, call: Call) -> Usage:
        """See `Service`."""
        said = sum(len(exchange.said) + len(exchange.fault) for exchange in call.earlier)
        text = (len(call.prompt.system) + len(call.prompt.user) + said + 1000) // _CHARACTERS_PER_TOKEN
        if self._modality == "face":
            return Usage(text + _TOKENS_OF_PICTURE, self._settings.max_tokens)
        known = call.part.seconds
        seconds = len(call.part.data) / _BYTES_PER_SECOND if known is None else known
        return Usage(text + round(seconds * _TOKENS_PER_SECOND), self._settings.max_tokens)

    def _made_prompt(self, dimensions: tuple[str, ...], dimension: str | None) -> Prompt:
        return prompt(
            Question("", dimensions, dimension),
            self._scale,
            modality=self._modality,
            style=self._settings.prompt,
            instructions=self._settings.instructions,
        )


def api_key(settings: ServiceSettings) -> str:
    """The key from the environment; an empty one for a server on this machine or when none is to be sent.

    Raises `UsageError` naming the variable when it is missing.
    """
    if not settings.api_key_env:
        return ""
    key = os.environ.get(settings.api_key_env, "").strip()
    if not key and urlsplit(settings.base_url).hostname not in ("localhost", "127.0.0.1", "::1"):
        raise UsageError(
            f"{settings.name!r} needs a key in the environment variable {settings.api_key_env}, which is empty. Set "
            'it, name another with api_key_env, or use api_key_env = "" for a server without keys.'
        )
    return key


def close_client(holder: Any) -> None:
    """Close the `_client` of a holder that makes it when first needed, if it was made."""
    client = holder.__dict__.pop("_client", None)
    if client is not None:
        client.close()
