"""Small collections of generated media, as shards, with the faults that curation is for."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import PIL.Image
import pytest
import soundfile

from datasets_curation_media import RATE, jpeg, picture, speech
from emonet.datasets._samples import Sample
from emonet.datasets._shard_writer import write_shards

EMOTIONS = ("anger", "fear", "pride", "relief")


def wav(samples: np.ndarray) -> bytes:  # type: ignore[type-arg]
    """A WAV file's bytes."""
    buffer = io.BytesIO()
    soundfile.write(buffer, samples, RATE, format="WAV", subtype="PCM_16")
    return buffer.getvalue()


def png(pixels: np.ndarray) -> bytes:  # type: ignore[type-arg]
    """A PNG file's bytes."""
    buffer = io.BytesIO()
    PIL.Image.fromarray(pixels).save(buffer, "PNG")
    return buffer.getvalue()


def voice_samples(speakers: int = 12, clips: int = 4, *, licence: str = "CC BY 4.0") -> Iterator[Sample]:
    """Clips of speakers; then one copy of the first clip under another speaker, one too short, one that is damaged."""

    def sample(key: str, media: bytes, speaker: str, label: str) -> Sample:
        facts = {"speaker": speaker, "label": label, "gender": "woman" if int(speaker[1:]) % 2 else "man"}
        return Sample(key, media, "wav", "voice", facts, licence, "signed form", "made for tests")

    for speaker in range(speakers):
        for clip in range(clips):
            label = EMOTIONS[(speaker + clip) % len(EMOTIONS)]
            media = wav(speech(speaker * clips + clip, 1.5))
            yield sample(f"s{speaker:02d}-{clip}", media, f"s{speaker}", label)
    yield sample("x-copy", wav(0.4 * speech(0, 1.5)), f"s{speakers - 1}", "anger")
    yield sample("x-short", wav(speech(1000, 1.0)[:1600]), "s0", "anger")
    yield sample("x-broken", b"RIFF and nothing more", "s0", "anger")


def face_samples(n: int = 24) -> Iterator[Sample]:
    """Pictures of four people each seen several times, and one compressed copy."""
    for k in range(n):
        facts = {"identity": f"p{k % 8}", "label": EMOTIONS[k % 4], "age": 20 + 10 * (k % 3)}
        yield Sample(f"f{k:02d}", png(picture(k)), "png", "face", facts, "MIT", "public domain", "made for tests")
    yield Sample("x-copy", png(jpeg(picture(0), 40)), "png", "face", {"identity": "p9", "label": "fear", "age": 30},
                 "MIT", "public domain", "made for tests")  # fmt: skip


@pytest.fixture
def voice_shards(tmp_path: Path) -> Path:
    """A folder with three tars of 51 clips."""
    write_shards(voice_samples(), tmp_path / "voices", per_shard=20)
    return tmp_path / "voices"


@pytest.fixture
def face_shards(tmp_path: Path) -> Path:
    """A folder with two Parquet files of 25 pictures."""
    write_shards(face_samples(), tmp_path / "faces", kind="parquet", per_shard=20)
    return tmp_path / "faces"


VOICE_RECIPE = """
name = "made-voices"
modality = "voice"
seed = 3
description = "Generated clips for the tests."

[[source]]
name = "made"
input = ["voices"]

[quality]
min_duration_s = 0.3
max_clipped = 0.2

[copies]
prefer = ["duration_s"]
label = "label"

[categories]
categories = ["anger", "fear", "awe"]

[balance]
by = ["speaker"]
most = 3

[split]
shares = { train = 0.6, validation = 0.2, test = 0.2 }
by = ["speaker"]
stratify = ["label"]

[output]
per_shard = 8
"""


@pytest.fixture
def recipe(tmp_path: Path) -> Callable[..., Path]:
    """Write a recipe beside the shards, with lines replaced."""

    def make(text: str = VOICE_RECIPE, **changes: str) -> Path:
        for old, new in changes.items():
            text = text.replace(old, new)
        path = tmp_path / "recipe.toml"
        path.write_text(text, encoding="utf-8")
        return path

    return make
