"""LAION's Got Talent: what the names of its tars and the annotations of its enhanced release tell.

Raw and enhanced tars are named `<language>_<voice>_intense_<words>_vocalbursts_fixed.tar`; the first release names
them `voice_acting_outputs-<voice>-emotion-prompts_NNN.tar` and the like. The enhanced release's `annotation` is made of
lines `<Dimension>score#comment</Dimension>`, some of them malformed (names and keys as seen in the published files).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from emonet.datasets._words import emotion_of_words
from emonet.errors import UnknownNameError
from emonet.taxonomy import dimension_key

VOICES = ("alloy", "ash", "ballad", "coral", "echo", "fable", "nova", "onyx", "sage", "shimmer", "verse")
_VOICE = "|".join(VOICES)
_LANGUAGES = {"english": "en", "german": "de", "spanish": "es", "french": "fr"}
_INTENSE = re.compile(
    rf"(?:^|[/_-])(?P<language>[a-z]{{2,12}})_(?P<voice>{_VOICE})_intense_(?P<words>.+?)(?:_vocal_?bursts.*)?$"
)
_FIRST = re.compile(
    rf"(?:(?P<language>[a-z]+)_)?(?:voice_acting_outputs|dialogue_dataset)-(?P<voice>{_VOICE})(?:-(?P<prompts>[\w-]+)-prompts)?"
)
_PLAIN = re.compile(rf"(?:^|/)(?P<language>english|german|spanish|french)_(?P<voice>{_VOICE})(?=[_.-]|$)")
_SCORE = re.compile(r"<\s*([^<>/][^<>]*?)\s*>\s*([-+]?\d+(?:\.\d+)?)\s*(?:#\s*([^<\r\n]*))?")
_SPEECH = re.compile(r"<\s*transcription_start\s*>(.*?)(?:<\s*/?\s*transcription_(?:start|end)\s*>|\Z)", re.S | re.I)


@dataclass(frozen=True, slots=True)
class TalentName:
    """`language`: ISO 639-1, None when not told. `voice`: one of eleven. `emotion`: key of the emotion that was played,
    None for other prompts and for words that fit none. `words`: as the name has them. `acting`: an acting challenge."""

    language: str | None
    voice: str
    emotion: str | None
    words: str
    acting: bool


@dataclass(frozen=True, slots=True)
class TalentAnnotation:
    """`scores`: key → number on the dimension's scale; of a tag that comes twice the first. `comments`: key → what was
    said to it. `speech`: the transcription. `unread`: tags that are no known dimension."""

    scores: Mapping[str, float]
    comments: Mapping[str, str]
    speech: str | None
    unread: tuple[str, ...]


def parse_talent_name(name: str) -> TalentName | None:
    """What a tar's or a clip's name tells; None for a name of another kind."""
    plain = re.sub(r"(\.tar)?(\.gz)?$", "", name.rpartition("/")[2]).casefold()
    found = _INTENSE.search(plain)
    if found:
        words = re.sub(r"_?\d*$", "", found["words"])
        return TalentName(_language(found["language"]), found["voice"], emotion_of_words(words), words, False)
    found = _FIRST.search(plain)
    if found:
        # The release spells it "challange".
        acting = (found["prompts"] or "").startswith("acting")
        return TalentName(_language(found["language"]), found["voice"], None, "", acting)
    found = _PLAIN.search(plain)
    return TalentName(_language(found["language"]), found["voice"], None, "", False) if found else None


def parse_talent_annotation(text: str) -> TalentAnnotation:
    """Scores of an `annotation`. Tags are read one by one, so that a broken one costs no other."""
    speech = _SPEECH.search(text)
    scores: dict[str, float] = {}
    comments: dict[str, str] = {}
    unread = []
    for tag, number, comment in _SCORE.findall(_SPEECH.sub("", text)):
        try:
            key = dimension_key(tag, "voice")
        except UnknownNameError:
            unread.append(tag)
            continue
        if key not in scores:
            scores[key] = float(number)
            if comment.strip():
                comments[key] = comment.strip()
    return TalentAnnotation(scores, comments, speech[1].strip() if speech else None, tuple(dict.fromkeys(unread)))


def _language(name: str | None) -> str | None:
    return None if name is None else _LANGUAGES.get(name, name if len(name) == 2 else None)
