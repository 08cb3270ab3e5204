"""Which emotion a list of words stands for, such as the lists that pictures and voices were prompted with.

Releases store the words of their time, which differ a little from the taxonomy's; the emotion with the largest overlap
is meant.
"""

from __future__ import annotations

import re
from functools import lru_cache

from emonet.errors import UnknownNameError
from emonet.taxonomy import EMOTIONS, emotion

_LEAST = 0.25
"""Smallest share of common words (Jaccard 1912) at which an emotion is told."""


def emotion_of_words(text: str) -> str | None:
    """Key of the emotion that a name or a list of words stands for; None when none or several fit equally.

    Words may be divided by commas, blanks, `_` or `/`: "lighthearted fun, amusement, mirth" → "amusement".
    """
    try:
        return emotion(text).key
    except UnknownNameError:
        pass
    said = _words(text)
    if not said:
        return None
    likeness = sorted(((len(said & known) / len(said | known), key) for key, known in _lists()), reverse=True)
    best, second = likeness[:2]
    return best[1] if best[0] >= _LEAST and best[0] > second[0] else None


@lru_cache(maxsize=1)
def _lists() -> tuple[tuple[str, frozenset[str]], ...]:
    return tuple((one.key, frozenset(_words(" ".join([one.name, *one.words])))) for one in EMOTIONS)


def _words(text: str) -> frozenset[str]:
    found = re.findall(r"[^\W\d_]+", text.casefold())
    return frozenset(found) - {"and", "of", "or", "in", "the", "to", "a", "intense", "states"}
