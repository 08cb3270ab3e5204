"""How often a caption names the emotion that was acted, against captions that were shuffled between clips.

    python -m benchmarks.caption_agreement --data DIR [--sources ravdess nemo]

DIR holds `manifest.csv` and the recordings it lists. Only the test split is used, with the embedded voice model; clips
without one of the 40 emotions as their label (neutral ones) are left out. Speakers are resampled together.
"""

from __future__ import annotations

import argparse
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from emonet.captions import caption_estimates, mentions
from emonet.estimation import Estimators, stream_files
from emonet.statistics import mean_interval
from emonet.training._manifest import Item, read_manifest

_SHUFFLES = 1000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--sources", nargs="+", default=["ravdess", "nemo"])
    arguments = parser.parse_args()
    items = [one for one in read_manifest(arguments.data, "voice") if one.source in arguments.sources]
    items = [one for one in items if one.split == "test" and one.emotions]
    rows = captioned(items)
    hits = np.array([bool(said & wanted) for said, wanted, _ in rows], float)
    speakers = [item.subject or item.key for _, _, item in rows]
    shuffled = shuffles([said for said, _, _ in rows], [wanted for _, wanted, _ in rows])
    print(f"{len(rows)} windows of {len(items)} clips, {len(set(speakers))} speakers, {' '.join(arguments.sources)}")
    print(f"acted emotion named: {place(hits, speakers)}")
    print(f"captions shuffled: mean {shuffled.mean():.3f}, highest of {_SHUFFLES} {shuffled.max():.3f}")
    labels: dict[str, list[int]] = defaultdict(list)
    for number, (_, _, item) in enumerate(rows):
        labels[f"{item.source} {item.label}"].append(number)
    for label, numbers in sorted(labels.items()):
        print(f"  {label}: {place(hits[numbers], [speakers[i] for i in numbers])}, {len(numbers)} windows")


def captioned(items: Sequence[Item]) -> list[tuple[set[str], set[str], Item]]:
    """Emotions named, emotions wanted, and the clip, for each scored window."""
    model = Estimators.from_names(["voice"])
    rows = []
    for item, estimates in zip(items, stream_files([one.path for one in items], model), strict=True):
        for caption in caption_estimates(estimates):
            if caption is not None:
                rows.append((set(mentions(caption.text).present), set(item.emotions), item))
    return rows


def shuffles(said: Sequence[set[str]], wanted: Sequence[set[str]]) -> np.ndarray:
    """Share of hits when captions are given to other clips."""
    draw = np.random.default_rng(0)
    orders = (draw.permutation(len(said)) for _ in range(_SHUFFLES))
    return np.array(
        [np.mean([bool(said[i] & want) for i, want in zip(order, wanted, strict=True)]) for order in orders]
    )


def place(hits: np.ndarray, speakers: Sequence[str]) -> str:
    found = mean_interval(hits, speakers, seed=0)
    return f"{found.value:.3f} [{found.low:.3f}, {found.high:.3f}]"


if __name__ == "__main__":
    main()
