"""How EmoGator's 30 emotions are told apart by the number of speakers that training had.

    python -m benchmarks.burst_speakers --data DIR --output DIR [--recipe FILE]

DIR of --data holds `manifest.csv` and the sound files it lists; that of --output keeps decoded clips and a checkpoint
per epoch, so that a stopped run goes on. The recipe's network is trained on bursts of a quarter, half and all of the
training speakers, nested; fewer speakers get more epochs. Measured on the recipe's validation speakers, all of whom
training never heard: how often the corpus's own classifier puts the right label first, for a clip by itself, and when
the speaker's other clips are known too, without their labels (each label's score relative to its mean over the
speaker's clips). Intervals resample speakers. 20 minutes on one core.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from copy import deepcopy
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from emonet.statistics import Interval, mean_interval
from emonet.training import read_recipe
from emonet.training._markdown import table
from emonet.training._voice_data import open_clips
from emonet.training._voice_targets import make_targets, validation_rows
from emonet.training._voice_training import embed, fit, preprocessing, select_items

CORPUS = "emogator"
SHARES = (0.25, 0.5, 1.0)
_EPOCHS, _SEED = 8, 20261123
Floats = NDArray[np.float64]


def main() -> None:
    """Train three times, measure and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--recipe", type=Path, default=Path("recipes/embedded-voice.toml"))
    arguments = parser.parse_args()
    recipe: dict[str, Any] = deepcopy(dict(read_recipe(arguments.recipe)))
    recipe["sources"] = {CORPUS: recipe["sources"][CORPUS]}
    torch.set_num_threads(int(recipe["training"].get("threads", 1)))

    items, spec = select_items(recipe, arguments.data), preprocessing(recipe)
    clips, targets = open_clips(items, spec, arguments.output), make_targets(items, recipe, arguments.data)
    held = validation_rows(items, recipe)
    subjects = np.asarray([item.subject for item in items])
    train = ~held & np.asarray([item.split == "train" for item in items])
    order = np.random.default_rng(_SEED).permutation(np.unique(subjects[train]))
    asked = np.flatnonzero(held)
    rows = []
    for share in SHARES:
        chosen = order[: round(share * len(order))]
        learnt = np.flatnonzero(train & np.isin(subjects, chosen))
        recipe["training"]["epochs"] = round(_EPOCHS / share**0.5)
        network = fit(recipe, clips, targets, learnt, arguments.output / f"{len(chosen)}-speakers")
        with torch.inference_mode():
            embedding = torch.from_numpy(embed(network, clips, asked, spec)[0])
            scores = network.corpora[CORPUS](embedding).log_softmax(1).double().numpy()
        who, labels = subjects[asked], targets.classes[asked]
        alone, told = right_first(scores, labels, who), right_first(against_speaker(scores, who), labels, who)
        rows.append((str(len(chosen)), str(len(learnt)), _said(alone), _said(told)))
        print(*rows[-1], flush=True)
    print(table(("speakers", "bursts", "right label first", "with the speaker's other clips"), rows))


def right_first(scores: Floats, labels: NDArray[np.int64], speakers: Sequence[str] | NDArray[np.str_]) -> Interval:
    """Share of clips whose label [n] has the highest of the scores [n, labels]."""
    return mean_interval(scores.argmax(1) == labels, list(speakers), seed=_SEED, resamples=2000)


def against_speaker(scores: Floats, speakers: NDArray[np.str_]) -> Floats:
    """Scores [n, labels] less their mean over the clips of the same speaker."""
    out = scores.copy()
    for name in np.unique(speakers):
        out[speakers == name] -= scores[speakers == name].mean(axis=0)
    return out


def _said(found: Interval) -> str:
    return f"{found.value:.3f} [{found.low:.3f}, {found.high:.3f}]"


if __name__ == "__main__":
    main()
