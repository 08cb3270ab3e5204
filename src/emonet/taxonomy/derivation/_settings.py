"""How a taxonomy is derived: every choice that changes the result."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from emonet.errors import UnknownNameError, UsageError
from emonet.taxonomy.derivation._chunks import WORDS
from emonet.taxonomy.derivation._clusters import Method

Finder = Literal["offline", "service"]
VectorsOf = Literal["book", "service"]


@dataclass(frozen=True, slots=True)
class Settings:
    """`finder`: who finds the words, the tagger with a lexicon or a language model; `vectors`: of the words' company
    in the book or of an embeddings endpoint; `lexicons`: as `read_lexicon` takes them; `lexicon_weight`: share of the
    lexicon's headings in the book's vectors, 0 to 1; `categories`: how many, None to choose by silhouette;
    `least_count`: occurrences of a word that is kept; `quotes`: quotations for each category."""

    chunk_words: int = WORDS
    finder: Finder = "offline"
    vectors: VectorsOf = "book"
    lexicons: tuple[str, ...] = ("general",)
    lexicon_weight: float = 0.5
    method: Method = "agglomerative"
    categories: int | None = None
    least_count: int = 1
    quotes: int = 2
    resamples: int = 50
    seed: int = 0

    def __post_init__(self) -> None:
        for field, kinds in (("finder", Finder), ("vectors", VectorsOf), ("method", Method)):
            if getattr(self, field) not in get_args(kinds):
                raise UnknownNameError(f"choice of {field}", str(getattr(self, field)), get_args(kinds))
        least = {"chunk_words": 1, "least_count": 1, "quotes": 0, "resamples": 0}
        for field, low in least.items():
            if getattr(self, field) < low:
                raise UsageError(f"{field} is {getattr(self, field)}; expected {low} or more.")
        if self.categories is not None and self.categories < 1:
            raise UsageError(f"categories is {self.categories}; expected 1 or more.")
        if self.categories is not None and self.method == "hdbscan":
            raise UsageError("HDBSCAN finds the number of categories itself; leave it out or choose agglomerative.")
        if not 0 <= self.lexicon_weight <= 1:
            raise UsageError(f"lexicon_weight is {self.lexicon_weight}; expected 0 to 1.")
