"""Everything the lead's desk shows of one state of a project, computed together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from emonet.annotation.desk._activity import Activity, activity
from emonet.annotation.desk._agreement import RESAMPLES, Agreement, agreement, agreement_by_dimension, mean_alpha
from emonet.annotation.desk._answers import tabulate
from emonet.annotation.desk._consensus import Beside, ConsensusRow, Disagreement, beside, consensus_rows, disagreements
from emonet.annotation.desk._funnel import Funnel, funnels
from emonet.annotation.desk._raters import RaterRow, rater_rows
from emonet.annotation.protocols import Judgement, Latent, Protocol, Unit, latent_consensus, settle


@dataclass(frozen=True, slots=True, eq=False)
class Desk:
    """`overall`: agreement over everything, and over the units that had their raters whatever they answered
    (`overall_open`, None where there are none apart from the others). `mean_alpha`: mean of the dimensions' alphas.
    `latent`, `beside`: Dawid-Skene, None for questions without levels. `answers`, `skips`: judgements of ordinary
    units. `units`, `done`: ordinary units, and those that want nobody."""

    overall: Agreement
    overall_open: Agreement | None
    mean_alpha: float
    by_dimension: tuple[Agreement, ...]
    raters: tuple[RaterRow, ...]
    funnels: tuple[Funnel, ...]
    rows: tuple[ConsensusRow, ...]
    latent: Latent | None
    beside: Beside | None
    disagreements: tuple[Disagreement, ...]
    activity: Activity
    units: int
    done: int
    answers: int
    skips: int

    @property
    def flagged(self) -> tuple[RaterRow, ...]:
        """Raters with signs of answering without care."""
        return tuple(row for row in self.raters if row.signs.signs)

    @property
    def undecided(self) -> tuple[Disagreement, ...]:
        """Disagreements that nobody has adjudicated."""
        return tuple(one for one in self.disagreements if one.row.adjudicated is None)


def look(
    protocol: Protocol,
    units: Sequence[Unit],
    judgements: Sequence[Judgement],
    adjudicated: Mapping[str, Mapping[str, float]] | None = None,
    *,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> Desk:
    """All figures of the project's state.

    judgements: those that stand (undone and corrected ones replaced). adjudicated: a lead's values by unit. Some
    seconds for tens of thousands of answers; the web application keeps the result until something happens.
    """
    table = tabulate(protocol, units, judgements)
    settled = settle(protocol, units, judgements)
    latent = latent_consensus(protocol, units, judgements) if protocol.question == "levels" else None
    rows = consensus_rows(protocol, settled, latent, adjudicated or {})
    openly = table.open & ~table.open.all() if len(table.open) else table.open
    by_dimension = agreement_by_dimension(protocol, table, resamples=resamples, seed=seed)
    steps = funnels(protocol, settled)
    ordinary = {unit.key for unit in units if not unit.gold and unit.role != "training"}
    work = [one for one in judgements if one.unit in ordinary]
    answered = sum(one.skipped is None for one in work)
    return Desk(
        overall=agreement(protocol, table, resamples=resamples, seed=seed),
        overall_open=(
            agreement(protocol, table.columns(openly), resamples=resamples, seed=seed) if openly.any() else None
        ),
        mean_alpha=mean_alpha(by_dimension),
        by_dimension=by_dimension,
        raters=rater_rows(protocol, units, judgements, table, latent, resamples=resamples, seed=seed),
        funnels=steps,
        rows=rows,
        latent=latent,
        beside=beside(rows, latent) if latent else None,
        disagreements=disagreements(rows),
        activity=activity(work),
        units=sum(funnel.units for funnel in steps),
        done=sum(funnel.done for funnel in steps),
        answers=answered,
        skips=len(work) - answered,
    )
