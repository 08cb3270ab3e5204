"""What a sample's facts say, whichever release they are from.

Releases name the same things differently, and copies rename them: the text of a clip is `text`, `transcription` or
`whisper_transcription`; scores are `Anger_best` beside the other facts, or a JSON text, or lines of pseudo-XML.
`describe` finds them by their role. Layouts: docs/shards.md.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from emonet.datasets._literals import parse_literal
from emonet.datasets._samples import Sample
from emonet.datasets._talent import TalentAnnotation, TalentName, parse_talent_annotation, parse_talent_name
from emonet.datasets._words import emotion_of_words
from emonet.errors import UnknownNameError, UsageError
from emonet.taxonomy import Modality, dimension_key

_TEXT = ("text", "transcription", "transcript", "whisper_transcription", "flash_transcription")
_CAPTION = ("caption", "emotion_caption", "detailed_caption", "long_caption")
_DURATION = ("duration", "duration_s", "playtime_sec", "playtime")
_SPEAKER = ("speaker", "speaker_id", "subject", "voice")
_PROMPT = ("prompt", "text_prompt")
_PERSON = ("ethnicity", "gender", "age")
_NESTED = ("demographics", "metadata")
_JUDGED = ("emotions", "annotations", "annotation", "label", "labels", "ratings", "results")
_ENOUGH = 10
"""So many numbers under names of dimensions are scores; fewer, such as `age`, may be anything."""


@dataclass(frozen=True, slots=True)
class Description:
    """What is known of a sample beside its media.

    emotion: key of the emotion it was made for or named by. scores: dimension → number on the release's own scale, of
    a model. votes: (rater, dimension, number) of raters. text: what is said; caption: how. prompt: what a picture was
    made from. demographics: ethnicity, gender and age, for generated pictures those of the prompt. unread: names of
    scores that are no known dimension.
    """

    emotion: str | None = None
    scores: Mapping[str, float] = field(default_factory=dict)
    votes: tuple[tuple[str, str, float], ...] = ()
    text: str | None = None
    caption: str | None = None
    language: str | None = None
    speaker: str | None = None
    duration_s: float | None = None
    prompt: str | None = None
    demographics: Mapping[str, str] = field(default_factory=dict)
    unread: tuple[str, ...] = ()


@dataclass(slots=True)
class _Judged:
    """Scores and votes while they are collected."""

    modality: Modality | None
    scores: dict[str, float] = field(default_factory=dict)
    votes: list[tuple[str, str, float]] = field(default_factory=list)
    unread: list[str] = field(default_factory=list)

    def key(self, name: str) -> str | None:
        try:
            return dimension_key(name, self.modality)
        except UnknownNameError:
            self.unread.append(name)
            return None


def describe(sample: Sample) -> Description:
    """Read a sample's facts. What is not told is empty; nothing is guessed from the media."""
    facts = {name.casefold(): value for name, value in sample.facts.items()}
    for name in _NESTED:
        if isinstance(inner := facts.get(name), Mapping):
            facts = {**{str(one).casefold(): value for one, value in inner.items()}, **facts}
    talent = parse_talent_name(sample.key) or parse_talent_name(sample.source)
    annotation = _annotation(facts)
    judged = _Judged(sample.modality)
    _flat(sample.facts, judged)
    for name in _JUDGED:
        _nested(facts.get(name), judged)
    if annotation is not None:
        judged.scores.update(annotation.scores)
        judged.unread += annotation.unread
    text = _first(facts, _TEXT, _text) or (annotation.speech if annotation else None)
    return Description(
        emotion=_emotion(facts, talent, judged),
        scores=judged.scores,
        votes=tuple(judged.votes),
        text=text,
        caption=_first(facts, _CAPTION, _text),
        language=_first(facts, ("language", "lang"), _text) or (talent.language if talent else None),
        speaker=_first(facts, _SPEAKER, _text) or (talent.voice if talent else None),
        duration_s=_first(facts, _DURATION, _number),
        prompt=_first(facts, _PROMPT, _text),
        demographics={name: str(facts[name]) for name in _PERSON if isinstance(facts.get(name), str | int)},
        unread=tuple(dict.fromkeys(judged.unread)),
    )


def _flat(facts: Mapping[str, Any], judged: _Judged) -> None:
    """Numbers that stand beside the other facts: `Anger_best` and `score_...` of Emolia, display names of snippets."""
    numbers = {name: number for name, value in facts.items() if (number := _number(value)) is not None}
    found = {}
    for name, number in numbers.items():
        try:
            found[name] = (dimension_key(name, judged.modality), number)
        except UnknownNameError:
            if name.endswith("_best"):
                judged.unread.append(name)
    for name, (key, number) in found.items():
        if len(found) >= _ENOUGH or name.endswith("_best") or name.startswith("score_"):
            judged.scores[key] = number


def _nested(value: Any, judged: _Judged) -> None:
    """Scores `{name: number}`, or votes `{rater: {name: number}}` or a list of them; as text or as values."""
    if isinstance(value, str):
        if not value.lstrip().startswith(("{", "[")):
            return
        try:
            value = parse_literal(value)
        except UsageError:
            return
    for entry in value if isinstance(value, list | tuple) else [value]:
        if isinstance(entry, Mapping):
            _entry(entry, judged)


def _entry(entry: Mapping[Any, Any], judged: _Judged) -> None:
    for name, value in entry.items():
        inner = _inner(value)
        if inner is not None:
            for dimension, said in inner.items():
                number = _number(said)
                if number is not None and (key := judged.key(str(dimension))):
                    judged.votes.append((str(name), key, number))
        elif (number := _number(value)) is not None and (key := judged.key(str(name))):
            judged.scores[key] = number


def _inner(value: Any) -> Mapping[Any, Any] | None:
    if isinstance(value, str) and value.lstrip().startswith("{"):
        try:
            value = parse_literal(value)
        except UsageError:
            return None
    # The face model's own output holds raw, mean_subtracted and softmax under each name: not a rater's answers.
    return value if isinstance(value, Mapping) and "mean_subtracted" not in value else None


def _annotation(facts: Mapping[str, Any]) -> TalentAnnotation | None:
    text = facts.get("annotation")
    return parse_talent_annotation(text) if isinstance(text, str) and text.lstrip().startswith("<") else None


def _emotion(facts: Mapping[str, Any], talent: TalentName | None, judged: _Judged) -> str | None:
    """The emotion that is named, else that of the tar, else the only one that raters were asked for."""
    for name in ("emotion", "label", "category", "emonet40"):
        value = facts.get(name)
        if isinstance(value, str) and not value.lstrip().startswith(("{", "[")) and (key := emotion_of_words(value)):
            return key
    if talent is not None and talent.emotion is not None:
        return talent.emotion
    asked = {dimension for _, dimension, _ in judged.votes}
    return next(iter(asked)) if len(asked) == 1 and judged.modality == "voice" else None


def _first(facts: Mapping[str, Any], names: Sequence[str], read: Callable[[Any], Any]) -> Any:
    return next((value for name in names if (value := read(facts.get(name))) is not None), None)


def _text(value: Any) -> str | None:
    return value.strip() or None if isinstance(value, str) else None


def _number(value: Any) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        return float(value) if math.isfinite(value) else None
    except OverflowError:
        return None
