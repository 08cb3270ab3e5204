"""Fetching a model from the Hub into the cache, converted and checked."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from emonet.errors import ModelError, UnknownNameError, UsageError
from emonet.models import _cache
from emonet.models._bundle import CARD_FILE, check_bundle, place_bundle
from emonet.models._card import Card
from emonet.models._convert import convert
from emonet.models._heads import Precision
from emonet.models._registry import PUBLISHED

_HEAD_FILES = ["*.pth", "*.safetensors", "*.json"]
_ENCODER_FILES = ["config.json", "preprocessor_config.json", "model*.safetensors", "model*.safetensors.index.json"]
_BUNDLE_FILES = [CARD_FILE, "*.onnx", "*.onnx.data", "*.safetensors"]


def pull(
    hub_id: str,
    *,
    revision: str | None = None,
    precision: Precision = "fp16",
    progress: Callable[[str], None] | None = None,
) -> Card:
    """Fetch a model into the cache; afterwards `load_model(hub_id)` works offline.

    `hub_id`: one of LAION's suites in `PUBLISHED` (fetched with its encoder and converted; needs the extra `torch`),
    or any repository that holds a bundle. `revision`: commit, tag or branch of the heads' repository. `precision` of
    the heads applies to LAION's suites. The commits fetched are noted in the card.

    Raises `ModelError` without network or for a repository without a bundle, `UnknownNameError` for a name that is no
    Hub id.
    """
    if hub_id.count("/") != 1:
        raise UnknownNameError("model on the Hub", hub_id, PUBLISHED)
    target = _cache.model_folder(hub_id)
    published = PUBLISHED.get(hub_id)
    if published is None:
        folder = _snapshot(hub_id, revision, _BUNDLE_FILES)
        if not (folder / CARD_FILE).is_file():
            nearest = UnknownNameError("published suite", hub_id, PUBLISHED)
            raise ModelError(f"{hub_id} on the Hub holds no bundle ({CARD_FILE} is absent). {nearest}")
        card = check_bundle(folder, always=True)
        place_bundle(folder, target, card)
        return card
    if progress:
        progress(f"{hub_id} (about {published.gigabytes:g} GB with its encoder {published.encoder})")
    heads = _snapshot(hub_id, revision, _HEAD_FILES)
    encoder = _snapshot(published.encoder, None, _ENCODER_FILES)
    notes = {"heads_commit": heads.name, "encoder_commit": encoder.name, "encoder": published.encoder}
    return convert(heads, encoder, target, precision=precision, name=hub_id, recipe=notes, progress=progress)


def _snapshot(repository: str, revision: str | None, patterns: list[str]) -> Path:
    import huggingface_hub
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError, LocalEntryNotFoundError

    try:
        folder: Any = huggingface_hub.snapshot_download(repository, revision=revision, allow_patterns=patterns)
    except HFValidationError as error:
        raise UsageError(f"{repository!r} is no Hub id: {error}") from error
    except (HfHubHTTPError, LocalEntryNotFoundError, OSError) as error:
        raise ModelError(
            f"{repository} cannot be fetched from the Hub ({type(error).__name__}: {str(error).splitlines()[0]}). "
            "Check the name, the network and HF_HUB_OFFLINE; or fetch the files on another machine and run "
            "`emonet models convert` on them."
        ) from error
    return Path(folder)
