"""From a name to a bundle: embedded models, converted and pulled ones, LAION's published suites, folders."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from emonet.errors import BundleError, ModelError, UnknownNameError
from emonet.models import _cache
from emonet.models._bundle import CARD_FILE, read_card
from emonet.models._card import Card
from emonet.models._model import Model, open_model
from emonet.models._session import Computed, Runtime

_EMBEDDED = Path(__file__).parent / "embedded"
_EMBEDDED_NAMES = ("face", "voice", "face-open", "voice-open")


@dataclass(frozen=True, slots=True)
class Published:
    """A suite of heads on the Hub and the encoder it reads. `size`: of the download, in GB."""

    id: str
    encoder: str
    modality: Literal["face", "voice"]
    title: str
    gigabytes: float


PUBLISHED: Mapping[str, Published] = {
    entry.id: entry
    for entry in (
        Published(
            "laion/Empathic-Insight-Face-Small",
            "google/siglip2-so400m-patch16-384",
            "face",
            "Empathic Insight Face Small",
            4.6,
        ),
        Published(
            "laion/Empathic-Insight-Face-Large",
            "google/siglip2-so400m-patch16-384",
            "face",
            "Empathic Insight Face Large",
            4.9,
        ),
        Published(
            "laion/Empathic-Insight-Voice-Small", "laion/BUD-E-Whisper", "voice", "Empathic Insight Voice Small", 17.2
        ),
        Published(
            "laion/Empathic-Insight-Voice-Large", "laion/BUD-E-Whisper", "voice", "Empathic Insight Voice Large", 33.4
        ),
        Published(
            "laion/Empathic-Insight-Voice-Plus", "laion/BUD-E-Whisper", "voice", "Empathic Insight Voice Plus", 17.2
        ),
    )
}
"""LAION's suites. The sizes are computed from the shapes in their documentation (float32)."""


@dataclass(frozen=True, slots=True)
class Listed:
    """One line of the list of models. `state`: `embedded`, `cached` (ready) or `published` (to be pulled)."""

    name: str
    state: Literal["embedded", "cached", "published"]
    modality: Literal["face", "voice"]
    title: str
    folder: Path | None
    card: Card | None
    gigabytes: float


def resolve_model(name: str | Path) -> Path:
    """Folder of the bundle that `name` means.

    `name`: "face", "voice", "face-open" or "voice-open" (the embedded models; the open ones were trained only on
    sources whose stated licence allows any use), a bundle's folder, or the Hub id of a model that was pulled or
    converted. Raises `UnknownNameError` with the nearest name, or `ModelError` for a published model that is not
    at hand, with the command that fetches it.
    """
    text = str(name)
    if text in _EMBEDDED_NAMES:
        folder = _EMBEDDED / text
        if not (folder / CARD_FILE).is_file():
            raise BundleError(f"The embedded model {text!r} is absent from this installation. Reinstall emonet.")
        return folder
    folder = Path(name).expanduser()
    if (folder / CARD_FILE).is_file():
        return folder
    cached = _cache.model_folder(text)
    if _is_hub_id(text) and (cached / CARD_FILE).is_file():
        return cached
    if text in PUBLISHED:
        raise ModelError(
            f"{text} is published but not at hand. Fetch and convert it once with `emonet models pull {text}` (about "
            f"{PUBLISHED[text].gigabytes:g} GB), or convert files you have with `emonet models convert`."
        )
    if folder.is_dir():
        read_card(folder)  # says that it is no bundle
    raise UnknownNameError("model", text, [listed.name for listed in list_models()])


def load_model(
    name: str | Path, *, threads: int | None = None, runtime: Runtime = "auto", precision: Computed = "auto"
) -> Model:
    """Load a model by any name of `resolve_model`, its files checked against their hashes.

    `threads`: threads of one encoder call, None for the runtime's choice. `runtime`: see `Runtime`; `precision`: see
    `Computed`.
    """
    return open_model(resolve_model(name), threads=threads, runtime=runtime, precision=precision)


def list_models() -> tuple[Listed, ...]:
    """Embedded models, models in the cache, and published ones that can be pulled. Damaged cards are left out."""
    found: dict[str, Listed] = {}
    for name in _EMBEDDED_NAMES:
        _add(found, name, "embedded", _EMBEDDED / name)
    stored = _cache.home() / "models"
    for folder in sorted(stored.iterdir()) if stored.is_dir() else ():
        if not folder.name.startswith("."):
            _add(found, folder.name.replace("--", "/", 1), "cached", folder)
    for entry in PUBLISHED.values():
        if entry.id not in found:
            found[entry.id] = Listed(entry.id, "published", entry.modality, entry.title, None, None, entry.gigabytes)
    return tuple(found.values())


def _add(found: dict[str, Listed], name: str, state: Literal["embedded", "cached"], folder: Path) -> None:
    try:
        card = read_card(folder)
    except BundleError:
        return
    size = sum(path.stat().st_size for path in folder.iterdir()) / 1e9
    found[name] = Listed(name, state, card.modality, card.title, folder, card, size)


def _is_hub_id(text: str) -> bool:
    return re.fullmatch(r"[\w.-]+/[\w.-]+", text) is not None
