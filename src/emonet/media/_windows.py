"""Long recordings cut at pauses into windows that a model can take.

Times inside are counted in chunks of 32 ms, the detector's step.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from emonet.errors import UsageError
from emonet.media._audio import open_audio
from emonet.media._segments import Segment, SegmentRules, speech_segments
from emonet.media._speech import CHUNK
from emonet.media._types import SAMPLE_RATE, Audio, Region

_SILENT_PEAK = 1e-4  # -80 dBFS: below the noise of any microphone


@dataclass(frozen=True, slots=True)
class WindowPolicy:
    """How a recording is cut. All times in seconds.

    `detector`: `silero` keeps speech only, `none` keeps everything. `max_s`: longest window. `min_s`: shortest
    recording that is scored. `join_pause_s`: speech after a pause shorter than this stays in the same window, as long
    as the window stays within `max_s`. `min_speech_s`: shorter stretches of speech are ignored. `min_pause_s`: a
    shorter drop of the probability is no pause. `pad_s`: kept before and after speech. `threshold`: probability at
    which speech begins; it goes on while the probability is above `threshold` - 0.15.
    """

    detector: Literal["silero", "none"] = "silero"
    max_s: float = 30.0
    min_s: float = 0.3
    join_pause_s: float = 2.0
    min_speech_s: float = 0.25
    min_pause_s: float = 0.3
    pad_s: float = 0.1
    threshold: float = 0.5

    def __post_init__(self) -> None:
        if self.detector not in ("silero", "none"):
            raise UsageError(f"detector is {self.detector!r}; expected 'silero' or 'none'")
        if not 1.0 <= self.max_s <= 600.0:
            raise UsageError(f"max_s is {self.max_s}; expected 1 to 600 seconds")
        if not 0.0 < self.min_s < self.max_s:
            raise UsageError(f"min_s is {self.min_s}; expected above 0 and below max_s ({self.max_s})")
        if min(self.join_pause_s, self.min_speech_s, self.min_pause_s, self.pad_s) < 0:
            raise UsageError("join_pause_s, min_speech_s, min_pause_s and pad_s must not be negative")
        if self.pad_s > self.min_pause_s:
            raise UsageError(f"pad_s is {self.pad_s}; expected at most min_pause_s ({self.min_pause_s})")
        if not 0.15 < self.threshold < 1.0:
            raise UsageError(f"threshold is {self.threshold}; expected above 0.15 and below 1")

    def describe(self) -> str:
        """The policy in one sentence, for help texts and outputs."""
        if self.detector == "none":
            return f"The whole recording is scored in consecutive windows of at most {self.max_s:g} s, speech or not."
        return (
            f"Speech (Silero detector, threshold {self.threshold:g}) is cut at pauses into windows of at most "
            f"{self.max_s:g} s; stretches with less than {self.join_pause_s:g} s between them share a window."
        )


@dataclass(slots=True)
class WindowReport:
    """What the cutting found, filled while `speech_windows` runs; complete when it has ended."""

    windows: int = 0
    duration_s: float = 0.0
    speech_s: float = 0.0
    peak: float = 0.0
    policy: WindowPolicy = field(default_factory=WindowPolicy)

    @property
    def status(self) -> Literal["ok", "too_short", "no_speech"]:
        """`too_short` for a recording under `min_s`, `no_speech` for one without a window."""
        if self.windows:
            return "ok"
        return "too_short" if self.duration_s < self.policy.min_s else "no_speech"

    @property
    def message(self) -> str:
        """Why there is no window; empty when there is one."""
        if self.windows:
            return ""
        if self.status == "too_short":
            return f"{self.duration_s:.2f} s long, at least {self.policy.min_s:g} s are needed"
        if self.peak < _SILENT_PEAK:
            return f"silence: {self.duration_s:.1f} s with a peak of {self.peak:.1e}"
        return (
            f"no speech found in {self.duration_s:.1f} s; score laughter, cries and other sounds with --whole-audio "
            "(whole_audio=True)"
        )


def speech_windows(
    path: str | Path, policy: WindowPolicy | None = None, *, report: WindowReport | None = None
) -> Iterator[Audio]:
    """Windows of a recording in order of time; nothing for silence, music or a recording that is too short.

    Memory holds one window and one block, however long the file is. Each window's region has `start_s`, `end_s`, its
    number `window` and as `score` the mean speech probability (None without a detector). `report`, when given, says
    afterwards why there was none. Media errors are raised as by `open_audio`.
    """
    policy = policy or WindowPolicy()
    report = report if report is not None else WindowReport()
    report.policy = policy
    with open_audio(path) as stream:
        chunks = _observed(_chunks(stream.blocks()), report)
        cut = _fixed_windows(chunks, policy, report) if policy.detector == "none" else _windows(chunks, policy, report)
        for start, end, score, samples in cut:
            if len(samples) < policy.min_s * SAMPLE_RATE:
                continue
            region = Region(start_s=start, end_s=end, window=report.windows, score=score)
            report.windows += 1
            report.speech_s += end - start
            yield Audio(samples, str(path), region)


Cut = tuple[float, float, float | None, NDArray[np.float32]]  # start_s, end_s, score, samples


def _windows(chunks: Iterable[NDArray[np.float32]], policy: WindowPolicy, report: WindowReport) -> Iterator[Cut]:
    """Consecutive segments joined into windows; a window is given as soon as nothing more can join it."""
    kept: deque[NDArray[np.float32]] = deque()  # chunks from number `first` on
    first = 0
    longest, join = _count(policy.max_s), _count(policy.join_pause_s)
    window: Segment | None = None

    def finish(segment: Segment) -> Cut:
        parts = list(kept)[segment.start - first : segment.end - first]
        samples = np.concatenate(parts)[: max(0, round(report.duration_s * SAMPLE_RATE) - segment.start * CHUNK)]
        start = segment.start * CHUNK / SAMPLE_RATE
        return start, start + len(samples) / SAMPLE_RATE, segment.probability, samples

    def keeping() -> Iterator[NDArray[np.float32]]:
        for chunk in chunks:
            kept.append(np.pad(chunk, (0, CHUNK - len(chunk))))
            yield kept[-1]

    for event in speech_segments(keeping(), _rules(policy)):
        if event.segment is not None:
            segment = event.segment
            joins = window is not None and segment.end - window.start <= longest and segment.start - window.end <= join
            if window is not None and not joins:
                yield finish(window)
                window = segment
            else:
                window = segment if window is None else window.joined(segment)
        elif window is not None and event.needed_from - window.end > join:
            yield finish(window)
            window = None
        needed = event.needed_from if window is None else min(window.start, event.needed_from)
        while first < needed and kept:
            kept.popleft()
            first += 1
    if window is not None:
        yield finish(window)


def _fixed_windows(chunks: Iterable[NDArray[np.float32]], policy: WindowPolicy, report: WindowReport) -> Iterator[Cut]:
    """Consecutive windows of `max_s`; silent ones are left out."""
    size = _count(policy.max_s)
    batch: list[NDArray[np.float32]] = []
    done = 0

    def finish() -> Iterator[Cut]:
        samples = np.concatenate(batch)
        if float(np.abs(samples).max()) >= _SILENT_PEAK:
            start = done * CHUNK / SAMPLE_RATE
            yield start, start + len(samples) / SAMPLE_RATE, None, samples

    for chunk in chunks:
        batch.append(chunk)
        if len(batch) == size:
            yield from finish()
            done += size
            batch.clear()
    if batch:
        yield from finish()


def _rules(policy: WindowPolicy) -> SegmentRules:
    """The policy in chunks."""
    per_second = SAMPLE_RATE / CHUNK
    return SegmentRules(
        threshold=policy.threshold,
        longest=_count(policy.max_s),
        least=max(1, round(policy.min_speech_s * per_second)),
        pause=max(1, round(policy.min_pause_s * per_second)),
        pad=min(round(policy.pad_s * per_second), max(1, round(policy.min_pause_s * per_second))),
    )


def _count(seconds: float) -> int:
    """Whole chunks within `seconds`, at least one."""
    return max(1, int(seconds * SAMPLE_RATE / CHUNK + 1e-9))


def _chunks(blocks: Iterable[NDArray[np.float32]]) -> Iterator[NDArray[np.float32]]:
    """Blocks of any size to chunks of 512 samples, the last one shorter."""
    rest = np.zeros(0, np.float32)
    for block in blocks:
        joined = np.concatenate([rest, block]) if len(rest) else block
        whole = len(joined) // CHUNK * CHUNK
        for start in range(0, whole, CHUNK):
            yield joined[start : start + CHUNK]
        rest = joined[whole:]
    if len(rest):
        yield rest


def _observed(chunks: Iterable[NDArray[np.float32]], report: WindowReport) -> Iterator[NDArray[np.float32]]:
    samples = 0
    for chunk in chunks:
        samples += len(chunk)
        report.duration_s = samples / SAMPLE_RATE
        report.peak = max(report.peak, float(np.abs(chunk).max(initial=0.0)))
        yield chunk
