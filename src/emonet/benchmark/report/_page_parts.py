"""Pieces of HTML that several sections of the page are made of; every text is escaped here or by its section."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from html import escape

from emonet.benchmark._results import METRICS, Results
from emonet.benchmark.report._view import definitions, metrics
from emonet.benchmark.report._words import KINDS, kind_of

_MARKS = {"D": "◆", "o": "●", "^": "▲", "s": "■", "v": "▼", "X": "✕", "P": "✚"}


@dataclass(frozen=True, slots=True)
class Board:
    """One choice of definition and metric, by name and by its number in the page's switches."""

    definition: str
    metric: str
    definition_number: int
    metric_number: int


def boards(results: Results) -> Iterator[Board]:
    """All combinations, also those that a definition does not have."""
    for d, definition in enumerate(definitions(results)):
        for m, metric in enumerate(all_metrics(results)):
            yield Board(definition, metric, d, m)


def all_metrics(results: Results) -> list[str]:
    """Metrics that some definition has."""
    found = {metric for definition in definitions(results) for metric in metrics(results, definition)}
    return [metric for metric in METRICS if metric in found]


def head(name: str, *, sort: str = "none", title: str = "", right: bool = False) -> str:
    """A column's heading with the button that sorts by it. `right`: over figures."""
    more = f' title="{escape(title)}"' if title else ""
    side = ' class="right"' if right else ""
    return f'<th scope="col"{side} aria-sort="{sort}"><button type="button"{more}>{escape(name)}</button></th>'


def table(caption: str, heads: Iterable[str], rows: str, *, kind: str = "") -> str:
    """A sortable table in a box of its own that scrolls and can be reached by keyboard."""
    label = escape(caption)
    return (
        f'<div class="scroll" tabindex="0" role="region" aria-label="{label}"><table class="sortable {kind}">'
        f'<caption class="sr">{label}</caption><thead><tr>{"".join(heads)}</tr></thead><tbody>{rows}</tbody></table>'
        "</div>"
    )


def number_cell(value: float | None, shown: str, *, ready: bool = False) -> str:
    """A right-aligned cell that sorts by its value. `ready`: `shown` is HTML already."""
    if value is None:
        return '<td class="none">–</td>'
    return f'<td class="num" data-sort="{value:.6g}">{shown if ready else escape(shown)}</td>'


def kind_class(kind: str) -> str:
    """Class that sets a kind's colour."""
    return f"k-{kind}" if kind in KINDS else "k-other"


def kind_mark(kind: str) -> str:
    """The marker that a kind has in all drawings."""
    return f'<span class="kind {kind_class(kind)}" aria-hidden="true">{mark_of(kind)}</span>'


def mark_of(kind: str) -> str:
    """A kind's marker as a character."""
    return _MARKS[kind_of(kind).marker]


def section(identity: str, title: str, body: str, about: str = "") -> str:
    """A part of the page under its heading; nothing when it is empty."""
    if not body:
        return ""
    said = f'<p class="soft">{escape(about)}</p>' if about else ""
    return f'<section aria-labelledby="{identity}"><h2 id="{identity}">{escape(title)}</h2>{said}{body}</section>'
