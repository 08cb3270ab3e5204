"""The leaderboard as one HTML file: works offline and prints; tables and switches work without a script."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from importlib.resources import files
from string import Template

import polars as pl

from emonet.benchmark._results import Results
from emonet.benchmark.report._media import ReadMedia
from emonet.benchmark.report._page_board import board_panels, metric_panels
from emonet.benchmark.report._page_emotions import emotions_section, page_data
from emonet.benchmark.report._page_items import items_section
from emonet.benchmark.report._page_more import kinds_section, published_section, replies_section, run_section
from emonet.benchmark.report._page_parts import all_metrics, section
from emonet.benchmark.report._page_slices import slices_section
from emonet.benchmark.report._view import definitions
from emonet.benchmark.report._words import CEILING, PERCEIVED, metric_name, plain


def html_leaderboard(
    results: Results,
    *,
    published: pl.DataFrame | None = None,
    read_media: ReadMedia | None = None,
    pictures: Mapping[str, tuple[str, bytes]] | None = None,
) -> str:
    """The page as text.

    `published`: rows as of `published_scores`. `read_media`: encoded file of an item; thumbnails and recordings are
    embedded up to `MOST_BYTES`. `pictures`: name → caption and PNG; shown with the definition that the name ends in
    ("kinds/strict").
    """
    facts = results.facts
    shared = files("emonet.reports").joinpath("assets")
    own = files("emonet.benchmark.report").joinpath("assets")
    theirs = published_section(results, published) if published is not None else ""
    parts = [
        ("board", "Leaderboard", board_panels(results), _BOARD),
        ("metrics", "All metrics", metric_panels(results), ""),
        ("published", "Beside published results", theirs, _PUBLISHED),
        ("emotions", "Emotions", emotions_section(results), _EMOTIONS),
        ("kinds", "Agreement", kinds_section(results, pictures or {}), ""),
        ("slices", "Parts of the set", slices_section(results), _SLICES),
        ("items", "Largest disagreements", items_section(results, read_media), ""),
        ("requests", "Refusals and costs", replies_section(results), ""),
        ("run", "The run", run_section(results), ""),
    ]
    there = [part for part in parts if part[2]]
    return Template(own.joinpath("page.html").read_text(encoding="utf-8")).substitute(
        title=escape(f"Benchmark: {plain(str(facts['set']))}"),
        style=shared.joinpath("report.css").read_text(encoding="utf-8")
        + own.joinpath("page.css").read_text(encoding="utf-8")
        + _switch_rules(results),
        sort=shared.joinpath("report.js").read_text(encoding="utf-8"),
        script=own.joinpath("page.js").read_text(encoding="utf-8"),
        counts="".join(f"<li>{escape(text)}</li>" for text in _counts(results)),
        made=escape(f"Made {facts.get('created', '')} with emonet {facts.get('version', '')}."),
        perceived=escape(PERCEIVED),
        ceiling=escape(CEILING),
        switches=_switch("d", "Definition", list(definitions(results)))
        + _switch("m", "Metric", [metric_name(metric) for metric in all_metrics(results)]),
        sections="".join(f'<li><a href="#{identity}">{escape(title)}</a></li>' for identity, title, *_ in there),
        main="".join(section(*part) for part in there),
        data=page_data(results),
    )


_BOARD = (
    "Intervals hold 95 %. “Rank” is the place by value with the places that it may really be, all pairs compared "
    "together; raters that share a letter could not be told apart. Bold: surely better than every other. Choose a "
    "column's heading to sort."
)
_PUBLISHED = (
    "Rows marked as published were typed from the sources that they name and were not measured here; items, prompts "
    "and preparation may differ. Rows of this run use the published definition."
)
_EMOTIONS = "Agreement of people, how their votes fell, and what one person and the best rater reach on each emotion."
_SLICES = (
    "Figures of items with each value, as the set gives it; it is no observation about a person. Rows follow the "
    "metric chosen above."
)


def _counts(results: Results) -> list[str]:
    facts = results.facts
    raters, people = len(facts["raters"]), len(facts.get("people", ()))
    dimensions = len(facts["dimensions"])
    return [
        f"{facts['items']} {facts.get('modality', '')} items",
        f"{people} people" if people != 1 else "1 person",
        f"{raters} raters" if raters != 1 else "1 rater",
        f"{dimensions} emotions" if dimensions != 1 else "1 emotion",
    ]


def _switch(letter: str, title: str, names: list[str]) -> str:
    """Radio buttons that work by CSS alone."""
    options = "".join(
        f'<label><input type="radio" name="{letter}" id="{letter}-{k}" value="{k}"{" checked" if not k else ""}>'
        f"<span>{escape(name)}</span></label>"
        for k, name in enumerate(names)
    )
    return f"<fieldset><legend>{title}</legend>{options}</fieldset>" if names else ""


def _switch_rules(results: Results) -> str:
    counts = {"d": len(definitions(results)), "m": len(all_metrics(results))}
    return "".join(
        f'body:has(#{letter}-{k}:checked) [data-{letter}]:not([data-{letter}="{k}"]) {{ display: none; }}\n'
        for letter, count in counts.items()
        for k in range(count)
    )
