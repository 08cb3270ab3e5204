"""From speech probabilities to stretches of speech, chunk by chunk."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from emonet.media._speech import SpeechDetector

_HYSTERESIS = 0.15  # speech ends this much below the probability at which it begins, as Silero's own tools do
_SEARCH_SHARE = 1 / 3  # a stretch that is too long is cut within this last part of it

Probability = Callable[[NDArray[np.float32]], float]


@dataclass(frozen=True, slots=True)
class SegmentRules:
    """All lengths in chunks. `longest`: of a segment with its padding; `least`: shortest speech that counts; `pause`:
    shortest silence that ends a segment; `pad` (at most `pause`): kept before and after."""

    threshold: float
    longest: int
    least: int
    pause: int
    pad: int


@dataclass(frozen=True, slots=True)
class Segment:
    """Speech from chunk `start` up to, not including, chunk `end`; `probability`: the mean over it."""

    start: int
    end: int
    probability: float

    def joined(self, later: Segment) -> Segment:
        """Both and the pause between them; the probability is weighted by length."""
        mine, theirs = self.end - self.start, later.end - later.start
        mean = (self.probability * mine + later.probability * theirs) / (mine + theirs)
        return Segment(self.start, later.end, mean)


@dataclass(frozen=True, slots=True)
class Event:
    """After one chunk: the segment that has just ended, if any, and the first chunk that a later one may need."""

    segment: Segment | None
    needed_from: int


def speech_segments(
    chunks: Iterable[NDArray[np.float32]], rules: SegmentRules, *, probability: Probability | None = None
) -> Iterator[Event]:
    """One event a chunk, and one more for speech that lasts to the end.

    `chunks`: float32 [512], 16 kHz. `probability`: the detector, Silero by default. A segment that grows beyond
    `rules.longest` is cut where speech is least likely in its last third.
    """
    judge = probability or SpeechDetector().probability
    start: int | None = None
    floor = first = last = total = 0  # last: one past the last chunk with speech
    heard: list[float] = []  # probabilities from chunk `first` on
    was_cut = False
    for number, chunk in enumerate(chunks):
        total = number + 1
        value = judge(chunk)
        segment = None
        if start is None:
            if value >= rules.threshold:
                start, first, last, heard, was_cut = max(floor, number - rules.pad), number, total, [value], False
        else:
            heard.append(value)
            if value >= rules.threshold - _HYSTERESIS:
                last = total
        if start is not None and total - last >= rules.pause:
            segment = _segment(start, last + rules.pad, first, last, heard, rules, was_cut)
            start, floor = None, last + rules.pad
        elif start is not None and total - start >= rules.longest:
            cut = _quietest(start, first, heard, rules)
            segment = _segment(start, cut, first, cut, heard, rules, True)
            floor = cut
            start, first, heard, was_cut = (
                (cut, cut, heard[cut - first :], True) if last > cut else (None, 0, [], False)
            )
        yield Event(segment, max(floor, total - rules.pad) if start is None else start)
    if start is not None:
        segment = _segment(start, min(last + rules.pad, total), first, last, heard, rules, was_cut)
        yield Event(segment, total)


def _segment(
    start: int, end: int, first: int, last: int, heard: list[float], rules: SegmentRules, was_cut: bool
) -> Segment | None:
    """The segment, or None when it holds too little speech; the rest of a cut stretch counts however short."""
    if last - first < rules.least and not was_cut:
        return None
    return Segment(start, end, float(np.mean(heard[: max(1, last - first)])))


def _quietest(start: int, first: int, heard: list[float], rules: SegmentRules) -> int:
    """The chunk at which to cut: after the first two thirds, where speech is least likely."""
    from_chunk = max(first + 1, start + round(rules.longest * (1 - _SEARCH_SHARE)))
    values = heard[from_chunk - first :]
    return from_chunk + int(np.argmin(values)) if values else first + len(heard)
