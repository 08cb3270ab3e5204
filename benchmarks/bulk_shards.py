"""Shards for the bulk benchmarks: real recordings where they are at hand, generated ones otherwise, some damaged."""

from __future__ import annotations

import csv
import io
import json
import tarfile
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import numpy as np
import soundfile

_RATE = 16_000
DAMAGES = ("empty", "noise", "cut", "text", "header")


def write_tars(
    folder: Path, *, data: Path, clips: int, per_shard: int, damaged: float = 0.0, seed: int = 7
) -> tuple[list[Path], dict[str, bool]]:
    """WebDataset tars of `clips` recordings; key → whether its media were damaged on purpose.

    `damaged`: share of clips whose bytes are emptied, replaced by noise or text, cut in their first bytes, or lose
    their header. Equal arguments and data give equal files; tars that exist are kept.
    """
    folder.mkdir(parents=True, exist_ok=True)
    draw = np.random.default_rng(seed)
    broken = draw.random(clips) < damaged
    keys = {f"clip-{number:06d}": bool(broken[number]) for number in range(clips)}
    paths = [folder / f"{number:05d}.tar" for number in range((clips + per_shard - 1) // per_shard)]
    note = json.dumps({"clips": clips, "per_shard": per_shard, "damaged": damaged, "seed": seed})
    mark = folder / "made.json"
    if mark.exists() and mark.read_text() == note and all(path.exists() for path in paths):
        return paths, keys
    sounds = _sounds(data, clips, seed)
    numbers = iter(range(clips))
    for path in paths:
        with tarfile.open(path, "w") as tar:
            for number in islice(numbers, per_shard):
                extension, content = next(sounds)
                if broken[number]:
                    content = _damage(content, DAMAGES[number % len(DAMAGES)], draw)
                key = f"clip-{number:06d}"
                _add(tar, f"{key}.{extension}", content)
                _add(tar, f"{key}.json", json.dumps({"number": number}).encode())
    mark.write_text(note)
    return paths, keys


def _add(tar: tarfile.TarFile, name: str, content: bytes) -> None:
    member = tarfile.TarInfo(name)
    member.size = len(content)
    tar.addfile(member, io.BytesIO(content))


def _sounds(data: Path, count: int, seed: int) -> Iterator[tuple[str, bytes]]:
    """Encoded recordings, evenly spread over the manifest and from its start again when there are too few."""
    found = _listed(data)
    if found:
        step = max(1, len(found) // count)
        chosen = found[::step]
        for number in range(count):
            path = chosen[number % len(chosen)]
            yield path.suffix[1:], path.read_bytes()
        return
    draw = np.random.default_rng(seed + 1)
    for _ in range(count):
        file = io.BytesIO()
        soundfile.write(file, _voice_like(draw, draw.uniform(1.5, 4.0)), _RATE, format="FLAC")
        yield "flac", file.getvalue()


def _listed(data: Path) -> list[Path]:
    manifest = data / "manifest.csv"
    if not manifest.is_file():
        return []
    with manifest.open(newline="", encoding="utf-8") as file:
        return [data / row["path"] for row in csv.DictReader(file) if row["modality"] == "voice"]


def _voice_like(draw: np.random.Generator, seconds: float) -> np.ndarray:
    """A buzzing tone through slowly moving formants, in bursts as of syllables: float32 [samples]."""
    t = np.arange(int(seconds * _RATE)) / _RATE
    pitch = draw.uniform(90, 250) * (1 + 0.1 * np.sin(2 * np.pi * draw.uniform(0.3, 1.5) * t))
    phase = 2 * np.pi * np.cumsum(pitch) / _RATE
    formants = [draw.uniform(300, 900), draw.uniform(900, 2300), draw.uniform(2300, 3200)]
    tone = np.zeros_like(t)
    for k in range(1, 25):
        height = sum(np.exp(-(((k * pitch - f) / 200.0) ** 2)) for f in formants)
        tone += (0.05 + height) * np.sin(k * phase) / k**0.5
    loud = np.clip(np.sin(2 * np.pi * draw.uniform(2.5, 5) * t) + 0.4, 0, 1)
    out = 0.08 * loud * tone + 0.002 * draw.normal(size=t.size)
    return np.asarray(np.clip(out, -1, 1), np.float32)


def _damage(content: bytes, how: str, draw: np.random.Generator) -> bytes:
    if how == "empty":
        return b""
    if how == "noise":
        return draw.bytes(len(content))
    if how == "cut":
        return content[:40]
    if how == "text":
        return b"<html><body>404 Not Found</body></html>"
    return bytes(200) + content[200:]
