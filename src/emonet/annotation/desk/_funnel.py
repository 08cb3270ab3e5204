"""How units move through the stages: how many entered each, wait there, and ended there with what."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from emonet.annotation.protocols import Protocol, Role, Settled


@dataclass(frozen=True, slots=True)
class FunnelStage:
    """`entered`: units that reached the stage. `untouched`: in the first stage, those nobody has answered yet.
    `waiting`: those that have begun and still want people. `ended`: outcomes of those that went no further, such as
    {"agreed present": 3, "agreed absent": 1, "disputed": 2, "one answer": 4, "rated": 0}."""

    stage: int
    raters: int
    entered: int
    untouched: int
    waiting: int
    ended: tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True)
class Funnel:
    """The stages of one role. `units`: of the role, gold left out; `done`: of them, those that want nobody."""

    role: Role
    units: int
    done: int
    stages: tuple[FunnelStage, ...]


ENDINGS = ("agreed present", "agreed absent", "agreed", "one yes", "one no", "rated", "disputed")


def funnels(protocol: Protocol, settled: Sequence[Settled]) -> tuple[Funnel, ...]:
    """One funnel for each role that has units, in the order of the protocol's rules. Gold and training units are
    left out; they go through no stages."""
    work = [row for row in settled if not row.unit.gold and row.unit.role != "training"]
    roles: list[Role] = [role for role in protocol.rules if any(row.unit.role == role for row in work)]
    return tuple(_funnel(protocol, role, [row for row in work if row.unit.role == role]) for role in roles)


def ending(protocol: Protocol, row: Settled) -> str:
    """How a unit that wants nobody ended, one of `ENDINGS`."""
    decision = row.decision
    if decision.outcome == "disputed":
        return "disputed"
    if decision.outcome == "agreed":
        if protocol.question != "levels":
            return "agreed"
        return "agreed present" if any(value > 0 for value in decision.values.values()) else "agreed absent"
    if protocol.question == "levels" and row.answers == 1:
        return "one yes" if any(share > 0 for share in row.present.values()) else "one no"
    return "rated"


def _funnel(protocol: Protocol, role: Role, rows: Sequence[Settled]) -> Funnel:
    stages = []
    for number, stage in enumerate(protocol.rules[role], start=1):
        here = [row for row in rows if row.decision.stage == number]
        ended = Counter(ending(protocol, row) for row in here if not row.decision.wanted)
        stages.append(
            FunnelStage(
                stage=number,
                raters=stage.raters,
                entered=sum(row.decision.stage >= number for row in rows),
                untouched=sum(row.decision.wanted > 0 and not row.answers for row in here),
                waiting=sum(row.decision.wanted > 0 and row.answers > 0 for row in here),
                ended=tuple((name, ended[name]) for name in ENDINGS if ended[name]),
            )
        )
    return Funnel(role, len(rows), sum(not row.decision.wanted for row in rows), tuple(stages))
