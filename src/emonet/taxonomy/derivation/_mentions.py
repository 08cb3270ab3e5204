"""Where a chunk names a feeling: found offline by tagger and lexicon."""

from __future__ import annotations

import re
import warnings
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal

from emonet.errors import require
from emonet.taxonomy.derivation._chunks import Chunk
from emonet.taxonomy.derivation._lexicon import Lexicon

Kind = Literal["noun", "adjective"]
Source = Literal["lexicon", "frame", "service"]
_LEAST_IN_FRAMES = 2
_FEEL = frozenset("feel feels felt feeling".split())
_FEELINGS = frozenset(
    "feeling feelings sense emotion emotions passion passions sentiment sentiments sensation sensations affection "
    "affections mood moods pang pangs".split()
)
# What stands in the frames without naming a feeling.
_PLAIN = frozenset(
    "able bad best better certain different due first free full good great greater inclined large last least less "
    "like likely little many more most much new obliged old other own real same second several small strong such sure "
    "true true-hearted very well whole worse worst wrong right life man men kind sort thing things body mind person "
    "time way state world duty one two human mere that this these those his her its their our my general moral "
    "personal social strange sudden common ordinary natural".split()
)
_BEFORE_ADJECTIVES = _FEEL | frozenset("am are be been being is was were very so too more most not".split())
_WORD = re.compile(r"[^\W\d_]+(?:[-‐’'][^\W\d_]+)*")


@dataclass(frozen=True, slots=True)
class Mention:
    """One occurrence: word number `word` of chunk `chunk`; `form` in small letters, of `length` words, as it stands
    there, `kind` as it is used there, and what found it."""

    chunk: int
    word: int
    form: str
    kind: Kind
    by: Source
    length: int = 1


def plain_word(word: str) -> str:
    """A word without the punctuation that touches it, in small letters, without 's: "“Fear’s," → "fear"."""
    found = _WORD.search(word)
    return re.sub(r"['’]s$", "", found[0].casefold().replace("‐", "-")) if found else ""


def offline_mentions(chunks: Sequence[Chunk], lexicon: Lexicon) -> Iterator[tuple[Mention, ...]]:
    """Nouns and adjectives for feelings, chunk by chunk.

    A word counts when the tagger (textblob's PatternTagger, without any download) has it as noun, adjective or
    participle and the lexicon has it or its lemma; or when the text itself twice puts it where only a feeling can
    stand ("felt X", "a feeling of X", "emotions such as X and Y"), which finds words that no lexicon has.
    """
    tagged = [_tagged(chunk) for chunk in chunks]
    framed = [_in_frames(tokens) for tokens in tagged]
    often = Counter(lemma_of(tokens[at][1], _KINDS[tokens[at][2]]) for tokens, found in zip(tagged, framed, strict=True)
                    for at in found)  # fmt: skip
    known = {lemma for lemma, count in often.items() if count >= _LEAST_IN_FRAMES}
    for chunk, tokens, _frames in zip(chunks, tagged, framed, strict=True):
        yield tuple(_of_chunk(chunk, tokens, lexicon, known))


def _of_chunk(
    chunk: Chunk, tokens: Sequence[tuple[int, str, str]], lexicon: Lexicon, known: set[str]
) -> Iterator[Mention]:
    for at, (number, form, tag) in enumerate(tokens):
        tag = _mended(tokens, at, lexicon) or tag
        kind = _KINDS.get(tag)
        if kind is None or len(form) < 3:
            continue
        if any(w in lexicon and (kind != "noun" or w not in lexicon.adjectives) for w in (form, lemma_of(form, kind))):
            yield Mention(chunk.number, number, form, kind, "lexicon")
        elif lemma_of(form, kind) in known and tag != "VBG":
            yield Mention(chunk.number, number, form, kind, "frame")


def _mended(tokens: Sequence[tuple[int, str, str]], at: int, lexicon: Lexicon) -> str:
    """The tag of a word that the tagger often mistakes; empty when it is left as it is."""
    _, form, tag = tokens[at]
    after = tokens[at + 1][2] if at + 1 < len(tokens) else ""
    if tag in ("VB", "VBP") and after in ("VBZ", "VBD"):
        return "NN"  # "Worry is our daily bread"
    before = tokens[at - 1][1] if at else ""
    if form in lexicon.adjectives and tag == "NN" and (after.startswith("NN") or before in _BEFORE_ADJECTIVES):
        return "JJ"  # "the kind nurse", "he was patient"
    return ""


