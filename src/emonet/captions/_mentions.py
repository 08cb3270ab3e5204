"""From a text back to emotions: which ones it speaks of, how strongly, and which it denies.

Made to check captions and paraphrases of them, so it prefers to miss nothing: a word that may mean two emotions, or
that is rarely meant as one, is reported as unclear and not counted. It reads English.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache

from emonet.captions._records import STRENGTHS, Strength
from emonet.captions._wording import wording

PLAIN: Strength = "moderate"
"""What an emotion without a degree word is taken for, as in captions made of tags."""


@dataclass(frozen=True, slots=True)
class Mention:
    """One place where an emotion is named. `strength` is "none" where it is denied; `word`: the degree or negation
    that was read, empty for a bare name; the name is `text[start:end]`."""

    key: str
    strength: Strength
    word: str
    text: str
    start: int
    end: int

    @property
    def denied(self) -> bool:
        """Whether the text says that it is not there."""
        return self.strength == "none"


@dataclass(frozen=True, slots=True)
class Unclear:
    """A word that may mean any of `keys`, or none."""

    keys: tuple[str, ...]
    text: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Mentions:
    """Everything that a text says of emotions, in its order."""

    places: tuple[Mention, ...]
    unclear: tuple[Unclear, ...] = ()

    @property
    def strengths(self) -> Mapping[str, Strength]:
        """Key → strength in the order of first naming; the strongest where an emotion is named more than once."""
        found: dict[str, Strength] = {}
        for place in self.places:
            before = found.get(place.key)
            if before is None or STRENGTHS.index(place.strength) > STRENGTHS.index(before):
                found[place.key] = place.strength
        return found

    @property
    def said(self) -> tuple[tuple[str, Strength], ...]:
        """The same as pairs."""
        return tuple(self.strengths.items())

    @property
    def present(self) -> tuple[str, ...]:
        """Keys that are not denied."""
        return tuple(key for key, strength in self.strengths.items() if strength != "none")


@dataclass(frozen=True, slots=True)
class _Lexicon:
    names: re.Pattern[str]
    meaning: Mapping[str, tuple[str, ...]]
    cued: frozenset[str]
    silent: re.Pattern[str]
    degree_before: re.Pattern[str]
    degree_after: re.Pattern[str]
    degrees: Mapping[str, Strength]


_FILLER = (
    r"(?:(?:a|an|the|of|any|some|its|their|his|her|this|that|sense|feeling|feelings|sign|signs|air|tone|note|amount|degree|"
    r"level|more|and|kind|for|in|with|real|emotional|perceived|audible|vocal|being|feel|feels|sounding|sounds|looks|to)\b[\s,]+)*"
)
_NEGATION = re.compile(
    r"(?<![\w-])(?:no|not|never|without|nor|neither|none|lacks?|lacking|lack of|absence of|devoid of|free (?:of|from)|"
    r"nothing of|anything but|far from|hardly|scarcely|barely any|rather than|instead of|cannot|\w+n['’]t)(?![\w-])",
    re.IGNORECASE,
)
_HALF_NEGATION = re.compile(r"(?:not (?:only|just|merely)|no (?:less|doubt(?= that)))\b", re.IGNORECASE)
_NOT_BEFORE = re.compile(r"(?<![\w-])not\s+$", re.IGNORECASE)
_CLAUSE = re.compile(
    r"[.;:!?\n•·—–]|(?<![\w-])(?:(?<!anything )but|yet|although|though|however|while|whereas|instead(?! of)|"
    r"only(?<!not only))(?![\w-])",
    re.IGNORECASE,
)
_NEW_STEP = re.compile(r"(?<![\w-])(?:with|and|plus|along with|as well as|together with)\s+$", re.IGNORECASE)
_DENIED_AFTER = re.compile(
    r"\s*(?:(?:is|are|was|were|seems?|remains?|stays?)\s+)?(?:(?:completely|entirely|wholly|fully|almost)\s+)?"
    r"(?:absent|missing|lacking|(?:not|never)\s+(?:\w+\s+)?(?:heard|seen|present|audible|there|felt|noticeable|detectable))(?!\w)",
    re.IGNORECASE,
)
_CUE = re.compile(
    r"(?:(?<![\w-])(?:sounds?|sounding|feels?|feeling|seems?|looks?|looking|appears?|comes across as|is|are)\s+"
    r"(?:\w+ly\s+)?)$",
    re.IGNORECASE,
)
_ENDS = re.compile(r"\s*(?:$|[.,;:!?)]|(?:and|or|but|with|about|at|in|to|by)\b)", re.IGNORECASE)


def mentions(text: str) -> Mentions:
    """Emotions that a text speaks of, with a strength each: none, slight, moderate, strong or extreme.

    A degree belongs to the name right after it ("very sad", "a hint of fear", "a strong sense of pride") and to names
    joined to that by "and" or "or"; it may also follow ("the anger is extreme"). A negation reaches to the end of its
    clause, or over a list that goes on with "or". "not very angry" counts as a denial.
    """
    lexicon = _lexicon()
    hidden = [(found.start(), found.end()) for found in lexicon.silent.finditer(text)]
    places: list[Mention] = []
    unclear: list[Unclear] = []
    for found in lexicon.names.finditer(text):
        start, end = found.span()
        if any(low <= start and end <= high for low, high in hidden):
            continue
        name = _plain(found.group())
        keys = lexicon.meaning[name]
        previous = places[-1] if places else None
        strength, word = _strength(text, start, end, previous, lexicon)
        if name in lexicon.cued and not (_ENDS.match(text, end) and (word or _CUE.search(text, 0, start))):
            continue
        if len(keys) > 1 or name in wording().unclear:
            unclear.append(Unclear(keys, found.group(), start, end))
        else:
            places.append(Mention(keys[0], strength, word, found.group(), start, end))
    return Mentions(tuple(places), tuple(unclear))


def _strength(text: str, start: int, end: int, previous: Mention | None, lexicon: _Lexicon) -> tuple[Strength, str]:
    """What is said of the name at `text[start:end]`, and in which word."""
    clause = max((found.end() for found in _CLAUSE.finditer(text, 0, start)), default=0)
    floor = max(clause, previous.end if previous else 0)
    before = lexicon.degree_before.search(text[floor:start])
    degree = lexicon.degrees[_plain(before.group(1))] if before else None
    negation = _negation(text, clause, start, end, previous, degree is not None)
    if negation:
        return "none", negation
    if found := _DENIED_AFTER.match(text, end):
        return "none", found.group().strip()
    if degree and before:
        return degree, before.group(1)
    if after := lexicon.degree_after.match(text, end):
        words = [word for word in after.groups() if word]
        return max((lexicon.degrees[_plain(word)] for word in words), key=STRENGTHS.index), " ".join(words)
    if previous and clause <= previous.start and re.fullmatch(r"\s*,?\s*(?:and|or)\s+", text[previous.end : start]):
        return previous.strength, previous.word
    return PLAIN, ""


def _negation(text: str, clause: int, start: int, end: int, previous: Mention | None, graded: bool) -> str:
    """The negation over a name, empty when there is none."""
    for found in reversed(list(_NEGATION.finditer(text, clause, start))):
        if _HALF_NEGATION.match(text, found.start()) or _NOT_BEFORE.search(text, clause, found.start()):
            return ""
        between = text[found.end() : start]
        if previous and previous.start >= found.end():
            # Over a name in between, a negation reaches only along a plain list.
            joint = text[previous.end : start]
            if graded or not previous.denied or (_NEW_STEP.search(joint) and "," in joint):
                return ""
            if "," in joint and not re.search(r"\b(?:or|nor)\b", _rest_of_clause(text, found.end(), end)):
                return ""
            return found.group()
        if "," in between and not re.search(r"\b(?:or|nor)\b", _rest_of_clause(text, found.end(), end)):
            return ""
        return found.group()
    return ""


def _rest_of_clause(text: str, start: int, end: int) -> str:
    stop = _CLAUSE.search(text, end)
    return text[start : stop.start() if stop else len(text)]


@lru_cache(maxsize=1)
def _lexicon() -> _Lexicon:
    words = wording()
    meaning: dict[str, tuple[str, ...]] = dict(words.unclear)
    for key, row in words.emotions.items():
        for name in (*row.adjectives, *row.nouns, *row.known):
            before = meaning.get(_plain(name), ())
            meaning[_plain(name)] = before if key in before else (*before, key)
    cued = {word: key for word, key in words.cued.items() if word not in meaning}
    meaning |= {word: (key,) for word, key in cued.items()}
    degrees: dict[str, Strength] = {
        _plain(word): strength for strength in STRENGTHS for word in words.degrees.get(strength, ())
    }
    degree = _either(degrees)
    silent = _either([*words.without_emotion, *_burst_names(meaning)])
    return _Lexicon(
        names=re.compile(rf"(?<![\w-]){_either(meaning)}(?![\w-]|['’]s\b(?=\s+sake))", re.IGNORECASE),
        meaning=meaning,
        cued=frozenset(cued),
        silent=re.compile(rf"(?<![\w-]){silent}(?![\w-])", re.IGNORECASE),
        degree_before=re.compile(rf"(?<![\w-])({degree})[\s,]+{_FILLER}$", re.IGNORECASE),
        degree_after=re.compile(
            r"(?:\s+(?:in|of)\s+(?:\w+\s+){1,2}?)?\s*(?:,?\s*(?:that|which)\s+)?(?<=\s)(?:is|are|was|were|seems?|runs|sounds)"
            rf"\s+(?:({degree})\s+)?({degree})(?![\w-])(?!\s+(?:of|[\w-]+ed)\b)",
            re.IGNORECASE,
        ),
        degrees=degrees,
    )


def _burst_names(meaning: Mapping[str, object]) -> Iterator[str]:
    """Vocal bursts that are named with an emotion's word ("Nervous Giggle"): sounds, not claims about a feeling."""
    from emonet.captions.whisper import burst_classes

    for burst in burst_classes():
        name = _plain(burst.name)
        if any(re.search(rf"\b{re.escape(word)}\b", name) for word in meaning):
            yield name


def _either(words: object) -> str:
    """A pattern of the words, the longest first, blanks of any width."""
    assert isinstance(words, list | dict)
    longest = sorted(words, key=lambda word: (-len(word), word))
    return "(?:" + "|".join(re.escape(word).replace(r"\ ", r"\s+") for word in longest) + ")"


def _plain(text: str) -> str:
    return re.sub(r"\s+", " ", text.casefold().replace("’", "'")).strip()
