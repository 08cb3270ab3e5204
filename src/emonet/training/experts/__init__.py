"""Expert heads on a frozen encoder, by the published recipe: weak intensities first, then people's labels.

`train_experts` computes the encoder's features once, trains all heads together, stage by stage, and writes both a
bundle and the official layout of LAION's releases (emonet-face, emotion-annotations).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from emonet.errors import UsageError
from emonet.training.experts._records import Options, Stage

if TYPE_CHECKING:
    from emonet.models import Card

__all__ = ["Options", "Stage", "train_experts"]


def train_experts(
    encoder: str | Path,
    stages: Sequence[Stage],
    output: Path,
    *,
    options: Options | None = None,
    name: str = "experts",
    licence: str = "",
    progress: Callable[[str], None] = lambda _: None,
) -> Card:
    """Train heads on the encoder of a bundle and write `output/bundle` and `output/official`; the bundle's card.

    encoder: name, folder or Hub id of a bundle whose encoder is used; its heads are not. stages: in order; each starts
    from the best heads of the one before. Dimensions are those that the stages' sets rate and that exist for the
    modality; of each, a head. name: the new card's id. licence: of the result, which its data decide.

    Everything that takes long is kept in `output` (features, a checkpoint after each epoch), and the same call goes on
    where it stopped. Equal arguments give equal weights on one kind of processor.

    Raises `UsageError` for stages that cannot be trained, `MissingExtraError` without torch (extra `torch`).
    """
    if not stages:
        raise UsageError("No stage to train; give one or more, the human labels last.")
    from emonet.training.experts._train import train

    return train(encoder, stages, Path(output), options or Options(), name, licence, progress)
