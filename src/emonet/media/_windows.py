"""Recordings cut into windows for a model: stretches of speech joined over short pauses, or everything, evenly."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from itertools import chain

import numpy as np
from numpy.typing import NDArray

from emonet.media._audio import AudioStream, equal_blocks, open_audio
from emonet.media._speech import CHUNK, Segment, SegmentFinder, SpeechDetector
from emonet.media._types import SAMPLE_RATE, Audio, Region
from emonet.media._window_policy import WindowPolicy, WindowReport, conclude

_BLOCK_S = 10.0  # seconds read at a time


def speech_windows(
    recording: str | os.PathLike[str] | AudioStream | Audio,
    policy: WindowPolicy | None = None,
    *,
    report: WindowReport | None = None,
    check: Callable[[], None] | None = None,
) -> Iterator[Audio]:
    """Windows of `recording` in the order of time, cut as `policy` says; two of them at most are held.

    Each window's `samples` are those from `region.start_s` to `region.end_s`; `region.window` counts from 0;
    `region.score` is the mean speech probability (None without a detector). Windows never overlap. A recording without
    speech gives none; `report` is filled in and says why. `check` is called for every ten seconds of sound; what it
    raises ends the work. Raises as `open_audio`.
    """
    policy = policy or WindowPolicy()
    report = report if report is not None else WindowReport()
    if isinstance(recording, Audio):
        yield from _numbered(_checked(_blocks_of(recording), check), recording.source, policy, report)
        return
    stream = nullcontext(recording) if isinstance(recording, AudioStream) else open_audio(recording)
    with stream as opened:
        yield from _numbered(_checked(opened.blocks(_BLOCK_S), check), opened.source, policy, report)


def _numbered(
    blocks: Iterator[NDArray[np.float32]], source: str, policy: WindowPolicy, report: WindowReport
) -> Iterator[Audio]:
    cut = _speech if policy.detector == "silero" else _everything
    for start, samples, score in cut(_watched(blocks, report), policy, report):
        region = Region(
            start_s=start / SAMPLE_RATE, end_s=(start + len(samples)) / SAMPLE_RATE, score=score, window=report.windows
        )
        report.windows += 1
        report.speech_s += len(samples) / SAMPLE_RATE
        yield Audio(samples, source, region)
    conclude(policy, report)


_Cut = tuple[int, NDArray[np.float32], float | None]  # first sample, samples, mean speech probability


def _speech(blocks: Iterator[NDArray[np.float32]], policy: WindowPolicy, report: WindowReport) -> Iterator[_Cut]:
    """A short recording whole if somebody is heard in it, else windows around speech."""
    begun: list[NDArray[np.float32]] = []
    longest = int(min(policy.whole_s, policy.max_s) * SAMPLE_RATE)
    for block in blocks:
        begun.append(block)
        if sum(map(len, begun)) > longest:
            break
    else:
        if utterance := _utterance(begun, policy, report):
            yield utterance
            return
    yield from _stretches(chain(begun, blocks), policy, report)


def _utterance(blocks: list[NDArray[np.float32]], policy: WindowPolicy, report: WindowReport) -> _Cut | None:
    """All of a recording, unless it is silence, too short, or nobody is likely to be heard."""
    samples = np.concatenate([*blocks, np.empty(0, np.float32)])
    if len(samples) < policy.min_s * SAMPLE_RATE or np.abs(samples).max() < policy.silence_peak:
        return None
    detector = SpeechDetector()
    probabilities = [*detector.probabilities(samples), *detector.end()]
    report.highest, heard = max(probabilities), float(np.mean(probabilities))
    return (0, samples, heard) if heard >= policy.whole_mean else None


def _stretches(blocks: Iterator[NDArray[np.float32]], policy: WindowPolicy, report: WindowReport) -> Iterator[_Cut]:
    """Windows around speech; those shorter than `min_s` are left out."""
    finder, packer, held = SegmentFinder(policy), WindowPacker(policy), _Held()
    detector = SpeechDetector()
    report.highest = 0.0
    for block in chain(blocks, (None,)):
        if block is not None:
            held.append(block)
        probabilities = detector.end() if block is None else detector.probabilities(block)
        held.probabilities += probabilities
        report.highest = max(report.highest, *probabilities, 0.0)
        for probability in probabilities:
            segment = finder.feed(probability)
            if segment is not None or packer.open:
                for window in packer.add(segment, finder.earliest):
                    yield from held.cut(window, policy)
        held.forget(packer.needed(finder.earliest))
    for window in (*packer.add(finder.end(held.total), held.total), *packer.end()):
        yield from held.cut(window, policy)


class WindowPacker:
    """Stretches of speech, one after the other, to windows: short pauses are joined while the window stays short."""

    def __init__(self, policy: WindowPolicy) -> None:
        self._longest, self._pause = int(policy.max_s * SAMPLE_RATE), policy.join_pause_s * SAMPLE_RATE
        self._open: Segment | None = None

    @property
    def open(self) -> bool:
        """Whether a window waits for what comes next."""
        return self._open is not None

    def add(self, segment: Segment | None, earliest: int) -> Iterator[Segment]:
        """Windows that are complete now that `segment` (None: none yet) came, and none will start before `earliest`."""
        window = self._open
        if segment is not None and window is None:
            self._open = segment
        elif segment is not None and window is not None:
            fits = segment.end - window.start <= self._longest and segment.start - window.end < self._pause
            self._open = Segment(window.start, segment.end) if fits else segment
            if not fits:
                yield window
        elif window is not None and (earliest - window.end >= self._pause or earliest - window.start >= self._longest):
            self._open = None
            yield window

    def end(self) -> Iterator[Segment]:
        """The last window."""
        if self._open is not None:
            yield self._open
            self._open = None

    def needed(self, earliest: int) -> int:
        """The first sample that a window to come may hold."""
        return earliest if self._open is None else self._open.start


def _everything(blocks: Iterator[NDArray[np.float32]], policy: WindowPolicy, report: WindowReport) -> Iterator[_Cut]:
    """Windows of `max_s`; when less than `min_s` would remain at the end, the last two are halved instead."""
    least = int(policy.min_s * SAMPLE_RATE)
    held, start = np.empty(0, np.float32), 0  # the window before the one just read
    for window in equal_blocks(blocks, int(policy.max_s * SAMPLE_RATE)):
        if len(held) and len(window) < least:  # only the last window is short
            held = np.concatenate([held, window])
            half = len(held) // 2
            yield from _sounding(start, held[:half], policy)
            held, start = held[half:], start + half
            break
        if len(held):
            yield from _sounding(start, held, policy)
            start += len(held)
        held = window
    if len(held) >= least:
        yield from _sounding(start, held, policy)


def _sounding(start: int, samples: NDArray[np.float32], policy: WindowPolicy) -> Iterator[_Cut]:
    if float(np.abs(samples).max(initial=0)) >= policy.silence_peak:
        yield start, samples, None


class _Held:
    """Samples and probabilities of a recording that a window may still need."""

    def __init__(self) -> None:
        self.total = 0  # samples seen
        self.probabilities: list[float] = []
        self._blocks: deque[NDArray[np.float32]] = deque()
        self._first = 0  # index of the first sample held
        self._gone = 0  # chunks forgotten

    def append(self, block: NDArray[np.float32]) -> None:
        self._blocks.append(block)
        self.total += len(block)

    def forget(self, before: int) -> None:
        while self._blocks and self._first + len(self._blocks[0]) <= before:
            self._first += len(self._blocks.popleft())
        chunks = max(0, before // CHUNK - self._gone)
        del self.probabilities[:chunks]
        self._gone += chunks

    def cut(self, window: Segment, policy: WindowPolicy) -> Iterator[_Cut]:
        """The window, unless it is shorter than `policy.min_s`."""
        if window.end - window.start < policy.min_s * SAMPLE_RATE:
            return
        parts, at = [], self._first
        for block in self._blocks:
            part = block[max(0, window.start - at) : max(0, window.end - at)]
            at += len(block)
            if len(part):
                parts.append(part)
        first, last = window.start // CHUNK - self._gone, -(-window.end // CHUNK) - self._gone
        yield window.start, np.concatenate(parts), float(np.mean(self.probabilities[first:last]))


def _checked(blocks: Iterator[NDArray[np.float32]], check: Callable[[], None] | None) -> Iterator[NDArray[np.float32]]:
    for block in blocks:
        if check is not None:
            check()
        yield block


def _watched(blocks: Iterator[NDArray[np.float32]], report: WindowReport) -> Iterator[NDArray[np.float32]]:
    for block in blocks:
        report.duration_s += len(block) / SAMPLE_RATE
        report.peak = max(report.peak, float(np.abs(block).max(initial=0)))
        yield block


def _blocks_of(audio: Audio) -> Iterator[NDArray[np.float32]]:
    step = int(_BLOCK_S * SAMPLE_RATE)
    for start in range(0, len(audio.samples), step):
        yield np.asarray(audio.samples[start : start + step], np.float32)
