"""Mentions gathered into terms: one for a noun and its adjective, with counts, chunks, pages and quotations."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from emonet.taxonomy.derivation._chunks import Chunk
from emonet.taxonomy.derivation._lexicon import Lexicon
from emonet.taxonomy.derivation._mentions import Kind, Mention, Source, lemma_of

_NOUN_ENDS = ("ness", "ities", "ity", "ance", "ence", "ancy", "ency", "ment", "ation", "ion", "ism", "th", "y", "")
_ADJECTIVE_ENDS = ("ful", "ious", "eous", "ous", "ical", "ial", "al", "ic", "ated", "ed", "ing", "ive", "ant", "ent",
                   "able", "ible", "some", "y", "")  # fmt: skip
_LEAST_STEM = 5


@dataclass(frozen=True, slots=True)
class Term:
    """A family of words, named by `word` (its noun if there is one); `words`: every lemma of it, most frequent first,
    the name before all. `count`: occurrences; `chunks`, `places`: how many in each; `by`: what found them."""

    word: str
    words: tuple[str, ...]
    kinds: tuple[Kind, ...]
    count: int
    forms: Mapping[str, int]
    chunks: Mapping[int, int]
    places: Mapping[str, int]
    by: tuple[Source, ...]


def terms_of(
    mentions: Iterable[Mention], chunks: Sequence[Chunk], lexicon: Lexicon | None = None, *, least: int = 1
) -> tuple[Term, ...]:
    """Terms with at least `least` occurrences, most frequent first.

    Forms become lemmas (lemminflect); lemmas are joined that the lexicon has in one family, or that the text has as
    noun and adjective on one stem ("restlessness", "restless").
    """
    every = list(mentions)
    lemma = {(m.form, m.kind): _lemma(m, lexicon) for m in every}
    counts: Counter[tuple[str, Kind]] = Counter((lemma[m.form, m.kind], m.kind) for m in every)
    family = _families(counts, lexicon)
    gathered: dict[str, list[Mention]] = defaultdict(list)
    for mention in every:
        gathered[family[lemma[mention.form, mention.kind]]].append(mention)
    by_number = {chunk.number: chunk for chunk in chunks}
    found = [
        _term(name, members, [lemma[m.form, m.kind] for m in members], by_number) for name, members in gathered.items()
    ]
    return tuple(sorted((term for term in found if term.count >= least), key=lambda term: (-term.count, term.word)))


def family_names(terms: Iterable[Term]) -> dict[str, str]:
    """Every word of every term → the term's name."""
    return {word: term.word for term in terms for word in term.words}


def _lemma(mention: Mention, lexicon: Lexicon | None) -> str:
    """A form that the lexicon has stays as it is ("frightened"), unless it is a plural of what it has too."""
    lemma = lemma_of(mention.form, mention.kind)
    return mention.form if lexicon and mention.form in lexicon and lemma not in lexicon else lemma


def _families(counts: Mapping[tuple[str, Kind], int], lexicon: Lexicon | None) -> dict[str, str]:
    """Each lemma → its family's name."""
    known = lexicon.families if lexicon else {}
    lemmas = dict.fromkeys(lemma for lemma, _ in counts)
    family = {lemma: known.get(lemma, lemma) for lemma in lemmas}
    nouns = [lemma for lemma, kind in counts if kind == "noun"]
    by_stem: dict[str, str] = {}
    for noun in sorted(nouns, key=lambda noun: (-counts[noun, "noun"], noun)):
        for stem in _stems(noun, _NOUN_ENDS):
            by_stem.setdefault(stem, noun)
    for lemma, kind in counts:
        if kind == "adjective" and lemma not in known and (lemma, "noun") not in counts:
            found = [by_stem[stem] for stem in _stems(lemma, _ADJECTIVE_ENDS) if stem in by_stem]
            family[lemma] = family[found[0]] if found else family[lemma]
    return family


def _stems(word: str, ends: Sequence[str]) -> list[str]:
    """What remains of a word without one of the endings, longest first; e and i at the end do not count."""
    cut = (word[: len(word) - len(end)] for end in ends if word.endswith(end))
    stems = {re.sub(r"[eiy]$", "", stem) for stem in cut}
    return sorted((stem for stem in stems if len(stem) >= _LEAST_STEM), key=lambda stem: (-len(stem), stem))


def _term(family: str, members: Sequence[Mention], lemmas: Sequence[str], chunks: Mapping[int, Chunk]) -> Term:
    counted = Counter(lemmas)
    nouns = Counter(lemma for mention, lemma in zip(members, lemmas, strict=True) if mention.kind == "noun")
    # The lexicon's name of the family when the book has it, else the book's own most frequent noun.
    name = family if family in counted else (nouns or counted).most_common(1)[0][0]
    words = sorted(counted, key=lambda lemma: (lemma != name, -counted[lemma], lemma))
    places: Counter[str] = Counter(chunks[m.chunk].place_of(m.word) for m in members)
    return Term(
        word=name,
        words=tuple(words),
        kinds=tuple(sorted({m.kind for m in members}, reverse=True)),
        count=len(members),
        forms=dict(Counter(m.form for m in members).most_common()),
        chunks=dict(sorted(Counter(m.chunk for m in members).items())),
        places=dict(places),
        by=tuple(sorted({m.by for m in members})),
    )


def quotes_of(term: Term, mentions: Iterable[Mention], chunks: Sequence[Chunk], *, words: int = 14) -> tuple[str, ...]:
    """Short quotations, one a chunk: `words` words around each first mention, with the place."""
    by_number = {chunk.number: chunk for chunk in chunks}
    out, seen = [], set()
    for mention in mentions:
        if mention.form in term.forms and mention.chunk not in seen:
            seen.add(mention.chunk)
            chunk = by_number[mention.chunk]
            every = chunk.words
            start = max(0, min(mention.word - words // 2, len(every) - words))
            said = " ".join(every[start : start + words])
            begin, end = "… " if start else "", " …" if start + words < len(every) else ""
            out.append(f"{begin}{said}{end} ({chunk.place_of(mention.word)})")
    return tuple(out)
