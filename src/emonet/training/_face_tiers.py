"""The 8-bit tier of a face bundle: ranges from training pictures, its nearness to fp32 from validation pictures."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emonet.errors import MissingExtraError
from emonet.models import quantize, read_card, verify_tier
from emonet.training._face_figures import detected_crops
from emonet.training._manifest import Item


def check_tiers(recipe: Mapping[str, Any]) -> None:
    """MissingExtraError, before hours of training, when the recipe wants a tier that cannot be made here."""
    for package in ("nncf", "openvino"):
        if recipe.get("tiers") and find_spec(package) is None:
            raise MissingExtraError("The recipe's 8-bit tier", "quantize", package)


def add_tier(
    bundle: Path,
    recipe: Mapping[str, Any],
    items: Sequence[Item],
    train: NDArray[np.bool_],
    validation: NDArray[np.bool_],
    *,
    report: Callable[[str], None] = print,
) -> None:
    """Add the tier `int8` to a bundle and the comparison with fp32 to its card.

    `[tiers] int8` of the recipe says how many pictures are drawn for the ranges from those of `train` [n], and for the
    comparison from those of `validation` [n].
    """
    card, random = read_card(bundle), np.random.default_rng(recipe["seed"])

    def crops(chosen: NDArray[np.bool_]) -> list[NDArray[np.uint8]]:
        rows = random.permutation(np.flatnonzero(chosen))[: recipe["tiers"]["int8"]]
        return detected_crops([items[i] for i in rows], card)[0]

    quantize(bundle, "int8", crops(train), calibration_name="of the training pictures")
    held = crops(validation)
    _, card = verify_tier(bundle, "int8", held, data=f"{len(held)} validation pictures", threads=1)
    check = next(tier.check for tier in card.tiers if tier.precision == "int8")
    if check is not None:
        report(f"int8: lowest rank correlation with fp32 {check.rank_correlation:.4f} ({check.worst})")