_KINDS: dict[str, Kind] = {
    "NN": "noun", "NNS": "noun", "NNP": "noun", "JJ": "adjective", "JJR": "adjective", "JJS": "adjective",
    "VBN": "adjective", "VBG": "adjective",
}  # fmt: skip


@lru_cache(maxsize=200_000)
def lemma_of(form: str, kind: Kind) -> str:
    """Dictionary form by lemminflect: "feelings" → "feeling", "angrier" → "angry"."""
    lemminflect: Any = require("lemminflect", extra="taxonomy", feature="Deriving a taxonomy")
    if " " in form:
        head, _, last = form.rpartition(" ")
        return f"{head} {lemma_of(last, kind)}" if kind == "noun" else form
    found = lemminflect.getAllLemmas(form, upos="NOUN" if kind == "noun" else "ADJ")
    lemmas = found.get("NOUN" if kind == "noun" else "ADJ", ())
    return str(lemmas[0]) if lemmas else form


@lru_cache(maxsize=1)
def _tagger() -> Any:
    require("textblob", extra="taxonomy", feature="Finding words without a service")
    from textblob.en.taggers import PatternTagger

    tagger = PatternTagger()
    with warnings.catch_warnings():  # it leaves the files of its lexicon to the garbage collector
        warnings.simplefilter("ignore", ResourceWarning)
        tagger.tag("read the lexicon", tokenize=False)
    return tagger


def _tagged(chunk: Chunk) -> list[tuple[int, str, str]]:
    """(number of the word in the chunk, plain form, Penn tag) of its words."""
    tokens: list[str] = []
    numbers: list[int] = []
    for number, word in enumerate(chunk.words):
        for part in re.findall(r"[^\W\d_]+(?:[-‐’'][^\W\d_]+)*|[.,;:!?]|\d+", word):
            tokens.append(part)
            numbers.append(number)
    starts = {0} | {at + 1 for at, token in enumerate(tokens) if token in ".!?"}
    # A capital at the start of a sentence would make a name of it.
    lowered = [token.lower() if at in starts or token.isupper() else token for at, token in enumerate(tokens)]
    tags = _tagger().tag(" ".join(lowered), tokenize=False)
    if len(tags) != len(tokens):  # the tagger's own marks occur in the text: word by word then
        tags = [(_tagger().tag(token, tokenize=False) or [(token, "")])[0] for token in lowered]
    out = []
    for number, token, (_, tag) in zip(numbers, tokens, tags, strict=True):
        form = plain_word(token)
        out.append((number, form or token, str(tag).partition("-")[0] if form else "."))
    return out


def _in_frames(tokens: Sequence[tuple[int, str, str]]) -> set[int]:
    """Positions of words that stand where a feeling does."""
    found = set()
    for at, (_, form, _tag) in enumerate(tokens):
        if form in _FEEL:
            found |= set(_listed(tokens, at + 1, adjective=True))
        if form in _FEELINGS:
            after = [token[1] for token in tokens[at + 1 : at + 3]]
            if after[:1] == ["of"]:
                found |= set(_listed(tokens, at + 2, adjective=False))
            elif after == ["such", "as"]:
                found |= set(_listed(tokens, at + 3, adjective=False))
    return found


def _listed(tokens: Sequence[tuple[int, str, str]], at: int, *, adjective: bool) -> Iterator[int]:
    """The words of "X, Y and Z" from `at` on, past adverbs and articles."""
    while at < len(tokens):
        _, form, tag = tokens[at]
        kind = _KINDS.get(tag)
        if tag.startswith(("RB", "DT", "PRP$")) or form in (",", "and", "or", "a"):
            at += 1
            continue
        fits = tag in ("JJ", "VBN") if adjective else tag in ("NN", "NNS", "VBG")
        if tag.startswith("JJ") and not adjective and at + 1 < len(tokens) and tokens[at + 1][2] in ("NN", "NNS"):
            at += 1  # "a feeling of deep unease"
            continue
        if not fits or kind is None or form in _PLAIN:
            return
        # "felt cold water": the adjective is that of a thing.
        if adjective and at + 1 < len(tokens) and tokens[at + 1][2] in ("NN", "NNS"):
            return
        yield at
        at += 1
        if at < len(tokens) and tokens[at][1] not in (",", "and", "or"):
            return


def occurrences(chunk: Chunk, term: str) -> tuple[int, ...]:
    """Word numbers at which a term of one or more words begins in a chunk; plural and inflected forms are others."""
    wanted = [plain_word(word) for word in term.split()]
    words = [plain_word(word) for word in chunk.words]
    return tuple(at for at in range(len(words) - len(wanted) + 1) if wanted and words[at : at + len(wanted)] == wanted)
