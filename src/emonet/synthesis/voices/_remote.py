"""Speech from services that speak OpenAI's protocol: `audio/speech`, audio chat, and transcription as a check."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

from emonet.errors import UnknownNameError, require
from emonet.services import CostEstimate, Endpoint, Reply, Request, ask, estimate_cost
from emonet.synthesis.voices._data import accents_of
from emonet.synthesis.voices._record import Heard
from emonet.synthesis.voices._records import Effort, Order, Script, Take
from emonet.synthesis.voices._scripts import marked_text

Protocol = Literal["speech", "audio_chat"]
PROTOCOLS: tuple[Protocol, ...] = ("speech", "audio_chat")


@dataclass(frozen=True, slots=True)
class ServiceGenerator:
    """Speaks through a service. `protocol`: "speech" (`audio/speech` with instructions) or "audio_chat" (chat
    completions with audio). `cache`: folder for every raw reply, so that nothing paid for is asked twice. `voices`: the
    service's name of each voice, where it is another. `terms`: licence of the takes, as the service states it."""

    endpoint: Endpoint
    cache: Path
    protocol: Protocol = "speech"
    voices: Mapping[str, str] | None = None
    terms: str = ""

    def __post_init__(self) -> None:
        if self.protocol not in PROTOCOLS:
            raise UnknownNameError("protocol", self.protocol, PROTOCOLS)

    @property
    def name(self) -> str:
        return f"{self.endpoint.model} at {public_name(self.endpoint)} ({self.protocol})"

    @property
    def licence(self) -> str:
        return self.terms or f"terms of the service at {public_name(self.endpoint)}, model {self.endpoint.model}"

    def accents(self, language: str) -> tuple[str, ...]:
        # A service is told in words; the published accents are those that it was shown to play.
        return tuple(one.name for one in accents_of(language) if one.published)

    def takes(self, orders: Sequence[Order]) -> Iterator[Take]:
        asked = {order.script.part.key: order for order in orders}
        for reply in ask([self.request(order) for order in orders], self.endpoint, cache=self.cache):
            order = asked[reply.key]
            fault = _fault(reply) or ("" if reply.data else "no sound in the reply")
            yield Take(order, b"" if fault else reply.data, fault, reply.cost, reply.cached)

    def effort(self, scripts: Sequence[Script]) -> Effort:
        found = estimate_cost([self.request(Order(script, 0, 0)) for script in scripts], self.endpoint)
        return effort_of(found, self.endpoint)

    def request(self, order: Order) -> Request:
        """What is sent for an order. Later takes and attempts say so: equal requests have one answer, from our cache
        or the service's."""
        script = order.script
        actor = (self.voices or {}).get(script.part.voice, script.part.voice)
        direction = script.direction
        if order.attempt or script.part.take:
            direction += f" This is take {script.part.take + 1}.{order.attempt + 1}; play it anew."
        body: dict[str, Any]
        if self.protocol == "speech":
            body = {"input": script.text, "voice": actor, "instructions": direction, "response_format": "wav"}
        else:
            body = {
                "modalities": ["text", "audio"],
                "audio": {"voice": actor, "format": "wav"},
                "messages": [
                    {"role": "system", "content": direction},
                    {"role": "user", "content": f"Say exactly this, and nothing else: {marked_text(script)}"},
                ],
                "seed": order.seed,
            }
        return Request(key=script.part.key, kind=self.protocol, body=body)


@dataclass(frozen=True, slots=True)
class TranscriptionListener:
    """Has finished clips transcribed by a service and counts the words that differ from the script."""

    endpoint: Endpoint
    cache: Path

    def __call__(self, clips: Sequence[tuple[Order, bytes]]) -> Iterator[tuple[Order, Heard]]:
        asked = {order.script.part.key: order for order, _ in clips}
        requests = [
            Request(
                key=order.script.part.key,
                kind="transcription",
                body={"language": order.script.part.language, "response_format": "json"},
                file=wav,
            )
            for order, wav in clips
        ]
        for reply in ask(requests, self.endpoint, cache=self.cache):
            order = asked[reply.key]
            if fault := _fault(reply):
                yield order, Heard(fault=fault, cost=reply.cost)
            else:
                wer = word_error_rate(order.script.text, reply.text)
                yield order, Heard(reply.text.strip(), wer, cost=reply.cost)


def word_error_rate(said: str, heard: str) -> float:
    """Substituted, missing and added words by the number of words said; case and punctuation do not count."""
    jiwer = require("jiwer", extra="synthesis", feature="The check by speech recognition")
    return float(jiwer.wer(_plain(said), _plain(heard)))


def _plain(text: str) -> str:
    return " ".join(re.findall(r"[^\W_]+", text.casefold()))


def _fault(reply: Reply) -> str:
    if reply.status == "ok":
        return ""
    reason = "not asked" if reply.status == "not_asked" else reply.status
    return f"{reason}: {reply.message}" if reply.message else reason


def effort_of(found: CostEstimate, endpoint: Endpoint) -> Effort:
    """The services' estimate in the words of a dry run."""
    tokens = f"about {found.tokens_in + found.tokens_out:,} tokens at most" if found.tokens_in else ""
    service = f"service: {endpoint.model} at {public_name(endpoint)}"
    return Effort(
        found.requests, cost=found.cost, currency=found.currency, remarks=tuple(one for one in (tokens, service) if one)
    )


def public_name(endpoint: Endpoint) -> str:
    """The service's host and path, without user, password and query, which may hold secrets."""
    parts = urlsplit(endpoint.base_url)
    port = f":{parts.port}" if parts.port else ""
    return f"{parts.hostname}{port}{parts.path.rstrip('/')}"


def cache_folder(folder: str | os.PathLike[str]) -> Path:
    """Where a release keeps the replies of services."""
    return Path(folder) / ".services"
