"""What is put to a rater: an item with the dimensions asked of it, and the scale of the answer."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from emonet.benchmark.raters._records import asked_pairs
from emonet.datasets import LabelledSet
from emonet.errors import UsageError

Mode = Literal["auto", "all", "one"]
"""`all`: one question an item, for all dimensions asked of it. `one`: one question an item and dimension. `auto`:
`one` where the set itself asks one dimension an item, else `all`."""


@dataclass(frozen=True, slots=True)
class AnswerScale:
    """`whole`: only whole numbers. `share`: the value is the share of people who would say "present", for sets of yes
    and no."""

    low: float
    high: float
    whole: bool
    share: bool = False

    @property
    def absent(self) -> float:
        """What an emotion that is not named gets."""
        return 0.0 if self.low <= 0 <= self.high else self.low

    def holds(self, value: float) -> bool:
        """Whether a number is on the scale."""
        return self.low <= value <= self.high and (not self.whole or value == int(value))

    def describe(self) -> str:
        """The scale in words, e.g. "a whole number from 0 to 7"."""
        kind = "a whole number" if self.whole else "a number"
        return f"{kind} from {self.low:g} to {self.high:g}"


@dataclass(frozen=True, slots=True)
class Question:
    """`dimension`: set when one is asked alone. `dimensions`: all that are asked, in the set's order."""

    item: str
    dimensions: tuple[str, ...]
    dimension: str | None = None


def answer_scale(labelled: LabelledSet, chosen: tuple[float, float] | None) -> AnswerScale:
    """The scale that a rater answers on: `chosen`, or the people's own; yes-or-no sets are answered with a share."""
    low, high = labelled.scale if chosen is None else chosen
    if not low < high:
        raise UsageError(f"The scale of answers goes from {low:g} to {high:g}; expected the lower end first.")
    if chosen is None and labelled.levels is not None and len(labelled.levels) == 2:
        return AnswerScale(low, high, whole=False, share=True)
    return AnswerScale(low, high, whole=float(low).is_integer() and float(high).is_integer() and high - low >= 2)


def questions(labelled: LabelledSet, mode: Mode) -> Iterator[Question]:
    """Everything to be asked, item by item."""
    pairs = list(asked_pairs(labelled))
    alone = mode == "one" or (
        mode == "auto" and labelled.asked is not None and all(len(some) == 1 for _, some in pairs)
    )
    for item, some in pairs:
        if alone:
            yield from (Question(item, (dimension,), dimension) for dimension in some)
        else:
            yield Question(item, some)
