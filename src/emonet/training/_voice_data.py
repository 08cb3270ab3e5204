"""Samples of all clips, decoded once into a memory-mapped file, and batches of changed stretches of them.

Symbols: S samples at 16 kHz.
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
from emonet.models._logmel import N_FFT, clip_waveform
from emonet.training._manifest import Item
from emonet.training._waveform_augmentation import augmented_wave

_TABLE, _INDEX = "clips.i16", "clips.json"
Wave = NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class Clips:
    """Decoded clips. `table`: int16 [all samples], each clip's peak at full scale; `starts`: int64 [n + 1]."""

    table: NDArray[np.int16]
    starts: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.starts) - 1

    def wave(self, row: int) -> Wave:
        """Float32 [S] of one clip, its peak at 1."""
        return self.table[self.starts[row] : self.starts[row + 1]].astype(np.float32) / np.float32(32767)


def open_clips(
    items: Sequence[Item], spec: AudioPreprocessing, folder: Path, *, report: Callable[[str], None] = print
) -> Clips:
    """The clips' samples from the cache in `folder`, which is made first unless it holds just these.

    16 bits from the peak down keep what a recording of 96 dB holds. Raises UsageError naming the clip that cannot be
    decoded.
    """
    wanted = _fingerprint(items, spec)
    index, table = folder / _INDEX, folder / _TABLE
    if not (index.is_file() and json.loads(index.read_text(encoding="utf-8"))["of"] == wanted):
        folder.mkdir(parents=True, exist_ok=True)
        starts = [0]
        temporary = folder / f".{_TABLE}"
        with temporary.open("wb") as file:
            for number, item in enumerate(items, 1):
                samples = _samples(item, spec)
                file.write(samples.tobytes())
                starts.append(starts[-1] + len(samples))
                if number % 1000 == 0 or number == len(items):
                    report(f"decoded {number}/{len(items)} clips, {starts[-1] / SAMPLE_RATE / 60:.0f} min of sound")
        os.replace(temporary, table)
        beside = folder / f".{_INDEX}"
        beside.write_text(json.dumps({"of": wanted, "starts": starts}), encoding="utf-8")
        os.replace(beside, index)
    starts_read = np.asarray(json.loads(index.read_text(encoding="utf-8"))["starts"], np.int64)
    return Clips(np.memmap(table, np.int16, "r", shape=(int(starts_read[-1]),)), starts_read)


def own_length_batches(
    clips: Clips, rows: NDArray[np.int64], spec: AudioPreprocessing, *, batch: int = 32
) -> Iterator[tuple[NDArray[np.int64], NDArray[np.float32]]]:
    """(rows, samples [b, S]) of unchanged clips as the bundle's front end gives them, clips of one length together."""
    lengths = np.diff(clips.starts)[rows]
    for length in np.unique(lengths):
        same = rows[lengths == length]
        for start in range(0, len(same), batch):
            part = same[start : start + batch]
            yield part, np.stack([as_heard(clips.wave(int(row)), spec) for row in part])


def as_heard(wave: Wave, spec: AudioPreprocessing) -> Wave:
    """What the bundle's front end makes of a clip: float32 [S]."""
    return clip_waveform(wave, window_s=spec.window_s, min_s=spec.min_s, peak=spec.peak)


def training_batches(
    clips: Clips,
    rows: NDArray[np.int64],
    source: Sequence[str],
    recipe: Mapping[str, Any],
    epoch: int,
) -> Iterator[tuple[NDArray[np.int64], NDArray[np.float32]]]:
    """(rows [b], changed samples [b, S]) in an order and with changes that seed and epoch fix.

    An epoch has as many clips as `rows`; `source` [all clips] names each clip's corpus, see `balanced_rows`.
    """
    settings, random = recipe["training"], np.random.default_rng([recipe["seed"], epoch])
    order = balanced_rows(rows, source, settings["balance"], random)
    size = min(int(settings["batch"]), len(order))
    peak = np.float32(recipe["preprocessing"]["peak"])
    for start in range(0, len(order) - size + 1, size):  # a last short batch is left to the next epoch's order
        part = order[start : start + size]
        length = round(float(random.choice(settings["seconds"])) * SAMPLE_RATE)
        stretches = [stretch(clips.wave(int(row)), length, recipe["augmentation"], random) for row in part]
        yield part, np.stack([one * (peak / max(float(np.abs(one).max()), 1e-4)) for one in stretches])


def balanced_rows(
    rows: NDArray[np.int64], source: Sequence[str], power: float, random: np.random.Generator
) -> NDArray[np.int64]:
    """As many rows as `rows` in random order, each corpus's share in proportion to its number of clips to `power`.

    1 leaves the corpora as they are, 0 makes them equal. A corpus's clips are all used before one comes again.
    """
    names = np.asarray([source[int(row)] for row in rows])
    own = {name: rows[names == name] for name in np.unique(names)}
    weights = np.asarray([len(part) ** power for part in own.values()], np.float64)
    wanted = np.floor(len(rows) * weights / weights.sum()).astype(int)
    chosen = []
    for part, count in zip(own.values(), wanted, strict=True):
        rounds = [random.permutation(part) for _ in range(-(-int(count) // len(part)))]
        chosen.append(np.concatenate([*rounds, part[:0]])[:count])
    return random.permutation(np.concatenate(chosen))


def stretch(wave: Wave, length: int, settings: Mapping[str, Any], random: np.random.Generator) -> Wave:
    """A changed copy of a random stretch of `length` samples; a shorter clip lies somewhere in silence."""
    reach = min(len(wave), round(length * 1.3))  # a little more than needed, as a faster copy is shorter
    start = int(random.integers(0, len(wave) - reach + 1))
    changed = augmented_wave(wave[start : start + reach], settings, random)
    if len(changed) >= length:
        start = int(random.integers(0, len(changed) - length + 1))
        return changed[start : start + length]
    before = int(random.integers(0, length - len(changed) + 1))
    return np.pad(changed, (before, length - len(changed) - before))


def _samples(item: Item, spec: AudioPreprocessing) -> NDArray[np.int16]:
    try:
        samples = read_audio(item.path, end_s=spec.window_s).samples
    except MediaError as error:
        raise UsageError(f"{error} The list of media names it; remove its line or restore the file.") from error
    if len(samples) < N_FFT:
        raise UsageError(f"{item.path}: {len(samples) / SAMPLE_RATE:.3f} s of sound are too short to train on")
    return np.rint(samples * (32767 / max(float(np.abs(samples).max()), 1e-5))).clip(-32767, 32767).astype(np.int16)


def _fingerprint(items: Sequence[Item], spec: AudioPreprocessing) -> str:
    """Changes with the list of clips, their sizes on disk and the longest stretch that is decoded."""
    digest = hashlib.sha256(f"{spec.window_s}".encode())
    for item in items:
        size = item.path.stat().st_size if item.path.is_file() else -1
        digest.update(f"{item.key}:{size}\n".encode())
    return digest.hexdigest()
