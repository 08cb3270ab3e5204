"""From items to the questions about them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

import numpy as np

from emonet.annotation.protocols._answers import check_answer
from emonet.annotation.protocols._documents import check_protocol
from emonet.annotation.protocols._items import Item
from emonet.annotation.protocols._records import Protocol, Role, Unit
from emonet.annotation.protocols._sets import design
from emonet.errors import UsageError


def make_units(
    protocol: Protocol, items: Sequence[Item], *, seed: int, audit: float = 0.0, appearances: int = 8
) -> tuple[Unit, ...]:
    """The units of a project: practice and gold first, then the work in a random order fixed by `seed`.

    levels: one unit for an item and a dimension it was made for (role "target", key "item:dimension"; every dimension
    of the protocol where the item names none), and one for the opposing dimension where the protocol has contrasts
    ("contrast"). sliders: one unit an item ("plain"). pair and best-worst: sets in which each item appears about
    `appearances` times, so linked that all items of a dimension can be compared, sides at random. form: one unit.

    audit: share of the target units that is drawn at random into the role "plain", where everybody is asked whatever
    the answers; agreement over these is unbiased, unlike over units whose later raters depend on earlier answers.
    Gold and training items become units of their own with the known answer; in pairs and sets they are compared among
    themselves. Raises `UsageError` naming the item that does not fit.
    """
    check_protocol(protocol)
    if not 0 <= audit <= 1:
        raise UsageError(f"audit is {audit}; expected a share from 0 to 1.")
    _check_items(protocol, items)
    generator = np.random.default_rng(seed)
    work = [item for item in items if not item.gold]
    units = _asked(protocol, work, generator, appearances)
    known = list(_known(protocol, [item for item in items if item.gold]))
    if audit:
        units = _audited(protocol, units, audit, generator)
    shuffled = [units[index] for index in generator.permutation(len(units))]
    out = (*known, *shuffled)
    counts = Counter(unit.key for unit in out)
    if twice := next((key for key, count in counts.items() if count > 1), None):
        raise UsageError(f"Two units would have the key {twice!r}; rename the items it names.")
    return out


def _check_items(protocol: Protocol, items: Sequence[Item]) -> None:
    counts = Counter(item.key for item in items)
    if twice := next((key for key, count in counts.items() if count > 1), None):
        raise UsageError(f"Item {twice!r} occurs {counts[twice]} times; keys of items must be unique.")
    known = set(protocol.dimensions)
    for item in items:
        if stray := next((name for name in (*item.dimensions, *item.gold) if name not in known), None):
            raise UsageError(
                f"Item {item.key!r} has the dimension {stray!r}, which protocol {protocol.name!r} does not ask. It "
                f"asks: {', '.join(protocol.dimensions[:40]) or 'none'}. Use the taxonomy's keys (emonet.taxonomy)."
            )
        if item.training and not item.gold:
            raise UsageError(f"Item {item.key!r} is for training but has no known answer (gold) to give feedback on.")


def _asked(protocol: Protocol, items: Sequence[Item], generator: np.random.Generator, appearances: int) -> list[Unit]:
    """Units of ordinary items."""
    if protocol.question == "form":
        return [Unit("questionnaire", (), ())]
    if protocol.question == "sliders":
        return [Unit(item.key, (item.key,), protocol.dimensions) for item in items]
    if protocol.question == "levels":
        return [unit for item in items for unit in _levels(protocol, item)]
    units = []
    for dimension in protocol.dimensions or ("",):
        pool = [item.key for item in items if not item.dimensions or dimension in item.dimensions]
        asked = (dimension,) if dimension else ()
        for chosen in design(pool, protocol.set_size, appearances, generator, dimension):
            units.append(Unit(_set_key(chosen, asked), chosen, asked))
    return units


def _levels(protocol: Protocol, item: Item) -> Iterator[Unit]:
    asked = item.dimensions or protocol.dimensions
    for dimension in asked:
        yield Unit(f"{item.key}:{dimension}", (item.key,), (dimension,), "target")
        opposite = protocol.contrast.get(dimension)
        if opposite is not None and opposite not in asked:
            yield Unit(f"{item.key}:{opposite}", (item.key,), (opposite,), "contrast")


def _audited(protocol: Protocol, units: list[Unit], share: float, generator: np.random.Generator) -> list[Unit]:
    """The same units, a random share of the targets turned into plain ones."""
    if "plain" not in protocol.rules or protocol.question != "levels":
        raise UsageError(f"Protocol {protocol.name!r} has no rule for audited units (role 'plain' beside 'target').")
    targets = [index for index, unit in enumerate(units) if unit.role == "target"]
    drawn = set(generator.permutation(targets)[: round(share * len(targets))].tolist())
    return [
        Unit(unit.key, unit.items, unit.dimensions, "plain") if index in drawn else unit
        for index, unit in enumerate(units)
    ]


def _known(protocol: Protocol, items: Sequence[Item]) -> Iterator[Unit]:
    """Units with a known answer, each checked to be an answer that a rater could give."""
    usual: Role = "target" if protocol.question == "levels" else "plain"
    if protocol.question == "form" and items:
        raise UsageError(f"Item {items[0].key!r} has a known answer, but a questionnaire asks about no items.")
    if protocol.question in ("pair", "best-worst"):
        yield from _known_sets(protocol, items, usual)
        return
    for item in items:
        role: Role = "training" if item.training else usual
        if protocol.question == "sliders":
            made = [Unit(item.key, (item.key,), protocol.dimensions, role, dict(item.gold), item.tolerance)]
        else:
            made = [
                Unit(f"{item.key}:{name}", (item.key,), (name,), role, {name: value}, item.tolerance)
                for name, value in item.gold.items()
            ]
        for unit in made:
            check_answer(protocol, unit, unit.gold)
            yield unit


def _known_sets(protocol: Protocol, items: Sequence[Item], usual: Role) -> Iterator[Unit]:
    """Sets of gold items whose known values tell the answer: sorted by value, far apart, without ties at the ends."""
    for training in (True, False):
        for dimension in protocol.dimensions:
            pool = [item for item in items if item.training == training and dimension in item.gold]
            pool.sort(key=lambda item: (item.gold[dimension], item.key))
            sets = len(pool) // protocol.set_size
            if pool and not sets:
                raise UsageError(
                    f"{len(pool)} gold items have a known {dimension!r}; a set takes {protocol.set_size}. Add more."
                )
            for start in range(sets):
                chosen = pool[start::sets][: protocol.set_size]
                values = [item.gold[dimension] for item in chosen]
                if values[0] == values[1] or values[-1] == values[-2]:
                    raise UsageError(
                        f"Gold items {', '.join(item.key for item in chosen)} tie on {dimension!r} ({values}); the "
                        "most and the least of a set must be certain."
                    )
                answer = {item.key: 0.0 for item in chosen}
                answer[chosen[0].key] = 0.0 if protocol.question == "pair" else -1.0
                answer[chosen[-1].key] = 1.0
                shown = tuple(sorted(answer))  # by key, so that the side tells nothing
                role: Role = "training" if training else usual
                yield Unit(_set_key(shown, (dimension,)), shown, (dimension,), role, answer)


def _set_key(items: Sequence[str], dimensions: Sequence[str]) -> str:
    return ":".join(("|".join(items), *dimensions))
