"""The project as a labelled set: what every reader of ratings in this package takes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars as pl

from emonet.annotation.protocols import Judgement, Protocol
from emonet.annotation.store._engine import Store
from emonet.annotation.store._history import unit_states, valid_judgements
from emonet.annotation.store._people import people
from emonet.annotation.store._projects import read_project
from emonet.annotation.store._records import ProjectItem, UnitState
from emonet.datasets import RATING_SCHEMA, LabelledSet, Rater, Ratings

SLIDERS = "sliders"
_RESERVED = ("item", "media", "file", "target", "contrast")


def to_ratings(store: Store) -> Ratings:
    """The answers that stand to ordinary units, one row for each value. See `to_labelled`."""
    return to_labelled(store).ratings


def to_labelled(store: Store, *, media: Path | None = None) -> LabelledSet:
    """The items with the answers that stand; practice and gold are left out. Raters have their blinded names.

    `protocol` of a rating is the unit's role for levels ("target", "contrast", "plain"), "sliders" for sliders, else
    the protocol's name. A slider that a rater left alone is 0 here, as in LAION's tables; the events tell it from one
    that was set to zero. Of pairs and sets each item has a row for each answer (1 taken or most, -1 least, else 0).
    Forms have no rows. `time` is when the answer came in. media: folder of the items' files, for `read_media`.
    """
    project = read_project(store)
    protocol = project.protocol
    states = {one.unit.key: one for one in unit_states(store) if one.kind == "work"}
    judgements = [one for one in valid_judgements(store) if one.unit in states and one.skipped is None]
    rows = [row for one in judgements for row in _rows(protocol, states[one.unit], one)]
    judged = {one.rater for one in judgements}
    frame = pl.DataFrame(rows, schema=RATING_SCHEMA, orient="row")
    shown = {item.key: item for state in states.values() for item in state.items}
    items = [shown[key] for key in sorted(shown)]
    table, demographics = _items(items, protocol, list(states.values()), media)
    return LabelledSet(
        name=project.name,
        modality=items[0].modality if items else "face",
        items=table,
        ratings=Ratings(frame, tuple(Rater(one.code, "human") for one in people(store) if one.code in judged)),
        dimensions=protocol.dimensions,
        scale=protocol.scale,
        levels=levels_of(protocol),
        asked=_asked(states.values()) if protocol.question == "levels" else None,
        demographics=demographics,
        read_media=None if media is None else _reader(media, items),
        source=f"Rated by people with the protocol {protocol.name!r}",
        notes=(protocol.source,) if protocol.source else (),
    )


def levels_of(protocol: Protocol) -> tuple[float, ...]:
    """All values that an answer may have, in order."""
    if protocol.choices:
        return tuple(sorted(choice.value for choice in protocol.choices))
    low, high = protocol.scale
    return tuple(low + step * protocol.step for step in range(round((high - low) / protocol.step) + 1))


def _rows(protocol: Protocol, state: UnitState, one: Judgement) -> Iterator[tuple[Any, ...]]:
    unit = state.unit
    if len(unit.items) > 1:
        dimension = unit.dimensions[0] if unit.dimensions else ""
        for item in unit.items:
            yield item, one.rater, dimension, one.values[item], protocol.name, one.stage, one.time
    elif unit.items:
        kind = SLIDERS if protocol.question == "sliders" else unit.role
        for dimension in unit.dimensions:
            value = one.values.get(dimension, 0.0)
            yield unit.items[0], one.rater, dimension, value, kind, one.stage, one.time


def _items(
    items: list[ProjectItem], protocol: Protocol, states: list[UnitState], media: Path | None
) -> tuple[pl.DataFrame, tuple[str, ...]]:
    """One row an item with its file, facts and demographics; the names of the columns with demographics."""
    columns: dict[str, pl.Series] = {
        "item": pl.Series([item.key for item in items], dtype=pl.String),
        "file": pl.Series([item.media for item in items], dtype=pl.String),
    }
    if media is not None:
        columns["media"] = pl.Series([str(media / item.media) for item in items], dtype=pl.String)
    if protocol.contrast:
        for role in ("target", "contrast"):
            asked = {one.unit.items[0]: one.unit.dimensions[0] for one in states if _in_role(one, role)}
            columns[role] = pl.Series([asked.get(item.key) for item in items], dtype=pl.String)
    demographics = sorted({name for item in items for name in item.demographics})
    facts = sorted({name for item in items for name in item.facts})
    told = {_column(name, "fact"): [item.facts.get(name) for item in items] for name in facts}
    told |= {_column(name, "demographic"): [item.demographics.get(name) for item in items] for name in demographics}
    columns |= {name: pl.Series(values, dtype=pl.String) for name, values in told.items()}
    return pl.DataFrame(columns), tuple(_column(name, "demographic") for name in demographics)


def _in_role(state: UnitState, role: str) -> bool:
    """Whether the unit tells the item's target or contrast; audited units are targets put to everybody."""
    return len(state.unit.items) == 1 and state.unit.role in ((role, "plain") if role == "target" else (role,))


def _column(name: str, kind: str) -> str:
    return f"{kind}_{name}" if name in _RESERVED else name


def _asked(states: Any) -> pl.DataFrame:
    pairs = [(state.unit.items[0], name) for state in states for name in state.unit.dimensions]
    return pl.DataFrame(pairs, schema={"item": pl.String, "dimension": pl.String}, orient="row").unique(
        maintain_order=True
    )


def _reader(media: Path, items: list[ProjectItem]) -> Any:
    paths = {item.key: media / item.media for item in items}
    return lambda key: paths[key].read_bytes()
