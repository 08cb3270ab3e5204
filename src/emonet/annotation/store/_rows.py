"""Rows of the database as records."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, TypeAlias

from sqlalchemy import Connection, select

from emonet.annotation.protocols import Unit
from emonet.annotation.store._engine import Store
from emonet.annotation.store._records import Person, ProjectItem, UnitState
from emonet.annotation.store._tables import ItemRow, PersonRow, UnitRow

AnyRow: TypeAlias = Any
"""A row of a query; its fields are the columns that were selected."""
UNITS, PEOPLE, ITEMS = UnitRow.__table__, PersonRow.__table__, ItemRow.__table__
UNIT_COLUMNS = (
    UnitRow.id,
    UnitRow.key,
    UnitRow.items,
    UnitRow.item_ids,
    UnitRow.dimensions,
    UnitRow.role,
    UnitRow.gold,
    UnitRow.tolerance,
    UnitRow.kind,
)
"""What a `Unit` and its kind are made of; plain columns, since rows of objects cost more."""


def unit_of(row: AnyRow) -> Unit:
    """The question of a row that has `UNIT_COLUMNS`."""
    return Unit(row.key, tuple(row.items), tuple(row.dimensions), row.role, row.gold, row.tolerance)


def item_of(row: AnyRow) -> ProjectItem:
    """The item of a row of `items`."""
    return ProjectItem(
        row.id, row.key, row.media, row.modality, row.facts, tuple(row.dimensions), row.demographics, row.sensitive
    )


def person_of(row: AnyRow) -> Person:
    """The person of a row of `people`."""
    return Person(row.id, row.code, row.login, row.name, row.role, row.demographics, row.active, row.created)


def state_of(row: AnyRow, items: Sequence[ProjectItem]) -> UnitState:
    """The unit and its derived columns, of a row of `units`."""
    return UnitState(
        row.id,
        unit_of(row),
        row.kind,
        tuple(items),
        row.stage,
        row.wanted,
        row.free,
        row.answers,
        row.outcome,
        row.type,
        row.agreed,
        row.adjudicated,
    )


def known_items(store: Store, connection: Connection, ids: Iterable[str]) -> dict[str, ProjectItem]:
    """Items by id; each is read from the database once, since items never change."""
    wanted = list(dict.fromkeys(ids))
    known = store.known.items
    if missing := [one for one in wanted if one not in known]:
        for start in range(0, len(missing), 500):
            found = connection.execute(select(ITEMS).where(ItemRow.id.in_(missing[start : start + 500])))
            known.update({row.id: item_of(row) for row in found})
    return {one: known[one] for one in wanted if one in known}
