"""Scripts from templates: sentences that fit an emotion and do not name it, with scene, direction and bursts."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence
from itertools import product
from random import Random

from emonet.synthesis.voices._data import Lines, challenge, directions, frequent_words, lines_of, played, sounded
from emonet.synthesis.voices._records import LANGUAGES, NONE, Burst, Part, Place, Script
from emonet.taxonomy import emotion

_PLACES: tuple[Place, ...] = ("start", "middle", "end")
_QUARTER = 0.25


def write_scripts(parts: Sequence[Part], *, seed: int = 0) -> tuple[Script, ...]:
    """A script for each part, offline. Parts of one emotion and language get different sentences as long as there are
    any left (at least 12 for each, more with names); equal arguments give equal scripts."""
    decks: dict[tuple[str, str], list[tuple[int, int, int, str]]] = defaultdict(list)
    scripts = []
    for part in parts:
        lines = lines_of(part.emotion, part.language)
        deck = decks[part.emotion, part.language]
        if not deck:
            deck += _deck(lines, Random(f"{seed}:{part.emotion}:{part.language}"))
        opening, core, closing, name = deck.pop()
        sentences = joined((lines.openings[opening], lines.cores[core], lines.closings[closing]), name)
        bursts = _bursts(part, Random(f"{seed}:{part.key}"))
        scene = played(part.emotion).scenes[core]
        scripts.append(Script(part, sentences, bursts, scene, stage_direction(part, scene, bursts)))
    return tuple(scripts)


def joined(pieces: Sequence[str], name: str) -> tuple[str, ...]:
    """Pieces as sentences: the name filled in; one that ends with a comma is joined to the next; capitals at starts."""
    sentences: list[str] = []
    for piece in pieces:
        text = piece.replace("{name}", name)
        if sentences and sentences[-1].endswith(","):
            sentences[-1] += f" {text}"
        else:
            # Spanish sentences may begin with an inverted mark.
            sentences.append(re.sub(r"^(\W*)(\w)", lambda found: found[1] + found[2].upper(), text, count=1))
    return tuple(sentences)


def stage_direction(part: Part, scene: str, bursts: Sequence[Burst]) -> str:
    """Everything that an actor is told, in English."""
    words, affect, record = directions(), played(part.emotion), emotion(part.emotion)
    told = [
        words["role"],
        words["language"].format(language=words["languages"][part.language]),
        words["scene"].format(scene=scene),
        words["play"].format(
            emotion=record.name.lower(), words=", ".join(record.words[:4]), level=words["levels"][str(part.intensity)]
        ),
    ]
    for axis in ("arousal", "valence", "dominance"):
        value = getattr(affect, axis)
        if abs(value) > _QUARTER:
            told.append(words["delivery"][f"{axis}_{'high' if value > 0 else 'low'}"])
    if part.accent != NONE:
        told.append(words["accent"].format(accent=part.accent))
    if part.challenge != NONE:
        told.append(challenge(part.challenge).direction)
    if bursts:
        told.append(words["bursts"].format(bursts=", ".join(sounded(one.name).cue for one in bursts)))
    return " ".join(told)


def marked_text(script: Script) -> str:
    """The sentences with the bursts as cues in brackets where they are: "[chuckles] Stop it! ..."."""
    cues: dict[Place, list[str]] = {place: [] for place in _PLACES}
    for burst in script.bursts:
        cues[burst.place].append(f"[{sounded(burst.name).cue}]")
    *first, last = script.sentences
    return " ".join([*cues["start"], *first, *cues["middle"], last, *cues["end"]])


def names_emotion(text: str, key: str, language: str) -> str:
    """The first word of the text that names the emotion, empty when none does. In English the emotion's words of the
    taxonomy count as well, whole."""
    plain = text.casefold()
    for start in lines_of(key, language).without:
        if found := re.search(rf"(?<!\w){re.escape(start.casefold())}\w*", plain):
            return found[0]
    if language == "en":
        record = emotion(key)
        for word in (*record.words, *re.split(r"[/&]", record.name)):
            if found := re.search(rf"(?<!\w){re.escape(word.strip().casefold())}(?!\w)", plain):
                return found[0]
    return ""


def told_language(text: str) -> str:
    """The one of the four languages whose frequent words the text has most of; empty when that is not clear."""
    words = re.findall(r"[^\W\d_]+(?:['’][^\W\d_]+)?", text.casefold().replace("’", "'"))
    counts = {language: sum(word in frequent_words(language) for word in words) for language in LANGUAGES}
    first, second = sorted(counts.values(), reverse=True)[:2]
    return max(counts, key=lambda language: counts[language]) if first >= 2 and first > second else ""


def _deck(lines: Lines, rng: Random) -> list[tuple[int, int, int, str]]:
    """Every sentence, each once, in random order; the name alternates so that a deck without names holds no doubles."""
    combinations = list(product(range(len(lines.openings)), range(len(lines.cores)), range(len(lines.closings))))
    rng.shuffle(combinations)
    names = list(lines.names)
    rng.shuffle(names)
    return [(*combination, names[i % len(names)]) for i, combination in enumerate(combinations)]


def _bursts(part: Part, rng: Random) -> tuple[Burst, ...]:
    """One burst, two from "strong" on, at different places."""
    known = list(played(part.emotion).bursts)
    count = min(len(known), 1 if part.intensity < 3 else 2)
    places = sorted(rng.sample(range(len(_PLACES)), count))
    return tuple(Burst(name, _PLACES[i]) for name, i in zip(rng.sample(known, count), places, strict=True))
