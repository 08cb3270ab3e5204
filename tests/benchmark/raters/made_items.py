"""Labelled sets with small made pictures and recordings whose bytes carry the item's name, for the model server."""

from __future__ import annotations

import io
import wave
from collections.abc import Sequence
from typing import Any

import numpy as np
import polars as pl
from PIL import Image

from emonet.benchmark.raters import RaterRunner, build_rater
from emonet.datasets import RATING_SCHEMA, LabelledSet, Rater, Ratings
from emonet.errors import UnreadableMediaError

KEYS = ("amusement", "anger", "jealousy_envy", "sadness")


def picture(name: str, kind: str = "JPEG") -> bytes:
    """A picture of its own; the name stands in its comment."""
    out = io.BytesIO()
    tone = sum(name.encode()) % 256
    Image.new("RGB", (40, 30), (tone, 90, 120)).save(out, kind, comment=f"item={name};".encode())
    return out.getvalue()


def recording(name: str, seconds: float = 0.5) -> bytes:
    """A WAV, 16 kHz mono, whose first samples spell the name."""
    samples = np.zeros(round(16_000 * seconds), "<i2")
    text = np.frombuffer(f"item={name};".encode(), np.uint8)
    samples[: len(text)] = text
    out = io.BytesIO()
    with wave.open(out, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(16_000)
        file.writeframes(samples.tobytes())
    return out.getvalue()


def faces(count: int = 4, **fields: Any) -> LabelledSet:
    """`count` pictures named f0, f1, ..., rated 0 to 7 by two people on four emotions. `fields` replace the set's."""
    return _set("face", [f"f{number}" for number in range(count)], picture, **fields)


def voices(count: int = 3, **fields: Any) -> LabelledSet:
    """`count` recordings named v0, v1, ..., rated 0 to 2."""
    chosen = {"scale": (0.0, 2.0), "levels": (0.0, 1.0, 2.0), **fields}
    return _set("voice", [f"v{number}" for number in range(count)], recording, **chosen)


def _set(modality: Any, names: Sequence[str], make: Any, **fields: Any) -> LabelledSet:
    def read(item: str) -> bytes:
        if item not in names:
            raise UnreadableMediaError(item, "no such file")
        return bytes(make(item))

    rows = [
        (item, person, key, float((place + at) % 3), "made", 1, None)
        for person in ("human-1", "human-2")
        for place, item in enumerate(names)
        for at, key in enumerate(KEYS)
    ]
    people = (Rater("human-1", "human"), Rater("human-2", "human"))
    chosen: dict[str, Any] = {
        "scale": (0.0, 7.0),
        "levels": tuple(float(level) for level in range(8)),
        "read_media": read,
        **fields,
    }
    return LabelledSet(
        name=f"made {modality}s",
        modality=modality,
        items=pl.DataFrame({"item": list(names)}),
        ratings=Ratings(pl.DataFrame(rows, schema=RATING_SCHEMA, orient="row"), people),
        dimensions=KEYS,
        **chosen,
    )


def chat_rater(url: str, cache: Any, **settings: Any) -> RaterRunner:
    """A prompted rater against the local server, quick to try again."""
    chosen = {
        "type": "openai",
        "name": "made model",
        "model": "made-1",
        "base_url": f"{url}/v1",
        "api_key_env": "",
        "backoff_s": 0.01,
        "timeout_s": 5.0,
        "price_in": 2.0,
        "price_out": 10.0,
        **settings,
    }
    return build_rater(chosen, cache=cache)


def answer(**strengths: float) -> str:
    """A well-formed answer, emotions by key."""
    from emonet.taxonomy import display_name

    entries = [f'{{"emotion": "{display_name(key)}", "intensity": {value}}}' for key, value in strengths.items()]
    return f'{{"emotions": [{", ".join(entries)}]}}'
