"""Making a project, and reading what never changes about it: the project, its items and its units."""

from __future__ import annotations

import random
import secrets
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import insert, select, text

from emonet.annotation.protocols import (
    Item,
    Unit,
    check_protocol,
    first_stage,
    protocol_from_dict,
    protocol_to_dict,
)
from emonet.annotation.store._engine import Store
from emonet.annotation.store._records import Kind, NoProjectError, Project, ProjectItem
from emonet.annotation.store._rows import ITEMS, UNIT_COLUMNS, item_of, known_items, unit_of
from emonet.annotation.store._tables import ItemRow, ProjectRow, StratumRow, UnitRow
from emonet.errors import UsageError

MOST_STRATA = 96
"""Demographics are balanced one by one until their combinations, with the roles, would be more than these."""
_FEW = 24
"""Values of a demographic that is worth balancing; a speaker's name is not."""


def create_project(
    store: Store, project: Project, items: Sequence[Item], units: Sequence[Unit], *, now: datetime | None = None
) -> None:
    """Store a project in an empty database: all or nothing.

    units: as `make_units` returned them for these items; their order is the order of the work. Raises
    `NoProjectError` where there is a project already, `UsageError` for units of items that are not given.
    """
    check_protocol(project.protocol)
    project = _settled(project, items, units)
    ids = {item.key: secrets.token_urlsafe(12) for item in items}
    if len(ids) < len(items):
        twice = next(key for key, count in Counter(item.key for item in items).items() if count > 1)
        raise UsageError(f"The item {twice!r} is given twice; keys of items must be unique.")
    strata, of_unit = _strata(project, items, units)
    with store.writing() as connection:
        if connection.execute(select(ProjectRow.id)).first():
            raise NoProjectError(f"{store.url} holds a project already; a database holds one. Choose another.")
        connection.execute(
            insert(ProjectRow).values(
                id=1,
                name=project.name,
                protocol=protocol_to_dict(project.protocol),
                settings=_settings(project),
                created=now or datetime.now(UTC),
            )
        )
        if items:
            connection.execute(insert(ItemRow), [_item_values(item, ids[item.key]) for item in items])
        connection.execute(insert(StratumRow), strata)
        connection.execute(insert(UnitRow), list(_unit_values(project, units, ids, of_unit)))
        connection.execute(text("ANALYZE"))
    store.known.project = None


def read_project(store: Store) -> Project:
    """The project; read once, as it never changes. `NoProjectError` for a database without one."""
    if store.known.project is None:
        with store.reading() as connection:
            row = connection.execute(select(ProjectRow.__table__)).one_or_none()
        if row is None:
            raise NoProjectError(f"{store.url} has tables but no project. Make one with: emonet annotate init")
        settings = row.settings
        store.known.project = Project(
            name=row.name,
            protocol=protocol_from_dict(row.protocol),
            seed=settings["seed"],
            lease=timedelta(seconds=settings["lease_s"]),
            undo=timedelta(seconds=settings["undo_s"]),
            same_item=settings["same_item"],
            balance=tuple(settings["balance"]),
        )
    return store.known.project


def items(store: Store) -> tuple[ProjectItem, ...]:
    """All items, by key."""
    with store.reading() as connection:
        return tuple(item_of(row) for row in connection.execute(select(ITEMS).order_by(ItemRow.key)))


def units(store: Store) -> tuple[Unit, ...]:
    """All units in the order of the work, practice and gold among them."""
    with store.reading() as connection:
        return tuple(unit_of(row) for row in connection.execute(select(*UNIT_COLUMNS).order_by(UnitRow.position)))


def find_item(store: Store, item_id: str) -> ProjectItem | None:
    """The item of an opaque id, None for none."""
    if (known := store.known.items.get(item_id)) is not None:
        return known
    with store.reading() as connection:
        return known_items(store, connection, [item_id]).get(item_id)


def kind_of_unit(unit: Unit) -> Kind:
    """Practice is a role; a check is any other unit with a known answer."""
    return "training" if unit.role == "training" else "gold" if unit.gold else "work"


