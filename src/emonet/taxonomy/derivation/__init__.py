"""A taxonomy from a book: words for feelings, counted with their pages, grouped, reviewed by people, built.

`derive` writes a folder with a review file; people edit it; `build_taxonomy` makes of it what
`emonet.taxonomy.write_taxonomy` writes and EMONET_TAXONOMY puts in use.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from emonet.taxonomy.derivation._book import Book, Page, UnreadableBookError, read_book
    from emonet.taxonomy.derivation._changes import Change, build_taxonomy, changes, faults, remarks
    from emonet.taxonomy.derivation._chunks import Chunk, chunks_of
    from emonet.taxonomy.derivation._clusters import Category
    from emonet.taxonomy.derivation._derive import Derived, compare, derive
    from emonet.taxonomy.derivation._edits import drop, merge, move, rename, split
    from emonet.taxonomy.derivation._lexicon import Lexicon, read_lexicon
    from emonet.taxonomy.derivation._metrics import Agreement, Coverage, Stability, agreement
    from emonet.taxonomy.derivation._plan import Plan, plan
    from emonet.taxonomy.derivation._review import Entry, Review, Section, parse_review, read_review, write_review
    from emonet.taxonomy.derivation._settings import Settings
    from emonet.taxonomy.derivation._terms import Term

_MODULES = {
    "_book": ("Book", "Page", "UnreadableBookError", "read_book"),
    "_changes": ("Change", "build_taxonomy", "changes", "faults", "remarks"),
    "_chunks": ("Chunk", "chunks_of"),
    "_clusters": ("Category",),
    "_derive": ("Derived", "compare", "derive"),
    "_edits": ("drop", "merge", "move", "rename", "split"),
    "_lexicon": ("Lexicon", "read_lexicon"),
    "_metrics": ("Agreement", "Coverage", "Stability", "agreement"),
    "_plan": ("Plan", "plan"),
    "_review": ("Entry", "Review", "Section", "parse_review", "read_review", "write_review"),
    "_settings": ("Settings",),
    "_terms": ("Term",),
}
_FROM = {name: module for module, names in _MODULES.items() for name in names}

__all__ = [
    "Agreement",
    "Book",
    "Category",
    "Change",
    "Chunk",
    "Coverage",
    "Derived",
    "Entry",
    "Lexicon",
    "Page",
    "Plan",
    "Review",
    "Section",
    "Settings",
    "Stability",
    "Term",
    "UnreadableBookError",
    "agreement",
    "build_taxonomy",
    "changes",
    "chunks_of",
    "compare",
    "derive",
    "drop",
    "faults",
    "merge",
    "move",
    "parse_review",
    "plan",
    "read_book",
    "read_lexicon",
    "read_review",
    "remarks",
    "rename",
    "split",
    "write_review",
]


def __getattr__(name: str) -> Any:
    if name in _FROM:
        return getattr(import_module(f"{__name__}.{_FROM[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
