"""Graded scores against the few classes of an older corpus: LAION's lenient rule and what a strict rule says.

LAION's rule (emonet-face, eval/; for voices arXiv 2506.09827, sim-to-real): softmax over the mapped emotions; a class
is accepted when any of its emotions exceeds 1.5 times the uniform share; an item counts when its own class is among
the accepted ones. Several classes may be accepted at once, so the figure is a lenient recall and not an accuracy; what
shuffled labels reach shows how lenient. The maps were tuned on the corpora that they are used on.

Symbols: n items, m mapped emotions, c classes, b resamples.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from emonet.errors import UnknownNameError, UsageError
from emonet.statistics import Interval, Resampler, percentile_interval, wilson
from emonet.taxonomy import EMOTIONS, Modality

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

OVER_UNIFORM = 1.5
"""A class is accepted above this multiple of the uniform share."""
_CORPORA: Mapping[str, tuple[Modality, str]] = {
    "ravdess": ("voice", "arXiv 2506.09827, sim-to-real table"),
    "emodb": ("voice", "arXiv 2506.09827, sim-to-real table"),
}


@dataclass(frozen=True, slots=True, eq=False)
class TransferMap:
    """Which of the 40 emotions count as which class. `members`: bool [m, c]. `labels`: a corpus's other spellings of
    its classes, lower case → class."""

    name: str
    modality: Modality
    source: str
    emotions: tuple[str, ...]
    classes: tuple[str, ...]
    members: Flags
    labels: Mapping[str, str]


@dataclass(frozen=True, slots=True, eq=False)
class Transfer:
    """How far scores carry over to a corpus's classes.

    `figures`: name → value with its 95 % interval over items: `lenient` (LAION's rule), `top1` (class of the strongest
    emotion), `summed` (class of the largest summed share), `balanced_accuracy` and `macro_f1` of `summed`, and
    `accepted`, the mean number of accepted classes. `null`: mean of `lenient` under shuffled labels with the ends of
    their middle 95 %; `null_p`: share of shuffles that reach it. `classes`: columns class, n, lenient, top1, summed
    (counts of correct items) and low, high, the 95 % interval of the lenient recall.
    """

    map: str
    n: int
    figures: Mapping[str, Interval]
    null: Interval
    null_p: float
    classes: pl.DataFrame
    notes: tuple[str, ...]


def transfer_maps() -> tuple[str, ...]:
    """Names of the known maps."""
    return (*_stored(), *_CORPORA)


@lru_cache(maxsize=8)
def transfer_map(name: str) -> TransferMap:
    """A map by name: `ferd`, `affectnet` (faces), `ravdess`, `emodb` (voices)."""
    if name in _CORPORA:
        modality, source = _CORPORA[name]
        of = {emotion.key: emotion.coarse[name] for emotion in EMOTIONS if name in emotion.coarse}
        return _map(name, modality, source, of, {})
    stored = _stored().get(name)
    if stored is None:
        raise UnknownNameError("transfer map", name, transfer_maps())
    of = {key: group for group, keys in stored["classes"].items() for key in keys}
    return _map(name, "face", stored["source"], of, {**stored["aliases"], **stored["labels"]})


def evaluate_transfer(
    scores: Floats,
    labels: Sequence[str],
    map: TransferMap,
    *,
    clusters: Sequence[object] | None = None,
    seed: int = 42,
    resamples: int = 1000,
    shuffles: int = 2000,
    notes: Sequence[str] = (),
) -> Transfer:
    """Compare scores [n, m] with the corpus's labels [n].

    `scores`: relative (faces) or raw (voices) scores of `map.emotions`; a column of NaN is an emotion that was not
    judged and takes no part. Items with another label are left out and counted in the notes. `clusters` [n]: one label
    per item, equal for items of one person. Raises `UsageError` when nothing is left.
    """
    if scores.ndim != 2 or scores.shape != (len(labels), len(map.emotions)):
        raise UsageError(f"scores have shape {scores.shape}; expected [{len(labels)}, {len(map.emotions)}].")
    said = list(notes)
    truth = _classes_of(labels, map, said)
    kept = truth >= 0
    judged = np.asarray(~np.isnan(scores).all(axis=0), bool)
    x, y, members = scores[kept][:, judged], truth[kept], map.members[judged]
    if not x.size:
        raise UsageError(
            f"No score of an emotion of the map {map.name!r} is there; expected {', '.join(map.emotions)}."
        )
    if np.isnan(x).any():
        raise UsageError("An emotion is scored for some items and missing for others; leave out the incomplete items.")
    if not judged.all():
        absent = [key for key, there in zip(map.emotions, judged, strict=True) if not there]
        said.append(f"{len(absent)} of {len(map.emotions)} mapped emotions are not judged: {', '.join(absent)}")
    share = _softmax(x)
    accepted = _accepted(share, members)
    top, summed = members[share.argmax(axis=1)].argmax(axis=1), (share @ members).argmax(axis=1)
    groups = None if clusters is None else [c for c, k in zip(clusters, kept, strict=True) if k]
    resampler = Resampler(len(y), groups, seed=seed, resamples=resamples)
    rows = np.arange(len(y))
    right = {"lenient": accepted[rows, y], "top1": top == y, "summed": summed == y}
    null, p = _null(accepted, y, seed, shuffles)
    return Transfer(
        map=map.name,
        n=len(y),
        figures=_figures(right, summed, y, accepted.sum(axis=1), len(map.classes), resampler),
        null=null,
        null_p=p,
        classes=_per_class(right, y, map.classes, groups),
        notes=tuple(said),
    )


def _classes_of(labels: Sequence[str], map: TransferMap, notes: list[str]) -> NDArray[np.intp]:
    """Number of each item's class, -1 for a label that the map does not know."""
    plain = [label.strip().casefold() for label in labels]
    named = [map.labels.get(label, label) for label in plain]
    index = {name: number for number, name in enumerate(map.classes)}
    truth = np.asarray([index.get(name, -1) for name in named], np.intp)
    unknown = sorted({label for label, number in zip(labels, truth, strict=True) if number < 0})
    if unknown and (truth < 0).all():
        raise UnknownNameError(f"class of the map {map.name!r}", unknown[0], map.classes)
    if unknown:
        notes.append(f"{int((truth < 0).sum())} items with labels outside the map left out: {', '.join(unknown[:8])}")
    return truth


