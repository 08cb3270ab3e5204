"""The project as the lead's desk sees it, computed once for each state and kept in memory until something happens.

Every process keeps its own; the database alone is the truth.
"""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from fastapi import Request
from sqlalchemy import func, select

from emonet.annotation.desk import ConsensusRow, Desk, look
from emonet.annotation.protocols import Judgement, Protocol, Unit
from emonet.annotation.store import Store, adjudicate, valid_judgements
from emonet.annotation.store import remaining as remaining_of
from emonet.annotation.store._tables import EventRow, ItemRow, UnitRow
from emonet.annotation.web._deps import web_of

_PATIENCE = 5.0
"""A state is kept for so many times as long as it took to compute, so that raters' answers do not keep a large
project's desk computing without end."""


@dataclass(frozen=True, slots=True)
class DeskItem:
    """An item for the lead, who sees its key and what is known of it."""

    id: str
    key: str
    modality: str
    sensitive: bool
    facts: Mapping[str, Any]
    demographics: Mapping[str, Any]


@dataclass(frozen=True, slots=True, eq=False)
class State:
    """`event`: number of the newest event taken in. Units, items and rows by key; `by_unit`: judgements that stand;
    `reasons`: why a lead decided so, by unit."""

    event: int
    protocol: Protocol
    units: Mapping[str, Unit]
    unit_ids: Mapping[str, int]
    items: Mapping[str, DeskItem]
    judgements: tuple[Judgement, ...]
    by_unit: Mapping[str, tuple[Judgement, ...]]
    rows: Mapping[str, ConsensusRow]
    reasons: Mapping[str, str]
    desk: Desk


@dataclass(slots=True)
class _Kept:
    """The state last computed, of one application."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    state: State | None = None
    fresh_until: float = 0.0


def state_of(request: Request) -> State:
    """The project's state now, or of a moment ago where computing it takes long."""
    web, kept = web_of(request), _kept(request)
    with kept.lock:
        newest = latest_event(web.store)
        if kept.state is not None and (kept.state.event == newest or time.monotonic() < kept.fresh_until):
            return kept.state
        began = time.monotonic()
        kept.state = _read(web.store, web.protocol, newest, kept.state)
        kept.fresh_until = time.monotonic() + _PATIENCE * (time.monotonic() - began)
        return kept.state


def forget(request: Request) -> None:
    """Let the next page compute its state anew: the lead has just changed it."""
    _kept(request).fresh_until = 0.0


def _kept(request: Request) -> _Kept:
    application = request.app.state
    if not hasattr(application, "desk"):
        application.desk = _Kept()
    kept: _Kept = application.desk
    return kept


def latest_event(store: Store) -> int:
    """Number of the newest event, 0 before the first."""
    with store.reading() as connection:
        return connection.scalar(select(func.max(EventRow.id))) or 0


def _read(store: Store, protocol: Protocol, event: int, before: State | None) -> State:
    """Everything anew but units and items, which never change."""
    units, unit_ids = (before.units, before.unit_ids) if before else _units(store)
    items = before.items if before else _items(store)
    judgements = valid_judgements(store)
    adjudicated, reasons = _adjudicated(store, {number: key for key, number in unit_ids.items()})
    desk = look(protocol, tuple(units.values()), judgements, adjudicated)
    by_unit: dict[str, list[Judgement]] = {}
    for one in judgements:
        by_unit.setdefault(one.unit, []).append(one)
    return State(
        event=event,
        protocol=protocol,
        units=units,
        unit_ids=unit_ids,
        items=items,
        judgements=judgements,
        by_unit={key: tuple(row) for key, row in by_unit.items()},
        rows={row.key: row for row in desk.rows},
        reasons=reasons,
        desk=desk,
    )


def _units(store: Store) -> tuple[dict[str, Unit], dict[str, int]]:
    columns = (UnitRow.id, UnitRow.key, UnitRow.items, UnitRow.dimensions, UnitRow.role, UnitRow.gold, UnitRow.tolerance)
    with store.reading() as connection:
        rows = connection.execute(select(*columns).order_by(UnitRow.position, UnitRow.id)).all()
    units = {
        row.key: Unit(row.key, tuple(row.items), tuple(row.dimensions), row.role, dict(row.gold or {}), row.tolerance)
        for row in rows
    }
    return units, {row.key: row.id for row in rows}


def _items(store: Store) -> dict[str, DeskItem]:
    columns = (ItemRow.id, ItemRow.key, ItemRow.modality, ItemRow.sensitive, ItemRow.facts, ItemRow.demographics)
    with store.reading() as connection:
        rows = connection.execute(select(*columns)).all()
    return {row.key: DeskItem(*row) for row in rows}


def _adjudicated(store: Store, keys: Mapping[int, str]) -> tuple[dict[str, dict[str, float]], dict[str, str]]:
    """The last adjudication of each unit: its values and its reason."""
    query = select(EventRow.unit, EventRow.values, EventRow.form).where(EventRow.kind == "adjudication")
    with store.reading() as connection:
        rows = connection.execute(query.order_by(EventRow.id)).all()
    values = {keys[row.unit]: {name: float(value) for name, value in row.values.items()} for row in rows}
    return values, {keys[row.unit]: str((row.form or {}).get("reason", "")) for row in rows}


def adjudicate_unit(
    state: State, store: Store, lead: int, key: str, values: Mapping[str, float], reason: str
) -> None:
    """Keep a lead's word. `UsageError` where the values do not fit the question."""
    adjudicate(store, lead, state.unit_ids[key], values, reason)


@dataclass(frozen=True, slots=True)
class Needed:
    """Answers and hours still wanted, with the ends of the hours' interval; NaN for unknown."""

    ratings: float
    hours: float
    low: float
    high: float


def needed(store: Store) -> Needed:
    """What is still to be done, as the store estimates it."""
    found = remaining_of(store)
    return Needed(found.ratings, found.hours, found.hours_low, found.hours_high)


def new_client_id() -> str:
    """A name for an event that the server itself makes."""
    return str(uuid.uuid4())