def _settled(project: Project, items: Sequence[Item], units: Sequence[Unit]) -> Project:
    """The project with nothing left to choose, checked against its units."""
    if not units:
        raise UsageError("A project needs at least one unit; make_units found nothing to ask about.")
    if project.lease <= timedelta() or project.undo < timedelta():
        raise UsageError(f"lease is {project.lease} and undo {project.undo}; expected times above (or for undo, at) 0.")
    known = {item.key for item in items}
    keys = Counter(unit.key for unit in units)
    if twice := next((key for key, count in keys.items() if count > 1), None):
        raise UsageError(f"The unit {twice!r} is given twice; keys of units must be unique.")
    for unit in units:
        if stray := next((key for key in unit.items if key not in known), None):
            raise UsageError(f"Unit {unit.key!r} asks about the item {stray!r}, which is not among the items given.")
    single = Counter(unit.items[0] for unit in units if len(unit.items) == 1 and kind_of_unit(unit) == "work")
    same_item = project.same_item or ("never" if max(single.values(), default=0) <= 2 else "avoid")
    balance = _balanced(items, len({unit.role for unit in units})) if project.balance is None else project.balance
    names = {name for item in items for name in item.demographics}
    if unknown := next((name for name in balance if name not in names), None):
        raise UsageError(
            f"balance names {unknown!r}; the items' demographics are: {', '.join(sorted(names)) or 'none'}."
        )
    return replace(project, same_item=same_item, balance=tuple(balance))


def _balanced(items: Sequence[Item], roles: int) -> tuple[str, ...]:
    """Demographics with few values, those with the fewest first, while their combinations stay few."""
    values: dict[str, set[str]] = {}
    for item in items:
        for name, value in item.demographics.items():
            values.setdefault(name, set()).add(value)
    chosen, combinations = [], max(1, roles)
    for name, found in sorted(values.items(), key=lambda entry: (len(entry[1]), entry[0])):
        if 1 < len(found) <= _FEW and combinations * len(found) <= MOST_STRATA:
            chosen.append(name)
            combinations *= len(found)
    return tuple(chosen)


def _strata(
    project: Project, items: Sequence[Item], units: Sequence[Unit]
) -> tuple[list[dict[str, Any]], dict[str, int]]:
    """Rows of `strata`, and the stratum of each unit by its key. A set belongs where its first item does."""
    demographics = {item.key: item.demographics for item in items}
    of_unit: dict[str, int] = {}
    numbers: dict[tuple[str, ...], int] = {}  # kind, role, demographics
    sizes: Counter[int] = Counter()
    for unit in units:
        facts = demographics[unit.items[0]] if unit.items else {}
        place = (kind_of_unit(unit), unit.role, *(facts.get(name, "") for name in project.balance or ()))
        of_unit[unit.key] = numbers.setdefault(place, len(numbers) + 1)
        sizes[of_unit[unit.key]] += 1
    names = ("role", *(project.balance or ()))
    rows = [
        {"id": number, "kind": place[0], "facts": dict(zip(names, place[1:], strict=True)), "units": sizes[number]}
        for place, number in numbers.items()
    ]
    return rows, of_unit


def _unit_values(
    project: Project, units: Sequence[Unit], ids: Mapping[str, str], strata: Mapping[str, int]
) -> list[dict[str, Any]]:
    numbers = list(range(1, len(units) + 1))
    # The number of a unit is seen by raters; in order, it would tell practice and gold from work.
    random.SystemRandom().shuffle(numbers)
    rows = []
    for position, (number, unit) in enumerate(zip(numbers, units, strict=True), start=1):
        decision = first_stage(project.protocol, unit)
        item_ids = [ids[key] for key in unit.items]
        rows.append(
            {
                "id": number,
                "key": unit.key,
                "items": list(unit.items),
                "item_ids": item_ids,
                "item": item_ids[0] if len(item_ids) == 1 else None,
                "dimensions": list(unit.dimensions),
                "role": unit.role,
                "gold": dict(unit.gold),
                "tolerance": unit.tolerance,
                "kind": kind_of_unit(unit),
                "position": position,
                "stratum": strata[unit.key],
                "stage": decision.stage,
                "wanted": decision.wanted,
                "free": decision.wanted,
                "begun": 0,
                "answers": 0,
                "outcome": decision.outcome,
                "type": decision.type,
                "agreed": dict(decision.values),
                "adjudicated": False,
            }
        )
    return rows


def _item_values(item: Item, item_id: str) -> dict[str, Any]:
    return {
        "id": item_id,
        "key": item.key,
        "media": item.media,
        "modality": item.modality,
        "facts": dict(item.facts),
        "dimensions": list(item.dimensions),
        "demographics": dict(item.demographics),
        "sensitive": item.sensitive,
    }


def _settings(project: Project) -> dict[str, Any]:
    return {
        "seed": project.seed,
        "lease_s": project.lease.total_seconds(),
        "undo_s": project.undo.total_seconds(),
        "same_item": project.same_item,
        "balance": list(project.balance or ()),
    }
