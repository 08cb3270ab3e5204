"""What the frozen encoder makes of every item, computed once and kept on disk in half precision."""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emonet.datasets import LabelledSet
from emonet.errors import EmonetError, UsageError
from emonet.media import decode_image, open_audio
from emonet.models import AudioPreprocessing, Card, Model

Halves = NDArray[np.float16]
_SAVE_EVERY = 256  # items


class Features:
    """Encoder outputs of one set's items: `rows` float16 [n, K], mapped from disk; `missing`: item → why it has none.

    K is the encoder's embedding, or its whole sequence, flattened time-major, for heads that read sequences.
    """

    def __init__(self, rows: Halves, missing: dict[str, str]) -> None:
        self.rows, self.missing = rows, missing


def cache_features(
    model: Model,
    labelled: LabelledSet,
    folder: Path,
    *,
    decode: Callable[[str, bytes], NDArray[Any]],
    progress: Callable[[str], None] = lambda _: None,
) -> Features:
    """Features of all items, read from `folder` as far as they are there.

    `decode`: what the encoder reads of an item's file. A run that was interrupted goes on after the last 256 items; a
    cache of another encoder or other items is refused with `UsageError`. Items that cannot be decoded have NaN.
    """
    if labelled.read_media is None:
        raise UsageError(f"The set {labelled.name!r} has no media, so nothing can be learnt from it.")
    items = labelled.items["item"].to_list()
    width = feature_size(model)
    folder.mkdir(parents=True, exist_ok=True)
    about = {"encoder": model.card.encoder.sha256, "width": width, "items": _digest(items)}
    state = _state(folder, about)
    path = folder / "features.npy"
    if not path.exists():
        np.lib.format.open_memmap(path, "w+", np.float16, (len(items), width)).flush()
    rows = np.lib.format.open_memmap(path, "r+")
    missing: dict[str, str] = state["missing"]
    for start in range(state["done"], len(items), _SAVE_EVERY):
        end = min(start + _SAVE_EVERY, len(items))
        _fill(model, labelled, items[start:end], rows[start:end], decode, missing)
        rows.flush()
        _save(folder, {**about, "done": end, "missing": missing})
        progress(f"{labelled.name}: features of {end} of {len(items)} items")
    return Features(np.lib.format.open_memmap(path, "r"), missing)


def feature_size(model: Model) -> int:
    """Numbers per item: the embedding, or frames times channels."""
    encoder = model.card.encoder
    return encoder.size if encoder.output == "embedding" else int(encoder.frames or 0) * encoder.size


def item_decoder(card: Card) -> Callable[[str, bytes], NDArray[Any]]:
    """Whole pictures as portraits, or the first window of a recording: what labels of published sets are about."""
    spec = card.preprocessing
    window_s = spec.window_s if isinstance(spec, AudioPreprocessing) else None

    def decode(item: str, data: bytes) -> NDArray[Any]:
        with tempfile.NamedTemporaryFile(suffix=Path(item).suffix) as file:
            file.write(data)
            file.flush()
            if window_s is None:
                return decode_image(file.name).pixels
            with open_audio(file.name) as stream:
                return next(stream.blocks(window_s))

    return decode


def _fill(
    model: Model,
    labelled: LabelledSet,
    items: Sequence[str],
    rows: Halves,
    decode: Callable[[str, bytes], NDArray[Any]],
    missing: dict[str, str],
) -> None:
    assert labelled.read_media is not None
    decoded: list[tuple[int, NDArray[Any]]] = []
    for number, item in enumerate(items):
        try:
            decoded.append((number, decode(item, labelled.read_media(item))))
        except (EmonetError, OSError) as error:
            missing[item] = str(error)
            rows[number] = np.nan
    if decoded:
        encoded = encode(model, [array for _, array in decoded])
        rows[[number for number, _ in decoded]] = encoded.astype(np.float16)


def encode(model: Model, items: Sequence[NDArray[Any]]) -> NDArray[np.float32]:
    """Encoder outputs float32 [n, K] as the heads read them."""
    parts = [part.reshape(len(part), -1) for part in model.encoded(items)]
    return np.concatenate(parts)


def _digest(items: Sequence[str]) -> str:
    return hashlib.sha256("\n".join(items).encode("utf-8", "surrogatepass")).hexdigest()


def _state(folder: Path, about: dict[str, Any]) -> dict[str, Any]:
    path = folder / "features.json"
    if not path.exists():
        return {**about, "done": 0, "missing": {}}
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    if any(found.get(name) != value for name, value in about.items()):
        raise UsageError(f"{folder} holds features of another encoder or of other items. Choose another output folder.")
    return found


def _save(folder: Path, state: dict[str, Any]) -> None:
    temporary = folder / ".features.json"
    temporary.write_text(json.dumps(state), encoding="utf-8")
    os.replace(temporary, folder / "features.json")
