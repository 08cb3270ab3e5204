"""Vectors of terms from the book itself: with what other words they stand together, and what the lexicon says."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from emonet.taxonomy.derivation._chunks import Chunk
from emonet.taxonomy.derivation._lexicon import Lexicon
from emonet.taxonomy.derivation._mentions import Mention, plain_word
from emonet.taxonomy.derivation._terms import Term, family_names

WINDOW = 12
"""Words to each side that count as company."""
DIMENSIONS = 50
_MOST_CONTEXTS = 4000
_COMMON = 60
"""The book's most frequent words, which stand with everything, are no context."""
_SMOOTHING = 0.75
"""Exponent of the contexts' frequencies, which keeps rare contexts from looming large (Levy, Goldberg 2015)."""

Vectors = NDArray[np.float64]


def book_vectors(
    terms: Sequence[Term],
    mentions: Sequence[Mention],
    chunks: Sequence[Chunk],
    *,
    lexicon: Lexicon | None = None,
    lexicon_weight: float = 0.5,
    dimensions: int = DIMENSIONS,
) -> Vectors:
    """Unit vectors float64 [n terms, d].

    Positive pointwise mutual information of terms and the words within 12 words of them, reduced by a singular value
    decomposition (Levy, Goldberg and Dagan 2015, TACL 3). With a lexicon, `lexicon_weight` (0 to 1) of each vector's
    squared length is the heading of the term, which helps a short book and ties the result to the lexicon.
    """
    company = _reduced(_ppmi(_counts(terms, mentions, chunks)), dimensions)
    if lexicon is None or lexicon_weight <= 0:
        return _unit(company)
    headings = sorted(set(lexicon.headings.values()))
    told = np.zeros((len(terms), len(headings)))
    for row, term in enumerate(terms):
        heading = next((h for h in map(lexicon.heading_of, term.words) if h), None)
        if heading is not None:
            told[row, headings.index(heading)] = 1.0
    # [n, d] ++ [n, h]
    return _unit(np.hstack([np.sqrt(1 - lexicon_weight) * _unit(company), np.sqrt(lexicon_weight) * told]))


def unit_vectors(vectors: Sequence[Sequence[float]]) -> Vectors:
    """Vectors of an endpoint as rows of length 1, about their common mean (which says only "a feeling")."""
    matrix = np.asarray(vectors, np.float64)
    return _unit(matrix - matrix.mean(axis=0) if len(matrix) > 2 else matrix)


def _counts(terms: Sequence[Term], mentions: Sequence[Mention], chunks: Sequence[Chunk]) -> Vectors:
    """How often each context word stands near each term [n, c]."""
    words = {chunk.number: [plain_word(word) for word in chunk.words] for chunk in chunks}
    frequency = Counter(word for chunk in chunks for word in words[chunk.number] if len(word) > 2)
    common = {word for word, _ in frequency.most_common(_COMMON)}
    contexts = [w for w, n in frequency.most_common(_MOST_CONTEXTS + _COMMON) if w not in common and n > 1]
    column = {word: at for at, word in enumerate(contexts)}
    row = _rows(terms)
    counts = np.zeros((len(terms), max(1, len(contexts))))
    for mention in mentions:
        if (at := row.get(mention.form)) is None:
            continue
        text = words[mention.chunk]
        low, high = max(0, mention.word - WINDOW), mention.word + mention.length + WINDOW
        for place in (*range(low, mention.word), *range(mention.word + mention.length, min(high, len(text)))):
            if (to := column.get(text[place])) is not None:
                counts[at, to] += 1
    return counts


def _rows(terms: Sequence[Term]) -> Mapping[str, int]:
    """Every form and word of every term → its row."""
    number = {term.word: at for at, term in enumerate(terms)}
    rows = {word: number[name] for word, name in family_names(terms).items()}
    for at, term in enumerate(terms):
        for form in term.forms:
            rows.setdefault(form, at)
    return rows


def _ppmi(counts: Vectors) -> Vectors:
    total = counts.sum()
    if total == 0:
        return counts
    of_term = counts.sum(axis=1, keepdims=True) / total
    of_context = counts.sum(axis=0, keepdims=True) ** _SMOOTHING
    of_context /= of_context.sum()
    with np.errstate(divide="ignore", invalid="ignore"):
        information = np.log(counts / total) - np.log(of_term) - np.log(of_context)
    return np.where(np.isfinite(information), np.maximum(information, 0), 0.0)


def _reduced(matrix: Vectors, dimensions: int) -> Vectors:
    """Left singular vectors times the square root of the singular values, from the small product of rows."""
    values, vectors = np.linalg.eigh(matrix @ matrix.T)
    keep = np.argsort(values)[::-1][: max(1, min(dimensions, len(matrix) - 1))]
    singular = np.sqrt(np.maximum(values[keep], 0))
    # The sign of a singular vector is arbitrary; its largest entry is made positive so that runs agree.
    sign = np.sign(vectors[np.abs(vectors[:, keep]).argmax(axis=0), keep])
    reduced: Vectors = vectors[:, keep] * np.where(sign == 0, 1, sign) * np.sqrt(singular)
    return reduced


def _unit(matrix: Vectors) -> Vectors:
    length = np.linalg.norm(matrix, axis=1, keepdims=True)
    unit: Vectors = matrix / np.where(length > 0, length, 1)
    return unit
