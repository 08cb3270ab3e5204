"""Judgements as one table of raters by columns, from which every figure of agreement is computed.

Symbols: r raters, n columns, k distinct values. A column is one thing that several people gave a value: a unit with
levels, a slider of an item, the side taken of a pair, an item's place within a best-worst set.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from emonet.annotation.protocols import Judgement, Protocol, Unit, rule_of

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Answers:
    """`values` float64 [r, n], NaN where not asked. `raters` [r] in alphabetical order. By column: `units` key of the
    unit, `dimensions` what was asked, `items` the item (of pairs and sets the unit, since its items stand or fall
    together), `open` bool [n]: whether it had two raters or more whatever they would answer.

    An untouched slider is 0 here. Gold and training units are left out: they tell about raters, not about the work.
    """

    raters: tuple[str, ...]
    units: tuple[str, ...]
    dimensions: tuple[str, ...]
    items: tuple[str, ...]
    open: NDArray[np.bool_]
    values: Floats

    def columns(self, chosen: NDArray[np.bool_]) -> Answers:
        """The chosen [n] columns only; all raters stay."""
        kept = np.flatnonzero(chosen).tolist()
        return Answers(
            self.raters,
            tuple(self.units[k] for k in kept),
            tuple(self.dimensions[k] for k in kept),
            tuple(self.items[k] for k in kept),
            self.open[chosen],
            self.values[:, chosen],
        )

    def shared(self) -> Answers:
        """Columns with two answers or more, the only ones that tell of agreement."""
        return self.columns(np.isfinite(self.values).sum(axis=0) > 1)


def tabulate(protocol: Protocol, units: Sequence[Unit], judgements: Sequence[Judgement]) -> Answers:
    """The table of all answers; skips and forms are left out."""
    known = {unit.key: unit for unit in units if not unit.gold and unit.role != "training"}
    answers = [one for one in judgements if one.skipped is None and one.unit in known]
    raters = tuple(sorted({one.rater for one in answers}))
    row = {rater: place for place, rater in enumerate(raters)}
    judged = list(dict.fromkeys(one.unit for one in answers))
    columns = [(known[key], name) for key in judged for name in _columns_of(protocol, known[key])]
    place = {(unit.key, name): k for k, (unit, name) in enumerate(columns)}
    values = np.full((len(raters), len(columns)), np.nan)
    for one in answers:
        for name in _columns_of(protocol, known[one.unit]):
            values[row[one.rater], place[one.unit, name]] = one.values.get(name, 0.0)
    return Answers(
        raters=raters,
        units=tuple(unit.key for unit, _ in columns),
        dimensions=tuple(_dimension(unit, name) for unit, name in columns),
        items=tuple(unit.key if len(unit.items) > 1 else unit.items[0] for unit, _ in columns),
        open=np.array([asked_openly(protocol, unit) for unit, _ in columns], np.bool_),
        values=values,
    )


def asked_openly(protocol: Protocol, unit: Unit) -> bool:
    """Whether the first stage alone, which everybody enters, brings two answers or more."""
    openly = 0
    for stage in rule_of(protocol, unit):
        if stage.enter != "always":
            break
        openly += stage.raters
    return openly > 1


def present(answers: Answers) -> Floats:
    """1 for a value above 0, else 0; NaN stays: float64 [r, n]."""
    return np.where(np.isfinite(answers.values), (answers.values > 0).astype(np.float64), np.nan)


def levels_of(protocol: Protocol) -> tuple[float, ...]:
    """All values an answer may have, in order."""
    if protocol.choices:
        return tuple(sorted(choice.value for choice in protocol.choices))
    low, high = protocol.scale
    return tuple(low + k * protocol.step for k in range(round((high - low) / protocol.step) + 1))


def _columns_of(protocol: Protocol, unit: Unit) -> tuple[str, ...]:
    """Keys of the values that make columns. A pair makes one: the second item's value says nothing new."""
    if protocol.question == "pair":
        return unit.items[:1]
    return unit.items if len(unit.items) > 1 else unit.dimensions


def _dimension(unit: Unit, name: str) -> str:
    if len(unit.items) > 1:
        return unit.dimensions[0] if unit.dimensions else ""
    return name
