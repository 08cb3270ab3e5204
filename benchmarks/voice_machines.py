"""Simple classifiers of tables of features, fitted and chosen by scikit-learn, that a voice network has to beat.

Symbols: n clips, f features.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

Rows = NDArray[np.int64]
Table = NDArray[np.float32]


def standardised(features: Table, learnt: Rows) -> Table:
    """Every feature with mean 0 and spread 1 over the clips `learnt`, outliers at 5; what is missing becomes 0."""
    taught = np.ma.masked_invalid(features[learnt])
    mean, spread = taught.mean(axis=0).filled(0.0), taught.std(axis=0).filled(0.0)
    scaled = np.clip((features - mean) / np.maximum(spread, 1e-6), -5, 5)
    return np.asarray(np.nan_to_num(scaled, nan=0.0), np.float32)


def by_speaker(table: NDArray[Any], speakers: Sequence[str]) -> NDArray[Any]:
    """Every column [n, f] with mean 0 and spread 1 over the clips of each speaker; what is missing stays so."""
    out, names = np.array(table, np.float64), np.asarray(speakers)
    for name in np.unique(names):
        own = np.ma.masked_invalid(out[names == name])
        spread = own.std(axis=0).filled(0.0)
        out[names == name] = ((own - own.mean(axis=0)) / np.maximum(spread, 1e-3)).filled(np.nan)
    return out


def best_machine(candidates: list[Any], x: Table, y: Rows, learnt: Rows, held: Rows, corpus: NDArray[np.str_]) -> Any:
    """The candidate, fitted on `learnt`, with the best recall on `held`, the mean of the corpora's averages."""

    def worth(machine: Any) -> float:
        guess = machine.predict(x[held])
        return float(np.mean([_recall(y[held], guess, corpus[held] == name) for name in np.unique(corpus[held])]))

    return max((machine.fit(x[learnt], y[learnt]) for machine in candidates), key=worth)


def linear_machines() -> list[Any]:
    """Linear support vector machines of several costs."""
    from sklearn.svm import LinearSVC

    return [LinearSVC(C=10.0**power, class_weight="balanced", random_state=0) for power in (-4, -3, -2, -1, 0)]


def radial_machines() -> list[Any]:
    """Machines with a Gaussian kernel, of several costs and widths around one over the number of features."""
    from sklearn.svm import SVC

    return [SVC(C=c, gamma=g / 88, class_weight="balanced") for c in (0.3, 1.0, 3.0, 10.0) for g in (0.1, 0.3, 1.0)]


def logistic_machines() -> list[Any]:
    """Multinomial logistic regressions of several costs."""
    from sklearn.linear_model import LogisticRegression

    return [LogisticRegression(C=c, class_weight="balanced", max_iter=500) for c in (0.001, 0.003, 0.01, 0.1, 1.0)]


def _recall(actual: Rows, guess: Rows, rows: NDArray[np.bool_]) -> float:
    return float(np.mean([(guess == actual)[rows & (actual == one)].mean() for one in np.unique(actual[rows])]))
