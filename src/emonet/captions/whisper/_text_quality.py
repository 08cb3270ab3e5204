"""What captions are like as texts: length, repetition, and nearness to references by kept libraries."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from emonet.captions.whisper._checkpoint import EXTRA
from emonet.captions.whisper._ratio import Resampling, ratio
from emonet.errors import require
from emonet.statistics import Interval


@dataclass(frozen=True, slots=True)
class TextQuality:
    """What the texts are like.

    `words`: mean length. `repetition`: mean share of a caption's word triples that it has said before. `distinct`:
    share of different captions. With references: `bleu` and `chrf` 0..100 over all clips, `wer`: word errors against
    the nearest reference, per word; `exact`: share of captions that are a reference word for word.
    """

    words: float
    repetition: float
    distinct: float
    bleu: float | None = None
    chrf: float | None = None
    wer: Interval | None = None
    exact: float | None = None


def text_quality(
    captions: Mapping[str, str], references: Mapping[str, Sequence[str]] | None, resampling: Resampling
) -> TextQuality:
    """Figures of all captions; those against references, of the clips that have some."""
    texts = list(captions.values())
    own: dict[str, Any] = {
        "words": float(np.mean([len(text.split()) for text in texts])),
        "repetition": float(np.mean([repetition(text) for text in texts])),
        "distinct": len(set(texts)) / len(texts),
    }
    if references is None:
        return TextQuality(**own)
    sacrebleu = require("sacrebleu", extra=EXTRA, feature="Comparing captions with references")
    jiwer = require("jiwer", extra=EXTRA, feature="Comparing captions with references")
    keys = [key for key in captions if references.get(key)]
    # sacrebleu takes one list per place of a reference; missing ones are None.
    most = max(len(references[key]) for key in keys)
    columns = [[references[key][at] if at < len(references[key]) else None for key in keys] for at in range(most)]
    said = [captions[key] for key in keys]
    errors, words = zip(*(_nearest(jiwer, captions[key], references[key]) for key in keys), strict=True)
    return TextQuality(
        **own,
        bleu=float(sacrebleu.corpus_bleu(said, columns, force=True).score),
        chrf=float(sacrebleu.corpus_chrf(said, columns).score),
        wer=ratio(resampling(keys), errors, words),
        exact=float(np.mean([captions[key] in references[key] for key in keys])),
    )


def _nearest(jiwer: Any, caption: str, references: Sequence[str]) -> tuple[int, int]:
    """(word errors, words) of the reference with the lowest rate; case and punctuation do not count."""
    best: tuple[float, int, int] | None = None
    for reference in references:
        wanted, said = _words(reference), _words(caption)
        if not wanted:
            continue
        result = jiwer.process_words(" ".join(wanted), " ".join(said))
        errors = result.substitutions + result.deletions + result.insertions
        if best is None or errors / len(wanted) < best[0]:
            best = (errors / len(wanted), errors, len(wanted))
    return (0, 0) if best is None else best[1:]


def repetition(text: str) -> float:
    """Share of a text's word triples that it has already said, 0..1; 0 for fewer than two triples."""
    words = _words(text)
    triples = Counter(zip(words, words[1:], words[2:], strict=False))
    total = sum(triples.values())
    return 1 - len(triples) / total if total > 1 else 0.0


def _words(text: str) -> list[str]:
    return [word for raw in text.lower().split() if (word := raw.strip(".,;:!?\"'()[]"))]
