"""A tier of a bundle against the same bundle in fp32, on real items."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emonet.errors import UsageError
from emonet.models._bundle import check_bundle, put_tier
from emonet.models._card import Card, Tier, TierCheck
from emonet.models._model import Model, open_model, open_tier
from emonet.models._session import Computed, Runtime
from emonet.models._verify import HeadCheck, compare

RANK_BOUND = 0.995
"""Lowest rank correlation with fp32, of any dimension, at which a tier passes."""
_FEWEST = 10


def verify_tier(
    folder: Path,
    precision: Computed,
    items: Sequence[NDArray[Any]],
    *,
    data: str,
    runtime: Runtime = "openvino",
    threads: int | None = None,
    bound: float = RANK_BOUND,
) -> tuple[tuple[HeadCheck, ...], Card]:
    """Score `items` at a precision and in fp32, compare each dimension, and write the verdict into the card.

    A tier passes when the order of the items agrees in every dimension: Spearman's correlation with fp32 of at least
    `bound`. One that fails is refused by `load_model` from then on. `items`: at least 10, 100 or more to be sure, and
    other ones than it was calibrated on; `data` says in the card what they were.
    """
    if len(items) < _FEWEST:
        raise UsageError(f"{len(items)} items; a rank correlation needs at least {_FEWEST}, 100 to be sure.")
    folder = Path(folder)
    card = check_bundle(folder)
    expected = _scores(open_model(folder, runtime="onnxruntime", precision="fp32", threads=threads), items)
    model = open_tier(folder, card, runtime=runtime, precision=precision, threads=threads)
    found = _scores(model, items)
    judged = [column for column, key in enumerate(card.dimensions) if key not in card.missing]
    checks = [compare(card.dimensions[column], found[:, column], expected[:, column]) for column in judged]
    worst = min(checks, key=lambda check: check.rank_correlation)
    check = TierCheck(
        items=len(items),
        data=data,
        runtime=model.session.name,
        max_difference=max(check.max_error for check in checks),
        mean_difference=float(np.abs(found - expected)[:, judged].mean()),
        rank_correlation=worst.rank_correlation,
        mean_rank_correlation=float(np.mean([check.rank_correlation for check in checks])),
        worst=worst.dimension,
        passed=worst.rank_correlation >= bound,
    )
    tier = card.tier(precision) or Tier.model_validate({"precision": precision})
    return tuple(checks), put_tier(folder, tier.model_copy(update={"check": check}))


def _scores(model: Model, items: Sequence[NDArray[Any]]) -> NDArray[np.float64]:
    return model.raw_scores(items).astype(np.float64)
