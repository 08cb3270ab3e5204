"""What a picture is trained to say: shares of eight expressions, and from them the 40 emotions.

The network estimates how ten people's votes would fall on eight expressions. An emotion's raw score is linear in those
shares: seven times its own class's share where people voted for it directly, otherwise the mean output of LAION's
published face model on posed faces of each expression, weighted by the shares.

Symbols: n pictures, c = 8 expressions, d = 40 emotions.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emonet.errors import UnknownNameError, UsageError
from emonet.models._card import Evidence
from emonet.taxonomy import EMOTIONS, display_name, emotion
from emonet.training._manifest import Item

KEYS = tuple(record.key for record in EMOTIONS)
TOP = 7.0  # of LAION's face scale


@dataclass(frozen=True, slots=True, eq=False)
class Composition:
    """How emotions follow from expressions. `weights`: float64 [c, d], NaN columns for emotions not scored."""

    weights: NDArray[np.float64]
    evidence: Mapping[str, Evidence]
    missing: Mapping[str, str]


def vote_shares(item: Item, recipe: Mapping[str, Any]) -> NDArray[np.float32] | None:
    """Shares float32 [c] of the expressions, summing to 1; None for a picture without a usable label."""
    classes, rules = recipe["targets"]["classes"], recipe["targets"]
    votes = item.extra.get("votes")
    if votes is None:
        if item.label not in classes:
            return None
        rest = (1 - rules["single_label_share"]) / (len(classes) - 1)
        return np.asarray([rules["single_label_share"] if c == item.label else rest for c in classes], np.float32)
    counts = np.asarray([votes.get(c, 0) for c in classes], np.float32)
    if counts.sum() < rules["least_votes"] or counts.sum() <= max(votes.get("unknown", 0), votes.get("NF", 0)):
        return None
    return counts / counts.sum()


def compose(recipe: Mapping[str, Any], data: Path) -> Composition:
    """Weights of every emotion that the recipe's rule lets pass, with its evidence, and a reason for each other one.

    Raises UsageError when the teacher's table is absent or lacks an expression.
    """
    classes = recipe["targets"]["classes"]
    direct = {key: c for c, key in recipe["targets"]["direct"].items()}
    outputs, intended = _teacher(recipe, data)
    weights = np.full((len(classes), len(KEYS)), np.nan)
    evidence: dict[str, Evidence] = {}
    missing: dict[str, str] = {}
    verdicts = _verdicts(outputs, intended, recipe)
    for column, key in enumerate(KEYS):
        if key in direct:
            weights[:, column] = [TOP * (c == direct[key]) for c in classes]
            detail = f"votes of people for {direct[key]!r}; raw = {TOP:g} times the expected share of votes"
            evidence[key] = Evidence(kind="direct", detail=detail)
            continue
        reason, means = verdicts[key]
        if reason:
            missing[key] = reason
            continue
        weights[:, column] = means
        order = np.argsort(-means)
        raised = ", ".join(f"{classes[i]} {means[i]:.2f}" for i in order[:3])
        evidence[key] = Evidence(
            kind="teacher",
            detail="no person labelled it: mean output of LAION's face model on 19 posed faces of each of eight "
            f"expressions, weighted by their expected shares; highest for {raised}",
        )
    return Composition(weights, evidence, missing)


def _teacher(recipe: Mapping[str, Any], data: Path) -> tuple[dict[str, NDArray[np.float64]], NDArray[np.str_]]:
    """(output by emotion key [faces], intended expression [faces]) of the published table."""
    path = Path(data) / recipe["support"]["teacher_scores"]
    try:
        with path.open(newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
    except OSError as error:
        raise UsageError(f"{path}: cannot read the teacher's outputs ({error.strerror}).") from error
    named = {name: c for c, name in recipe["support"]["intended"].items()}
    intended = np.asarray([named.get(row["intended"], "") for row in rows])
    if absent := set(recipe["targets"]["classes"]) - set(intended.tolist()):
        raise UsageError(f"{path}: no face of {', '.join(sorted(absent))}; see support.intended in the recipe.")
    outputs = {}
    for column in rows[0]:
        try:
            key = emotion(column).key
        except UnknownNameError:
            continue  # the image's name, valence and the like
        outputs[key] = np.asarray([float(row[column]) for row in rows])
    return outputs, intended


def _verdicts(
    outputs: Mapping[str, NDArray[np.float64]], intended: NDArray[np.str_], recipe: Mapping[str, Any]
) -> dict[str, tuple[str, NDArray[np.float64]]]:
    """For each emotion the reason against it ("" when there is none) and its mean by expression [c]."""
    from scipy.stats import kruskal

    rules, classes = recipe["support"], recipe["targets"]["classes"]
    groups = {key: [values[intended == c] for c in classes] for key, values in outputs.items()}
    p_values = {key: float(kruskal(*parts).pvalue) for key, parts in groups.items()}
    adjusted = holm(p_values)
    verdicts = {}
    for key in KEYS:
        if key not in outputs:
            verdicts[key] = ("the teacher's table has no such column", np.full(len(classes), np.nan))
            continue
        means = np.asarray([part.mean() for part in groups[key]])
        eta2 = _eta_squared(groups[key])
        spread = float(np.ptp(means))
        reason = ""
        if adjusted[key] >= rules["alpha"] or eta2 < rules["least_eta2"] or spread < rules["least_range"]:
            reason = (
                f"nobody labelled {display_name(key)} here, and the published teacher hardly tells the eight labelled "
                f"expressions apart by it: Holm-corrected p = {adjusted[key]:.2g} (needed below {rules['alpha']:g}), "
                f"variance between expressions {eta2:.2f} (at least {rules['least_eta2']:g}), means "
                f"{spread:.2f} apart (at least {rules['least_range']:g})"
            )
        verdicts[key] = (reason, means)
    return verdicts


def holm(p_values: Mapping[str, float]) -> dict[str, float]:
    """Holm's step-down correction of p-values by name."""
    names = sorted(p_values, key=lambda name: p_values[name])
    adjusted: dict[str, float] = {}
    highest = 0.0
    for rank, name in enumerate(names):
        highest = max(highest, min(1.0, p_values[name] * (len(names) - rank)))
        adjusted[name] = highest
    return adjusted


def _eta_squared(groups: list[NDArray[np.float64]]) -> float:
    """Share 0..1 of the variance that lies between the groups."""
    everything = np.concatenate(groups)
    total = float(((everything - everything.mean()) ** 2).sum())
    between = sum(len(part) * (part.mean() - everything.mean()) ** 2 for part in groups)
    return float(between / total) if total else 0.0
