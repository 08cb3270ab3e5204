"""What a training of expert heads is told: its stages, its heads, and who is kept apart from training."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from emonet.datasets import LabelledSet
from emonet.errors import UsageError

Loss = Literal["mae", "mse", "huber", "ordinal", "presence", "rank"]
LOSSES: tuple[Loss, ...] = ("mae", "mse", "huber", "ordinal", "presence", "rank")
Criterion = Literal["loss", "rank"]
HoldOut = Literal["clusters", "raters"]
Part = Literal["train", "validation", "calibration", "test"]
PARTS: tuple[Part, ...] = ("train", "validation", "calibration", "test")


@dataclass(frozen=True, slots=True, eq=False)
class Stage:
    """One step of training, over one labelled set or several together.

    sets: their ratings are brought to the model's scale; a set with two levels is taken as absent/present. losses:
    weight of each; `presence` only concerns sets with two levels, `mae`, `mse`, `huber` and `ordinal` only the graded
    ones, `rank` both. epochs: at most. learning_rate: its peak. batch: items. patience: epochs without a better head,
    of any emotion, after which the stage ends. criterion: what is better, a lower loss or a higher rank correlation
    with the held-out labels. hold_out: validate on other clusters (speakers, people, or items where a set names no
    cluster), or on the same items as other raters judged them.
    """

    name: str
    sets: tuple[LabelledSet, ...]
    losses: dict[Loss, float] = field(default_factory=lambda: {"mae": 1.0})
    epochs: int = 20
    learning_rate: float = 1e-3
    batch: int = 256
    patience: int = 5
    criterion: Criterion = "loss"
    hold_out: HoldOut = "clusters"

    def __post_init__(self) -> None:
        if unknown := sorted(set(self.losses) - set(LOSSES)):
            raise UsageError(f"Stage {self.name!r}: no loss is called {unknown[0]!r}; expected {', '.join(LOSSES)}.")
        if not self.sets or not any(weight > 0 for weight in self.losses.values()):
            raise UsageError(f"Stage {self.name!r} needs at least one set and one loss with a weight above 0.")
        if min(self.epochs, self.batch, self.patience) < 1 or self.learning_rate <= 0:
            raise UsageError(
                f"Stage {self.name!r}: epochs {self.epochs}, batch {self.batch}, patience {self.patience} and learning "
                f"rate {self.learning_rate:g}; expected whole numbers of 1 or more and a rate above 0."
            )


@dataclass(frozen=True, slots=True)
class Options:
    """What holds for all stages.

    seed: of the split, the first weights and the order of items. hidden: sizes between the encoder's output and the
    score; the published ones are (1024, 512, 256) or so for faces, (64, 64, 32, 16) for voices. dropout: after each
    hidden layer while training. weight_decay: of AdamW. present_at: score from which an emotion counts as present, as a
    share of the model's scale. sharpness: scores per unit of the logistic curves of `presence`, `ordinal` and `rank`.
    shares: of the clusters for validation, calibration and test. calibration: how raw scores become probabilities.
    at_once: heads trained together, None for all; fewer need less memory, and draw other dropout.
    device: "cpu", "cuda" or "auto".
    """

    seed: int = 1
    hidden: tuple[int, ...] = (128, 64)
    dropout: float = 0.1
    weight_decay: float = 0.01
    present_at: float = 0.125
    sharpness: float = 4.0
    shares: tuple[float, float, float] = (0.1, 0.1, 0.1)
    calibration: Literal["isotonic", "platt", "none"] = "isotonic"
    at_once: int | None = None
    device: str = "auto"

    def __post_init__(self) -> None:
        if not self.hidden or min(self.hidden) < 1 or not 0 <= self.dropout < 1:
            raise UsageError(f"hidden {self.hidden} and dropout {self.dropout}; expected sizes above 0 and 0 to 1.")
        if min(self.shares) < 0 or sum(self.shares) > 0.8:
            raise UsageError(f"shares are {self.shares}; expected three of 0 or more that leave a fifth for training.")
        if not 0 < self.present_at < 1 or self.sharpness <= 0:
            raise UsageError(f"present_at {self.present_at} and sharpness {self.sharpness}; expected 0..1 and above 0.")
        if self.at_once is not None and self.at_once < 1:
            raise UsageError(f"at_once is {self.at_once}; expected 1 or more heads.")
