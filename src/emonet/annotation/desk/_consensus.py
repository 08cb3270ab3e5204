"""What each unit came to: the protocol's strict rule beside Dawid-Skene, and where raters disagree."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from emonet.annotation.desk._funnel import ending
from emonet.annotation.protocols import Latent, Protocol, Settled


@dataclass(frozen=True, slots=True)
class ConsensusRow:
    """`settled`: the unit, its answers and the rule's decision. `adjudicated`: the values a lead has given it, None
    for nobody's word. `ending`: how it ended by the rule ("" while it wants people). `latent`: Dawid-Skene's value,
    `certainty` its probability; both None where it was not computed. `match`: whether rule and Dawid-Skene say the
    same, None where either says nothing. `spread`: largest distance between two answers, in shares of the scale."""

    settled: Settled
    adjudicated: Mapping[str, float] | None
    ending: str
    latent: float | None
    certainty: float | None
    match: bool | None
    spread: float

    @property
    def key(self) -> str:
        """Of the unit."""
        return self.settled.unit.key

    @property
    def strict(self) -> Mapping[str, float]:
        """The values that stand: the lead's, else the rule's; empty for none."""
        return self.adjudicated if self.adjudicated is not None else self.settled.decision.values


def consensus_rows(
    protocol: Protocol,
    settled: Sequence[Settled],
    latent: Latent | None,
    adjudicated: Mapping[str, Mapping[str, float]],
) -> tuple[ConsensusRow, ...]:
    """One row for each unit with an answer, in the order of `settled`; gold and training units are left out.

    adjudicated: a lead's values by unit.
    """
    width = (protocol.scale[1] - protocol.scale[0]) or 1.0
    work = (row for row in settled if row.answers and not row.unit.gold and row.unit.role != "training")
    return tuple(_row(protocol, row, latent, adjudicated.get(row.unit.key), width) for row in work)


def _row(
    protocol: Protocol, row: Settled, latent: Latent | None, adjudicated: Mapping[str, float] | None, width: float
) -> ConsensusRow:
    key = row.unit.key
    value = latent.value.get(key) if latent else None
    certainty = max(latent.probability[key]) if latent and value is not None else None
    decided = row.decision.values.get(row.unit.dimensions[0]) if row.decision.values and value is not None else None
    return ConsensusRow(
        settled=row,
        adjudicated=adjudicated,
        ending="" if row.decision.wanted else ending(protocol, row),
        latent=value,
        certainty=certainty,
        match=None if decided is None else decided == value,
        spread=max(row.spread.values(), default=0.0) / width,
    )


@dataclass(frozen=True, slots=True)
class Beside:
    """The rule's endings against Dawid-Skene's level: `counts` [endings, levels], over units that want nobody.
    `changed`: units on which the rule agreed and Dawid-Skene says another level. `resolved`: disputed units on which
    it is at least `SURE` certain."""

    endings: tuple[str, ...]
    levels: tuple[float, ...]
    counts: tuple[tuple[int, ...], ...]
    changed: int
    resolved: int


SURE = 0.95


def beside(rows: Sequence[ConsensusRow], latent: Latent) -> Beside:
    """The table of both verdicts."""
    done = [row for row in rows if row.ending and row.latent is not None]
    endings = tuple(dict.fromkeys(row.ending for row in sorted(done, key=lambda row: row.ending)))
    counts = tuple(
        tuple(sum(row.ending == name and row.latent == level for row in done) for level in latent.levels)
        for name in endings
    )
    changed = sum(row.match is False for row in done)
    resolved = sum(row.ending == "disputed" and (row.certainty or 0.0) >= SURE for row in done)
    return Beside(endings, latent.levels, counts, changed, resolved)


@dataclass(frozen=True, slots=True)
class Disagreement:
    """A unit that people answered differently. `weight`: how much it is worth looking at, 0 to 1: for levels the
    doubt that Dawid-Skene leaves (twice the probability of not being the likeliest level), else the spread."""

    row: ConsensusRow
    weight: float


def disagreements(rows: Sequence[ConsensusRow]) -> tuple[Disagreement, ...]:
    """Disputed units; items with sliders half the scale apart or further; sets of which one person called an item the
    most, another the least. Those that nobody has adjudicated first, most doubtful first. Units that still want people
    are left out."""
    found = [Disagreement(row, _weight(row)) for row in rows if row.ending and _differs(row)]
    return tuple(sorted(found, key=lambda one: (one.row.adjudicated is not None, -one.weight, one.row.key)))


def _differs(row: ConsensusRow) -> bool:
    apart = 1.0 if len(row.settled.unit.items) > 1 else 0.5
    return row.ending == "disputed" or (row.ending == "rated" and row.settled.answers > 1 and row.spread >= apart)


def _weight(row: ConsensusRow) -> float:
    return row.spread if row.certainty is None else min(1.0, 2 * (1 - row.certainty))
