"""A book cut into pieces of so many words, each word with the page that it stands on."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass

from emonet.errors import UsageError
from emonet.taxonomy.derivation._book import Book

WORDS = 500
"""Words of a chunk, as in LAION's derivation from the Handbook of Emotions."""


@dataclass(frozen=True, slots=True)
class Chunk:
    """`text`: its words, parted by single blanks. `starts`, `places`: from word number `starts[i]` of the chunk on,
    counted from 0, the words stand at `places[i]`."""

    number: int
    text: str
    starts: tuple[int, ...]
    places: tuple[str, ...]

    @property
    def words(self) -> list[str]:
        """The words, with the punctuation that touches them."""
        return self.text.split(" ")

    def place_of(self, word: int) -> str:
        """Where word number `word` of the chunk stands."""
        return self.places[bisect_right(self.starts, word) - 1]


def chunks_of(book: Book | Sequence[tuple[str, str]], words: int = WORDS) -> tuple[Chunk, ...]:
    """The book in pieces of `words` words, the last one shorter; every word is in exactly one, in order.

    `book`: a book, or (place, text) pairs. Raises `UsageError` for a size below 1.
    """
    if words < 1:
        raise UsageError(f"Chunks of {words} words; expected 1 or more.")
    pages = [(page.place, page.text) for page in book.pages] if isinstance(book, Book) else list(book)
    placed = [(word, place) for place, text in pages for word in text.split()]
    return tuple(
        _chunk(number, placed[start : start + words]) for number, start in enumerate(range(0, len(placed), words), 1)
    )


def _chunk(number: int, placed: Sequence[tuple[str, str]]) -> Chunk:
    changes = [at for at in range(len(placed)) if at == 0 or placed[at][1] != placed[at - 1][1]]
    text = " ".join(word for word, _ in placed)
    return Chunk(number, text, tuple(changes), tuple(placed[at][1] for at in changes))
