"""Write the baselines of captions for the embedded models: what is usual in real recordings and portraits.

    python recipes/caption_baselines.py DATA src/emonet/captions/baselines

DATA holds `manifest.csv` with the columns path, modality, source, subject, split and the files it names. Only the
training split is read. No source gives more than PER_SOURCE files, drawn with a fixed seed, so that one large
collection does not decide what is usual. Recordings are read as `emonet caption` reads them, portraits whole.
"""

from __future__ import annotations

import argparse
import csv
import random
from collections import Counter, defaultdict
from pathlib import Path

from emonet.captions import make_baseline, write_baseline
from emonet.estimation import Estimators, stream_files

PER_SOURCE = 600
SEED = 20260719
OPTIONS: dict[str, dict[str, object]] = {
    "voice": {},
    "voice-open": {},
    "face": {"whole_image": True},
    "face-open": {"whole_image": True},
}


def drawn(data: Path, modality: str) -> list[tuple[str, Path]]:
    """(source, file) of the training split, at most `PER_SOURCE` of each source."""
    pools: dict[str, list[Path]] = defaultdict(list)
    with (data / "manifest.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            if row["modality"] == modality and row["split"] == "train":
                pools[row["source"]].append(data / row["path"])
    draw = random.Random(SEED)
    chosen = {source: draw.sample(sorted(pool), min(PER_SOURCE, len(pool))) for source, pool in sorted(pools.items())}
    return [(source, path) for source, paths in chosen.items() for path in sorted(paths)]


def main() -> None:
    """Estimate, summarise, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("output", type=Path)
    parser.add_argument("--only", choices=sorted(OPTIONS))
    arguments = parser.parse_args()
    for name, options in OPTIONS.items():
        if arguments.only not in (None, name):
            continue
        files = drawn(arguments.data, name.partition("-")[0])
        models = Estimators.from_names([name], **options)
        rows = [item for estimates in stream_files([path for _, path in files], models) for item in estimates]
        counts = Counter(source for source, _ in files)
        told = ", ".join(f"{source} {count}" for source, count in sorted(counts.items()))
        scored = sum(item.ok for item in rows)
        source = f"recipes/caption_baselines.py, seed {SEED}: training splits of {told} files; {scored} scored regions."
        baseline = make_baseline(rows, name=f"embedded-{name}", source=source)
        write_baseline(baseline, arguments.output / f"embedded-{name}.json")
        print(f"{name}: {len(files)} files, {scored} scored, {len(baseline.statistics)} dimensions")


if __name__ == "__main__":
    main()
