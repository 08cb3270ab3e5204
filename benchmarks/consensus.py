"""How right strict consensus, majority and Dawid-Skene are, for raters of known quality.

    python -m benchmarks.consensus              # the tables of docs/annotation-protocols.md
    python -m benchmarks.consensus --items 500  # quicker and rougher

Simulated projects, so that the truth is known. Every panel has six raters; sensitivity equals specificity.
"""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from emonet.annotation.protocols import (
    Enter,
    Item,
    Simulation,
    SyntheticRater,
    binary,
    latent_consensus,
    presence,
    simulate,
)

PANELS: Mapping[str, tuple[float, ...]] = {
    "six right in 95 %": (0.95,) * 6,
    "six right in 90 %": (0.9,) * 6,
    "six right in 80 %": (0.8,) * 6,
    "six right in 70 %": (0.7,) * 6,
    "two each in 95, 80, 60 %": (0.95, 0.95, 0.8, 0.8, 0.6, 0.6),
    "four in 90 %, two guess": (0.9, 0.9, 0.9, 0.9, 0.5, 0.5),
}
"""Share of right answers of each rater."""
THIRD: tuple[Enter, ...] = ("agree", "all-present", "disagree", "always")


@dataclass(frozen=True, slots=True)
class Outcome:
    """Shares of units. `ratings`: a unit. `kept`: what the strict rule takes; `strict`: right among these; `surest`:
    right among equally many that Dawid-Skene is surest of. `majority`, `latent`: right among all units."""

    ratings: float
    kept: float
    strict: float
    surest: float
    majority: float
    latent: float


def panel(shares: Sequence[float], *, noise: float = 0.0) -> list[SyntheticRater]:
    return [
        SyntheticRater.seeing(f"rater-{number}", share, share, noise=noise)
        for number, share in enumerate(shares, start=1)
    ]


def full(shares: Sequence[float], items: int, seed: int) -> Outcome:
    """Yes or no by three raters a unit, whatever they say."""
    one_asked = binary(dimensions=("elation",), contrast=False)
    return compared(simulate(one_asked, faces(items), panel(shares), seed=seed, audit=1.0))


def sequential(shares: Sequence[float], items: int, seed: int, prevalence: float) -> tuple[float, float, float]:
    """The binary protocol: ratings a unit, and of the triple positives the share that is right (precision) and the
    share of what is present that is among them (recall)."""
    one_asked = binary(dimensions=("elation",), contrast=False)
    run = simulate(one_asked, faces(items), panel(shares), seed=seed, prevalence=prevalence)
    taken = [key for key, decision in run.decisions.items() if decision.outcome == "agreed"]
    there = {key for key, truth in run.truth.items() if truth["elation"] > 0}
    found = sum(key in there for key in taken)
    return len(run.judgements) / items, found / len(taken), found / len(there)


def graded(third: Enter, items: int, seed: int) -> Outcome:
    """Three levels by raters who see presence in 85 % and report its strength with a deviation of 0.6."""
    one_asked = presence(dimensions=("elation",), third=third)
    return compared(simulate(one_asked, faces(items), panel((0.85,) * 6, noise=0.6), seed=seed))


def compared(run: Simulation) -> Outcome:
    truth = {key: values["elation"] for key, values in run.truth.items()}
    latent = latent_consensus(run.protocol, run.units, run.judgements)
    agreed = {key: one.values["elation"] for key, one in run.decisions.items() if one.outcome == "agreed"}
    surest = sorted(latent.units, key=lambda key: -max(latent.probability[key]))[: len(agreed)]
    return Outcome(
        ratings=len(run.judgements) / len(run.units),
        kept=len(agreed) / len(run.units),
        strict=right(agreed, truth),
        surest=right({key: latent.value[key] for key in surest}, truth),
        majority=right(most_given(run), truth),
        latent=right(latent.value, truth),
    )


def most_given(run: Simulation) -> dict[str, float]:
    """The level given most often to each unit, the lower of two given as often."""
    given: dict[str, Counter[float]] = {}
    for one in run.judgements:
        given.setdefault(one.unit, Counter())[one.values["elation"]] += 1
    return {key: min(votes, key=lambda level: (-votes[level], level)) for key, votes in given.items()}


def right(values: Mapping[str, float], truth: Mapping[str, float]) -> float:
    return sum(value == truth[key] for key, value in values.items()) / len(values)


def faces(count: int) -> list[Item]:
    return [Item(f"face-{number:05d}", f"{number:05d}.png", dimensions=("elation",)) for number in range(count)]


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def share(value: float) -> str:
    return f"{100 * value:.1f} %"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--items", type=int, default=4000, help="units in each project")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    rows = []
    for name, shares in PANELS.items():
        one = full(shares, options.items, options.seed)
        rows.append([name, *map(share, (one.kept, one.strict, one.surest, one.majority, one.latent))])
    print(table(("raters", "strict keeps", "of these right", "as many by DS", "majority", "DS"), rows))
    print()
    rows = []
    for prevalence in (0.8, 0.3, 0.05):
        for name, shares in list(PANELS.items())[:3]:
            asked, precision, recall = sequential(shares, options.items, options.seed, prevalence)
            rows.append([share(prevalence), name, f"{asked:.2f}", share(precision), share(recall)])
    print(table(("present", "raters", "ratings a target", "triple positives right", "of present found"), rows))
    print()
    rows = []
    for third in THIRD:
        one = graded(third, options.items, options.seed)
        row = (one.kept, one.strict, one.surest, one.majority, one.latent)
        rows.append([f"`{third}`", f"{one.ratings:.2f}", *map(share, row)])
    print(table(("third rater", "ratings a clip", "agreed", "of these right", "as many by DS", "majority", "DS"), rows))


if __name__ == "__main__":
    main()
