"""Small pieces from which the tests of the protocols are made."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta

from emonet.annotation.protocols import Item, Judgement, Unit

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


def unit(role: str = "target", *, dimension: str = "elation") -> Unit:
    return Unit(f"a:{dimension}", ("a",), (dimension,), role)  # type: ignore[arg-type]


def says(
    of: Unit, rater: str, value: float | Mapping[str, float] | None, *, stage: int = 1, minute: int = 0, ms: int = 2000
) -> Judgement:
    """An answer to a unit of one dimension, or by the names given; None skips."""
    values = {} if value is None else dict(value) if isinstance(value, Mapping) else {of.dimensions[0]: value}
    skipped = "cannot tell" if value is None else None
    return Judgement(of.key, rater, stage, values, NOON + timedelta(minutes=minute), ms, skipped=skipped)


def in_turn(of: Unit, values: Sequence[float]) -> list[Judgement]:
    """Answers of rater-1, rater-2, ... one after another, each in a stage of its own."""
    return [says(of, f"rater-{turn}", value, stage=turn, minute=turn) for turn, value in enumerate(values, start=1)]


def pictures(count: int, *dimensions: str, **facts: object) -> list[Item]:
    return [Item(f"p{number:03d}", f"p{number:03d}.png", dimensions=dimensions, **facts) for number in range(count)]  # type: ignore[arg-type]
