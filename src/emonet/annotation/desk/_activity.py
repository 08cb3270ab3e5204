"""Answers over time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from emonet.annotation.protocols import Judgement

_HOURS_UP_TO = timedelta(days=3)


@dataclass(frozen=True, slots=True)
class Activity:
    """Answers in equal steps of time, in UTC. `starts` and `counts` are as long as each other; `step` one hour for
    projects younger than three days, else one day (several days where there would be more than `most`)."""

    step: timedelta
    starts: tuple[datetime, ...]
    counts: tuple[int, ...]


def activity(judgements: Sequence[Judgement], *, most: int = 60) -> Activity:
    """Counts of answers from the first to the last; the steps between without any are 0. Skips do not count."""
    times = sorted(one.time.astimezone(UTC) for one in judgements if one.skipped is None)
    if not times:
        return Activity(timedelta(days=1), (), ())
    span = times[-1] - times[0]
    step = timedelta(hours=1) if span < _HOURS_UP_TO else timedelta(days=1 + span.days // most)
    first = times[0].replace(minute=0, second=0, microsecond=0)
    if step >= timedelta(days=1):
        first = first.replace(hour=0)
    steps = Counter((time - first) // step for time in times)
    last = (times[-1] - first) // step
    return Activity(
        step,
        tuple(first + k * step for k in range(last + 1)),
        tuple(steps[k] for k in range(last + 1)),
    )
