"""Captions of many files as text, JSON, JSON lines, SRT or WebVTT."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Any, Literal

from emonet.captions._regions import CaptionedRegion, cues
from emonet.captions._subtitles import srt, vtt

Format = Literal["text", "json", "jsonl", "srt", "vtt"]
FORMATS: tuple[Format, ...] = ("text", "json", "jsonl", "srt", "vtt")
TIMED: tuple[Format, ...] = ("srt", "vtt")
NOTE = "Perceived intensity as a model estimates it: how the voice or face may come across, not what the person feels."


def formatted(regions: Sequence[CaptionedRegion], format: Format, about: Mapping[str, Any]) -> str:
    """Everything in one text. Subtitles are of one file; `about`: what JSON tells besides the captions."""
    if format == "srt":
        return srt(cues(regions))
    if format == "vtt":
        return vtt(cues(regions), note=NOTE)
    if format == "jsonl":
        return "".join(json.dumps(region.as_json(), ensure_ascii=False) + "\n" for region in regions)
    if format == "json":
        document = {**about, "note": NOTE, "captions": [region.as_json() for region in regions]}
        return json.dumps(document, indent=2, ensure_ascii=False) + "\n"
    return readable(regions)


def readable(regions: Sequence[CaptionedRegion]) -> str:
    """For people: each file with its captions and their times, and what they mean."""
    from emonet.estimation import clock

    lines: list[str] = []
    for source, group in groupby(regions, key=lambda region: region.source):
        lines.append(_safe(source))
        for region in group:
            place = ""
            if region.start_s is not None:
                place = clock(region.start_s) + (f"-{clock(region.end_s)}" if region.end_s is not None else "")
            named = " ".join(part for part in (region.subject, place) if part)
            said = region.text if region.status == "ok" else f"({region.status.replace('_', ' ')}: {region.message})"
            lines.append(f"  {named}: {_safe(said)}" if named else f"  {_safe(said)}")
        lines.append("")
    return "\n".join([*lines, NOTE]) + "\n"


def _safe(text: str) -> str:
    """One line that can be written as UTF-8."""
    text = text.encode("utf-8", "backslashreplace").decode("utf-8")
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text)
