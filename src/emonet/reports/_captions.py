"""Captions in the HTML report: what was scored, in words, on the card of its file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape

from emonet.captions import CaptionedRegion
from emonet.estimation import clock

MOST_LINES = 40
"""Captions shown on one card."""

Captions = Mapping[str, Sequence[CaptionedRegion]]
"""Source → its captions in the order of time."""


def caption_section(captions: Captions | None, source: str, subject: str) -> str:
    """The captions of one voice or face of a file ("voice", "face", "face 2") as HTML; empty when there are none."""
    told = (captions or {}).get(source, ())
    mine = [region for region in told if region.status == "ok" and region.subject == subject]
    if not mine:
        return ""
    lines = "".join(f"<li>{_time(region)}{escape(_safe(region.text))}</li>" for region in mine[:MOST_LINES])
    rest = len(mine) - MOST_LINES
    more = f'<p class="soft">{rest} more are left out here.</p>' if rest > 0 else ""
    return (
        f'<section class="captions"><h4>In words</h4><ul>{lines}</ul>{more}'
        '<p class="soft">Estimated: how it may come across, not what the person feels.</p></section>'
    )


def by_source(regions: Sequence[CaptionedRegion]) -> dict[str, list[CaptionedRegion]]:
    """The captions of each file."""
    found: dict[str, list[CaptionedRegion]] = {}
    for region in regions:
        found.setdefault(region.source, []).append(region)
    return found


def _time(region: CaptionedRegion) -> str:
    if region.start_s is None:
        return ""
    end = f"–{clock(region.end_s)}" if region.end_s is not None else ""
    return f'<span class="when">{clock(region.start_s)}{end}</span> '


def _safe(text: str) -> str:
    text = text.encode("utf-8", "backslashreplace").decode("utf-8")
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text)
