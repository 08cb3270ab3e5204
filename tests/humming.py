"""A speaker without a program: tones whose length follows from the words."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Sequence

import numpy as np
import soundfile

from emonet.synthesis.voices import Effort, Order, Script, Take

RATE = 24_000


class Hummer:
    """Hums 0.3 s a word, at a pitch of the order's seed; `spoil(order, samples)` changes the take. `orders`: all that
    were given, in order."""

    name = "hummer"
    licence = "CC0-1.0"

    def __init__(self, spoil: Callable[[Order, np.ndarray], np.ndarray | str] | None = None) -> None:
        self.spoil = spoil
        self.orders: list[Order] = []

    def accents(self, language: str) -> tuple[str, ...]:
        return ("none",)

    def takes(self, orders: Sequence[Order]) -> Iterator[Take]:
        for order in orders:
            self.orders.append(order)
            samples: np.ndarray | str = hum(0.3 * order.script.words, 150 + order.seed % 100)
            if self.spoil is not None:
                samples = self.spoil(order, np.asarray(samples))
            if isinstance(samples, str):
                yield Take(order, fault=samples, cost=0.01)
            else:
                yield Take(order, wav(samples), cost=0.01)

    def effort(self, scripts: Sequence[Script]) -> Effort:
        return Effort(len(scripts), cost=0.01 * len(scripts), currency="EUR")


def hum(seconds: float, pitch_hz: float) -> np.ndarray:
    """Samples [n], half a second of silence on both sides."""
    time = np.arange(int(seconds * RATE)) / RATE
    tone = 0.2 * np.sin(2 * np.pi * pitch_hz * time) * (1 + 0.5 * np.sin(2 * np.pi * 4 * time))
    return np.concatenate([np.zeros(RATE // 2), tone, np.zeros(RATE // 2)]).astype(np.float32)


def wav(samples: np.ndarray, rate: int = RATE) -> bytes:
    buffer = io.BytesIO()
    soundfile.write(buffer, samples, rate, format="WAV", subtype="FLOAT")
    return buffer.getvalue()
