"""From a row of a design to the words that a picture model is given."""

from __future__ import annotations

import hashlib
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from random import Random
from typing import Any

from emonet.synthesis.portraits._design import Design
from emonet.synthesis.portraits._factors import Factor
from emonet.taxonomy import display_name, emotion

_FRAMING = "The whole face from chin to hair is in the picture, seen from the front, and nothing covers it."
_MOST_WORDS = 6  # of a category's example words in one prompt


@dataclass(frozen=True, slots=True)
class Prompt:
    """One portrait to be made. `levels`: factor → level; `words`: the emotion's example words that the text names."""

    key: str
    text: str
    levels: Mapping[str, str]
    words: tuple[str, ...]
    seed: int


def write_prompts(design: Design) -> tuple[Prompt, ...]:
    """A prompt for each row, in one of several phrasings; equal designs give equal prompts."""
    factors = {factor.name: factor for factor in design.factors}
    return tuple(_prompt(key, design.row(i), factors, design.seed) for i, key in enumerate(design.keys))


def _prompt(key: str, levels: Mapping[str, str], factors: Mapping[str, Factor], seed: int) -> Prompt:
    number = int.from_bytes(hashlib.sha256(f"{seed}\n{key}".encode()).digest()[:4], "big")
    draw = Random(number)
    known = _phrases()
    felt = emotion(levels["emotion"])
    words = tuple(draw.sample(felt.words, min(_MOST_WORDS, len(felt.words))))

    def said(name: str, usual: str) -> str:
        return factors[name].words(levels[name]) if name in factors else usual

    text = draw.choice(known["phrases"]).format(
        subject=_subject(levels),
        intensity=said("intensity", "clearly visible"),
        intensity_after=known["intensity_after"].get(levels.get("intensity", ""), "plain to see"),
        emotion=display_name(felt.key).casefold(),
        words=", ".join(words) or felt.name.casefold(),
        framing=said("framing", _FRAMING),
        camera=said("camera", "an 85 mm portrait lens at eye level"),
        light=said("light", "soft light from the front"),
        background=said("background", "a plain wall"),
    )
    told = {"ethnicity", "age", "gender", "emotion", "intensity", "camera", "light", "background", "framing"}
    own = [factors[name].words(level) for name, level in levels.items() if name not in told]
    return Prompt(key, " ".join([text[0].upper() + text[1:], *(f"{one}." for one in own)]), dict(levels), words, number)


def _subject(levels: Mapping[str, str]) -> str:
    ethnicity, gender, age = levels.get("ethnicity", ""), levels.get("gender", "person"), levels.get("age", "")
    article = "an" if (ethnicity or gender)[:1].casefold() in "aeiou" else "a"
    who = " ".join(part for part in (article, ethnicity, gender) if part)
    return f"{who} of {age} years" if age else who


@lru_cache(maxsize=1)
def _phrases() -> Mapping[str, Any]:
    return tomllib.loads(files(__package__).joinpath("phrases.toml").read_text(encoding="utf-8"))
