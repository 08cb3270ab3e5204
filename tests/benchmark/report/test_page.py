"""The page: one safe file in which everything is found, whatever the results lack."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Callable
from dataclasses import replace
from html.parser import HTMLParser

import PIL.Image
import polars as pl
import pytest

from emonet.benchmark import HUMAN_CEILING, Results
from emonet.benchmark._published import PUBLISHED_SCHEMA
from emonet.benchmark.report import html_leaderboard
from emonet.benchmark.report._plots import Span, interval_plot, rank_plot, span_of, ties_cell
from emonet.benchmark.report._view import Cell

_VOID = {"meta", "img", "br", "wbr", "input"}


class _Tree(HTMLParser):
    """Checks that tags nest and collects them with their attributes."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in _VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text.append(data)

    def ids(self) -> list[str]:
        return [identity for _, attributes in self.tags if (identity := attributes.get("id"))]


def _parsed(text: str) -> _Tree:
    tree = _Tree()
    tree.feed(text)
    tree.close()
    assert not tree.open
    return tree


def _picture(item: str) -> bytes:
    buffer = io.BytesIO()
    PIL.Image.new("RGB", (50, 50), "red").save(buffer, "PNG")
    return buffer.getvalue()


@pytest.fixture(scope="module")
def theirs() -> pl.DataFrame:
    """One published row, with markup in its name and source."""
    rows = [("made", "Their <i>model</i>", "bundle", "spearman", None, 0.4, None, None, "paper <b>1</b>")]
    return pl.DataFrame(rows, schema=PUBLISHED_SCHEMA, orient="row")


@pytest.fixture(scope="module")
def page(results: Results, theirs: pl.DataFrame) -> str:
    """Everything that a page can hold."""
    pictures = {"pairs/strict": ("Pairs & more", b"png"), "pairs/other": ("unseen", b"png")}
    return html_leaderboard(results, published=theirs, read_media=_picture, pictures=pictures)


def test_every_section_is_there(page: str) -> None:
    """All parts, their links, what the ratings are and what the ceiling means."""
    tree = _parsed(page)
    wanted = {"board", "metrics", "published", "emotions", "kinds", "slices", "items", "requests", "run"}
    assert wanted <= set(tree.ids())
    assert {f"#{name}" for name in wanted} <= {attributes.get("href") for tag, attributes in tree.tags if tag == "a"}
    assert len(tree.ids()) == len(set(tree.ids()))
    said = " ".join(tree.text)
    assert "ratings of perceived intensity" in said
    assert HUMAN_CEILING in said
    assert "not the same as judging better than people" in said


def test_names_are_text(page: str) -> None:
    """Markup in names, notes, messages and sources is shown, not obeyed; scripts are the page's own three."""
    tree = _parsed(page)
    assert sum(tag == "script" for tag, _ in tree.tags) == 3
    assert not any(tag in ("i", "b") and not attributes for tag, attributes in tree.tags)
    assert "&lt;script&gt;alert(&#x27;x&#x27;)&lt;/script&gt;" in page
    assert "&lt;i&gt;a note&lt;/i&gt;" in page
    assert "paper &lt;b&gt;1&lt;/b&gt;" in page


def test_nothing_is_fetched(page: str) -> None:
    """No address outside the file, and a policy that allows none."""
    tree = _parsed(page)
    for tag, attributes in tree.tags:
        for name in ("src", "href", "action", "data", "poster"):
            if (value := attributes.get(name)) and tag != "th":
                assert value.startswith(("data:", "#")), (tag, value)
    assert "default-src 'none'" in page
    assert "url(" not in page
    assert "@import" not in page


def test_columns_can_be_sorted_by_keyboard(page: str) -> None:
    """Every heading of a sortable table is a button and says how it is sorted; the boxes can be reached."""
    tree = _parsed(page)
    heads = [attributes for tag, attributes in tree.tags if tag == "th" and attributes.get("scope") == "col"]
    assert heads
    assert all(attributes.get("aria-sort") in ("none", "ascending") for attributes in heads)
    boxes = [attributes for tag, attributes in tree.tags if attributes.get("role") == "region"]
    assert all(attributes.get("tabindex") == "0" and attributes.get("aria-label") for attributes in boxes)
    assert page.count('<button type="button"') == len(heads)


