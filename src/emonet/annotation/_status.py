"""How a stored project stands: what the lead's pages and `emonet annotate status` read from the database."""

from __future__ import annotations

import math
from typing import Any

from sqlalchemy import select

from emonet.annotation.desk import Desk, look
from emonet.annotation.protocols import Protocol
from emonet.annotation.store import Remaining, Store, adjudications, read_project, units, valid_judgements
from emonet.annotation.store._tables import EventRow, UnitRow
from emonet.statistics import Interval


def adjudication_reason(store: Store, unit: str) -> str:
    """Why a lead decided on a unit (by key) as they last did; empty for none."""
    query = (
        select(EventRow.note)
        .join(UnitRow, UnitRow.id == EventRow.unit)
        .where(UnitRow.key == unit, EventRow.kind == "adjudication")
        .order_by(EventRow.id.desc())
        .limit(1)
    )
    with store.reading() as connection:
        return connection.execute(query).scalar_one_or_none() or ""


def read_desk(store: Store) -> tuple[Desk, Protocol]:
    """The lead's figures of the project as it is now."""
    protocol = read_project(store).protocol
    return look(protocol, units(store), valid_judgements(store), adjudications(store)), protocol


def formats_of(protocol: Protocol) -> tuple[str, ...]:
    """Export formats that suit the way a protocol asks (`emonet.annotation.store.FORMATS`)."""
    if protocol.question == "form":
        return ("csv", "jsonl")
    yes_no = protocol.question == "levels" and {choice.value for choice in protocol.choices} == {0.0, 1.0}
    graded = protocol.question == "sliders" and (protocol.scale, protocol.step) == ((0.0, 7.0), 1.0)
    return ("parquet", "csv", *(["binary.csv"] * yes_no), *(["hq.csv"] * graded), "jsonl")


def status_document(name: str, protocol: Protocol, desk: Desk, left: Remaining) -> dict[str, Any]:
    """The project's state for programs; unknown figures are null."""
    return {
        "project": name,
        "protocol": protocol.name,
        "units": desk.units,
        "settled": desk.done,
        "answers": desk.answers,
        "skips": desk.skips,
        "alpha": _interval(desk.overall.alpha),
        "kappa": _interval(desk.overall.kappa),
        "equal": _interval(desk.overall.percent),
        "alpha_asked_openly": _interval(desk.overall_open.alpha) if desk.overall_open else None,
        "alpha_by_emotion": {row.dimension: _interval(row.alpha) for row in desk.by_dimension},
        "disagreements": len(desk.disagreements),
        "undecided": len(desk.undecided),
        "raters": [
            {
                "rater": row.rater,
                "answers": row.signs.answers,
                "skips": row.signs.skips,
                "median_s": _number(row.signs.median_ms / 1000),
                "kappa": _interval(row.kappa),
                "gold": row.signs.gold,
                "gold_missed": row.signs.gold_failed,
                "accuracy": _number(row.accuracy),
                "signs": list(row.signs.signs),
            }
            for row in desk.raters
        ],
        "answers_wanted": _number(left.ratings.value),
        "hours_wanted": [_number(value) for value in (left.hours.value, left.hours.low, left.hours.high)],
    }


def _interval(figure: Interval) -> list[float | None]:
    """Value, low, high."""
    return [_number(value) for value in figure]


def _number(value: float) -> float | None:
    return round(value, 6) if math.isfinite(value) else None
