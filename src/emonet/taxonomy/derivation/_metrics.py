"""How good a derivation is: published words found, stability under resampling, agreement of two derivations."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from emonet.errors import UsageError, require
from emonet.taxonomy._records import Emotion, built_in
from emonet.taxonomy.derivation._chunks import Chunk
from emonet.taxonomy.derivation._lexicon import Lexicon
from emonet.taxonomy.derivation._mentions import Mention, lemma_of, plain_word
from emonet.taxonomy.derivation._terms import Term, family_names, terms_of

_LEVEL = 0.95


@dataclass(frozen=True, slots=True)
class Coverage:
    """How many of the published words a derivation has.

    `published`: entries of the published lists, 248; a word of two lists counts in both. `exact`: entries found as
    they are written; `by_lemma`: also as another form or as noun for adjective. `in_text`: entries that the book has
    as they are written, the most that any method could find exactly. `in_lexicon`: entries that the lexicon has, the
    most that finding by lexicon alone could reach; None without a lexicon.
    """

    published: int
    exact: int
    by_lemma: int
    in_text: int
    exact_of_in_text: int
    in_lexicon: int | None
    missed: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Stability:
    """Agreement of the clustering with those of `resamples` resamples of chunks (with replacement): means over the
    resamples with the range that holds 95 % of them. `adjusted_rand` (Hubert, Arabie 1985): 0 by chance, 1 equal;
    `pair_agreement`: share of pairs of words that both put together or both put apart. `words`: mean share of the
    words that occur in a resample."""

    resamples: int
    adjusted_rand: tuple[float, float, float]
    pair_agreement: tuple[float, float, float]
    words: float


@dataclass(frozen=True, slots=True)
class Agreement:
    """Two assignments of words to categories. `jaccard`: common words over all words; `adjusted_mutual_information`
    (Vinh, Epps, Bailey 2010) and `adjusted_rand` on the common words, None when fewer than two are common."""

    words: tuple[int, int]
    categories: tuple[int, int]
    common: int
    jaccard: float
    adjusted_mutual_information: float | None
    adjusted_rand: float | None


def coverage(
    terms: Sequence[Term],
    chunks: Sequence[Chunk],
    lexicon: Lexicon | None,
    *,
    published: Sequence[Emotion] | None = None,
) -> Coverage:
    """Published words (those of the built-in taxonomy unless others are given) among the terms' words and forms."""
    entries = [word.casefold() for record in published or built_in().emotions for word in record.words]
    exact = {word for term in terms for word in (*term.words, *term.forms)}
    families = lexicon.families if lexicon else {}
    known = {family_of(word, families) for word in exact}
    text = f" {' '.join(plain_word(word) for chunk in chunks for word in chunk.words)} "
    in_text = [word for word in entries if f" {_plain(word)} " in text]
    by_lemma = [word for word in entries if word in exact or family_of(word, families) in known]
    return Coverage(
        published=len(entries),
        exact=sum(word in exact for word in entries),
        by_lemma=len(by_lemma),
        in_text=len(in_text),
        exact_of_in_text=sum(word in exact for word in in_text),
        in_lexicon=None if lexicon is None else sum(word in lexicon for word in entries),
        missed=tuple(dict.fromkeys(word for word in in_text if word not in exact)),
    )


def family_of(word: str, families: Mapping[str, str]) -> str:
    """What two words must share to count as one: the lexicon's family, else the lemma without -ness, -ful and -ed."""
    if word in families:
        return families[word]
    lemma = lemma_of(word, "noun")
    lemma = families.get(lemma, lemma)
    return re.sub(r"(fulness|lessness|ness|ful|edness|ed|ly)$", "", lemma) if len(lemma) > 6 else lemma


def _plain(text: str) -> str:
    return " ".join(plain_word(word) for word in text.split())


