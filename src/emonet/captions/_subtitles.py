"""Captions with times as subtitles: SRT and WebVTT, without overlap, for recordings of any length."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from emonet.errors import UsageError


@dataclass(frozen=True, slots=True)
class Cue:
    """A text that holds from `start_s` to `end_s`, seconds from the start of the file."""

    start_s: float
    end_s: float
    text: str


def srt(cues: Iterable[Cue]) -> str:
    """SubRip: numbered blocks with times as HH:MM:SS,mmm."""
    blocks = [
        f"{i}\n{_stamp(start, ',')} --> {_stamp(end, ',')}\n{_lines(text)}\n"
        for i, (start, end, text) in enumerate(_laid_out(cues), start=1)
    ]
    return "\n".join(blocks)


def vtt(cues: Iterable[Cue], *, note: str = "") -> str:
    """WebVTT: times as HH:MM:SS.mmm; `note` becomes a comment that players do not show."""
    head = "WEBVTT\n\n" + (f"NOTE\n{_escaped(_lines(note))}\n\n" if note else "")
    blocks = [
        f"{_stamp(start, '.')} --> {_stamp(end, '.')}\n{_escaped(_lines(text))}\n"
        for start, end, text in _laid_out(cues)
    ]
    return head + "\n".join(blocks)


def _laid_out(cues: Iterable[Cue]) -> list[tuple[int, int, str]]:
    """Times in whole milliseconds, sorted and without overlap: where texts hold at once they share a cue, each on a
    line of its own, and a text that goes on is not cut. Cues shorter than a millisecond are left out."""
    spans = [(_milliseconds(cue.start_s), _milliseconds(cue.end_s), cue.text) for cue in cues]
    spans = sorted((span for span in spans if span[0] < span[1]), key=lambda span: span[:2])
    borders = sorted({time for start, end, _ in spans for time in (start, end)})
    out: list[tuple[int, int, str]] = []
    active: list[tuple[int, int, str]] = []
    waiting = list(reversed(spans))
    for start, end in pairwise(borders):
        active = [span for span in active if span[1] > start]
        while waiting and waiting[-1][0] <= start:
            active.append(waiting.pop())
        text = "\n".join(dict.fromkeys(span[2] for span in active))
        if not text:
            continue
        if out and out[-1][1:] == (start, text) and all(span[0] < start for span in active):
            out[-1] = (out[-1][0], end, text)
        else:
            out.append((start, end, text))
    return out


def _milliseconds(seconds: float) -> int:
    if not math.isfinite(seconds) or seconds < 0:
        raise UsageError(f"A cue at {seconds} s; expected seconds from the start of the file, 0 or more.")
    return round(seconds * 1000)


def _stamp(milliseconds: int, point: str) -> str:
    seconds, rest = divmod(milliseconds, 1000)
    hours, minutes = divmod(seconds // 60, 60)
    return f"{hours:02d}:{minutes:02d}:{seconds % 60:02d}{point}{rest:03d}"


def _lines(text: str) -> str:
    """No empty line, which would end the cue, and no arrow, which would look like times."""
    kept: Sequence[str] = [" ".join(line.split()) for line in text.splitlines()]
    return "\n".join(line for line in kept if line).replace("-->", "→")


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
