"""The data files beside this one: sentences, emotions, bursts, and the casting."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from emonet.errors import UnknownNameError, UsageError
from emonet.synthesis.voices._records import LANGUAGES


@dataclass(frozen=True, slots=True)
class Lines:
    """Pieces of an emotion's sentences in one language. `without`: beginnings of words that would name it."""

    without: tuple[str, ...]
    openings: tuple[str, ...]
    cores: tuple[str, ...]
    closings: tuple[str, ...]
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Played:
    """How an emotion is played: valence, arousal and dominance, each -1..1; scenes, one for each core line; bursts."""

    valence: float
    arousal: float
    dominance: float
    scenes: tuple[str, ...]
    bursts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Sounded:
    """A vocal burst. `cue`: what a stage direction calls it; `say`: what stands for it, by language; `pause_ms`: the
    pause that stands for it where nothing is said."""

    cue: str
    say: Mapping[str, str]
    pause_ms: int


@dataclass(frozen=True, slots=True)
class Cast:
    """A voice. `espeak`: variant of eSpeak NG; `pitch`, `pitch_range`: percent of the variant's own."""

    name: str
    gender: str
    espeak: str
    pitch: float
    pitch_range: float


@dataclass(frozen=True, slots=True)
class Accent:
    """`espeak`: the voice of eSpeak NG that has it, empty when none has. `published`: it is in the release."""

    name: str
    espeak: str
    published: bool


@dataclass(frozen=True, slots=True)
class Challenge:
    """`direction`: told to the actor. Numbers multiply the local synthesiser's prosody; see casting.toml."""

    name: str
    direction: str
    rate: float = 1.0
    pitch: float = 1.0
    range: float = 1.0
    volume: float = 1.0
    pauses: float = 1.0
    slope: float = 0.0
    whisper: bool = False


_NO_EMOTION = ("names", "frequent")


def lines_of(emotion: str, language: str) -> Lines:
    """Pieces of sentences; `UnknownNameError` for another language or an emotion without lines."""
    table = _read(f"lines/{_known_language(language)}.toml")
    if not isinstance(table.get(emotion), dict):
        raise UnknownNameError("emotion with sentences", emotion, [name for name in table if name not in _NO_EMOTION])
    held = table[emotion]
    return Lines(
        tuple(held["without"]), tuple(held["open"]), tuple(held["core"]), tuple(held["close"]), tuple(table["names"])
    )


@cache
def frequent_words(language: str) -> frozenset[str]:
    """Common words of a language, enough to tell the four apart."""
    return frozenset(_read(f"lines/{_known_language(language)}.toml")["frequent"].split())


def played(emotion: str) -> Played:
    """How an emotion is played."""
    table = _read("emotions.toml")
    if emotion not in table:
        raise UnknownNameError("emotion", emotion, table)
    held = table[emotion]
    valence, arousal, dominance = held["affect"]
    return Played(valence, arousal, dominance, tuple(held["scenes"]), tuple(held["bursts"]))


def sounded(burst: str) -> Sounded:
    """A vocal burst by its name."""
    table = _read("bursts.toml")
    if burst not in table:
        raise UnknownNameError("vocal burst", burst, table)
    held = table[burst]
    return Sounded(held["cue"], held.get("say", {}), held.get("pause_ms", 0))


def burst_names() -> tuple[str, ...]:
    """Every vocal burst that scripts may use."""
    return tuple(_read("bursts.toml"))


def cast(voice: str) -> Cast:
    """A voice by its name."""
    table = _read("casting.toml")["voices"]
    if voice not in table:
        raise UnknownNameError("voice", voice, table)
    held = table[voice]
    return Cast(voice, held["gender"], held["espeak"], held["pitch"], held["range"])


def voice_names() -> tuple[str, ...]:
    """The eleven voices."""
    return tuple(_read("casting.toml")["voices"])


def accents_of(language: str) -> tuple[Accent, ...]:
    """Every accent known of a language, `none` first."""
    table = _read("casting.toml")["accents"][_known_language(language)]
    return tuple(Accent(name, held.get("espeak", ""), held.get("published", False)) for name, held in table.items())


def challenge(name: str) -> Challenge:
    """An acting challenge by its name."""
    table = _read("casting.toml")["challenges"]
    if name not in table:
        raise UnknownNameError("acting challenge", name, table)
    return Challenge(name, **table[name])


def challenge_names() -> tuple[str, ...]:
    """Every acting challenge, `none` first."""
    return tuple(_read("casting.toml")["challenges"])


def directions() -> Mapping[str, Any]:
    """Wording of the stage directions."""
    table: Mapping[str, Any] = _read("casting.toml")["directions"]
    return table


def _known_language(language: str) -> str:
    if language not in LANGUAGES:
        raise UnknownNameError("language", language, LANGUAGES)
    return language


@cache
def _read(name: str) -> dict[str, Any]:
    try:
        return tomllib.loads(files("emonet.synthesis.voices").joinpath(name).read_text(encoding="utf-8"))
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise UsageError(f"The package's file {name} cannot be read: {error}. Reinstall emonet.") from error
