"""Spectrograms of all clips, computed once into a memory-mapped file, and batches of changed copies of them.

Symbols: M mel bands, T frames of 10 ms.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emonet.errors import MediaError, UsageError
from emonet.media import SAMPLE_RATE, read_audio
from emonet.models._card import AudioPreprocessing
from emonet.models._logmel import N_FFT, clip_log_power
from emonet.training._manifest import Item
from emonet.training._voice_augmentation import Mel, augmented, standardise

_TABLE, _INDEX = "mels.f16", "mels.json"


@dataclass(frozen=True, slots=True, eq=False)
class Clips:
    """Log power spectrograms before standardisation. `table`: float16 [all frames, M]; `starts`: int64 [n + 1]."""

    table: NDArray[np.float16]
    starts: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.starts) - 1

    def log(self, row: int) -> Mel:
        """Float32 [M, T] of one clip."""
        return np.ascontiguousarray(self.table[self.starts[row] : self.starts[row + 1]].T, dtype=np.float32)

    def frames(self, row: int) -> int:
        """T of one clip."""
        return int(self.starts[row + 1] - self.starts[row])


def open_clips(
    items: Sequence[Item], spec: AudioPreprocessing, folder: Path, *, report: Callable[[str], None] = print
) -> Clips:
    """The clips' spectrograms from the cache in `folder`, which is made first unless it holds just these.

    float16 keeps the logarithm to 0.4 %, far below what augmentation changes. Raises UsageError naming the clip that
    cannot be decoded.
    """
    wanted = _fingerprint(items, spec)
    index, table = folder / _INDEX, folder / _TABLE
    if not (index.is_file() and json.loads(index.read_text(encoding="utf-8"))["of"] == wanted):
        folder.mkdir(parents=True, exist_ok=True)
        starts = [0]
        temporary = folder / f".{_TABLE}"
        with temporary.open("wb") as file:
            for number, item in enumerate(items, 1):
                mel = _spectrogram(item, spec)
                file.write(np.ascontiguousarray(mel.T, dtype=np.float16).tobytes())
                starts.append(starts[-1] + mel.shape[1])
                if number % 1000 == 0 or number == len(items):
                    report(f"decoded {number}/{len(items)} clips, {starts[-1] / 6000:.0f} min of sound")
        os.replace(temporary, table)
        beside = folder / f".{_INDEX}"
        beside.write_text(json.dumps({"of": wanted, "starts": starts}), encoding="utf-8")
        os.replace(beside, index)
    starts_read = np.asarray(json.loads(index.read_text(encoding="utf-8"))["starts"], np.int64)
    return Clips(np.memmap(table, np.float16, "r", shape=(int(starts_read[-1]), spec.n_mels)), starts_read)


def own_length_batches(
    clips: Clips, rows: NDArray[np.int64], *, batch: int = 32
) -> Iterator[tuple[NDArray[np.int64], NDArray[np.float32]]]:
    """(rows, standardised mels [b, M, T]) of unchanged clips at their own length, clips of one length together."""
    lengths = np.asarray([clips.frames(int(row)) for row in rows])
    for length in np.unique(lengths):
        same = rows[lengths == length]
        for start in range(0, len(same), batch):
            part = same[start : start + batch]
            yield part, np.stack([standardise(clips.log(int(row))) for row in part])


def training_batches(
    clips: Clips, rows: NDArray[np.int64], recipe: Mapping[str, Any], epoch: int
) -> Iterator[tuple[NDArray[np.int64], NDArray[np.float32]]]:
    """(rows [b], changed mels [b, M, T]) of every row once, in an order and with changes that seed and epoch fix."""
    settings, random = recipe["training"], np.random.default_rng([recipe["seed"], epoch])
    order = random.permutation(rows)
    size = min(int(settings["batch"]), len(order))
    for start in range(0, len(order) - size + 1, size):  # a last short batch is left to the next epoch's order
        part = order[start : start + size]
        frames = int(random.choice(settings["frames"]))
        yield part, np.stack([augmented(clips.log(int(row)), frames, recipe["augmentation"], random) for row in part])


def _spectrogram(item: Item, spec: AudioPreprocessing) -> Mel:
    try:
        samples = read_audio(item.path, end_s=spec.window_s).samples
    except MediaError as error:
        raise UsageError(f"{error} The list of media names it; remove its line or restore the file.") from error
    if len(samples) < N_FFT:
        raise UsageError(f"{item.path}: {len(samples) / SAMPLE_RATE:.3f} s of sound are too short to train on")
    return log_power(samples, spec)


def log_power(samples: NDArray[np.float32], spec: AudioPreprocessing) -> Mel:
    """Log mel power float32 [M, T] of samples float32 [S] at 16 kHz: `clip_log_mel` up to, but without, its last step.

    `standardise(log_power(x, spec))` is what the bundle's front end gives for x; a test holds the two together.
    """
    return clip_log_power(samples, n_mels=spec.n_mels, window_s=spec.window_s, min_s=spec.min_s, peak=spec.peak)


def _fingerprint(items: Sequence[Item], spec: AudioPreprocessing) -> str:
    """Changes with the list of clips, their sizes on disk and the front end."""
    digest = hashlib.sha256(spec.model_dump_json().encode())
    for item in items:
        size = item.path.stat().st_size if item.path.is_file() else -1
        digest.update(f"{item.key}:{size}\n".encode())
    return digest.hexdigest()
