"""What a service is to the engine that asks it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from emonet.benchmark.raters._media_parts import Part
from emonet.benchmark.raters._prompts import Prompt
from emonet.benchmark.raters._questions import Question
from emonet.benchmark.raters._records import Status
from emonet.services._replies import Received, Usage


@dataclass(frozen=True, slots=True)
class Exchange:
    """One answer that could not be used: what the model said, and the fault that it is told."""

    said: str
    fault: str


@dataclass(frozen=True, slots=True)
class Call:
    """One request to be sent. `earlier`: unusable answers to the same question, oldest first. `handle`: a job that was
    begun for it before; `keep_handle` notes the one that is begun now."""

    question: Question
    prompt: Prompt
    part: Part
    earlier: tuple[Exchange, ...] = ()
    handle: str | None = None
    keep_handle: Callable[[str], None] = lambda _: None


@dataclass(frozen=True, slots=True)
class Answer:
    """A reply that was read. `values` has all or some of the dimensions asked when `status` is ok. `said`: the model's
    own words."""

    status: Status
    values: Mapping[str, float] = field(default_factory=dict)
    message: str = ""
    said: str = ""


class Service(Protocol):
    """A service for one rater and one set. Methods are called from several threads; only `send` uses the network.

    `configuration`: all that decides about answers beside file and prompt, without secrets.
    """

    @property
    def configuration(self) -> Mapping[str, Any]: ...

    def prompt(self, question: Question) -> Prompt:
        """What the service is told beside the file."""
        ...

    def part(self, item: str, data: bytes) -> Part:
        """An item's file as it is sent. Raises `MediaError` when it cannot be."""
        ...

    def open(self) -> None:
        """Get ready to send. Raises `UsageError` for a missing key, `MissingExtraError` for a missing package."""
        ...

    def send(self, call: Call) -> Received:
        """Send one request, without trying again."""
        ...

    def close(self) -> None:
        """Close the connections that `open` made."""
        ...

    def adapt(self, received: Received) -> str | None:
        """Change the form of further requests after one was refused for its form; what was changed, or None when
        nothing can be."""
        ...

    def interpret(self, body: str, question: Question) -> Answer:
        """Read a raw reply. Never raises."""
        ...

    def usage(self, body: str) -> Usage:
        """Tokens by a raw reply. Never raises."""
        ...

    def most(self, call: Call) -> Usage:
        """About the most tokens that a request can take."""
        ...
