"""Generated scores and a generated baseline, so that the rules can be tested without any published figure."""

from __future__ import annotations

import random

from emonet.captions import Baseline, Statistic
from emonet.captions._wording import wording
from emonet.taxonomy import EMOTIONS

_EMOTIONS = [record.key for record in EMOTIONS]


def made_baseline(modality: str = "voice") -> Baseline:
    """Median 1, spread 0.5 for everything; each dimension that has words is in it."""
    keys: dict[str, str] = dict.fromkeys(_EMOTIONS, "emotion") | dict.fromkeys(wording().attributes, "attribute")
    keys |= {"genuineness": "quality", "blend": "quality"}
    statistics = {key: Statistic(group, 100, 1.0, 1.0, 0.5, 0.3, 0.5, 0.4, 1.6) for key, group in keys.items()}  # type: ignore[arg-type]
    return Baseline("made", "made up", modality, "raw", statistics)  # type: ignore[arg-type]


def made_scores(seed: int) -> dict[str, float]:
    """Scores of every kind around the generated baseline; half of the clips lack some."""
    draw = random.Random(seed)
    keys = [*_EMOTIONS, *wording().attributes, "genuineness", "blend"]
    scores = {key: draw.gauss(1.0, 0.7) for key in keys}
    scores["genuineness"] = draw.choice((0.9, 1.0, 1.3, 0.6))
    if seed % 2:
        for key in draw.sample(keys, 30):
            scores[key] = float("nan")
    return scores
