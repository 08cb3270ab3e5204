"""Edits of a review file by command: each changes as few lines as it can and keeps every remark."""

from __future__ import annotations

from collections.abc import Sequence

from emonet.errors import UnknownNameError, UsageError
from emonet.taxonomy.derivation._review import DROPPED, Entry, Review, Section, parse_review


def rename(review: Review, old: str, new: str) -> Review:
    """Give a category another name."""
    section = _section(review, old)
    new = _new_name(review, new, but=section)
    return _with(review, {section.line: [f"## {new}"]})


def merge(review: Review, into: str, other: str) -> Review:
    """Put the words, quotations and remarks of `other` behind those of `into`; its heading, group and key go."""
    kept, gone = _section(review, into), _section(review, other)
    if kept.line == gone.line:
        raise UsageError(f"{review.file}: {into!r} cannot be merged with itself; name two categories.")
    return _moved(review, _body(review, gone), kept, remove=[gone.line, *(line for _, line in gone.fields.values())])


def split(review: Review, name: str, new: str, words: Sequence[str]) -> Review:
    """Put the lines of `words` of a category under a new one of the same group, right behind it."""
    section = _section(review, name)
    new = _new_name(review, new)
    taken = sorted({_entry(review, section, word).line for word in words})
    if not taken:
        raise UsageError(f"{review.file}: no words for {new!r}; name those that leave {name!r}.")
    if len(taken) == len(section.entries):
        raise UsageError(f"{review.file}: all words of {name!r} would leave it; rename it instead.")
    moved = [review.lines[line - 1] for line in taken]
    head = ["", f"## {new}", f"group: {section.group}"] if section.group else ["", f"## {new}"]
    changes: dict[int, list[str]] = {line: [] for line in taken}
    last = _last(review, section)
    changes[last] = [*changes.get(last, [review.lines[last - 1]]), *head, *moved]
    return _with(review, changes)


def move(review: Review, word: str, to: str) -> Review:
    """Move the line of a word, with the words that stand on it, to another category or to "(dropped)"."""
    section, entry = _find(review, word)
    target = _section(review, to)
    if target.line == section.line:
        raise UsageError(f"{review.file}, line {entry.line}: {word!r} is in {to!r} already.")
    return _moved(review, [entry.line], target, remove=[])


def drop(review: Review, name: str) -> Review:
    """Move a category's or a word's lines under "## (dropped)", which is made when there is none."""
    if not any(section.name == DROPPED for section in review.sections):
        tail = [f"## {DROPPED}"] if review.lines[-1:] == ("",) else ["", f"## {DROPPED}"]
        last = len(review.lines)
        lines = (*review.lines, *tail, "") if review.lines[-1:] != ("",) else (*review.lines[: last - 1], "", *tail, "")
        review = parse_review("\n".join(lines), file=review.file)
    if any(_same(section.name, name) for section in review.categories):
        return merge(review, DROPPED, name)
    return move(review, name, DROPPED)


def _moved(review: Review, lines: Sequence[int], to: Section, remove: Sequence[int]) -> Review:
    """The review with some lines behind the last filled line of a section."""
    changes: dict[int, list[str]] = {line: [] for line in (*lines, *remove)}
    last = _last(review, to)
    changes[last] = [review.lines[last - 1], *(review.lines[line - 1] for line in lines)]
    return _with(review, changes)


def _with(review: Review, changes: dict[int, list[str]]) -> Review:
    """Lines replaced by others; new ones end as the file's do. The result is parsed anew."""
    out: list[str] = []
    end = "\r" if review.lines[0].endswith("\r") else ""
    for number, line in enumerate(review.lines, 1):
        out += [one if one in review.lines else one + end for one in changes.get(number, [line])]
    return parse_review("\n".join(out), file=review.file)


def _body(review: Review, section: Section) -> list[int]:
    """Lines of a section but for heading, fields and blank ones."""
    fields = {line for _, line in section.fields.values()}
    inside = range(section.line + 1, section.end)
    return [line for line in inside if line not in fields and review.lines[line - 1].strip()]


def _last(review: Review, section: Section) -> int:
    """The last line of a section that is not blank."""
    return max(line for line in range(section.line, section.end) if review.lines[line - 1].strip())


def _section(review: Review, name: str) -> Section:
    found = [section for section in review.sections if _same(section.name, name)]
    if not found:
        raise UnknownNameError(f"category of {review.file}", name, [section.name for section in review.sections])
    return found[0]


def _entry(review: Review, section: Section, word: str) -> Entry:
    for entry in section.entries:
        if any(_same(word, one) for one in entry.words):
            return entry
    raise UnknownNameError(f"word of {section.name!r} in {review.file}", word, section.words)


def _find(review: Review, word: str) -> tuple[Section, Entry]:
    found = [(s, e) for s in review.sections for e in s.entries if any(_same(word, one) for one in e.words)]
    if not found:
        known = [*(s.name for s in review.sections), *(w for s in review.sections for w in s.words)]
        raise UnknownNameError(f"word or category of {review.file}", word, known)
    if len(found) > 1:
        places = ", ".join(f"{section.name} (line {entry.line})" for section, entry in found)
        raise UsageError(f"{review.file}: {word!r} stands in several places: {places}; edit the file itself.")
    return found[0]


def _new_name(review: Review, name: str, but: Section | None = None) -> str:
    name = " ".join(name.split())
    taken = next((s for s in review.sections if _same(s.name, name) and (but is None or s.line != but.line)), None)
    if not name or taken is not None:
        what = f"{name!r} is the name of line {taken.line} already" if taken else "an empty name"
        raise UsageError(f"{review.file}: {what}; choose another, or merge the two.")
    return name


def _same(one: str, other: str) -> bool:
    return " ".join(one.split()).casefold() == " ".join(other.split()).casefold()