def _softmax(x: Floats) -> Floats:
    power = np.exp(x - x.max(axis=1, keepdims=True))
    return np.asarray(power / power.sum(axis=1, keepdims=True))


def _accepted(share: Floats, members: Flags) -> Flags:
    """Which classes LAION's rule accepts, bool [n, c]."""
    over = share > OVER_UNIFORM / share.shape[1]
    return np.asarray((over[:, :, None] & members[None]).any(axis=1))


def _null(accepted: Flags, y: NDArray[np.intp], seed: int, shuffles: int) -> tuple[Interval, float]:
    generator, rows = np.random.default_rng(seed), np.arange(len(y))
    reached = np.asarray([accepted[rows, generator.permutation(y)].mean() for _ in range(shuffles)])
    low, high = np.quantile(reached, (0.025, 0.975))
    p = (1 + int((reached >= accepted[rows, y].mean()).sum())) / (1 + shuffles)
    return Interval(float(reached.mean()), float(low), float(high)), p


def _figures(
    right: Mapping[str, Flags],
    predicted: NDArray[np.intp],
    y: NDArray[np.intp],
    accepted: NDArray[np.int_],
    c: int,
    resampler: Resampler,
) -> dict[str, Interval]:
    """Each figure at its point and over the resamples."""
    table = np.stack([*(flags.astype(np.float64) for flags in right.values()), accepted.astype(np.float64)], axis=1)
    cells = np.eye(c * c)[y * c + predicted]  # [n, c * c], truth by prediction
    points, confusion = table.mean(axis=0), cells.sum(axis=0)[None]
    means, confusions = [], []
    for counts in resampler.blocks():  # [<= b, n]
        means.append(counts @ table / counts.sum(axis=1, keepdims=True))
        confusions.append(counts @ cells)
    drawn = np.concatenate(means)
    out = {
        name: percentile_interval(drawn[:, column], float(points[column]))
        for column, name in enumerate((*right, "accepted"))
    }
    for name, figure in (("balanced_accuracy", _balanced), ("macro_f1", _macro_f1)):
        resampled = figure(np.concatenate(confusions).reshape(-1, c, c))
        out[name] = percentile_interval(resampled, float(figure(confusion.reshape(1, c, c))[0]))
    return out


def _balanced(confusion: Floats) -> Floats:
    """Mean recall of the classes that occur, for confusion [b, c, c] → [b]."""
    size = confusion.sum(axis=2)
    hits = np.diagonal(confusion, axis1=1, axis2=2)
    return np.asarray((hits / np.where(size > 0, size, 1)).sum(axis=1) / (size > 0).sum(axis=1))


def _macro_f1(confusion: Floats) -> Floats:
    """Mean F1 of the classes that occur, for confusion [b, c, c] → [b]."""
    size = confusion.sum(axis=2)
    hits = np.diagonal(confusion, axis1=1, axis2=2)
    f1 = 2 * hits / np.maximum(size + confusion.sum(axis=1), 1)
    return np.asarray(np.where(size > 0, f1, 0).sum(axis=1) / (size > 0).sum(axis=1))


def _per_class(
    right: Mapping[str, Flags], y: NDArray[np.intp], classes: tuple[str, ...], groups: Sequence[object] | None
) -> pl.DataFrame:
    """Counts of correct items of each class that occurs. Wilson's interval, one person's items counting as one."""
    rows = []
    for number, name in enumerate(classes):
        members = np.flatnonzero(y == number)
        if not len(members):
            continue
        apart = len(members) if groups is None else len({str(groups[int(k)]) for k in members})
        value = wilson(float(right["lenient"][members].mean()), apart)
        counted = {rule: int(flags[members].sum()) for rule, flags in right.items()}
        rows.append({"class": name, "n": len(members), **counted, "low": value.low, "high": value.high})
    return pl.DataFrame(rows)


def _map(name: str, modality: Modality, source: str, of: Mapping[str, str], labels: Mapping[str, str]) -> TransferMap:
    emotions = tuple(emotion.key for emotion in EMOTIONS if emotion.key in of)
    classes = tuple(sorted(set(of.values())))
    members = np.asarray([[of[key] == group for group in classes] for key in emotions])
    return TransferMap(name, modality, source, emotions, classes, members, labels)


@lru_cache(maxsize=1)
def _stored() -> dict[str, dict[str, Any]]:
    text = files("emonet.benchmark").joinpath("transfer_maps.json").read_text(encoding="utf-8")
    data: dict[str, dict[str, Any]] = json.loads(text)
    return data
