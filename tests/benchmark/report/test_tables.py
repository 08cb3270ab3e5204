"""Tables: what is in them, what is bold, and how Markdown and LaTeX set it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from emonet.benchmark import HUMAN_CEILING, Results, published_scores
from emonet.benchmark._published import PUBLISHED_SCHEMA
from emonet.benchmark.report._beside import published_rows
from emonet.benchmark.report._formats import as_latex, as_markdown, latex_text, leaderboard_data, markdown_text
from emonet.benchmark.report._replies import reply_rows
from emonet.benchmark.report._tables import (
    Table,
    Text,
    agreement_table,
    annotators_table,
    clear_best,
    differences_table,
    emotions_table,
    kinds_table,
    leaderboard_table,
    metrics_table,
    p_text,
    published_table,
    replies_table,
)
from emonet.benchmark.report._view import Cell
from emonet.errors import UsageError

TABLES: dict[str, Callable[[Results], Table]] = {
    "leaderboard": lambda r: leaderboard_table(r, "strict", "spearman"),
    "metrics": lambda r: metrics_table(r, "strict"),
    "emotions": lambda r: emotions_table(r, "strict", "spearman"),
    "agreement": agreement_table,
    "kinds": lambda r: kinds_table(r, "strict"),
    "annotators": lambda r: annotators_table(r, "strict"),
    "differences": lambda r: differences_table(r, "strict", "spearman"),
    "replies": replies_table,
}


@pytest.mark.parametrize("name", TABLES)
def test_every_table_in_both_formats(results: Results, name: str) -> None:
    """Each row has the header's number of cells; braces and environments of LaTeX close."""
    made = TABLES[name](results)
    assert made.rows
    lines = [line for line in as_markdown(made).splitlines() if line.startswith("|")]
    assert len({len(re.sub(r"\\.", "", line).split("|")) for line in lines}) == 1
    latex = re.sub(r"\\[{}]", "", as_latex(made))
    assert latex.count("{") == latex.count("}")
    assert latex.count(r"\begin{tabular}") == latex.count(r"\end{tabular}") == latex.count(r"\toprule") > 0
    assert "siunitx" not in latex


def test_the_leaderboard_tells_ranks_and_ties(results: Results) -> None:
    """Places with their interval, value with interval, letters; the hostile name is escaped."""
    made = leaderboard_table(results, "strict", "spearman")
    first = [cell.text for cell in made.rows[0]]
    assert re.fullmatch(r"[\d.]+ \(\d+–\d+\)", first[0])
    assert re.fullmatch(r"0\.\d{3} \[0\.\d{3}, 0\.\d{3}\]", first[3])
    assert any(row[1].text == HUMAN_CEILING for row in made.rows)
    assert r"\<script\>" in as_markdown(made)
    assert r"\textless{}script\textgreater{}" in as_latex(made)
    assert r"\$P\$" in as_latex(made)


def test_bold_is_for_what_is_separated() -> None:
    """Only an interval beyond all others, in the metric's good direction."""
    cells = {"a": Cell(0.5, 0.45, 0.55), "b": Cell(0.3, 0.2, 0.4), "c": Cell(0.1, None, None)}
    assert clear_best(cells, "spearman") == "a"
    assert clear_best(cells, "mae") == "b"
    assert clear_best({**cells, "d": Cell(0.5, 0.44, 0.56)}, "spearman") is None
    assert clear_best({"a": cells["a"]}, "spearman") is None


def test_wide_tables_are_split_for_print(crowded: Results) -> None:
    """Of 21 raters three stand in a part; the emotions' names in each; headings run across."""
    latex = as_latex(emotions_table(crowded, "strict", "spearman"))
    assert latex.count(r"\begin{tabular}") == 7
    assert latex.count("Amusement &") == 7
    assert r"\multicolumn{4}{l}{\textit{Other}}" in latex
    assert "Part 7 of 7." in latex


def test_replies_are_counted(results: Results) -> None:
    """Requests by what became of them; tokens and cost only where they are known."""
    first, second = reply_rows(results)
    assert (first.requests, first.ok, first.refused, first.malformed, first.failed) == (12, 8, 1, 1, 2)
    assert (first.tokens, first.cost, first.seconds) == (13_200, 3.0, 6.0)
    assert (second.tokens, second.cost) == (None, None)
    assert dict(first.messages) == {"<b>refused</b>": 1, "<b>malformed</b>": 1, "<b>timeout</b>": 1}


def test_published_values_stand_beside_ones_own(results: Results) -> None:
    """Sorted together, told apart, with their source; other sets' values do not appear."""
    rows = [("made", "Their model", "bundle", "spearman", None, 0.4, 0.3, 0.5, "a paper & more")]
    rows += [("other", "Else", "bundle", "spearman", None, 0.9, None, None, "elsewhere")]
    table = pl.DataFrame(rows, schema=PUBLISHED_SCHEMA, orient="row")
    found = published_rows(results, table, "spearman")
    values = [row.cell.value or 0 for row in found]
    assert values == sorted(values, reverse=True)
    assert [row.rater for row in found if row.source] == ["Their model"]
    made = published_table(results, table, "spearman")
    assert {row[3].text for row in made.rows} == {"published", "this run"}
    assert r"a paper \& more" in as_latex(made)
    assert published_rows(results, published_scores(), "spearman") == []
    with pytest.raises(UsageError, match="lacks the columns source"):
        published_rows(results, table.drop("source"), "spearman")


def test_json_holds_every_leaderboard(results: Results) -> None:
    """Strict JSON: what is undefined is null."""
    data = json.loads(json.dumps(leaderboard_data(results), allow_nan=False))
    assert set(data["leaderboards"]) == {"strict", "published"}
    first = data["leaderboards"]["strict"]["spearman"][0]
    assert first["rank"] <= 2
    assert first["low"] < first["value"] < first["high"]
    assert data["leaderboards"]["published"]["spearman"][-1]["value"] is None
    assert data["human_ceiling"] == HUMAN_CEILING


@given(st.text(max_size=40))
def test_latex_text_is_never_markup(text: str) -> None:
    """After the known commands are taken away no special character is left."""
    left = re.sub(r"\\(?:text[a-z]+|ldots)\{\}|\\[{}$&#%_]|\$(?:-|\\[a-z]+)\$|\{\[\}", "", latex_text(text))
    assert not set(left) & set('\\{}$&#%_~^<>|"')


@given(st.text(max_size=40))
def test_markdown_text_is_never_markup(text: str) -> None:
    """Every special character is escaped, and nothing breaks a line."""
    left = re.sub(r"\\.", "", markdown_text(text))
    assert not set(left) & set("\\`*_{}[]<>|#~!$\n\r")
    assert re.sub(r"&amp;", "", left).count("&") == 0


def test_a_row_of_latex_may_begin_with_a_bracket() -> None:
    """Else it would be read as the option of the line break before it."""
    made = Table("t", "c", ("a", "b"), ((Text("[1]"), Text("2")),))
    assert "{[}1] & 2" in as_latex(made)


def test_p_values() -> None:
    """Small ones are bounds."""
    assert [p_text(p) for p in (None, 0.0001, 0.04999, 1.0)] == ["–", "<0.001", "0.050", "1.000"]
