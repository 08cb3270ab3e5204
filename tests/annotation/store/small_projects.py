"""Small projects for the tests of the store: items, a protocol, and answers to what was given."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from emonet.annotation.protocols import Item, Protocol, protocol
from emonet.annotation.store import Assignment, Receipt, Store, Submission, submit, take

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
MakeStore = Callable[..., Store]
_numbers = itertools.count(1)


def later(minutes: float) -> datetime:
    return NOW + timedelta(minutes=minutes)


def client_id() -> str:
    """A new one each time, as a browser makes them."""
    return f"client-{next(_numbers)}"


def faces(count: int, *, start: int = 0, **options: Any) -> tuple[Item, ...]:
    """Items made for anger, in two age groups."""
    return tuple(
        Item(
            key=f"face-{number:04}",
            media=f"faces/{number:04}.jpg",
            dimensions=("anger",),
            demographics={"age": "young" if number % 2 else "old"},
            **options,
        )
        for number in range(start, start + count)
    )


def yes_or_no(*, gold_every: int = 0, training: int = 0, contrast: bool = False) -> Protocol:
    """The binary protocol: a second and a third rater only after a yes."""
    return protocol("binary", gold_every=gold_every, training=training, contrast=contrast)


def answer(
    store: Store,
    one: Assignment,
    person: int,
    value: float = 1.0,
    *,
    now: datetime = NOW,
    name: str = "",
    ms: int = 2000,
) -> Receipt:
    """Give every dimension of an assignment the same value."""
    values = dict.fromkeys(one.unit.dimensions, value)
    submission = Submission(name or client_id(), one.unit_id, person, values, duration_ms=ms, time=now)
    return submit(store, submission, now=now)


def answer_next(store: Store, person: int, value: float = 1.0, *, now: datetime = NOW) -> Receipt:
    """Take a unit and answer it."""
    return answer(store, take(store, person, count=1, now=now)[0], person, value, now=now)
