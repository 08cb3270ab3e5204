"""From the attempts at a request to how it ended, read from the raw replies alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from emonet.services._cache import Attempt
from emonet.services._records import Reply, Request
from emonet.services._replies import fault_of
from emonet.services._wire import Content, Exchange, read


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the attempts so far come to. `settled`: nothing more is to be asked. `unusable`: what was said in vain."""

    reply: Reply
    settled: bool
    unusable: tuple[Exchange, ...]


def outcome_of(request: Request, attempts: Sequence[Attempt]) -> Outcome:
    """The first usable reply or refusal of all attempts, or the last failure."""
    unusable: list[Exchange] = []
    last = Reply(request.key, "error", message="no reply was kept: the run ended while waiting for it")
    costs = [attempt.cost for attempt in attempts if attempt.cost is not None]
    cost = sum(costs) if costs else None
    for attempt in attempts:
        if attempt.state == "reply":
            last = reply_of(request, read(request.kind, attempt.body or ""))
            if last.status != "unusable":
                return Outcome(replace(last, attempts=len(attempts), cost=cost), True, ())
            unusable.append(Exchange(last.text, last.message))
        elif attempt.state == "http":
            fault, message = fault_of(attempt.http_status or 0, attempt.body)
            refused = fault == "refused"
            last = Reply(request.key, "refused" if refused else "error", message=message)
            if refused:
                return Outcome(replace(last, attempts=len(attempts), cost=cost), True, ())
        elif attempt.state != "sent":
            last = Reply(request.key, "error", message=attempt.message or attempt.state)
    return Outcome(replace(last, attempts=len(attempts), cost=cost), False, tuple(unusable))


def reply_of(request: Request, content: Content) -> Reply:
    """What a kept reply is to the caller, who may find it unusable."""
    if content.refusal:
        return Reply(request.key, "refused", content.text, message=content.refusal[:300])
    reply = Reply(request.key, "ok", content.text, content.data, content.vector)
    fault = content.fault or (request.check(reply) if request.check is not None else "")
    return replace(reply, status="unusable", message=fault[:1000]) if fault else reply
