"""How many clips of each kind the speech detector lets through, at the default window policy.

Usage: python benchmarks/speech_detection.py DATA [--most 200]
DATA is the folder that holds manifest.csv. Prints a table with 95 % Wilson intervals.
"""

from __future__ import annotations

import argparse
import csv
from collections import defaultdict
from pathlib import Path

import numpy as np

from emonet.media import WindowReport, speech_windows


def wilson(hits: int, n: int, z: float = 1.96) -> tuple[float, float]:
    """95 % interval of a share."""
    share, spread = hits / n, z * np.sqrt(hits / n * (1 - hits / n) / n + z * z / (4 * n * n))
    low, high = ((share + z * z / (2 * n) + sign * spread) / (1 + z * z / n) for sign in (-1, 1))
    return float(low), float(high)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("data", type=Path)
    parser.add_argument("--most", type=int, default=200, help="clips a source, drawn with seed 0")
    options = parser.parse_args()
    clips: dict[str, list[Path]] = defaultdict(list)
    with (options.data / "manifest.csv").open(encoding="utf-8") as file:
        for row in csv.DictReader(file):
            if row["modality"] == "voice":
                clips[row["source"]].append(options.data / row["path"])
    draw = np.random.default_rng(0)
    print("| source | clips | with speech | 95 % interval |\n| --- | --- | --- | --- |")
    for source, paths in sorted(clips.items()):
        chosen = draw.permutation(len(paths))[: options.most]
        hits = 0
        for index in chosen:
            report = WindowReport()
            for _ in speech_windows(paths[index], report=report):
                pass
            hits += report.status == "ok"
        low, high = wilson(hits, len(chosen))
        print(f"| {source} | {len(chosen)} | {hits / len(chosen):.3f} | {low:.3f} to {high:.3f} |", flush=True)


if __name__ == "__main__":
    main()