def test_definitions_and_metrics_switch_without_a_script(page: str) -> None:
    """Radio buttons, a rule for each, and a panel for each pair; one that a definition lacks says so."""
    tree = _parsed(page)
    radios = [attributes for tag, attributes in tree.tags if tag == "input" and attributes.get("type") == "radio"]
    metrics = sum(attributes.get("name") == "m" for attributes in radios)
    assert sum(attributes.get("name") == "d" for attributes in radios) == 2
    panels = [attributes for _, attributes in tree.tags if "data-d" in attributes and "data-m" in attributes]
    assert len(panels) == 2 * metrics
    assert "MAE is not part of the published definition." in page
    assert 'body:has(#d-1:checked) [data-d]:not([data-d="1"]) { display: none; }' in page
    for radio in radios:
        assert f"#{radio['id']}:checked" in page


def test_the_data_of_the_drill_down(page: str, results: Results) -> None:
    """JSON of every emotion, rater and board, and no way out of its element."""
    found = re.search(r'<script type="application/json" id="data">(.*?)</script>', page, re.S)
    assert found
    assert "<" not in found[1]
    data = json.loads(found[1])
    assert [one["key"] for one in data["dimensions"]] == results.facts["dimensions"]
    assert len(data["cells"]["0/0"]) == 6
    assert all(len(row) == len(data["raters"]) for board in data["cells"].values() for row in board)
    assert data["raters"][data["people"]]["name"] == HUMAN_CEILING
    assert data["dimensions"][0]["agreement"][0][1] <= data["dimensions"][0]["agreement"][0][0]
    assert sum(share for *_, share in data["dimensions"][0]["votes"]) == pytest.approx(1, abs=1e-3)


def test_media_and_pictures_are_embedded(page: str) -> None:
    """Thumbnails with a text of their own; pictures of the shown definitions only."""
    tree = _parsed(page)
    images = [attributes for tag, attributes in tree.tags if tag == "img"]
    assert sum((attributes["src"] or "").startswith("data:image/jpeg") for attributes in images) > 3
    assert [attributes["alt"] for attributes in images if "png" in (attributes["src"] or "")] == ["Pairs & more"]
    assert all(attributes.get("alt") for attributes in images)


def test_published_rows_are_marked(page: str) -> None:
    """With a badge and their source; rows of this run have neither."""
    assert page.count('<span class="badge">published</span>') == 1
    row = re.search(r'<tr class="[^"]*theirs">.*?</tr>', page)
    assert row
    assert "Their &lt;i&gt;model&lt;/i&gt;" in row[0]


def test_a_page_of_almost_nothing(bare: Results) -> None:
    """One rater, no people to compare with, no media: the page says what there is and parses."""
    tree = _parsed(html_leaderboard(bare))
    assert {"board", "metrics", "emotions", "run"} <= set(tree.ids())
    assert not {"slices", "items", "requests", "published", "kinds"} & set(tree.ids())
    said = " ".join(tree.text)
    assert "1 rater" in said
    assert "calm <b>" in said


def test_a_crowded_page(crowded: Results) -> None:
    """40 emotions by 21 raters stay below a megabyte."""
    text = html_leaderboard(crowded)
    _parsed(text)
    assert len(text) < 1_000_000
    assert "Intoxication/Altered States of Consciousness" in text


def test_undefined_values_are_dashes(results: Results, board: Callable[..., Results]) -> None:
    """A rater without any value has its row, without numbers that are not there."""
    lost = results.scores.with_columns(
        *(pl.when(pl.col("rater") == "good").then(None).otherwise(pl.col(c)).alias(c) for c in ("value", "low", "high"))
    )
    text = html_leaderboard(replace(results, scores=lost))
    _parsed(text)
    assert "nan" not in re.sub(r"<script.*?</script>", "", text, flags=re.S).lower().replace("resonan", "")
    assert html_leaderboard(board(3, ["anger"], people=2)).count("<tbody>") >= 2


def test_plots_stay_in_their_box() -> None:
    """The axis holds 0, every interval and the ceiling; what is undefined is not drawn."""
    span = span_of([Cell(0.4, 0.3, 0.5), Cell(None, None, None)], Cell(0.7, 0.6, 0.8))
    assert span.low < 0 < 0.8 < span.high
    places = [float(x) for x in re.findall(r"[MH](-?[\d.]+)", interval_plot(Cell(0.4, 0.3, 0.5), span))]
    assert all(0 <= x <= 100 for x in places)
    assert 'class="band"' in interval_plot(Cell(0.4, None, None), span)
    assert interval_plot(Cell(None, None, None), span) == ""
    assert rank_plot(None, None, None, 3) == ""
    assert "H" in rank_plot(1.0, 1, 3, 3)
    assert interval_plot(Cell(0.0, 0.0, 0.0), Span(0.0, 0.0)) != ""
    assert ties_cell(("b",), ("a", "b")).count("<i") == 1
    assert ties_cell((), ()).count("<i") == 0
