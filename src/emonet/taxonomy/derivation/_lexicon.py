"""Words that name feelings: the list that comes with the package, Empath's categories, or a list of one's own."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from importlib.util import find_spec
from pathlib import Path
from types import MappingProxyType
from typing import Literal

from emonet.errors import MissingExtraError, UsageError

Pole = Literal["+", "-", "0"]
EMPATH_CATEGORIES = (
    "affection", "anger", "cheerfulness", "confusion", "contentment", "disappointment", "disgust", "envy", "fear",
    "hate", "horror", "irritability", "joy", "love", "lust", "nervousness", "neglect", "optimism", "pain", "pride",
    "rage", "sadness", "shame", "suffering", "surprise", "sympathy", "timidity", "torment", "zest",
)  # fmt: skip
"""Those of Empath (Fast, Chen, Bernstein 2016) that stand for feelings. The categories were grown by machine and hold
many words that are none ("death", "beat"), so a word counts only when several of them have it."""
_LEAST_CATEGORIES = 3


@dataclass(frozen=True, slots=True)
class Lexicon:
    """`families`: each word's family, named by its first noun ("angry" → "anger"); `headings`: the families' headings;
    `poles`: of headings; `adjectives`: words that name a feeling as adjectives only ("kind", "patient"). `name` says
    where it comes from, `licence` under what terms."""

    name: str
    licence: str
    families: Mapping[str, str]
    headings: Mapping[str, str]
    poles: Mapping[str, Pole]
    adjectives: frozenset[str] = frozenset()

    def __contains__(self, word: object) -> bool:
        return word in self.families

    def heading_of(self, word: str) -> str | None:
        """Heading of a word's family."""
        return self.headings.get(self.families.get(word, ""))

    def pole_of(self, word: str) -> Pole | None:
        """Whether a word's feeling is pleasant (+), unpleasant (-) or neither (0); None when nothing is known."""
        heading = self.heading_of(word)
        return None if heading is None else self.poles.get(heading)


def read_lexicon(names: Sequence[str] = ("general",)) -> Lexicon:
    """One lexicon of several: "general" (this package's list), "empath" (the installed package's), or the path of a
    list in the same format as affect.txt. Families of the first that has a word win."""
    if not names:
        raise UsageError("No lexicon was named; expected general, empath or the path of a list.")
    return _merged([_named(name) for name in names])


def _named(name: str) -> Lexicon:
    if name == "general":
        return general_lexicon()
    if name == "empath":
        return empath_lexicon()
    try:
        text = Path(name).read_text(encoding="utf-8-sig")
    except OSError as error:
        raise UsageError(
            f"Lexicon {name!r}: {error.strerror}. Expected general, empath or the path of a list."
        ) from error
    except UnicodeDecodeError as error:
        raise UsageError(f"Lexicon {name!r}: byte {error.start} is not UTF-8; save it as UTF-8.") from error
    return parse_lexicon(text, name=name, licence="the user's own")


@lru_cache(maxsize=1)
def general_lexicon() -> Lexicon:
    """The list of this package, about 340 families under 28 headings."""
    text = files("emonet.taxonomy.derivation").joinpath("affect.txt").read_text(encoding="utf-8")
    return parse_lexicon(text, name="general", licence="Apache-2.0")


def parse_lexicon(text: str, *, name: str, licence: str) -> Lexicon:
    """A lexicon of lines "noun noun / adjective adjective" under headings "= name POLE"; "//" begins a remark.

    Raises `UsageError` with the line of a fault.
    """
    families: dict[str, str] = {}
    headings: dict[str, str] = {}
    poles: dict[str, Pole] = {}
    nouns: set[str] = set()
    heading = ""
    for number, line in enumerate(text.splitlines(), 1):
        line = line.partition("//")[0].strip()
        if not line:
            continue
        if line.startswith("="):
            found = re.fullmatch(r"=\s*(.+?)\s+([-+0])", line)
            if not found:
                raise UsageError(f"{name}, line {number}: {line!r}; expected a heading such as '= fear -'.")
            heading = found[1]
            poles[heading] = found[2]  # type: ignore[assignment]
            continue
        if not heading:
            raise UsageError(f"{name}, line {number}: words before the first heading; begin with '= fear -'.")
        words = line.replace("/", " ").casefold().split()
        nouns |= set(line.partition("/")[0].casefold().split())
        first = words[0]
        if first in families:
            raise UsageError(f"{name}, line {number}: {first!r} stands in the family {families[first]!r} already.")
        headings[first] = heading
        for word in words:
            families.setdefault(word, first)
    if not families:
        raise UsageError(f"{name}: no words; expected lines such as 'anger / angry' under headings '= anger -'.")
    return Lexicon(
        name,
        licence,
        MappingProxyType(families),
        MappingProxyType(headings),
        MappingProxyType(poles),
        frozenset(families) - nouns,
    )


@lru_cache(maxsize=1)
def empath_lexicon() -> Lexicon:
    """Words that at least three of Empath's categories of feeling have; each is a family of its own.

    Read from the installed package's table without importing it (it would load an HTTP client). The licence stands
    in the project's repository (MIT); the wheel's metadata does not state it.
    """
    found = find_spec("empath")
    table = Path(found.origin).parent / "data" / "categories.tsv" if found and found.origin else None
    if table is None or not table.is_file():
        raise MissingExtraError("The lexicon 'empath'", "taxonomy", "empath")
    at: dict[str, list[str]] = {}
    for line in table.read_text(encoding="utf-8").splitlines():
        category, *words = line.split("\t")
        if category in EMPATH_CATEGORIES:
            for word in set(words):
                at.setdefault(word, []).append(category)
    kept = {word: where[0] for word, where in at.items() if len(where) >= _LEAST_CATEGORIES and "_" not in word}
    return Lexicon(
        "empath",
        "MIT (its repository's LICENSE.txt)",
        MappingProxyType({word: word for word in kept}),
        MappingProxyType({word: f"empath {category}" for word, category in kept.items()}),
        MappingProxyType({}),
    )


def _merged(lexicons: Iterable[Lexicon]) -> Lexicon:
    every = list(lexicons)
    if len(every) == 1:
        return every[0]
    families: dict[str, str] = {}
    headings: dict[str, str] = {}
    poles: dict[str, Pole] = {}
    for lexicon in every:
        new = {word: family for word, family in lexicon.families.items() if word not in families}
        headings |= {family: lexicon.headings[family] for family in new.values() if family not in headings}
        families |= new
        poles |= {heading: pole for heading, pole in lexicon.poles.items() if heading not in poles}
    name = " + ".join(lexicon.name for lexicon in every)
    licence = "; ".join(f"{lexicon.name}: {lexicon.licence}" for lexicon in every)
    adjectives = every[0].adjectives.union(*(lexicon.adjectives for lexicon in every[1:]))
    return Lexicon(
        name, licence, MappingProxyType(families), MappingProxyType(headings), MappingProxyType(poles), adjectives
    )
