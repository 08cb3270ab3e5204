"""The review file: a text with one heading a category and one line a word, kept character for character.

    # Emotions of On the Feelings
    version: 1.0
    source: ...

    ## Anger
    group: Unpleasant Feelings
    - anger, angry | 41 times: 3, 4, 12
    > … his anger, once kindled, … (12)
    // a remark of one's own

A heading in parentheses, "## (dropped)", is no category: its words are kept for the record and not built.
"""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from emonet.errors import UsageError
from emonet.taxonomy._inherited import slug
from emonet.taxonomy.derivation._clusters import Category
from emonet.taxonomy.derivation._terms import Term

DROPPED, LOOSE = "(dropped)", "(not grouped)"
_TOP_FIELDS = ("version", "source")
_FIELDS = ("group", "key")
_GUIDE = """\
// How to edit this file. Nothing else in it is needed; keep what helps you.
// Rename a category: change its "## " heading. Merge two: delete the second heading with its group line.
// Split one: put a new "## " heading with a "group: " line between its words. Move a word: move its "- " line.
// Drop a word or category: delete it, or move the lines under "## (dropped)", which keeps the record.
// Words that mean the same stand on one line, parted by commas; what follows "|" is evidence and is not built.
// Lines with ">" are quotations, lines with "//" are remarks. Order is kept. Then: emonet taxonomy review, and build.
"""


@dataclass(frozen=True, slots=True)
class Entry:
    """A "- " line: its words and the number of the line, from 1."""

    words: tuple[str, ...]
    line: int


@dataclass(frozen=True, slots=True)
class Section:
    """A category or, with a name in parentheses, words that are in none. `line`, `end`: its first line and the one
    after its last, from 1. `fields`: value and line of `group` and `key`."""

    name: str
    line: int
    end: int
    fields: Mapping[str, tuple[str, int]]
    entries: tuple[Entry, ...]

    @property
    def is_category(self) -> bool:
        """Whether it is built."""
        return not (self.name.startswith("(") and self.name.endswith(")"))

    @property
    def words(self) -> tuple[str, ...]:
        """All words, in order."""
        return tuple(word for entry in self.entries for word in entry.words)

    @property
    def group(self) -> str:
        """Its group; empty when there is none."""
        return self.fields.get("group", ("", 0))[0]

    @property
    def key(self) -> str:
        """Its key: as given, or that of the name."""
        return self.fields["key"][0] if "key" in self.fields else slug(self.name)


@dataclass(frozen=True, slots=True)
class Review:
    """A review file. `lines` joined by line ends are the file exactly as it was read; `file` stands in messages."""

    file: str
    lines: tuple[str, ...]
    title: str
    fields: Mapping[str, tuple[str, int]]
    sections: tuple[Section, ...]

    @property
    def text(self) -> str:
        """The file, character for character."""
        return "\n".join(self.lines)

    @property
    def categories(self) -> tuple[Section, ...]:
        """The sections that are built."""
        return tuple(section for section in self.sections if section.is_category)


def read_review(path: str | Path) -> Review:
    """A review file; `UsageError` with file, line and remedy for what is none."""
    path = Path(path)
    try:
        text = path.read_bytes().decode("utf-8")
    except FileNotFoundError as error:
        raise UsageError(f"{path}: no such file; `emonet taxonomy derive` writes review.md.") from error
    except OSError as error:
        raise UsageError(f"{path}: cannot be read ({error.strerror}); expected a review file.") from error
    except UnicodeDecodeError as error:
        raise UsageError(f"{path}: byte {error.start} is not UTF-8; save the file as UTF-8.") from error
    return parse_review(text, file=str(path))


def parse_review(text: str, *, file: str = "review") -> Review:
    """As `read_review`, of a text."""
    lines = tuple(text.split("\n"))
    title = ""
    top: dict[str, tuple[str, int]] = {}
    sections: list[Section] = []
    open_at, name = 0, ""
    fields: dict[str, tuple[str, int]] = {}
    entries: list[Entry] = []

    def fault(number: int, what: str, remedy: str) -> UsageError:
        return UsageError(f"{file}, line {number}: {what} {remedy}")

    def close(end: int) -> None:
        if open_at:
            sections.append(Section(name, open_at, end, fields, tuple(entries)))

    for number, raw in enumerate(lines, 1):
        line = raw.removeprefix("\ufeff").strip() if number == 1 else raw.strip()
        if not line or line.startswith(("//", ">")):
            continue
        if line.startswith("## "):
            close(number)
            open_at, name, fields, entries = number, " ".join(line[3:].split()), {}, []
        elif line.startswith("# ") and not open_at and not title:
            title = line[2:].strip()
        elif line.startswith("- "):
            if not open_at:
                raise fault(number, "a word before the first category.", 'Put a heading such as "## Anger" above it.')
            words = _words(line[2:])
            if not words:
                raise fault(number, f"{line!r} names no word.", 'Write "- anger, angry", or delete the line.')
            entries.append(Entry(words, number))
        elif found := re.fullmatch(r"([a-z]+):\s*(.*)", line):
            known, target = (_FIELDS, fields) if open_at else (_TOP_FIELDS, top)
            if found[1] not in known:
                raise fault(number, f"unknown field {found[1]!r}.", f"Here stand: {', '.join(known)}; or a remark, //.")
            if found[1] in target:
                raise fault(number, f"{found[1]!r} again (first in line {target[found[1]][1]}).", "Keep one of them.")
            target[found[1]] = (found[2].strip(), number)
        else:
            raise fault(number, f"{line[:60]!r} is no part of a review file.", _REMEDY)
    close(len(lines) + 1)
    return Review(file, lines, title, top, tuple(sections))


_REMEDY = 'Expected a heading (##), a field (group:), a word (-), a quotation (>), or a remark, which begins with "//".'


def _words(text: str) -> tuple[str, ...]:
    listed = (" ".join(word.split()) for word in text.partition("|")[0].split(","))
    return tuple(dict.fromkeys(word for word in listed if word))


def write_review(review: Review, path: str | Path) -> None:
    """Write a review file, whole or not at all."""
    path = Path(path)
    handle, beside = tempfile.mkstemp(prefix=f".{path.name[:80]}.", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(review.text.encode("utf-8"))
        Path(beside).chmod(0o644)
        os.replace(beside, path)
    except BaseException:
        Path(beside).unlink(missing_ok=True)
        raise


def format_review(
    title: str,
    version: str,
    source: str,
    categories: Sequence[Category],
    loose: Sequence[Term] = (),
    quotes: Mapping[str, Sequence[str]] | None = None,
) -> str:
    """A review file of proposed categories. `quotes`: quotations by category name."""
    parts = [f"# {_one_line(title)}\nversion: {version}\nsource: {_one_line(source)}\n\n{_GUIDE}"]
    for category in categories:
        lines = [f"## {category.name}", f"group: {category.group}", *map(_entry, category.terms)]
        lines += [f"> {_one_line(quote)}" for quote in (quotes or {}).get(category.name, ())]
        parts.append("\n".join(lines) + "\n")
    if loose:
        parts.append("\n".join([f"## {LOOSE}", *map(_entry, loose)]) + "\n")
    return "\n".join(parts)


def _entry(term: Term) -> str:
    places = list(term.places)
    more = f" and {len(places) - 6} more" if len(places) > 6 else ""
    times = "once" if term.count == 1 else f"{term.count} times"
    return _one_line(f"- {', '.join(term.words)} | {times}: {', '.join(places[:6])}{more}")


def _one_line(text: str) -> str:
    return " ".join(text.split())
