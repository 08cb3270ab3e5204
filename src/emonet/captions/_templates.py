"""Eleven ways to put the same selection on paper. All but "tags" say every phrase; in the selection's order."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from emonet.captions._records import Said, Selection
from emonet.captions._wording import (
    attribute_phrase,
    attribute_tag,
    emotion_phrase,
    emotion_tag,
    quality_phrases,
    quality_tags,
    wording,
)
from emonet.errors import UnknownNameError
from emonet.taxonomy import Modality

_RANDOM_TEMPLATE = 0xABCDEF
_CONNECTORS = ("and", "also", "moreover", "and besides")
_AGE, _GENDER = ("AGEV", "age"), ("GEND", "gender")


@dataclass(frozen=True, slots=True)
class Parts:
    """Phrases by what they are about. `age_gender`: adjectives; `other_identity`: register and tempo."""

    thing: str
    verb: str
    age_gender: tuple[str, ...]
    other_identity: tuple[str, ...]
    timbre: tuple[str, ...]
    attributes: tuple[str, ...]
    emotions: tuple[str, ...]
    quality: tuple[str, ...]
    even: str

    @property
    def identity(self) -> tuple[str, ...]:
        """Who it may be."""
        return self.age_gender + self.other_identity


def template_name(name: str, seed: int) -> str:
    """The template itself; "random" is one of the eleven by seed. Raises `UnknownNameError`."""
    if name == "random":
        return TEMPLATES[random.Random(seed ^ _RANDOM_TEMPLATE).randrange(len(TEMPLATES))]
    if name not in _RENDER:
        raise UnknownNameError("caption template", name, (*TEMPLATES, "random"))
    return name


def render(selection: Selection, template: str, seed: int, modality: Modality, bursts: Sequence[str]) -> str:
    """The text of a selection."""
    if template == "tags":
        tags = [attribute_tag(said) for said in selection.attributes]
        tags += [emotion_tag(said, seed) for said in selection.emotions] + quality_tags(selection, bursts)
        return ", ".join(tag for tag in tags if tag) or wording().unremarkable[modality]
    quality = tuple(quality_phrases(selection, bursts))
    if not (selection.attributes or selection.emotions or quality):
        return wording().unremarkable[modality]
    always = [said for said in selection.attributes if said.always]
    parts = Parts(
        thing=modality,
        verb="sounds" if modality == "voice" else "looks",
        age_gender=_phrases(said for said in always if said.key in _AGE + _GENDER),
        other_identity=_phrases(said for said in always if said.key not in _AGE + _GENDER),
        timbre=_phrases(said for said in selection.attributes if not said.always),
        attributes=_phrases(selection.attributes),
        emotions=tuple(emotion_phrase(said, seed) for said in selection.emotions),
        quality=quality,
        even=wording().even[modality],
    )
    return _RENDER[template](parts)


def _phrases(said: Iterable[Said]) -> tuple[str, ...]:
    return tuple(attribute_phrase(one) for one in said)


def _default(p: Parts) -> str:
    seen = "Heard" if p.thing == "voice" else "Seen"
    return f"{seen} in this {p.thing}: {'; '.join(p.attributes + p.emotions + p.quality)}."


def _identity_first(p: Parts) -> str:
    return _sentences(
        _sentence("The {thing} is that of someone who {verb}", p.identity, p),
        _sentence("Its character is", p.timbre, p),
        _sentence("It {verb}", p.emotions, p),
        _sentence("It comes across as", p.quality, p),
    )


def _emotion_first(p: Parts) -> str:
    return _sentences(
        _sentence("The {thing} {verb}", p.emotions or (p.even,), p),
        _sentence("It is", p.timbre + p.identity, p),
        _sentence("It comes across as", p.quality, p),
    )


def _telegraphic(p: Parts) -> str:
    return _capital(", ".join(p.attributes + p.emotions + p.quality)) + "."


def _two_sentence(p: Parts) -> str:
    return _sentences(
        _sentence("What stands out in this {thing} is that it is", p.timbre + p.identity, p),
        _sentence("In expression it {verb}", p.emotions + p.quality or (p.even,), p),
    )


def _sounds_like(p: Parts) -> str:
    who = " ".join([*p.age_gender, p.thing])
    head = f"It {p.verb} like {_article(who)} {who}" + (f", {_listed(p.other_identity)}" if p.other_identity else "")
    return _sentences(
        head + ".",
        _sentence("The {thing} is", p.timbre, p),
        _sentence("It {verb}", p.emotions, p),
        _sentence("It comes across as", p.quality, p),
    )


def _bulleted(p: Parts) -> str:
    labelled = (("Identity", p.identity), ("Timbre", p.timbre), ("Emotion", p.emotions), ("Delivery", p.quality))
    return " · ".join(f"{label}: {', '.join(phrases)}" for label, phrases in labelled if phrases)


def _varied_connectors(p: Parts) -> str:
    phrases = p.attributes + p.emotions + p.quality
    text = phrases[0]
    for i, phrase in enumerate(phrases[1:]):
        text += f", {_CONNECTORS[i % len(_CONNECTORS)]} {phrase}"
    return f"Impression of the {p.thing}: {text}."


def _quality_led(p: Parts) -> str:
    return _sentences(
        _sentence("The delivery is" if p.thing == "voice" else "The look is", p.quality or ("ordinary",), p),
        _sentence("The {thing} is", p.timbre + p.identity, p),
        _sentence("It {verb}", p.emotions, p),
    )


def _minimal_identity(p: Parts) -> str:
    who = " ".join([*p.age_gender, p.thing])
    mood = _listed(p.emotions) if p.emotions else p.even
    return _sentences(
        _capital(f"{_article(who)} {who} that {p.verb} {mood}."),
        _sentence("It is", p.timbre + p.other_identity + p.quality, p),
    )


def _sentence(start: str, phrases: Sequence[str], p: Parts) -> str:
    return f"{start.format(thing=p.thing, verb=p.verb)} {_listed(phrases)}." if phrases else ""


def _sentences(*sentences: str) -> str:
    return " ".join(sentence for sentence in sentences if sentence)


def _listed(phrases: Sequence[str]) -> str:
    return phrases[0] if len(phrases) == 1 else f"{', '.join(phrases[:-1])} and {phrases[-1]}"


def _article(word: str) -> str:
    return "an" if word[0] in "aeiou" else "a"


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


_RENDER: dict[str, Callable[[Parts], str]] = {
    "default": _default,
    "identity_first": _identity_first,
    "emotion_first": _emotion_first,
    "telegraphic": _telegraphic,
    "two_sentence": _two_sentence,
    "sounds_like": _sounds_like,
    "bulleted": _bulleted,
    "varied_connectors": _varied_connectors,
    "quality_led": _quality_led,
    "minimal_identity": _minimal_identity,
    "tags": lambda p: "",  # made of tags, not of phrases: see `render`
}
TEMPLATES: tuple[str, ...] = tuple(_RENDER)
"""Names of the templates; "random" chooses one by seed."""
