"""What people changed in a review file, what is wrong with it, and the taxonomy that it makes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from emonet.errors import UsageError
from emonet.taxonomy._inherited import make_emotions
from emonet.taxonomy._lookup import index_of
from emonet.taxonomy._records import Taxonomy, built_in
from emonet.taxonomy.derivation._review import Review


@dataclass(frozen=True, slots=True)
class Change:
    """`kind`: merged, split, renamed, dropped, new, moved, regrouped, dropped word or new word; `text` for people."""

    kind: str
    text: str


def changes(before: Review, after: Review) -> tuple[Change, ...]:
    """What was done to come from one review file to another, told by the words of the categories.

    The heir of an old category is the new one with most of its words (the one of the same name when several have).
    """
    old, new = _places(before), _places(after)
    heirs = {section.name: _heir(section.words, section.name, new) for section in before.categories}
    of: dict[str, list[str]] = {}
    for name, heir in heirs.items():
        of.setdefault(heir, []).append(name)
    return (*_of_categories(before, after, old, heirs, of), *_of_words(old, new, heirs, of))


def _of_categories(
    before: Review, after: Review, old: Mapping[str, str], heirs: Mapping[str, str], of: Mapping[str, list[str]]
) -> Iterator[Change]:
    groups = {section.name: section.group for section in before.categories}
    for section in after.categories:
        name, sources = section.name, of.get(section.name, [])
        if len(sources) > 1:
            yield Change("merged", f"merged {' and '.join(sources)} into {name}")
        elif len(sources) == 1 and sources[0] != name:
            yield Change("renamed", f"renamed {sources[0]} to {name}")
        elif not sources:
            parents = Counter(old[word] for word in section.words if word in old)
            parent = parents.most_common(1)[0][0] if parents else ""
            if parent:
                yield Change("split", f"split {name} off {parent} ({', '.join(section.words)})")
            else:
                yield Change("new", f"new category {name} ({', '.join(section.words)})")
        if len(sources) == 1 and groups[sources[0]] != section.group:
            yield Change("regrouped", f"{name}: group {groups[sources[0]]!r} is now {section.group!r}")
    for name, heir in heirs.items():
        if not heir:
            yield Change("dropped", f"dropped {name}")


def _of_words(
    old: Mapping[str, str], new: Mapping[str, str], heirs: Mapping[str, str], of: Mapping[str, list[str]]
) -> Iterator[Change]:
    for word, place in old.items():
        heir = heirs.get(place, place)
        if word not in new:
            if heir:
                yield Change("dropped word", f"dropped the word {word} of {place}")
        elif new[word] != heir and new[word] in of:
            yield Change("moved", f"moved {word} from {place} to {new[word]}")
    for word, place in new.items():
        if word not in old and place in of:
            yield Change("new word", f"new word {word} in {place}")


def _places(review: Review) -> dict[str, str]:
    """Each word → its category, the first where it stands in several."""
    out: dict[str, str] = {}
    for section in review.categories:
        for word in section.words:
            out.setdefault(word, section.name)
    return out


def _heir(words: tuple[str, ...], name: str, new: Mapping[str, str]) -> str:
    """The new category that holds most of the words; empty when none does."""
    counted = Counter(new[word] for word in words if word in new)
    return max(counted, key=lambda one: (counted[one], one == name, one)) if counted else ""


def faults(review: Review) -> tuple[str, ...]:
    """Why no taxonomy can be built yet, each with its line; empty when one can."""
    out = []
    seen: dict[str, int] = {}
    for section in review.categories:
        if not section.entries:
            out.append(f"line {section.line}: {section.name!r} has no words; give it some or delete the heading.")
        if not section.group:
            out.append(f'line {section.line}: {section.name!r} has no group; add a line "group: ...".')
        if section.key in seen:
            out.append(
                f"line {section.line}: the key {section.key!r} is that of line {seen[section.key]} too; rename one."
            )
        if not section.key:
            out.append(f'line {section.line}: the name {section.name!r} gives no key; add a line "key: ...".')
        seen.setdefault(section.key, section.line)
    if not review.categories:
        out.append('there is no category; expected headings such as "## Anger".')
    return tuple(out)


def remarks(review: Review) -> tuple[str, ...]:
    """What is allowed but worth a look: words in several categories."""
    at: dict[str, list[str]] = {}
    for section in review.categories:
        for entry in section.entries:
            for word in entry.words:
                at.setdefault(word, []).append(f"{section.name} (line {entry.line})")
    return tuple(f"{word!r} stands in {', '.join(places)}" for word, places in at.items() if len(places) > 1)


def build_taxonomy(review: Review) -> Taxonomy:
    """The taxonomy of a review file: categories in their order, groups in the order in which they first appear.

    Raises `UsageError` naming the file, the lines and the remedies.
    """
    if found := faults(review):
        more = f" ({len(found)} faults in all; see `emonet taxonomy review`)" if len(found) > 1 else ""
        raise UsageError(f"{review.file}, {found[0]}{more}")
    base = built_in()
    taxonomy = Taxonomy(
        version=review.fields.get("version", ("1.0", 0))[0] or "1.0",
        source=review.fields.get("source", ("", 0))[0] or review.title,
        groups=tuple(dict.fromkeys(section.group for section in review.categories)),
        emotions=make_emotions(
            [
                {"key": s.key, "name": s.name, "group": s.group, "words": tuple(dict.fromkeys(s.words))}
                for s in review.categories
            ]
        ),
        attributes=base.attributes,
        emotion_levels=base.emotion_levels,
    )
    for modality in ("voice", "face"):
        try:
            index_of(taxonomy, modality)
        except ValueError as error:
            lines = [s.line for s in review.categories if s.key in str(error)]
            where = f", line {lines[-1]}" if lines else ""
            raise UsageError(f"{review.file}{where}: the spelling {error}; rename the category.") from error
    return taxonomy
