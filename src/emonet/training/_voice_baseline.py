"""What a network has to beat: logistic regression on the mean and spread of each mel band.

Symbols: n clips, d emotions, M = 64 mel bands.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from emonet.models._logmel import clip_log_power
from emonet.training._voice_data import Clips

_BANDS = 64
DESCRIPTION = "logistic regression on mean, spread and change of 64 log-mel bands, same training speakers"


def band_statistics(clips: Clips, rows: NDArray[np.int64]) -> NDArray[np.float32]:
    """Float32 [n, 3M]: mean and spread of each band over time, and the spread of its change from frame to frame."""
    out = np.empty((len(rows), 3 * _BANDS), np.float32)
    for place, row in enumerate(rows):
        log = clip_log_power(clips.wave(int(row)), n_mels=_BANDS, window_s=30.0, peak=0.5)
        out[place] = np.concatenate([log.mean(1), log.std(1), np.diff(log, axis=1).std(1)])
    return out


def baseline_scores(
    clips: Clips, train: NDArray[np.int64], present: NDArray[np.float32], test: NDArray[np.int64]
) -> NDArray[np.float32]:
    """Decision values float32 [len(test), d]; `present` [len(train), d], NaN unknown. NaN columns without labels."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.preprocessing import StandardScaler

    learnt = band_statistics(clips, train)
    scaler = StandardScaler().fit(learnt)
    x, z = scaler.transform(learnt), scaler.transform(band_statistics(clips, test))
    out = np.full((len(test), present.shape[1]), np.nan, np.float32)
    for column in range(present.shape[1]):
        known = np.isfinite(present[:, column])
        if len(np.unique(present[known, column])) < 2:
            continue
        model = LogisticRegression(C=0.01, class_weight="balanced", max_iter=300)
        out[:, column] = model.fit(x[known], present[known, column]).decision_function(z)
    return out
