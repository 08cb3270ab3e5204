"""How varied captions are: n-grams that are not repeated, likeness of texts, whether a text betrays its template."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice

import numpy as np

from emonet.errors import UsageError, require
from emonet.statistics import Interval

_MOST_COMPARED = 300  # texts in self-BLEU, which grows with their square
_FOLDS = 5


@dataclass(frozen=True, slots=True)
class Diversity:
    """distinct: share of different n-grams among all, for n = 1, 2, 3 (Li et al. 2016). self_bleu: mean BLEU of each
    text against the others, 0..100, lower is more varied (Zhu et al. 2018). predictability: share of texts whose group
    a classifier tells, cross-validated, with its 95 % interval, None without groups; chance: share of the largest
    group."""

    texts: int
    distinct: tuple[float, float, float]
    self_bleu: float
    predictability: Interval | None = None
    chance: float | None = None


def diversity(
    texts: Sequence[str],
    groups: Sequence[str] | None = None,
    *,
    sources: Sequence[str] | None = None,
    seed: int = 0,
) -> Diversity:
    """Measure a set of captions. groups: each text's template; texts made of one template are easily told, good
    paraphrases of them hardly. sources: what each text is a paraphrase of, needed wherever there are several of one:
    see `predictability`.

    Raises `UsageError` for fewer than two texts, `MissingExtraError` without sacrebleu or scikit-learn (extra
    `caption`).
    """
    told_for = [column for column in (groups, sources) if column is not None]
    if len(texts) < 2 or any(len(column) != len(texts) for column in told_for):
        raise UsageError(f"{len(texts)} texts; expected two or more, and one group and one source for each.")
    words = [re.findall(r"\w+", text.casefold()) for text in texts]
    distinct = tuple(_distinct(words, n) for n in (1, 2, 3))
    told = chance = None
    if groups is not None:
        told = predictability(texts, groups, sources=sources, seed=seed)
        chance = max(Counter(groups).values()) / len(groups)
    return Diversity(len(texts), distinct, self_bleu(texts, seed=seed), told, chance)  # type: ignore[arg-type]


def self_bleu(texts: Sequence[str], *, seed: int = 0) -> float:
    """Mean sentence BLEU of each of up to 300 texts against all others of them."""
    sacrebleu = require("sacrebleu", extra="caption", feature="Measuring how alike captions are")
    chosen = list(texts)
    if len(chosen) > _MOST_COMPARED:
        chosen = [chosen[i] for i in np.random.default_rng(seed).permutation(len(chosen))[:_MOST_COMPARED]]
    metric = sacrebleu.BLEU(effective_order=True)
    scores = [metric.sentence_score(text, chosen[:i] + chosen[i + 1 :]).score for i, text in enumerate(chosen)]
    return float(np.mean(scores))


def predictability(
    texts: Sequence[str], groups: Sequence[str], *, sources: Sequence[str] | None = None, seed: int = 0
) -> Interval:
    """Share of texts whose group is told right by a classifier that has not seen them, with its 95 % interval.

    It is logistic regression on character n-grams, which sees punctuation and word order alike. All texts of a source
    are in one fold, and are drawn together for the interval: otherwise the classifier knows a caption by what it says
    from its other paraphrases, and with it the template, whatever the wording.
    """
    require("sklearn", extra="caption", feature="Measuring how predictable captions are")
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import StratifiedGroupKFold, cross_val_predict
    from sklearn.pipeline import make_pipeline

    from emonet.statistics import mean_interval

    origins = [str(i) for i in range(len(texts))] if sources is None else list(sources)
    of_group = Counter(group for group, _ in set(zip(groups, origins, strict=True)))
    least = min(of_group.values())
    if len(of_group) < 2 or least < _FOLDS:
        raise UsageError(f"Each of two or more groups needs texts of {_FOLDS} sources; the smallest has {least}.")
    model = make_pipeline(
        TfidfVectorizer(analyzer="char_wb", ngram_range=(1, 4), sublinear_tf=True, max_features=50_000),
        LogisticRegression(C=10, max_iter=1000),
    )
    folds = StratifiedGroupKFold(_FOLDS, shuffle=True, random_state=seed)
    found = cross_val_predict(model, list(texts), np.asarray(groups), groups=np.asarray(origins), cv=folds)
    return mean_interval(found == np.asarray(groups), origins, seed=seed)


def _distinct(words: Sequence[Sequence[str]], n: int) -> float:
    grams = [gram for one in words for gram in zip(*(islice(one, i, None) for i in range(n)), strict=False)]
    return len(set(grams)) / len(grams) if grams else 0.0
