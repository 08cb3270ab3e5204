"""How a stored project stands: what the lead's pages and `emonet annotate status` read from the database."""

from __future__ import annotations

import math
from typing import Any

from sqlalchemy import select

from emonet.annotation.desk import Desk, look
from emonet.annotation.protocols import Protocol, Unit
from emonet.annotation.store import Remaining, Store, read_project, valid_judgements
from emonet.annotation.store._tables import EventRow, UnitRow
from emonet.statistics import Interval


def stored_units(store: Store) -> dict[int, Unit]:
    """All units by number, in the order of the work."""
    columns = (
        UnitRow.id,
        UnitRow.key,
        UnitRow.items,
        UnitRow.dimensions,
        UnitRow.role,
        UnitRow.gold,
        UnitRow.tolerance,
    )
    with store.reading() as connection:
        rows = connection.execute(select(*columns).order_by(UnitRow.position, UnitRow.id)).all()
    return {
        row.id: Unit(row.key, tuple(row.items), tuple(row.dimensions), row.role, dict(row.gold), row.tolerance)
        for row in rows
    }


def stored_adjudications(store: Store, units: dict[int, Unit]) -> dict[str, tuple[dict[str, float], str]]:
    """The word that stands for each adjudicated unit, by key: values and reason."""
    query = select(EventRow.unit, EventRow.values, EventRow.note).where(EventRow.kind == "adjudication")
    with store.reading() as connection:
        rows = connection.execute(query.order_by(EventRow.id)).all()
    return {units[row.unit].key: ({name: float(v) for name, v in row.values.items()}, row.note) for row in rows}


def read_desk(store: Store) -> tuple[Desk, Protocol]:
    """The lead's figures of the project as it is now."""
    protocol, units = read_project(store).protocol, stored_units(store)
    words = {key: values for key, (values, _) in stored_adjudications(store, units).items()}
    return look(protocol, tuple(units.values()), valid_judgements(store), words), protocol


def formats_of(protocol: Protocol) -> tuple[str, ...]:
    """Export formats that fit a protocol: LAION's layouts hold one kind of answer each."""
    special = {"binary": ("binary.csv",), "hq": ("hq.csv",)}.get(protocol.name, ())
    return ("parquet", "csv", *special, "jsonl")


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
