"""Recipes: from labelled faces and voices to a bundle that `emonet.models` loads.

`train_embedded` runs a recipe of `recipes/` and writes a bundle folder; `train_detector` does the same for a face
detector. torch is imported only when one of them runs.
"""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

from emonet.errors import UsageError

__all__ = ["read_recipe", "train_detector", "train_embedded"]

_MODALITIES = ("face", "voice")


def read_recipe(path: Path, *, modality: str | None = None) -> dict[str, Any]:
    """The recipe file as a mapping, its `modality` checked.

    Raises UsageError when the file is absent, is not TOML, or names another modality than `modality` (if given).
    """
    try:
        recipe = tomllib.loads(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        raise UsageError(f"{path}: cannot read the recipe ({error.strerror}). Pass a file of recipes/.") from error
    except tomllib.TOMLDecodeError as error:
        raise UsageError(f"{path}: not a valid TOML file ({error}). Compare it with the files of recipes/.") from error
    expected = (modality,) if modality else _MODALITIES
    if recipe.get("modality") not in expected:
        raise UsageError(
            f"{path}: modality is {recipe.get('modality')!r}, expected {' or '.join(map(repr, expected))}. "
            "Set it at the top of the recipe."
        )
    return recipe


def train_embedded(recipe: Path, *, data: Path, output: Path, resume: bool = True) -> Path:
    """Train a small model as `recipe` says and write its bundle; the same recipe and data give the same weights.

    Args:
        recipe: TOML file with `modality = "face"` or `"voice"` and that modality's settings.
        data: Folder with `manifest.csv` and the media it lists.
        output: Working folder: checkpoints, caches and, in `bundle/`, the result.
        resume: Continue from the last checkpoint in `output`; False starts again.

    Returns:
        The bundle folder.

    Raises:
        UsageError: The recipe or the data folder is wrong.
        MissingExtraError: torch, onnx, scipy or scikit-learn is absent (extra `torch`).
    """
    settings = read_recipe(recipe)
    if settings["modality"] == "face":
        from emonet.training._face_training import train_face

        return train_face(settings, data=Path(data), output=Path(output), resume=resume)
    from emonet.training._voice_training import train_voice

    return Path(train_voice(settings, data=Path(data), output=Path(output), resume=resume))


def train_detector(recipe: Path, *, data: Path, output: Path) -> Path:
    """Train the embedded face detector as `recipe` says; returns the folder with the detector's file."""
    from emonet.training import _detector_training

    return Path(_detector_training.train_detector(recipe, data=Path(data), output=Path(output)))
