"""From a labelled set and raters' ratings to complete results; no file and no rater is touched."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import polars as pl

import emonet
from emonet.benchmark._agreement import agreement_rows, annotator_rows, kind_rows, pair_kappas, pair_rows, type_rows
from emonet.benchmark._board import DEFINITIONS, Board, Definition, Gold, make_board, with_null_raters
from emonet.benchmark._fairness import Sliced, slice_scores
from emonet.benchmark._leaderboard import rank_rows
from emonet.benchmark._measure import Measured, Progress, measure, silent
from emonet.benchmark._results import Results, empty, table_of
from emonet.benchmark._scores import rate_rows, score_rows
from emonet.datasets import LabelledSet, Rater, Ratings
from emonet.errors import UnknownNameError, UsageError
from emonet.statistics import Resampler
from emonet.taxonomy import EMOTIONS, GROUPS


@dataclass(frozen=True, slots=True)
class Analysis:
    """How results are computed. `gold`: the strict reference. `slices`: columns of the items, None for the set's
    demographics. `common_scale`: of all figures, None for the papers'."""

    definitions: tuple[Definition, ...] = DEFINITIONS
    gold: Gold = "mean"
    resamples: int = 1000
    seed: int = 42
    slices: tuple[str, ...] | None = None
    common_scale: tuple[float, float] | None = None

    def __post_init__(self) -> None:
        for definition in self.definitions:
            if definition not in DEFINITIONS:
                raise UnknownNameError("definition", definition, DEFINITIONS)
        if not self.definitions:
            raise UsageError("No definition is named; expected 'strict', 'published' or both.")
        if self.gold not in ("mean", "median"):
            raise UnknownNameError("reference", self.gold, ("mean", "median"))
        if self.resamples < 100:
            raise UsageError(f"resamples is {self.resamples}; expected at least 100 for a 95 % interval.")


def score_raters(
    labelled: LabelledSet,
    ratings: Ratings,
    *,
    replies: pl.DataFrame | None = None,
    analysis: Analysis | None = None,
    config: Mapping[str, Any] | None = None,
    notes: Sequence[str] = (),
    progress: Progress = silent,
) -> Results:
    """Compare raters with people and with one another.

    `ratings`: what the raters said of the set's items, each on its own scale (`Rater.scale`); ratings of other items or
    dimensions do not count. `replies`: columns of the results' table `replies`, for the rates of refusals.
    `config` and `notes` are stored with the results. Raises `UsageError` when nothing can be compared.
    """
    chosen = analysis or Analysis()
    board = make_board(labelled, ratings, scale=chosen.common_scale)
    plain = board
    board = with_null_raters(board, chosen.gold, chosen.seed)
    resampler = Resampler(len(board.items), board.clusters, seed=chosen.seed, resamples=chosen.resamples)
    rows: dict[str, list[dict[str, Any]]] = {name: [] for name in ("scores", "ranks", "pairs", "kinds", "annotators")}
    for definition in chosen.definitions:
        ranked = board if definition == "strict" else plain
        if not ranked.raters:
            continue
        measured = measure(
            ranked,
            definition,
            gold=chosen.gold,
            modality=labelled.modality,
            resampler=resampler,
            step=progress,
        )
        _add(rows, ranked, measured, chosen, progress)
    sliced = _slices(board, labelled, chosen, progress)
    if replies is not None:
        rows["scores"].extend(rate_rows(replies, chosen.definitions))
    progress("agreement of people")
    return Results(
        facts=_facts(labelled, board, chosen, config or {}, [*notes, *sliced.notes]),
        scores=table_of("scores", [*rows["scores"], *sliced.scores]),
        ranks=table_of("ranks", rows["ranks"]),
        pairs=table_of("pairs", rows["pairs"]),
        agreement=table_of("agreement", agreement_rows(plain, resampler)),
        items=labelled.items,
        kinds=table_of("kinds", rows["kinds"]),
        annotators=table_of("annotators", rows["annotators"]),
        types=table_of("types", type_rows(plain)),
        replies=empty("replies") if replies is None else replies,
        ratings=pl.concat([labelled.ratings.table, ratings.table]),
        differences=table_of("differences", sliced.differences),
    )


def _add(
    rows: dict[str, list[dict[str, Any]]], board: Board, measured: Measured, chosen: Analysis, progress: Progress
) -> None:
    """Rows of one definition."""
    name = measured.definition
    rows["scores"].extend(score_rows(measured, board, resamples=chosen.resamples))
    progress(f"{name}: ranks")
    rows["ranks"].extend(rank_rows(measured, resamples=chosen.resamples))
    if measured.kappas is None:
        return
    progress(f"{name}: pairs of raters")
    kappas, shared = pair_kappas(board, strict=name == "strict")
    rows["pairs"].extend(pair_rows(board, name, kappas, shared))
    rows["kinds"].extend(kind_rows(board, measured, chosen.resamples))
    rows["annotators"].extend(annotator_rows(board, measured, kappas))


def _slices(board: Board, labelled: LabelledSet, chosen: Analysis, progress: Progress) -> Sliced:
    columns = labelled.demographics if chosen.slices is None else chosen.slices
    if "strict" not in chosen.definitions or not columns:
        return Sliced([], [], [])
    return slice_scores(
        board,
        labelled.items,
        columns,
        gold=chosen.gold,
        modality=labelled.modality,
        resamples=chosen.resamples,
        seed=chosen.seed,
        step=progress,
    )


def _facts(
    labelled: LabelledSet, board: Board, chosen: Analysis, config: Mapping[str, Any], notes: Sequence[str]
) -> dict[str, Any]:
    return {
        "set": labelled.name,
        "modality": labelled.modality,
        "scale": list(labelled.scale),
        "levels": list(labelled.levels) if labelled.levels else None,
        "dimensions": list(labelled.dimensions),
        "groups": groups_of(labelled.dimensions),
        "items": len(board.items),
        "people": list(board.people),
        "raters": [_described(rater) for rater in board.raters],
        "cluster": labelled.cluster,
        "demographics": list(labelled.demographics),
        "definitions": list(chosen.definitions),
        "gold": chosen.gold,
        "seed": chosen.seed,
        "resamples": chosen.resamples,
        "common_scale": list(board.scale),
        "version": emonet.__version__,
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "config": dict(config),
        "notes": [*labelled.notes, *notes],
        "licence": labelled.licence,
        "source": labelled.source,
    }


def _described(rater: Rater) -> dict[str, Any]:
    scale = None if rater.scale is None else list(rater.scale)
    return {"name": rater.name, "kind": rater.kind, "scale": scale, "facts": dict(rater.facts)}


def groups_of(dimensions: Sequence[str]) -> dict[str, list[str]]:
    """The taxonomy's groups with the set's dimensions in each; what is no emotion stands under "Attributes"."""
    group = {emotion.key: emotion.group for emotion in EMOTIONS}
    out: dict[str, list[str]] = {name: [] for name in (*GROUPS, "Attributes")}
    for key in dimensions:
        out[group.get(key, "Attributes")].append(key)
    return {name: keys for name, keys in out.items() if keys}
