"""Results to draw from: computed ones with every table, a crowded board of 40 emotions, and the barest."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import combinations
from typing import Any

import numpy as np
import polars as pl
import pytest

from emonet.benchmark import HUMAN_CEILING, Analysis, Results, score_raters
from emonet.benchmark._results import table_of
from emonet.datasets import Rater, Ratings
from emonet.taxonomy import EMOTIONS
from made_ratings import made_raters, made_set

HOSTILE = "<script>alert('x')</script> & $P$ | 100 % _a_"
"""A rater's name that no format may take for markup."""


@pytest.fixture(scope="session")
def results() -> Results:
    """60 items, 4 people, 6 emotions, raters of several kinds, one with a hostile name, replies and two ages."""
    made, raters = made_set(), made_raters()
    renamed = {"poor": HOSTILE}
    named = Ratings(
        raters.table.with_columns(pl.col("rater").replace(renamed)),
        tuple(replace(rater, name=renamed.get(rater.name, rater.name)) for rater in raters.raters),
    )
    return score_raters(made, named, replies=_replies(), analysis=Analysis(resamples=100), notes=["<i>a note</i>"])


@pytest.fixture(scope="session")
def crowded() -> Results:
    """40 emotions, 20 raters with names of 45 characters, 8 people; some figures undefined."""
    return _board(20, [emotion.key for emotion in EMOTIONS], people=8)


@pytest.fixture(scope="session")
def bare() -> Results:
    """One rater, two emotions (one outside the taxonomy), nobody else: no ranks, pairs, slices, agreement, ratings."""
    one = _board(1, ["anger", "calm <b>"], people=1)
    return replace(one, ranks=one.ranks.clear(), pairs=one.pairs.clear(), agreement=one.agreement.clear())


@pytest.fixture(scope="session")
def board() -> Callable[..., Results]:
    """Makes results of so many raters, dimensions, people."""
    return _board


def _replies() -> pl.DataFrame:
    statuses = ["ok"] * 8 + ["refused", "malformed", "timeout", "error"]
    return table_of(
        "replies",
        [
            {
                "rater": rater,
                "item": f"item-{number:03d}",
                "status": status,
                "attempts": 1 + number % 2,
                "seconds": 0.5 + number,
                "tokens_in": 1000 if rater == HOSTILE else None,
                "tokens_out": 100 if rater == HOSTILE else None,
                "cost": 0.25 if rater == HOSTILE else None,
                "message": None if status == "ok" else f"<b>{status}</b>",
            }
            for rater in (HOSTILE, "copy")
            for number, status in enumerate(statuses)
        ],
    )


def _board(raters: int, dimensions: list[str], *, people: int) -> Results:
    generator = np.random.default_rng(0)
    kinds = ("bundle", "multi-shot", "zero-shot", "api", "baseline")
    named = [Rater(f"Rater {k:02d} preview 03-25 with a long name (shot)", kinds[k % 5]) for k in range(raters)]
    persons = [f"human-{k + 1}" for k in range(people)]
    names = [HUMAN_CEILING, *(rater.name for rater in named)]
    scores: list[dict[str, Any]] = []
    for row, name in enumerate(names):
        of = {"definition": "strict", "metric": "spearman", "rater": name, "reference": "people", "n": 100}
        top = 0.5 - 0.5 * row / len(names)
        values = {key: float(top + generator.normal(0, 0.1)) for key in dimensions}
        scores.append({**of, "value": top, "low": top - 0.03, "high": top + 0.03, "dimensions_used": len(dimensions)})
        for place, (key, value) in enumerate(values.items()):
            known = (row + place) % 7 > 0 or raters == 1
            ends = {"value": value, "low": value - 0.1, "high": value + 0.1} if known else {"note": "undefined"}
            scores.append({**of, "dimension": key, **ends})
    ranks = [
        {
            "definition": "strict",
            "metric": "spearman",
            "rater": name,
            "rank": row + 1,
            "rank_low": max(row, 1),
            "rank_high": min(row + 2, len(names)),
            "tie_group": "abcdefghijklmnopqrstuvwxyz"[row // 2 : row // 2 + 2],
        }
        for row, name in enumerate(names)
    ]
    pairs = [
        {"definition": "strict", "rater_a": a, "rater_b": b, "dimension": key, "kappa": generator.normal(0.2, 0.1)}
        for a, b in combinations([*persons, *(rater.name for rater in named)], 2)
        for key in (None, *dimensions[:3])
    ]
    agreement = [
        {"dimension": key, "metric": "alpha_ordinal", "value": 0.3, "low": 0.2, "high": 0.4, "n": 100, "raters": people}
        for key in (None, *dimensions)
    ]
    types = [
        {"dimension": key, "type": pattern, "items": 10 + k}
        for key in dimensions
        for k, pattern in enumerate(("3:0 present", "2:1", "1:1", "1:2", "3:0 absent", "1:0 absent"))
    ]
    facts = {
        "set": "made <set>",
        "modality": "face",
        "scale": [0, 7],
        "dimensions": dimensions,
        "groups": {},
        "items": 100,
        "people": persons,
        "raters": [{"name": r.name, "kind": r.kind, "scale": None, "facts": {"model": "<m>"}} for r in named],
        "common_scale": [0, 7],
        "seed": 1,
        "resamples": 100,
        "created": "2026-01-01T00:00:00+00:00",
        "config": {"set": {"kind": "</script>"}},
        "notes": [],
    }
    return Results(
        facts=facts,
        scores=table_of("scores", scores),
        ranks=table_of("ranks", ranks),
        pairs=table_of("pairs", pairs if people > 1 else []),
        agreement=table_of("agreement", agreement),
        items=pl.DataFrame({"item": [f"i{k}" for k in range(100)]}),
        types=table_of("types", types),
    )
