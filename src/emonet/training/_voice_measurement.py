"""How well the voice model orders, names and calibrates clips of speakers that training never heard.

An AUC is taken within each corpus and then averaged over the corpora that name the emotion: a pooled one would reward
telling corpora apart. Intervals resample speakers.

Symbols: n clips, d emotions, p pairs of an emotion and a corpus.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from emonet.models._card import Metric
from emonet.statistics import Interval, auc_interval, calibration_error, macro_auc_interval, mean_interval
from emonet.taxonomy import display_name
from emonet.training._calibration import calibrated
from emonet.training._voice_scaling import Scaling, balanced_weights

Floats = NDArray[np.float64]
_GROUP = 30  # fewest probabilities or clips that a share is taken of
_OFTEN = 0.2  # share of a label's clips from which a confusion is a known failure


@dataclass(frozen=True, slots=True, eq=False)
class Heard:
    """Scored clips. `relative`: float64 [n, d]; `present`: float32 [n, d], NaN unknown; `corpus`, `label`, `speaker`,
    `gender`: [n]; `keys`: [d]."""

    relative: Floats
    present: NDArray[np.float32]
    corpus: tuple[str, ...]
    label: tuple[str, ...]
    speaker: tuple[str, ...]
    gender: tuple[str, ...]
    keys: tuple[str, ...]

    def only(self, rows: NDArray[np.bool_]) -> Heard:
        """The clips where `rows` [n] is True."""
        at = np.flatnonzero(rows)
        columns = {name: tuple(getattr(self, name)[i] for i in at) for name in ("corpus", "label", "speaker", "gender")}
        return replace(self, relative=self.relative[at], present=self.present[at], **columns)

    def of(self, corpus: str) -> Heard:
        """The clips of one corpus."""
        return self.only(np.asarray([name == corpus for name in self.corpus], bool))


def pairs(heard: Heard, columns: Sequence[int]) -> tuple[Floats, Floats]:
    """(scores [n, p], present [n, p]): a column per emotion of `columns` and corpus with clips for and against it."""
    scores, present = [], []
    names = np.asarray(heard.corpus)
    for column in columns:
        for corpus in sorted(set(heard.corpus)):
            truth = np.where(names == corpus, heard.present[:, column].astype(np.float64), np.nan)
            if len(np.unique(truth[np.isfinite(truth)])) == 2:
                scores.append(heard.relative[:, column])
                present.append(truth)
    if not scores:
        return np.empty((len(names), 0)), np.empty((len(names), 0))
    return np.stack(scores, 1), np.stack(present, 1)


def emotion_auc(heard: Heard, column: int, *, seed: int, resamples: int) -> Interval:
    """Mean within-corpus AUC of one emotion; NaN where no corpus has clips for and against it."""
    scores, present = pairs(heard, [column])
    if scores.shape[1] == 0 or not np.isfinite(heard.relative[:, column]).any():
        return Interval(np.nan, np.nan, np.nan)
    if scores.shape[1] == 1:  # one corpus: the same figure, with the simpler function
        return auc_interval(scores[:, 0], present[:, 0], heard.speaker, seed=seed, resamples=resamples)
    return macro_auc_interval(scores, present, heard.speaker, seed=seed, resamples=resamples)


def positives(heard: Heard, column: int) -> tuple[int, int]:
    """(clips, speakers) that carry the emotion."""
    rows = heard.present[:, column] == 1
    return int(rows.sum()), len({heard.speaker[i] for i in np.flatnonzero(rows)})


def macro_metric(heard: Heard, columns: Sequence[int], *, name: str, data: str, seed: int, resamples: int) -> Metric:
    """Mean AUC over all pairs of emotion and corpus; with one speaker the clips are resampled, and the note says so."""
    scores, present = pairs(heard, columns)
    speakers = len(set(heard.speaker))
    clusters = heard.speaker if speakers > 1 else None
    found = macro_auc_interval(scores, present, clusters, seed=seed, resamples=resamples)
    note = f"{scores.shape[1]} pairs of emotion and corpus, {speakers} speaker{'s' * (speakers != 1)}"
    if clusters is None:
        note += "; the interval resamples clips and says nothing about other speakers"
    return metric(name, found, n=len(heard.corpus), data=data, note=note)


def naming_metrics(heard: Heard, columns: Sequence[int], corpus: str, *, seed: int, resamples: int) -> list[Metric]:
    """Top-1 and mean recall of the highest relative score among the scored emotions that the corpus names.

    Clips without an emotion are left out. A clip counts as right when the highest score is one of its label's
    emotions. The chance rate is that of a uniform guess.
    """
    clips = heard.of(corpus)
    named = [column for column in columns if (clips.present[:, column] == 1).any()]
    truth = clips.present[:, named] == 1  # [n, named]
    some = truth.any(axis=1)
    clips, truth = clips.only(some), truth[some]
    best = clips.relative[:, named].argmax(axis=1)
    right = truth[np.arange(len(best)), best].astype(np.float64)
    chance = float(truth.mean(axis=1).mean())
    note = f"{len(named)} emotions, {len(set(clips.speaker))} speakers; a uniform guess is right in {chance:.3f}"
    data = f"{corpus}, test speakers"
    top = mean_interval(right, clips.speaker, seed=seed, resamples=resamples)
    labels = sorted(set(clips.label))
    members = np.asarray([[label == own for label in labels] for own in clips.label], bool)  # [n, labels]
    recall = np.asarray([right[members[:, i]].mean() for i in range(len(labels))])
    drawn = _bootstrap(clips.speaker, lambda rows: _mean_recall(right, members, rows), seed=seed, resamples=resamples)
    mean_recall = Interval(float(recall.mean()), *drawn)
    return [
        metric("top1", top, n=len(right), data=data, note=note),
        metric("uar", mean_recall, n=len(right), data=data, note=f"mean recall over {len(labels)} labels; {note}"),
    ]


def calibration_metrics(
    heard: Heard, raw: Floats, scaling: Scaling, columns: Sequence[int], *, seed: int
) -> list[Metric]:
    """Expected calibration error over all scored emotions, in sets balanced as the calibration's were, and the share of
    carriers in each of ten groups of probabilities (`reliability`)."""
    random = np.random.default_rng(seed)
    probability, truth, speaker = [], [], []
    for column in columns:
        weights = balanced_weights(heard.present[:, column], heard.corpus)
        calibration = scaling.calibration[column]
        if calibration is None or not weights.any():
            continue
        wanted = 2 * int((heard.present[:, column] == 1).sum())
        rows = random.choice(len(weights), wanted, p=weights / weights.sum())
        probability.append(calibrated(calibration, raw[rows, column]))
        truth.append(heard.present[rows, column].astype(np.float64))
        speaker += [heard.speaker[row] for row in rows]
    p, y = np.concatenate(probability), np.concatenate(truth)
    drawn = _bootstrap(speaker, lambda rows: calibration_error(p[rows], y[rows]), seed=seed, resamples=500)
    found = Interval(calibration_error(p, y), *drawn)
    note = "10 bins, all scored emotions together, balanced draws; resampling itself raises the interval a little"
    data = "test speakers of all corpora"
    metrics = [metric("calibration_error", found, n=len(p), data=data, note=note)]
    group = np.minimum((p * 10).astype(int), 9)
    for number in range(10):
        inside = np.flatnonzero(group == number)
        if len(inside) >= _GROUP:
            share = mean_interval(y[inside], [speaker[i] for i in inside], seed=seed, resamples=500)
            predicted = f"{p[inside].mean():.3f} predicted"
            metrics.append(metric("reliability", share, n=len(inside), data=data, note=predicted))
    return metrics


def confusion_metrics(heard: Heard, columns: Sequence[int], *, seed: int, resamples: int) -> list[Metric]:
    """Shares of a label's clips in which an emotion that is not the label's own stands highest, from `_OFTEN` up.

    Highest is meant as in `naming_metrics`, within the emotions that the clip's corpus names.
    """
    metrics = []
    for corpus in sorted(set(heard.corpus)):
        clips = heard.of(corpus)
        named = [column for column in columns if (clips.present[:, column] == 1).any()]
        if not named:
            continue
        best, truth = clips.relative[:, named].argmax(axis=1), clips.present[:, named] == 1
        for label in sorted(set(clips.label)):
            own = np.asarray([one == label for one in clips.label], bool) & truth.any(axis=1)
            for place, column in enumerate(named):
                taken = (best == place)[own]
                if own.sum() < _GROUP or truth[own, place].all() or taken.mean() < _OFTEN:
                    continue
                speakers = [clips.speaker[i] for i in np.flatnonzero(own)]
                found = mean_interval(taken.astype(np.float64), speakers, seed=seed, resamples=resamples)
                note = f"{label} taken for {display_name(clips.keys[column])}"
                data = f"{corpus}, test speakers"
                metrics.append(metric("confusion", found, n=int(own.sum()), data=data, note=note))
    return metrics


def metric(name: str, found: Interval, *, n: int, data: str, dimension: str | None = None, note: str = "") -> Metric:
    """A figure of the card, to four digits."""
    value, low, high = (round(float(figure), 4) for figure in found)
    return Metric(name=name, dimension=dimension, value=value, low=low, high=high, n=n, data=data, note=note)


def _mean_recall(right: Floats, members: NDArray[np.bool_], rows: NDArray[np.int64]) -> float:
    counts = members[rows].sum(axis=0)
    hits = (members[rows] * right[rows, None]).sum(axis=0)
    return float((hits[counts > 0] / counts[counts > 0]).mean())


def _bootstrap(
    speakers: Sequence[str], statistic: Callable[[NDArray[np.int64]], float], *, seed: int, resamples: int
) -> tuple[float, float]:
    """Ends of the 95 % percentile interval of a statistic of row numbers, speakers resampled whole."""
    names, index = np.unique(np.asarray(speakers), return_inverse=True)
    members = [np.flatnonzero(index == i) for i in range(len(names))]
    random = np.random.default_rng(seed)
    drawn = [
        statistic(np.concatenate([members[i] for i in random.integers(0, len(names), len(names))]))
        for _ in range(resamples)
    ]
    low, high = np.quantile(drawn, [0.025, 0.975])
    return float(low), float(high)
