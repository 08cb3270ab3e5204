"""What is recorded: a part of the design, its script, and one take of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

LANGUAGES = ("en", "de", "es", "fr")
"""Languages of the release, ISO 639-1."""
LANGUAGE_NAMES: Mapping[str, str] = {"en": "english", "de": "german", "es": "spanish", "fr": "french"}
"""How the release's file names call them."""
NONE = "none"
"""No accent, or no acting challenge."""

Place = Literal["start", "middle", "end"]


@dataclass(frozen=True, slots=True)
class Part:
    """One cell of the design. `emotion`: key of the taxonomy. `intensity`: 1 (just noticeable) to 4 (as intense as it
    gets), the release's own scale without 0. `take`: how many parts of the same voice, emotion and language are before
    it. `key`: name of the clip, which `emonet.datasets.parse_talent_name` reads."""

    key: str
    voice: str
    emotion: str
    language: str
    accent: str
    challenge: str
    intensity: int
    take: int


@dataclass(frozen=True, slots=True)
class Burst:
    """A vocal burst and where it is: before the first sentence, before the last, or after it."""

    name: str
    place: Place


@dataclass(frozen=True, slots=True)
class Script:
    """What is said and how. `sentences`: the words, in order. `scene`: where; `direction`: the whole stage direction,
    in English. `writer`: "templates", or the model that wrote it."""

    part: Part
    sentences: tuple[str, ...]
    bursts: tuple[Burst, ...]
    scene: str
    direction: str
    writer: str = "templates"

    @property
    def text(self) -> str:
        """The words without bursts: what a transcript should hold."""
        return " ".join(self.sentences)

    @property
    def words(self) -> int:
        """Number of words, as blanks divide them (French sets blanks before `!`, `?` and `:`)."""
        return sum(any(letter.isalnum() for letter in word) for word in self.text.split())


@dataclass(frozen=True, slots=True)
class Order:
    """One attempt at a script. `attempt`: 0 for the first; `seed`: what makes this attempt unlike the others."""

    script: Script
    attempt: int
    seed: int


@dataclass(frozen=True, slots=True)
class Take:
    """What a generator gave for an order: an encoded sound file, or a `fault`. `cost`: money in the generator's
    currency, None where nothing is paid or no price is known. `cached`: paid for in an earlier run."""

    order: Order
    audio: bytes = b""
    fault: str = ""
    cost: float | None = None
    cached: bool = False


@dataclass(frozen=True, slots=True)
class Effort:
    """What orders are likely to take: `seconds` on this machine with one process and no network, money, and remarks
    for the reader of a dry run."""

    requests: int
    seconds: float | None = None
    cost: float | None = None
    currency: str = ""
    remarks: tuple[str, ...] = ()


class Generator(Protocol):
    """Makes speech of scripts. Takes come as they finish; an order that failed comes with its fault."""

    @property
    def name(self) -> str:
        """Program or service and model, for the provenance."""

    @property
    def licence(self) -> str:
        """Under what the takes may be used, as far as the generator decides it."""

    def accents(self, language: str) -> tuple[str, ...]:
        """Accents it can speak, `none` first; empty for a language it cannot speak."""

    def takes(self, orders: Sequence[Order]) -> Iterator[Take]:
        """One take for each order, in any order."""

    def effort(self, scripts: Sequence[Script]) -> Effort:
        """What one take of each is likely to take; nothing is sent and nothing spoken."""


@dataclass(frozen=True, slots=True)
class Clip:
    """A finished clip. `path`: below the release's folder. `duration_s`, `loudness_lufs`, `peak_dbtp`, `speech_s`:
    measured on the finished samples. `transcript`: what speech recognition heard, None when it was not asked; `wer`:
    its word error rate. `attempt`: how many takes failed before. `faults`: why they did. `cost`: of all takes."""

    script: Script
    path: str
    duration_s: float
    loudness_lufs: float
    peak_dbtp: float
    speech_s: float
    attempt: int = 0
    faults: tuple[str, ...] = ()
    transcript: str | None = None
    wer: float | None = None
    cost: float | None = None
    generator: str = ""
    licence: str = ""
    facts: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Failure:
    """A script of which no take passed, with the fault of each."""

    script: Script
    faults: tuple[str, ...]
    cost: float | None = None
