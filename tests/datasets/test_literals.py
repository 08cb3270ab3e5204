"""Label cells: every literal is read as Python reads it, nothing is ever run, all else is a typed error."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emonet.datasets._literals import parse_literal, parse_scores, parse_votes
from emonet.errors import UsageError

names = st.text(max_size=20) | st.sampled_from(
    [
        "Group|Jealousy & Envy",
        "Longing & Lust|Sexual Lust",
        "it's",
        'a "quoted" name',
        "back\\slash",
        "Malevolence%2FMalice",
    ]
)
values = st.integers(-10, 10) | st.floats(allow_nan=False, allow_infinity=False)


@given(st.dictionaries(names, values, max_size=8))
def test_scores_of_any_names_read_back_from_python_text(scores: dict[str, float]) -> None:
    assert parse_scores(str(scores)) == scores


@given(st.lists(st.dictionaries(names, st.dictionaries(names, st.integers(0, 2), max_size=2), max_size=2), max_size=4))
def test_votes_read_back_from_python_text(votes: list[dict[str, dict[str, int]]]) -> None:
    expected = [
        (rater, name, value) for one in votes for rater, scores in one.items() for name, value in scores.items()
    ]
    assert parse_votes(str(votes)) == expected


@given(st.text(alphabet="{}[]()'\":,|ab01.-+eE \\\nNoneTrue_*", max_size=40))
def test_malformed_text_is_a_typed_error_or_what_python_reads(text: str) -> None:
    try:
        found: Any = parse_literal(text)
    except UsageError:
        return
    try:
        expected = ast.literal_eval(text.lstrip(" \t"))
    except (ValueError, SyntaxError):
        # JSON takes a little more than Python: truth values and numbers that Python does not spell so.
        assert isinstance(found, str | int | float | list | dict | bool | None)
        return
    assert found == expected


def test_code_in_a_cell_is_not_run(tmp_path: Path) -> None:
    trace = tmp_path / "trace"
    for text in (
        f"open({str(trace)!r}, 'w')",
        f"{{'a': open({str(trace)!r}, 'w')}}",
        f"__import__('pathlib').Path({str(trace)!r}).touch()",
        f"[x for x in [open({str(trace)!r}, 'w')]]",
        f"{{'a': 1}} if open({str(trace)!r}, 'w') else 0",
    ):
        with pytest.raises(UsageError):
            parse_scores(text)
    assert not trace.exists()


@pytest.mark.parametrize(
    "text",
    ["", "{", "nan", "{'a': nan}", "{'a': NaN}", "{'a': 1e999}", "{'a': True}", "{'a': '1'}", "{'a': None}", "[1]",
     "{1: 2}", "{'a': {}}", "{'a': " + "9" * 5000 + "}", "{'a': 1" + "0" * 400 + "}", "[" * 100_000, "{'a': 1}; 2",
     "{'a\x00': 1"],
)  # fmt: skip
def test_what_is_no_score_is_refused(text: str) -> None:
    with pytest.raises(UsageError):
        parse_scores(text)


def test_a_message_quotes_only_the_beginning_of_a_long_cell() -> None:
    with pytest.raises(UsageError) as caught:
        parse_scores("{" * 10_000)
    assert len(str(caught.value)) < 200


def test_both_layouts_of_votes_are_read() -> None:
    expected = [("human-1", "Shame", 2), ("human-4", "Shame", 0)]
    assert parse_votes("[{'human-1': {'Shame': 2}}, {'human-4': {'Shame': 0}}]") == expected
    assert parse_votes("{'human-1': {'Shame': 2}, 'human-4': {'Shame': 0}}") == expected
    assert parse_votes('{"human-1": "{\'Shame\': 2}", "human-4": {"Shame": 0}}') == expected


@pytest.mark.parametrize(
    "text", ["[1]", "[{'human-1': 2}]", "{1: {'Shame': 2}}", "'a'", "[[{'human-1': {'Shame': 2}}]]"]
)
def test_votes_of_another_shape_are_refused(text: str) -> None:
    with pytest.raises(UsageError):
        parse_votes(text)
