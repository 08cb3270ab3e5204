"""Items on which raters and people are furthest apart, as cards that can be searched."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape

from emonet.benchmark._results import Results
from emonet.benchmark.report._figure_types import short
from emonet.benchmark.report._media import Embedded, ReadMedia
from emonet.benchmark.report._page_parts import kind_class, kind_mark
from emonet.benchmark.report._view import names
from emonet.benchmark.report._words import number, plain
from emonet.benchmark.report._worst import PER_RATER, Gap, WorstItem, worst_items

SHOWN = 18
"""Cards that are seen at once; the others are folded away."""


def items_section(results: Results, read_media: ReadMedia | None) -> str:
    """The cards, a search that the page's script shows, and what of the media is not embedded."""
    found = worst_items(results)
    if not found:
        return ""
    embedded = Embedded(read_media, results.facts.get("modality", "face"))
    cards = [_card(item, names(results), embedded) for item in found]
    shown = f'<div class="cards items">{"".join(cards[:SHOWN])}</div>'
    if more := cards[SHOWN:]:
        summary = f"<summary>{len(more)} more items</summary>"
        shown += f'<details class="more">{summary}<div class="cards items">{"".join(more)}</div></details>'
    low, high = results.facts["common_scale"]
    about = (
        f"Of each rater the {PER_RATER} items on which it is furthest from the people's mean, {len(found)} items in "
        f"all; those that several raters misjudge come first. All values are on the scale {low:g} to {high:g}. An "
        "item's people can be wrong, too."
    )
    search = (
        '<p class="pick" hidden><label for="search">Search items, raters, emotions</label> '
        '<input type="search" id="search" autocomplete="off"> <span id="hits" role="status"></span></p>'
    )
    return f'<p class="soft">{escape(about)}{_left_out(embedded)}</p>{search}{shown}'


def _left_out(embedded: Embedded) -> str:
    said = ""
    if embedded.left_out:
        said += f" The media of {embedded.left_out} items are not embedded, to keep the page small."
    if embedded.unreadable:
        said += f" The media of {embedded.unreadable} items could not be read."
    return escape(said)


def _card(item: WorstItem, shown: Mapping[str, str], embedded: Embedded) -> str:
    facts = ", ".join(f"{key}: {value}" for key, value in item.facts.items())
    about = f'<p class="soft">{escape(plain(facts))}</p>' if facts else ""
    gaps = sorted(item.gaps, key=lambda gap: -abs(gap.said - gap.people))
    rows = "".join(_gap(gap, short(shown.get(gap.dimension, gap.dimension))) for gap in gaps)
    head = "<thead><tr><th>Rater</th><th>Emotion</th><th>Said</th><th>People</th></tr></thead>"
    name = escape(plain(item.item))
    look = _look(item, embedded)
    return (
        f'<article class="card item">{look}<div><h3>{name}</h3>{about}</div>'
        f'<div class="said"><table>{head}<tbody>{rows}</tbody></table></div></article>'
    )


def _look(item: WorstItem, embedded: Embedded) -> str:
    found = embedded.uri(item.item)
    if found is None:
        return ""
    kind, uri = found
    name = escape(plain(item.item))
    if kind == "audio":
        return f'<audio controls preload="none" src="{uri}" aria-label="Recording {name}"></audio>'
    return f'<img src="{uri}" alt="Item {name}" loading="lazy">'


def _gap(gap: Gap, emotion: str) -> str:
    votes = f'<span class="soft">({escape(_votes(gap.votes))})</span>'
    return (
        f'<tr class="{kind_class(gap.kind)}"><th scope="row">{kind_mark(gap.kind)}{escape(plain(gap.rater))}</th>'
        f'<td>{escape(emotion)}</td><td class="num">{number(gap.said, 1)}</td>'
        f'<td class="num">{number(gap.people, 1)} {votes}</td></tr>'
    )


def _votes(votes: Sequence[float]) -> str:
    """The single votes when they are few."""
    if len(votes) > 10:
        return f"{len(votes)} votes"
    return ", ".join(f"{vote:g}" if vote == round(vote, 1) else f"{vote:.1f}" for vote in votes)
