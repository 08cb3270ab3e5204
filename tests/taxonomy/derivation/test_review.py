"""The review file: kept character for character, edited by hand or by command, built into a taxonomy."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emonet.errors import UnknownNameError, UsageError
from emonet.taxonomy import read_taxonomy, write_taxonomy
from emonet.taxonomy.derivation import (
    build_taxonomy,
    changes,
    drop,
    faults,
    merge,
    move,
    parse_review,
    remarks,
    rename,
    split,
)

REVIEW = """\
# Emotions of a book
version: 2.0
source: a book

// how to edit

## Anger
group: Unpleasant
- anger, angry | 4 times: p. 1
// rage may be a category of its own
- rage
- fury, furious
> … his anger … (p. 1)

## Fear
group: Unpleasant
key: fright
- fear, afraid | once: p. 2

## Joy
group: Pleasant
- joy
- glee
"""


def _names(review) -> list[str]:
    return [section.name for section in review.sections]


_name = st.from_regex(r"[A-Z][a-zé]{1,8}( & [A-Z][a-z]{1,5})?", fullmatch=True)
_word = st.from_regex(r"[a-z]{2,8}(-[a-z]{2,4})?", fullmatch=True)
_line = st.one_of(
    _name.map("## {}".format),
    st.lists(_word, min_size=1, max_size=3).map(lambda words: f"- {', '.join(words)}"),
    _word.map("-   {}  | 3 times: p. 4, see // and > there".format),
    st.text(st.characters(codec="utf-8", exclude_characters="\n"), max_size=20).map("// {}".format),
    st.text(st.characters(codec="utf-8", exclude_characters="\n"), max_size=20).map("  > {}".format),
    st.sampled_from(["", "   ", "\t"]),
)


@given(st.lists(_line, max_size=25), st.sampled_from(["\n", "\r\n"]), st.booleans())
def test_any_review_is_kept_to_the_character(lines: list[str], end: str, final: bool) -> None:
    """Remarks, blanks, evidence and line ends are what they were."""
    text = end.join(["# Title", "## First", *lines]) + (end if final else "")
    assert parse_review(text).text == text


@given(st.lists(_line, max_size=25), st.data())
def test_edits_lose_no_remark_and_no_word(lines: list[str], data: st.DataObject) -> None:
    """Whatever is merged, moved or dropped, every word and remark is still in the file, once."""
    review = parse_review("\n".join(["## Alpha", "- alpha", *lines, "## Omega", "- omega"]))
    names = [section.name for section in review.sections]
    if len({name.casefold() for name in names}) < len(names):
        return
    kind = data.draw(st.sampled_from(["merge", "drop", "rename"]))
    other = data.draw(st.sampled_from([name for name in names if name != "Omega"]))
    after = {
        "merge": lambda: merge(review, "Omega", other),
        "drop": lambda: drop(review, other),
        "rename": lambda: rename(review, other, "Quite New"),
    }[kind]()

    def kept(text: str) -> list[str]:
        return sorted(line for line in re.split("\n", text) if line.strip() and not line.strip().startswith("## "))

    assert kept(after.text) == kept(review.text)


def test_a_review_says_what_it_holds() -> None:
    """Title, fields, categories with group, key and words."""
    review = parse_review(REVIEW)
    assert (review.title, review.fields["version"][0]) == ("Emotions of a book", "2.0")
    anger, fear, joy = review.categories
    assert (anger.group, anger.key, anger.words) == (
        "Unpleasant",
        "anger",
        ("anger", "angry", "rage", "fury", "furious"),
    )
    assert (fear.key, fear.words, joy.line) == ("fright", ("fear", "afraid"), 20)


def test_commands_change_as_little_as_they_can() -> None:
    """Merge, split, move, rename and drop, and what `changes` tells of them."""
    before = parse_review(REVIEW)
    review = split(before, "anger", "Rage", ["furious", "rage"])
    assert "## Rage\ngroup: Unpleasant\n- rage\n- fury, furious\n\n## Fear" in review.text
    assert "// rage may be a category of its own\n> … his anger" in review.text
    review = rename(review, "Fear", "Dread")
    review = move(review, "fury", "Dread")
    review = drop(review, "Joy")
    assert review.text.endswith("## (dropped)\n- joy\n- glee\n")
    assert [change.text for change in changes(before, review)] == [
        "split Rage off Anger (rage)",
        "renamed Fear to Dread",
        "dropped Joy",
        "moved fury from Anger to Dread",
        "moved furious from Anger to Dread",
    ]
    assert [change.text for change in changes(before, merge(before, "Anger", "Fear"))] == [
        "merged Anger and Fear into Anger"
    ]
    assert changes(before, before) == ()


def test_changes_made_by_hand_are_told() -> None:
    """New and dropped words, a new category, another group, a dropped category."""
    before = parse_review(REVIEW)
    text = REVIEW.replace("- glee", "- bliss").replace("group: Pleasant", "group: Warm")
    text = text.replace("- rage\n", "") + "\n## Saudade\ngroup: Warm\n- saudade\n"
    assert [change.text for change in changes(before, parse_review(text))] == [
        "Joy: group 'Pleasant' is now 'Warm'",
        "new category Saudade (saudade)",
        "dropped the word rage of Anger",
        "dropped the word glee of Joy",
        "new word bliss in Joy",
    ]
    gone = changes(before, parse_review(REVIEW[: REVIEW.index("## Joy")]))
    assert [change.text for change in gone] == ["dropped Joy"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("- fear", "line 1: a word before the first category"),
        ("## Fear\n- | 3 times", "line 2: .* names no word"),
        ("## Fear\ncolour: red", "line 2: unknown field 'colour'"),
        ("## Fear\ngroup: a\ngroup: b", "line 3: 'group' again"),
        ("## Fear\nsomething", "line 2: 'something' is no part of a review file"),
    ],
)
def test_a_wrong_line_is_named(text: str, said: str) -> None:
    """With what may stand there."""
    with pytest.raises(UsageError, match=said):
        parse_review(text, file="my.md")


@pytest.mark.parametrize(
    ("edit", "said"),
    [
        (lambda r: rename(r, "Angre", "X"), "Did you mean 'Anger'"),
        (lambda r: rename(r, "Anger", "fear"), "line 15 already"),
        (lambda r: rename(r, "Anger", " "), "an empty name"),
        (lambda r: merge(r, "Anger", "anger"), "cannot be merged with itself"),
        (lambda r: split(r, "Anger", "New", ["joy"]), "Unknown word of 'Anger'"),
        (lambda r: split(r, "Fear", "New", ["fear"]), "all words of 'Fear' would leave"),
        (lambda r: split(r, "Fear", "New", []), "no words for 'New'"),
        (lambda r: move(r, "joy", "Joy"), "is in 'Joy' already"),
        (lambda r: drop(r, "joyy"), "Did you mean"),
    ],
)
def test_edits_that_cannot_be_made(edit, said: str) -> None:
    """Each says what to name instead."""
    with pytest.raises((UsageError, UnknownNameError), match=said):
        edit(parse_review(REVIEW))


def test_a_review_becomes_a_taxonomy(tmp_path) -> None:
    """Categories and groups in the order of the file; written and read it is the same."""
    made = build_taxonomy(parse_review(REVIEW))
    assert made.groups == ("Unpleasant", "Pleasant")
    assert [(e.key, e.name, e.words[:2]) for e in made.emotions] == [
        ("anger", "Anger", ("anger", "angry")),
        ("fright", "Fear", ("fear", "afraid")),
        ("joy", "Joy", ("joy", "glee")),
    ]
    assert made.version == "2.0"
    assert made.emotions[0].coarse["ravdess"] == "angry"  # it is the built-in emotion of that key
    write_taxonomy(made, tmp_path / "t.json")
    assert read_taxonomy(tmp_path / "t.json") == made


def test_faults_name_their_lines_and_are_not_built() -> None:
    """No words, no group, one key twice, a name that an attribute has."""
    text = "## Fear\ngroup: a\n- fear\n## FEAR!\n- dread\n## Void\ngroup: a\n"
    assert [fault.partition(";")[0] for fault in faults(parse_review(text))] == [
        "line 4: 'FEAR!' has no group",
        "line 4: the key 'fear' is that of line 1 too",
        "line 6: 'Void' has no words",
    ]
    with pytest.raises(UsageError, match=r"my\.md, line 4: .*3 faults in all"):
        build_taxonomy(parse_review(text, file="my.md"))
    with pytest.raises(UsageError, match=r"line 4: the spelling .* rename the category"):
        build_taxonomy(parse_review("## Fear\ngroup: a\n- fear\n## Arousal\ngroup: a\n- arousal\n"))
    with pytest.raises(UsageError, match="there is no category"):
        build_taxonomy(parse_review("# nothing\n"))


def test_a_word_in_two_categories_is_a_remark() -> None:
    """It is allowed, as in the published lists."""
    (said,) = remarks(parse_review("## A\ngroup: g\n- bliss\n## B\ngroup: g\n- bliss\n"))
    assert said == "'bliss' stands in A (line 3), B (line 6)"
