"""How many clips of each source the speech detector accepts, at several thresholds.

Usage: python benchmarks/speech_detection.py DATA [--share 1.0] [--others FILE ...]
DATA holds manifest.csv (columns path, modality, source). Prints a Markdown table: clips, share with at least one
stretch of speech at each threshold, share that gets a window by the default policy, which keeps short recordings
whole, share of the sound that lies in windows, and how many times faster than the sound itself detection ran on one
thread. `--others` are sounds without a voice; pieces of four seconds of them, at most a minute of each, make a row of
their own.
"""

from __future__ import annotations

import argparse
import csv
import time
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

from emonet.media import Audio, WindowPolicy, WindowReport, read_audio, speech_windows
from emonet.media._speech import CHUNK, SegmentFinder, SpeechDetector
from emonet.media._types import SAMPLE_RATE

THRESHOLDS = (0.1, 0.2, 0.3, 0.5, 0.7)


@dataclass(slots=True)
class Tally:
    """Sums over the clips of one source."""

    clips: int = 0
    kept: int = 0
    accepted: dict[float, int] = field(default_factory=lambda: dict.fromkeys(THRESHOLDS, 0))
    sound_s: float = 0.0
    windows_s: float = 0.0
    wall_s: float = 0.0


def clips(data: Path, share: float) -> Iterator[tuple[str, Path]]:
    """(source, file) of the voices in the manifest, every n-th of them."""
    with (data / "manifest.csv").open(newline="", encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if row["modality"] == "voice"]
    for row in rows[:: max(1, round(1 / share))]:
        yield row["source"], data / row["path"]


def pieces(path: Path) -> Iterator[Audio]:
    """The first minute of a file in pieces of four seconds; what is under half a second at its end is left out."""
    samples = read_audio(path, end_s=60).samples
    for start in range(0, len(samples) - SAMPLE_RATE // 2, 4 * SAMPLE_RATE):
        yield Audio(samples[start : start + 4 * SAMPLE_RATE], str(path))


def measure(audio: Audio, tally: Tally) -> None:
    """Add one clip."""
    start = time.perf_counter()
    report = WindowReport()
    for _ in speech_windows(audio, WindowPolicy(), report=report):
        pass
    tally.wall_s += time.perf_counter() - start
    tally.clips += 1
    tally.sound_s += report.duration_s
    tally.windows_s += report.speech_s
    tally.kept += report.windows > 0
    detector = SpeechDetector()
    probabilities = [*detector.probabilities(audio.samples), *detector.end()]
    for threshold in THRESHOLDS:
        policy = WindowPolicy(threshold=threshold, neg_threshold=max(0.01, threshold - 0.15))
        finder = SegmentFinder(replace(policy))
        found = [finder.feed(value) for value in probabilities] + [finder.end(len(audio.samples))]
        shortest = policy.min_s * SAMPLE_RATE
        tally.accepted[threshold] += any(part and part.end - part.start >= shortest for part in found)
    assert len(probabilities) == -(-len(audio.samples) // CHUNK)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("--share", type=float, default=1.0)
    parser.add_argument("--others", type=Path, nargs="*", default=[])
    options = parser.parse_args()
    tallies: dict[str, Tally] = defaultdict(Tally)
    for source, path in clips(options.data, options.share):
        measure(read_audio(path), tallies[source])
    for path in options.others:
        for piece in pieces(path):
            measure(piece, tallies["no voice"])
    print("| source | clips |", " | ".join(f"at {t}" for t in THRESHOLDS), "| kept | sound in windows | speed |")
    print("|---" * (len(THRESHOLDS) + 5) + "|")
    for source, tally in sorted(tallies.items()):
        shares = " | ".join(f"{100 * tally.accepted[t] / tally.clips:.1f} %" for t in THRESHOLDS)
        inside, speed = 100 * tally.windows_s / tally.sound_s, tally.sound_s / tally.wall_s
        kept = 100 * tally.kept / tally.clips
        print(f"| {source} | {tally.clips} | {shares} | {kept:.1f} % | {inside:.0f} % | {speed:.0f} x |")


if __name__ == "__main__":
    main()