def stability(
    terms: Sequence[Term],
    labels: NDArray[np.int64],
    mentions: Sequence[Mention],
    chunks: Sequence[Chunk],
    regroup: Callable[[Sequence[Term], Sequence[Mention], Sequence[Chunk]], NDArray[np.int64]],
    *,
    lexicon: Lexicon | None = None,
    resamples: int = 50,
    seed: int = 0,
    progress: Callable[[str], None] = lambda line: None,
) -> Stability | None:
    """Bootstrap of the chunks. `regroup` gives the clusters of the terms of a resample, as was done for the book.

    None when there is nothing to resample (fewer than two chunks or three terms) or `resamples` is 0.
    """
    if resamples < 0:
        raise UsageError(f"{resamples} resamples; expected 0 or more.")
    if resamples == 0 or len(chunks) < 2 or len(terms) < 3:
        return None
    require("sklearn", extra="taxonomy", feature="Measuring stability")
    from sklearn.metrics import adjusted_rand_score, rand_score

    whole = {term.word: int(label) for term, label in zip(terms, labels, strict=True)}
    name = family_names(terms)
    by_chunk: dict[int, list[Mention]] = {chunk.number: [] for chunk in chunks}
    for mention in mentions:
        by_chunk[mention.chunk].append(mention)
    random = np.random.default_rng(seed)
    found: list[tuple[float, float, float]] = []
    for round_ in range(resamples):
        drawn = [chunks[at] for at in random.integers(0, len(chunks), len(chunks))]
        again = [replace(chunk, number=number) for number, chunk in enumerate(drawn, 1)]
        said = [replace(m, chunk=number) for number, chunk in enumerate(drawn, 1) for m in by_chunk[chunk.number]]
        resampled = terms_of(said, again, lexicon)
        kept = [term for term in resampled if name.get(term.word) in whole]
        if len(kept) >= 3:
            new = regroup(kept, said, again)
            old = [whole[name[term.word]] for term in kept]
            found.append((adjusted_rand_score(old, new), rand_score(old, new), len(kept) / len(terms)))
        if (round_ + 1) % 10 == 0:
            progress(f"stability: {round_ + 1} of {resamples} resamples")
    if not found:
        return None
    values = np.array(found)
    return Stability(len(found), _interval(values[:, 0]), _interval(values[:, 1]), round(float(values[:, 2].mean()), 4))


def agreement(first: Mapping[str, str], second: Mapping[str, str]) -> Agreement:
    """Two derivations, each as word → category."""
    common = sorted(set(first) & set(second))
    every = len(set(first) | set(second))
    measured: tuple[float | None, float | None] = (None, None)
    if len(common) >= 2:
        require("sklearn", extra="taxonomy", feature="Comparing two derivations")
        from sklearn.metrics import adjusted_mutual_info_score, adjusted_rand_score

        one, two = [first[word] for word in common], [second[word] for word in common]
        measured = (float(adjusted_mutual_info_score(one, two)), float(adjusted_rand_score(one, two)))
    return Agreement(
        words=(len(first), len(second)),
        categories=(len(set(first.values())), len(set(second.values()))),
        common=len(common),
        jaccard=len(common) / every if every else 0.0,
        adjusted_mutual_information=measured[0],
        adjusted_rand=measured[1],
    )


def published_words(emotions: Sequence[Emotion] | None = None) -> dict[str, str]:
    """Each published word → its emotion; words of several lists are left out."""
    at: dict[str, set[str]] = {}
    for record in emotions or built_in().emotions:
        for word in record.words:
            at.setdefault(word.casefold(), set()).add(record.key)
    return {word: next(iter(keys)) for word, keys in at.items() if len(keys) == 1}


def _interval(values: Collection[float] | NDArray[np.float64]) -> tuple[float, float, float]:
    array = np.asarray(values, np.float64)
    low, high = np.quantile(array, [(1 - _LEVEL) / 2, (1 + _LEVEL) / 2])
    return round(float(array.mean()), 4), round(float(low), 4), round(float(high), 4)
