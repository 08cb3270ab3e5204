"""How far the embedded voice models agree with the published scores of LAION's voice heads, on clips they never heard.

    python -m benchmarks.teacher_agreement --data DIR

DIR holds `manifest.csv` and `voices/laion_emonet_scores.csv`. The published deviations (`z`) of laion_pvc are used:
all 100 clips for `voice-open`, which was trained on none of them, and its test split for `voice`. Only the three
strongest deviations of a clip are published, so the correlation, over all pairs of clip and emotion that the model
scores, is one within strong scores and lower than it would be over all of them. Beside it stands our own mean deviation
where the published one is above 1: 0 without agreement. Clips are resampled together.
"""

from __future__ import annotations

import argparse
import csv
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np

from emonet.captions import read_baseline
from emonet.media import read_audio
from emonet.models import load_model
from emonet.statistics import mean_interval, spearman_interval
from emonet.taxonomy import emotion
from emonet.training._manifest import read_manifest

SPLITS = {"voice": ("test",), "voice-open": ("test", "train")}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    data = parser.parse_args().data
    published = dict(published_deviations(data / "voices" / "laion_emonet_scores.csv"))
    print("| model | clips | pairs of clip and emotion | rank correlation | our deviation where theirs is above 1 |")
    print("| --- | --- | --- | --- | --- |")
    for name, splits in SPLITS.items():
        items = [one for one in read_manifest(data, "voice") if one.key in published and one.split in splits]
        paths = {one.key: one.path for one in items}
        ours, theirs, clips = deviations(name, paths, published)
        found = spearman_interval(np.asarray(ours), np.asarray(theirs), clips, seed=0, resamples=2000)
        strong = [place for place, value in enumerate(theirs) if value > 1]
        own = mean_interval(np.asarray(ours)[strong], [clips[i] for i in strong], seed=0, resamples=2000)
        figures = (f"{one.value:.2f} [{one.low:.2f}, {one.high:.2f}]" for one in (found, own))
        print(f"| {name} | {len(set(clips))} | {len(ours)} |", " | ".join(figures), "|")


def published_deviations(path: Path) -> Iterator[tuple[str, dict[str, float]]]:
    """(clip's name, published z by emotion key)."""
    with path.open(newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            if row["source"] == "laion_pvc" and row["value_kind"] == "z":
                told = {k: v for k, v in row.items() if k not in ("path", "source", "value_kind") and v}
                yield row["path"], {emotion(name).key: float(value) for name, value in told.items()}


def deviations(
    name: str, paths: Mapping[str, Path], published: Mapping[str, Mapping[str, float]]
) -> tuple[list[float], list[float], list[str]]:
    """(our deviation, theirs, clip) of every published pair that the model scores; ours from its captions' baseline."""
    model, usual = load_model(name), read_baseline(f"embedded-{name}")
    ours, theirs, clips = [], [], []
    for clip, path in paths.items():
        relative = model.relative(model.raw_scores([read_audio(path, end_s=30.0).samples]))[0]
        for key, deviation in published[clip].items():
            score = relative[model.dimensions.index(key)]
            if np.isfinite(score) and key in usual.statistics:
                ours.append((float(score) - usual.statistics[key].mean) / usual.statistics[key].std)
                theirs.append(deviation)
                clips.append(clip)
    return ours, theirs, clips


if __name__ == "__main__":
    main()
