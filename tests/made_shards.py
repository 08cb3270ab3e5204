"""Small shards of tones made on the fly, and what a bulk run wrote; tests of the command use them too."""

from __future__ import annotations

import io
import json
import tarfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import polars as pl
import soundfile


def tone_bytes(level: float, seconds: float = 1.0) -> bytes:
    """A WAV file of a tone."""
    times = np.arange(round(seconds * 16_000)) / 16_000
    file = io.BytesIO()
    soundfile.write(file, level * np.sin(2 * np.pi * 220 * times), 16_000, format="WAV")
    return file.getvalue()


def write_tar(path: Path, samples: Mapping[str, bytes] | Sequence[tuple[str, bytes]]) -> Path:
    """A WebDataset tar: name → content, in order."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(path, "w") as tar:
        for name, content in samples.items() if isinstance(samples, Mapping) else samples:
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return path


def shard(path: Path, number: int, count: int = 6, *, damaged: Sequence[int] = ()) -> Path:
    """A tar of `count` tones of different loudness with their facts; those at `damaged` are noise instead."""
    samples: dict[str, bytes] = {}
    for i in range(count):
        key = f"{number}-{i:03d}"
        samples[f"{key}.wav"] = b"\0\1\2 no sound" * 20 if i in damaged else tone_bytes(0.1 + 0.8 * i / count)
        samples[f"{key}.json"] = json.dumps({"licence": "CC0-1.0", "number": i}).encode()
    return write_tar(path, samples)


def scores(output: Path) -> pl.DataFrame:
    """All rows of a run, by key."""
    return pl.concat([pl.read_parquet(path) for path in sorted(output.glob("scores/*.parquet"))]).sort("key")


def contents(output: Path, folder: str = "scores") -> dict[str, bytes]:
    """Name → bytes of every file in a folder of a run."""
    return {path.name: path.read_bytes() for path in sorted((output / folder).iterdir())}
