"""Raters that know nothing, or only how people answer in general: what any other rater must beat."""

from __future__ import annotations

from collections.abc import Callable
from hashlib import sha256

import numpy as np
from numpy.typing import NDArray

from emonet.benchmark.raters._questions import answer_scale
from emonet.benchmark.raters._records import Progress, Rated, asked_pairs, ratings_table, replies_table
from emonet.benchmark.raters._settings import BaselineSettings
from emonet.datasets import LabelledSet, Rater
from emonet.errors import UsageError

Draw = Callable[[np.random.Generator, int], NDArray[np.float64]]


class BaselineRater:
    """A `RaterRunner` by a rule of `BaselineSettings`. Each dimension is drawn from a seed of its own, so that leaving
    a dimension out changes no other."""

    def __init__(self, settings: BaselineSettings) -> None:
        self.settings = settings

    @property
    def rater(self) -> Rater:
        """Who rates. A marginal rater has seen the people's ratings, which its facts say."""
        facts: dict[str, str] = {"rule": self.settings.rule}
        if self.settings.rule == "constant":
            facts["value"] = f"{self.settings.value:g}"
        if self.settings.rule in ("random", "marginal"):
            facts["seed"] = str(self.settings.seed)
        if self.settings.rule == "marginal":
            facts["sees"] = "people's ratings"
        return Rater(self.settings.name, "baseline", None, facts)

    def rate(self, labelled: LabelledSet, *, progress: Progress | None = None) -> Rated:
        """A value for everything that was asked."""
        del progress
        pairs = list(asked_pairs(labelled))
        values: dict[str, dict[str, float]] = {item: {} for item, _ in pairs}
        for dimension in labelled.dimensions:
            items = [item for item, some in pairs if dimension in some]
            drawn = self._draw(labelled, dimension)(_generator(self.settings.seed, dimension), len(items))
            for item, value in zip(items, drawn, strict=True):
                values[item][dimension] = float(value)
        rows = ((item, {key: values[item][key] for key in some}, None) for item, some in pairs)
        return Rated(ratings_table(self.settings.name, "baseline", rows), replies_table([]))

    def _draw(self, labelled: LabelledSet, dimension: str) -> Draw:
        """How values of a dimension are drawn."""
        low, high = labelled.scale
        if self.settings.rule == "marginal":
            people = [rater.name for rater in labelled.ratings.raters if rater.kind == "human"]
            table = labelled.ratings.table
            given = table.filter((table["dimension"] == dimension) & table["rater"].is_in(people))["value"].to_numpy()
            if not len(given):
                raise UsageError(
                    f"{self.settings.name!r}: nobody rated {dimension!r}, so there is nothing to draw from."
                )
            return lambda generator, n: generator.choice(given, n)
        if self.settings.rule == "random":
            levels = np.array(labelled.levels or ())
            if len(levels):
                return lambda generator, n: generator.choice(levels, n)
            return lambda generator, n: generator.uniform(low, high, n)
        value = answer_scale(labelled, None).absent if self.settings.value is None else self.settings.value
        if not low <= value <= high:
            raise UsageError(
                f"{self.settings.name!r}: the value {value:g} is outside the set's scale {low:g}..{high:g}."
            )
        return lambda _, n: np.full(n, value)


def _generator(seed: int, dimension: str) -> np.random.Generator:
    """A stream of numbers for a dimension, the same on every machine."""
    return np.random.default_rng([seed, int.from_bytes(sha256(dimension.encode()).digest()[:8], "big")])
