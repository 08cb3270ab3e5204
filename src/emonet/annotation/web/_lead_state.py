"""The project as the lead's desk sees it, computed once for each state and kept in memory until something happens.

Every process keeps its own; the database alone is the truth.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from fastapi import Request

from emonet.annotation.desk import ConsensusRow, Desk, disagreements, look
from emonet.annotation.protocols import Judgement, Protocol, Unit
from emonet.annotation.store import (
    ProjectItem,
    Remaining,
    Store,
    adjudications,
    items,
    last_event,
    remaining,
    units,
    valid_judgements,
)
from emonet.annotation.web._deps import web_of

_PATIENCE = 10.0
"""A state is kept for so many times as long as it took to compute, so that raters' answers do not keep a large
project's desk computing without end."""


@dataclass(frozen=True, slots=True, eq=False)
class State:
    """`event`: number of the newest event taken in. Units, items and rows by key; `by_unit`: judgements that
    stand; `left`: what is still to do."""

    event: int
    protocol: Protocol
    units: Mapping[str, Unit]
    items: Mapping[str, ProjectItem]
    judgements: tuple[Judgement, ...]
    by_unit: Mapping[str, tuple[Judgement, ...]]
    rows: Mapping[str, ConsensusRow]
    desk: Desk
    left: Remaining


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
        newest = last_event(web.store)
        if kept.state is not None and (kept.state.event == newest or time.monotonic() < kept.fresh_until):
            return kept.state
        began = time.monotonic()
        kept.state = _read(web.store, web.protocol, newest, kept.state)
        kept.fresh_until = time.monotonic() + _PATIENCE * (time.monotonic() - began)
        return kept.state


def take_in(request: Request, unit: str, values: Mapping[str, float], event: int) -> None:
    """Let the state know a lead's word at once. It changes no other figure, so nothing is computed anew for it."""
    kept = _kept(request)
    with kept.lock:
        state = kept.state
        if state is None or unit not in state.rows:
            return
        rows = {**state.rows, unit: replace(state.rows[unit], adjudicated=dict(values))}
        listed = tuple(rows.values())
        desk = replace(state.desk, rows=listed, disagreements=disagreements(listed))
        seen = event if state.event >= event - 1 else state.event
        kept.state = replace(state, event=seen, rows=rows, desk=desk)


def _kept(request: Request) -> _Kept:
    application = request.app.state
    if not hasattr(application, "desk"):
        application.desk = _Kept()
    kept: _Kept = application.desk
    return kept


def _read(store: Store, protocol: Protocol, event: int, before: State | None) -> State:
    """Everything anew but units and items, which never change."""
    asked = before.units if before else {unit.key: unit for unit in units(store)}
    known = before.items if before else {item.key: item for item in items(store)}
    judgements = valid_judgements(store)
    desk = look(protocol, tuple(asked.values()), judgements, adjudications(store))
    by_unit: dict[str, list[Judgement]] = {}
    for one in judgements:
        by_unit.setdefault(one.unit, []).append(one)
    return State(
        event=event,
        protocol=protocol,
        units=asked,
        items=known,
        judgements=judgements,
        by_unit={key: tuple(row) for key, row in by_unit.items()},
        rows={row.key: row for row in desk.rows},
        desk=desk,
        left=remaining(store),
    )
