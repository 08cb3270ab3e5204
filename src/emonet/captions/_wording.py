"""The words of captions, from `wording.json`, and the phrases made of them."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from typing import Any

from emonet.captions._records import Said, Selection

_TAG = {"extremely": "very ", "very": "very ", "notably": "", "somewhat": "slightly "}


@dataclass(frozen=True, slots=True)
class EmotionWords:
    """`adjectives`, `nouns`: said in rotation; `known`: understood besides."""

    adjectives: tuple[str, ...]
    nouns: tuple[str, ...]
    known: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class AttributeWords:
    """`high`, `low`: phrases that take a degree word; `bands`: of age, gender and register, instead."""

    name: str
    high: str = ""
    low: str = ""
    average: str = ""
    bands: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Wording:
    """Everything in `wording.json`."""

    emotions: Mapping[str, EmotionWords]
    attributes: Mapping[str, AttributeWords]
    unclear: Mapping[str, tuple[str, ...]]
    cued: Mapping[str, str]
    without_emotion: tuple[str, ...]
    degrees: Mapping[str, tuple[str, ...]]
    genuineness: tuple[str, ...]
    genuineness_tags: tuple[str, ...]
    absent: tuple[str, ...]
    blend: Mapping[str, str]
    even: Mapping[str, str]
    unremarkable: Mapping[str, str]


@lru_cache(maxsize=1)
def wording() -> Wording:
    """The words; emotions of a taxonomy of one's own that have none there are named by their own name."""
    text = files("emonet.captions").joinpath("wording.json").read_text(encoding="utf-8")
    data: dict[str, Any] = json.loads(text)
    emotions = {
        key: EmotionWords(tuple(row["adjectives"]), tuple(row["nouns"]), tuple(row["known"]))
        for key, row in data["emotions"].items()
    }
    return Wording(
        emotions={**emotions, **_own_emotions(emotions)},
        attributes={
            key: AttributeWords(**(row | {"bands": tuple(row.get("bands", ()))}))
            for key, row in data["attributes"].items()
        },
        unclear={word: tuple(keys) for word, keys in data["unclear"].items()},
        cued=data["cued"],
        without_emotion=tuple(data["phrases_without_emotion"]),
        degrees={strength: tuple(words) for strength, words in data["degrees"].items()},
        genuineness=tuple(data["genuineness"]),
        genuineness_tags=tuple(data["genuineness_tags"]),
        absent=tuple(data["absent"]),
        blend=data["blend"],
        even=data["even"],
        unremarkable=data["unremarkable"],
    )


def pick(choices: Sequence[str], seed: int, key: str) -> str:
    """One of the choices by seed and key; the same in every process, unlike Python's own hash of a text."""
    digest = hashlib.blake2b(f"{seed}:{key}".encode(), digest_size=8).digest()
    return choices[int.from_bytes(digest, "big") % len(choices)]


def emotion_phrase(said: Said, seed: int) -> str:
    """ "very doubtful", or "with no trace of doubt"."""
    words = wording().emotions[said.key]
    if said.word == "absent":
        form = pick(wording().absent, seed, f"{said.key}/absent")
        return form.format(noun=pick(words.nouns, seed, said.key))
    return f"{said.word} {pick(words.adjectives, seed, said.key)}"


def emotion_tag(said: Said, seed: int) -> str:
    """ "very doubtful", "doubtful", "slightly doubtful", or "no doubt"."""
    words = wording().emotions[said.key]
    if said.word == "absent":
        return f"no {pick(words.nouns, seed, said.key)}"
    return _TAG[said.word] + pick(words.adjectives, seed, said.key)


def attribute_phrase(said: Said) -> str:
    """ "very nasal", "about average in pitch range", "middle-aged"."""
    words = wording().attributes[said.key]
    if said.band is not None:
        return words.bands[said.band]
    if said.word == "average":
        return words.average or f"about average in {words.name}"
    return f"{said.word} {_side(said)}"


def attribute_tag(said: Said) -> str:
    """As `attribute_phrase` with a shorter degree; empty for what is average."""
    if said.band is not None:
        return attribute_phrase(said)
    return "" if said.word == "average" else _TAG[said.word] + _side(said)


def quality_phrases(selection: Selection, bursts: Sequence[str]) -> list[str]:
    """How genuine it sounds, and whether vocal bursts are heard."""
    out = []
    if selection.descriptor is not None:
        out.append(wording().genuineness[selection.descriptor])
    return out + burst_phrases(selection, bursts)


def quality_tags(selection: Selection, bursts: Sequence[str]) -> list[str]:
    """The same as tags; genuineness has three steps there."""
    level = selection.descriptor
    return ([] if level is None else [wording().genuineness_tags[min(level, 2)]]) + burst_phrases(selection, bursts)


def burst_phrases(selection: Selection, bursts: Sequence[str]) -> list[str]:
    """Vocal bursts: their names where they are known, else whether there are unusually many or few."""
    if bursts:
        return [f"vocal bursts heard: {', '.join(bursts)}"]
    if not selection.blend_said:
        return []
    return [wording().blend["present" if (selection.blend or 0) > 0 else "absent"]]


def _side(said: Said) -> str:
    words = wording().attributes[said.key]
    return words.high if said.z >= 0 or math.isnan(said.z) else words.low


def _own_emotions(known: Mapping[str, EmotionWords]) -> dict[str, EmotionWords]:
    from emonet.taxonomy import known_emotions

    out = {}
    for record in known_emotions():
        if record.key not in known:
            name = record.name.lower()
            known_words = tuple(word.lower() for word in record.words)
            out[record.key] = EmotionWords((f"marked by {name}",), (name,), known_words)
    return out
