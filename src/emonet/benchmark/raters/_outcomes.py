"""From the requests for a question to how it ended, read from the raw replies alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeVar

from emonet.benchmark.raters._questions import Question
from emonet.benchmark.raters._records import Status
from emonet.benchmark.raters._service import Answer, Exchange, Service
from emonet.services._cache import Attempt
from emonet.services._replies import Prices, Usage, fault_of

Number = TypeVar("Number", int, float)


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a question ended. `settled`: no further request is needed. `malformed`: answers that could not be read.
    `attempts`, `seconds`, tokens and `cost`: over all requests."""

    status: Status
    message: str = ""
    values: Mapping[str, float] = field(default_factory=dict)
    time: datetime | None = None
    settled: bool = False
    malformed: int = 0
    attempts: int = 0
    seconds: float | None = None
    tokens_in: int | None = None
    tokens_out: int | None = None
    cost: float | None = None

    def row(self, rater: str, question: Question) -> dict[str, Any]:
        """The row of the table of replies."""
        return {
            "rater": rater,
            "item": question.item,
            "dimension": question.dimension,
            "status": self.status,
            "attempts": self.attempts,
            "seconds": self.seconds,
            "tokens_in": self.tokens_in,
            "tokens_out": self.tokens_out,
            "cost": self.cost,
            "message": self.message or None,
        }


def outcome_of(attempts: Sequence[Attempt], question: Question, service: Service, prices: Prices) -> Outcome:
    """The outcome by the requests so far, oldest first: the first answer or refusal, else the last failure."""
    answers = [_read(attempt, question, service) for attempt in attempts]
    final = next((i for i, answer in enumerate(answers) if answer.status in ("ok", "refused")), None)
    settled = final is not None
    at = final if final is not None else len(answers) - 1
    answer = answers[at] if answers else Answer("error", message="not asked")
    used = [service.usage(attempt.body or "") if attempt.state == "reply" else Usage(0, 0) for attempt in attempts]
    costs = [
        attempt.cost if attempt.cost is not None or attempt.state != "reply" else prices.cost(usage)
        for attempt, usage in zip(attempts, used, strict=True)
    ]
    return Outcome(
        status=answer.status,
        message=answer.message,
        values=answer.values,
        time=attempts[at].started if attempts else None,
        settled=settled,
        malformed=sum(answer.status == "malformed" for answer in answers),
        attempts=len(attempts),
        seconds=_sum([attempt.seconds for attempt in attempts]),
        tokens_in=_sum([usage.tokens_in for usage in used]),
        tokens_out=_sum([usage.tokens_out for usage in used]),
        cost=_sum(costs),
    )


def said_before(attempts: Sequence[Attempt], question: Question, service: Service) -> tuple[Exchange, ...]:
    """Unusable answers, oldest first, so that the model can be told what was wrong."""
    answers = (_read(attempt, question, service) for attempt in attempts)
    return tuple(Exchange(answer.said, answer.message) for answer in answers if answer.status == "malformed")


def _read(attempt: Attempt, question: Question, service: Service) -> Answer:
    if attempt.state == "reply":
        return service.interpret(attempt.body or "", question)
    if attempt.state == "timeout":
        return Answer("timeout", message=attempt.message)
    if attempt.state == "http":
        fault, message = fault_of(attempt.http_status or 0, attempt.body)
        return Answer("refused" if fault == "refused" else "error", message=message)
    if attempt.state == "sent":
        return Answer("error", message="no reply was kept: the run ended while waiting for it")
    return Answer("error", message=attempt.message)


def _sum(values: Sequence[Number | None]) -> Number | None:
    """Sum of what is known; None when nothing is."""
    known = [value for value in values if value is not None]
    return sum(known[1:], known[0]) if known else None
