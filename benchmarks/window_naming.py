"""What the rules by which recordings are cut mean for naming the emotion of short clips.

    python -m benchmarks.window_naming --data DIR [--model voice]

DIR holds `manifest.csv` and the sound files it lists. Per corpus, on its test split and over the clips that carry one
of the emotions the model scores: the share whose highest relative score, among the emotions that the corpus names, is
one of the label's, and the share without a window, whose name counts as wrong. The clips are cut by the default rules,
without the rule that keeps short recordings whole, and not at all. Intervals resample speakers. Two minutes.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from emonet.media import Audio, WindowPolicy, read_audio, speech_windows
from emonet.models import Model, load_model
from emonet.statistics import mean_interval
from emonet.training._manifest import Item, read_manifest
from emonet.training._markdown import table

CORPORA = ("emogator", "ravdess", "nemo")
POLICIES: Mapping[str, WindowPolicy] = {
    "default": WindowPolicy(),
    "cut to speech": WindowPolicy(whole_s=0),
    "whole audio": WindowPolicy(detector="none"),
}


def main() -> None:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--model", default="voice")
    arguments = parser.parse_args()
    model, rows = load_model(arguments.model), []
    scored = set(model.dimensions) - set(model.card.missing)
    for corpus in CORPORA:
        items = [
            item
            for item in read_manifest(arguments.data, "voice")
            if item.source == corpus and item.split == "test" and scored.intersection(item.emotions)
        ]
        named = sorted(scored.intersection(key for item in items for key in item.emotions))
        sounds = [read_audio(item.path) for item in items]
        for name, policy in POLICIES.items():
            rows.append((corpus, str(len(items)), name, *shares(model, items, sounds, policy, named)))
    print(table(("corpus", "clips", "windows", "named rightly", "without a window"), rows))


def shares(
    model: Model, items: Sequence[Item], sounds: Sequence[Audio], policy: WindowPolicy, named: Sequence[str]
) -> tuple[str, str]:
    """(share of clips named rightly with its interval, share without a window) in words."""
    columns = [model.dimensions.index(key) for key in named]
    right, empty = [], 0
    for item, sound in zip(items, sounds, strict=True):
        windows = list(speech_windows(sound, policy))
        empty += not windows
        if not windows:
            right.append(False)
            continue
        relative = model.relative(model.raw_scores([window.samples for window in windows]))[:, columns]
        mean = np.average(relative, axis=0, weights=[window.duration_s for window in windows])
        right.append(named[int(mean.argmax())] in item.emotions)
    found = mean_interval(right, [item.subject for item in items], seed=0, resamples=2000)
    return f"{found.value:.3f} [{found.low:.3f}, {found.high:.3f}]", f"{100 * empty / len(items):.1f} %"


if __name__ == "__main__":
    main()
