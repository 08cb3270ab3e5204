"""Published judgements put through a protocol again, to see that it is the one they were made by."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from emonet.annotation.protocols._decisions import decide
from emonet.annotation.protocols._ready import binary
from emonet.annotation.protocols._records import Decision, Judgement, Role, Unit
from emonet.errors import UsageError

if TYPE_CHECKING:
    from emonet.datasets import LabelledSet

_NO_TIME = datetime(1970, 1, 1, tzinfo=UTC)
_UNKNOWN_STAGE = 99
"""Orders judgements of unknown stage behind the known ones; all of one unit are then unknown and equal."""


@dataclass(frozen=True, slots=True)
class Replay:
    """`ratings`: by role, judgements used in each stage; `present`: those of them that said yes. `decisions`: by
    unit ("item:dimension"). `triple_positive`: targets that three raters said yes to. `open`: units that still want a
    rater. `unasked`: judgements in the table that the protocol would not have asked for."""

    ratings: Mapping[Role, tuple[int, ...]]
    present: Mapping[Role, tuple[int, ...]]
    decisions: Mapping[str, Decision]
    triple_positive: int
    open: int
    unasked: int


def replay_binary(labelled: LabelledSet) -> Replay:
    """Put EmoNet-Face Binary's judgements (`emonet.datasets.read_face_binary`) through `binary()`.

    Each unit is given its judgements in their order for as long as the protocol wants one. Where the table does not
    tell which of an item's two emotions was the target, both have a single judgement, and a target's single judgement
    after the first 2,000 items is a no: a yes is then taken as the contrast's. If both are no, it does not matter.

    Raises `UsageError` for another set, or for judgements of one rater twice.
    """
    protocol = binary()
    missing = {"target", "contrast"} - set(labelled.items.columns)
    if missing:
        raise UsageError(f"{labelled.name!r} has no column {sorted(missing)}; pass what read_face_binary returns.")
    stages = {role: len(rule) for role, rule in protocol.rules.items()}
    ratings: dict[Role, list[int]] = {"target": [0] * stages["target"], "contrast": [0] * stages["contrast"]}
    present: dict[Role, list[int]] = {role: list(counts) for role, counts in ratings.items()}
    decisions, unasked = {}, 0
    for unit, judgements in _units(labelled):
        used: list[Judgement] = []
        for judgement in judgements:
            decision = decide(protocol, unit, used)
            if not decision.wanted:
                break
            used.append(judgement)
            ratings[unit.role][decision.stage - 1] += 1
            present[unit.role][decision.stage - 1] += judgement.values[unit.dimensions[0]] > 0
        unasked += len(judgements) - len(used)
        decisions[unit.key] = decide(protocol, unit, used)
    return Replay(
        ratings={role: tuple(counts) for role, counts in ratings.items()},
        present={role: tuple(counts) for role, counts in present.items()},
        decisions=decisions,
        triple_positive=sum(
            decision.outcome == "agreed" and decision.stage == stages["target"] and any(decision.values.values())
            for decision in decisions.values()
        ),
        open=sum(decision.outcome is None for decision in decisions.values()),
        unasked=unasked,
    )


def _units(labelled: LabelledSet) -> Iterator[tuple[Unit, Sequence[Judgement]]]:
    """Every (item, emotion) with its judgements in the order of their stages."""
    given: dict[str, dict[str, list[tuple[int, str, float, str]]]] = {}
    for item, rater, dimension, value, role, stage, _ in labelled.ratings.table.iter_rows():
        of_item = given.setdefault(item, {})
        of_item.setdefault(dimension, []).append((_UNKNOWN_STAGE if stage is None else stage, rater, value, role))
    for item, dimensions in given.items():
        undecided = sorted(name for name, rows in dimensions.items() if rows[0][3] not in ("target", "contrast"))
        # A no before a yes: the first is taken as the target.
        undecided.sort(key=lambda name: dimensions[name][0][2])
        for name, rows in dimensions.items():
            of: Role = "contrast" if rows[0][3] == "contrast" or name in undecided[1:] else "target"
            unit = Unit(f"{item}:{name}", (item,), (name,), of)
            ordered = enumerate(sorted(rows), start=1)
            yield (
                unit,
                [Judgement(unit.key, rater, at, {name: value}, _NO_TIME, 0) for at, (_, rater, value, _) in ordered],
            )
