"""The figures of the voice model's card, all from one scoring of the test speakers, and those of a simple baseline."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, cast

import numpy as np
import torch
from numpy.typing import NDArray

from emonet.models._card import Metric
from emonet.statistics import Interval, mean_interval
from emonet.training._voice_baseline import DESCRIPTION, baseline_scores
from emonet.training._voice_data import Clips
from emonet.training._voice_measurement import (
    Heard,
    calibration_metrics,
    confusion_metrics,
    emotion_auc,
    macro_metric,
    metric,
    naming_metrics,
    positives,
)
from emonet.training._voice_network import VoiceNetwork
from emonet.training._voice_scaling import Scaling
from emonet.training._voice_targets import KEYS, Targets


def test_figures(
    recipe: Mapping[str, Any],
    heard: Heard,
    raw: NDArray[np.float64],
    scaling: Scaling,
    columns: Sequence[int],
    figures: Mapping[int, Interval],
) -> list[Metric]:
    """AUC by emotion, by corpus and by gender, naming, and calibration. `figures`: the AUC of each column."""
    seed, resamples = recipe["seed"], recipe["support"]["resamples"]
    metrics = []
    for column in columns:
        clips, speakers = positives(heard, column)
        corpora = sorted({heard.corpus[i] for i in np.flatnonzero(heard.present[:, column] == 1)})
        metrics.append(
            metric(
                "auc",
                figures[column],
                dimension=KEYS[column],
                n=int(np.isfinite(heard.present[:, column]).sum()),
                data=f"{', '.join(corpora)}, test speakers",
                note=f"{clips} clips of {speakers} speakers carry it; mean of the AUCs within each corpus",
            )
        )
    every = "test speakers of all corpora"
    metrics.append(macro_metric(heard, columns, name="macro_auc", data=every, seed=seed, resamples=resamples))
    for corpus in sorted(set(heard.corpus)):
        own = heard.of(corpus)
        data = f"{corpus}, test speakers"
        metrics.append(macro_metric(own, columns, name="macro_auc", data=data, seed=seed, resamples=resamples))
        for gender in sorted(set(own.gender) - {""}):
            part = own.only(np.asarray([one == gender for one in own.gender], bool))
            data = f"{corpus}, {gender} test speakers"
            metrics.append(macro_metric(part, columns, name="macro_auc", data=data, seed=seed, resamples=resamples))
        metrics += naming_metrics(heard, columns, corpus, seed=seed, resamples=resamples)
    metrics += calibration_metrics(heard, raw, scaling, columns, seed=seed)
    metrics += confusion_metrics(heard, columns, seed=seed, resamples=resamples)
    return metrics


def class_figures(
    recipe: Mapping[str, Any],
    network: VoiceNetwork,
    heard: Heard,
    classes: NDArray[np.int64],
    embeddings: NDArray[np.float32],
) -> list[Metric]:
    """How often each corpus's own classifier, trained beside the emotions, names the clip's own label first.

    `classes` [n], `embeddings` [n, E] of the clips of `heard`. The classifiers do not ship; the embedding does.
    """
    metrics = []
    for corpus in sorted(set(heard.corpus)):
        own = np.asarray([name == corpus for name in heard.corpus], bool)
        head = cast(torch.nn.Linear, network.corpora[corpus])
        with torch.inference_mode():
            best = head(torch.from_numpy(embeddings[own])).argmax(1).numpy()
        right = (best == classes[own]).astype(np.float64)
        speakers = [heard.speaker[i] for i in np.flatnonzero(own)]
        found = mean_interval(right, speakers, seed=recipe["seed"], resamples=recipe["support"]["resamples"])
        note = f"{head.out_features} labels of the corpus, {len(set(speakers))} speakers; "
        note += f"a uniform guess is right in {1 / head.out_features:.3f}"
        metrics.append(metric("class_top1", found, n=len(right), data=f"{corpus}, test speakers", note=note))
    return metrics


def baseline_figures(
    heard: Heard,
    clips: Clips,
    targets: Targets,
    train: NDArray[np.int64],
    test: NDArray[np.int64],
    columns: Sequence[int],
    recipe: Mapping[str, Any],
) -> list[Metric]:
    """The same AUCs for a simple model taught on the clips `train` and tested on the clips `test`."""
    seed, resamples = recipe["seed"], recipe["support"]["resamples"]
    simple = baseline_scores(clips, train, targets.present[train], test)
    other = replace(heard, relative=simple.astype(np.float64))
    metrics = []
    for column in columns:
        found = emotion_auc(other, column, seed=seed, resamples=resamples)
        n = int(np.isfinite(heard.present[:, column]).sum())
        metrics.append(metric("baseline_auc", found, dimension=KEYS[column], n=n, data="as auc", note=DESCRIPTION))
    for corpus in [None, *sorted(set(heard.corpus))]:
        part = other if corpus is None else other.of(corpus)
        data = "test speakers of all corpora" if corpus is None else f"{corpus}, test speakers"
        found_macro = macro_metric(part, columns, name="baseline_macro_auc", data=data, seed=seed, resamples=resamples)
        metrics.append(found_macro.model_copy(update={"note": f"{DESCRIPTION}; {found_macro.note}"}))
    return metrics
