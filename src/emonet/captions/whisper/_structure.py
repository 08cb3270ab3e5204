"""A caption's text to fields: tone, vocal bursts, the speaker. Every field points at the words that say it.

Nothing is inferred: what the text does not say is left open, what it denies is not a field, and where it says two
things that cannot both hold (an adult and a child) the single-valued view is None.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

from emonet.captions.whisper._bursts import find_bursts
from emonet.captions.whisper._negation import denied
from emonet.captions.whisper._tone import find_tones
from emonet.captions.whisper._traits import find_traits

TraitField = Literal["age", "gender", "style"]


@dataclass(frozen=True, slots=True)
class Evidence:
    """Words of the caption: `text` is `caption[start:end]`."""

    start: int
    end: int
    text: str


@dataclass(frozen=True, slots=True)
class Tone:
    """An emotion that the caption says is there.

    `key`: in the taxonomy. `word`: the strength as said ("very"), empty when nothing is said; `strength`: what it
    stands for, "slight", "moderate", "strong" or "extreme", empty likewise.
    """

    key: str
    word: str
    strength: str
    evidence: Evidence


@dataclass(frozen=True, slots=True)
class Burst:
    """A vocal burst. `name`: its class where the caption tells it, else empty; `group`: one of 16 (`burst_classes`)."""

    name: str
    group: str
    evidence: Evidence


@dataclass(frozen=True, slots=True)
class Trait:
    """Something about the speaker: `field` "age", "gender" or "style"."""

    field: TraitField
    value: str
    evidence: Evidence


@dataclass(frozen=True, slots=True)
class StructuredCaption:
    """A caption and its fields, each in the order of the text."""

    text: str
    tone: tuple[Tone, ...] = ()
    bursts: tuple[Burst, ...] = ()
    traits: tuple[Trait, ...] = ()

    @property
    def age(self) -> str | None:
        """infant, child, teenager, young adult, adult or elderly; None when unsaid or unclear."""
        return self._only("age")

    @property
    def gender(self) -> str | None:
        """How the voice presents: `feminine`, `masculine` or `androgynous`; None when unsaid or unclear."""
        return self._only("gender")

    @property
    def styles(self) -> tuple[str, ...]:
        """Ways of speaking that were said, each once."""
        return tuple(dict.fromkeys(trait.value for trait in self.traits if trait.field == "style"))

    def _only(self, field: TraitField) -> str | None:
        said = {trait.value for trait in self.traits if trait.field == field}
        return said.pop() if len(said) == 1 else None

    def as_json(self) -> dict[str, Any]:
        """The text and its fields as JSON values."""
        return {
            "caption": self.text,
            "tone": [
                {"emotion": t.key, "word": t.word, "strength": t.strength, "evidence": t.evidence.text}
                for t in self.tone
            ],
            "bursts": [{"class": b.name, "group": b.group, "evidence": b.evidence.text} for b in self.bursts],
            "speaker": {"age": self.age, "gender": self.gender, "styles": list(self.styles)},
        }


def parse_caption(text: str) -> StructuredCaption:
    """The fields that `text` itself holds. Any text is allowed; one that says nothing known gives no field."""
    tone = [
        Tone(said.key, said.word, said.strength if said.word else "", _evidence(text, at))
        for said, *at in find_tones(text)
    ]
    bursts = [Burst(name, group, _evidence(text, at)) for name, group, *at in _affirmed(text, find_bursts(text))]
    traits = [Trait(field, value, _evidence(text, at)) for field, value, *at in _affirmed(text, find_traits(text))]
    return StructuredCaption(
        text,
        tuple(sorted(tone, key=lambda one: one.evidence.start)),
        tuple(sorted(bursts, key=lambda one: one.evidence.start)),
        tuple(sorted(traits, key=lambda one: one.evidence.start)),
    )


def _affirmed(text: str, found: Iterator[tuple[Any, str, int, int]]) -> Iterator[tuple[Any, str, int, int]]:
    for first, second, start, end in found:
        if not denied(text, start, end):
            yield first, second, start, end


def _evidence(text: str, span: list[int]) -> Evidence:
    start, end = span
    return Evidence(start, end, text[start:end])
