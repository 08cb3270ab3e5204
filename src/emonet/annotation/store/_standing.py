"""Which answers stand, once undo, correction and withdrawal are applied. Pure: rows of events in, records out."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from sqlalchemy import select

from emonet.annotation.protocols import Decision, Judgement, Protocol, Unit, adjudicated, decide
from emonet.annotation.store._rows import AnyRow
from emonet.annotation.store._tables import EventRow, PersonRow, UnitRow

EVENTS = (
    select(
        EventRow.id,
        EventRow.kind,
        EventRow.unit,
        EventRow.person,
        EventRow.stage,
        EventRow.values,
        EventRow.form,
        EventRow.skipped,
        EventRow.received,
        EventRow.duration_ms,
        EventRow.refers_to,
        PersonRow.code,
        UnitRow.key,
    )
    .join(PersonRow, PersonRow.id == EventRow.person)
    .join(UnitRow, UnitRow.id == EventRow.unit)
    .order_by(EventRow.id)
)
"""The columns of an event that `standing` reads, in the order in which they must be read."""


@dataclass(frozen=True, slots=True)
class Standing:
    """An answer, skip or adjudication that stands. `event`: of the original, also after a correction."""

    event: int
    unit: int
    person: int
    judgement: Judgement
    corrected: bool = False
    adjudication: bool = False


def standing(rows: Iterable[AnyRow]) -> list[Standing]:
    """What stands of events in the order of their numbers; originals keep their order.

    A correction replaces values, form and skip, and keeps stage, time and duration of the original, which say when the
    unit was judged and how fast. A judgement's `time` is the server's: browsers' clocks are often wrong.
    """
    found: dict[int, Standing] = {}
    for row in rows:
        if row.kind in ("rating", "skip", "adjudication"):
            values = {name: float(value) for name, value in row.values.items()}
            judgement = Judgement(
                row.key, row.code, row.stage, values, row.received, row.duration_ms, row.form, row.skipped
            )
            found[row.id] = Standing(row.id, row.unit, row.person, judgement, adjudication=row.kind == "adjudication")
        elif row.kind == "correction" and (original := found.get(row.refers_to)) is not None:
            values = {name: float(value) for name, value in row.values.items()}
            judgement = replace(original.judgement, values=values, form=row.form, skipped=row.skipped)
            found[row.refers_to] = replace(original, judgement=judgement, corrected=True)
        elif row.kind in ("undo", "withdrawal"):
            found.pop(row.refers_to, None)
    return list(found.values())


def decided(protocol: Protocol, unit: Unit, found: Iterable[Standing]) -> tuple[Decision, int, bool]:
    """The decision about a unit, the number of answers behind it, and whether an adjudicator made it.

    The last adjudication counts while the raters' answers close the unit; where a withdrawal opens it again, it waits.
    """
    rows = list(found)
    judgements = [one.judgement for one in rows if not one.adjudication]
    answers = sum(one.skipped is None for one in judgements)
    decision = decide(protocol, unit, judgements)
    last = next((one for one in reversed(rows) if one.adjudication), None)
    if last is None or decision.outcome is None:
        return decision, answers, False
    return adjudicated(protocol, unit, decision, last.judgement.values), answers, True
