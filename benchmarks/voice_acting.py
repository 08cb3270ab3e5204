"""440 clips offline in one command: 11 voices x 40 emotions by eSpeak NG, and what every reader makes of them.

    python -m benchmarks.voice_acting --output DIR [--workers 2] [--transcribe 24] [--whisper FOLDER]

Prints the figures of docs/voice-acting.md: time, faults, readers, estimator, bulk run, annotation project, the prosody
that was measured, and, with --transcribe and a folder of a faster-whisper model, word error rates of so many clips.
"""

from __future__ import annotations

import argparse
import json
import resource
import shutil
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import soundfile
from numpy.typing import NDArray

import emonet
from emonet.annotation._project import init_project
from emonet.annotation.protocols import binary
from emonet.bulk import run
from emonet.datasets import describe, list_shards, read_samples
from emonet.synthesis.voices._data import played
from emonet.synthesis.voices._record import read_clip
from emonet.synthesis.voices._records import Clip
from emonet.taxonomy import EMOTIONS


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--transcribe", type=int, default=0)
    parser.add_argument("--whisper", type=Path)
    given = parser.parse_args()
    talent = given.output / "talent"
    shutil.rmtree(given.output, ignore_errors=True)
    command = [
        sys.executable, "-m", "emonet.cli", "synthesize", "voices", "--voices", "11", "--emotions", "all",
        "--languages", "en", "--workers", str(given.workers), "--output", str(talent),
    ]  # fmt: skip
    begun = time.perf_counter()
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    print(
        f"one command: {time.perf_counter() - begun:.1f} s with {given.workers} processes, "
        f"{used.ru_utime + used.ru_stime:.0f} s of processor time"
    )
    print(done.stdout.strip().splitlines()[-1])
    begun = time.perf_counter()
    subprocess.run(command, capture_output=True, check=True)
    print(f"the same command again: {time.perf_counter() - begun:.1f} s, nothing made")
    clips = read_clips(talent)
    print_clips(clips)
    print_readers(talent, clips)
    print_estimates(talent, given.output / "scores", clips, given.workers)
    made = init_project(
        talent, binary(modality="voice"), folder=given.output / "project", manifest=talent / "manifest.csv"
    )
    print(f"annotation project: {made.items} items, {made.units} units, remarks: {list(made.remarks)}")
    print_prosody(talent, clips)
    if given.transcribe and given.whisper:
        print_words(talent, clips, given.transcribe, given.whisper)


def read_clips(talent: Path) -> list[Clip]:
    return [read_clip(json.loads(line)) for line in (talent / "takes.jsonl").read_bytes().splitlines()]


def print_clips(clips: list[Clip]) -> None:
    seconds = np.array([clip.duration_s for clip in clips])
    rates = np.array([clip.script.words / clip.duration_s for clip in clips])
    levels = np.array([clip.loudness_lufs for clip in clips])
    print(
        f"{len(clips)} clips, {seconds.sum() / 3600:.2f} h, {seconds.min():.1f} to {seconds.max():.1f} s "
        f"(median {np.median(seconds):.1f}); {rates.min():.1f} to {rates.max():.1f} words a second; "
        f"{(np.abs(levels + 23) < 0.1).sum()} at -23 LUFS, the others held by the peak (lowest {levels.min():.1f}); "
        f"highest true peak {max(clip.peak_dbtp for clip in clips):.1f} dBTP; retakes {sum(c.attempt for c in clips)}"
    )
    print(f"different texts: {len({clip.script.text for clip in clips})}")


def print_readers(talent: Path, clips: list[Clip]) -> None:
    for kind in ("raw", "enhanced"):
        begun, told = time.perf_counter(), Counter[str]()
        by_key = {clip.script.part.key: clip for clip in clips}
        shards = list_shards(talent / kind)
        for shard in shards:
            for sample in read_samples(shard.address):
                part, found = by_key[sample.key].script.part, describe(sample)
                right = (found.emotion, found.language, found.speaker) == (part.emotion, part.language, part.voice)
                told["right" if right and not sample.problem and not found.unread else "wrong"] += 1
        print(f"reader, {kind}: {len(shards)} tars, {dict(told)}, {time.perf_counter() - begun:.1f} s")


def print_estimates(talent: Path, scores: Path, clips: list[Clip], workers: int) -> None:
    begun = time.perf_counter()
    made = run(talent / "enhanced", scores, model="voice", workers=workers, page=False)
    seconds = time.perf_counter() - begun
    rows = [row for path in sorted(scores.rglob("*.parquet")) for row in pq.read_table(path).to_pylist()]
    held = {row["key"]: row for row in rows}
    print(
        f"bulk run: {made.totals.samples} samples of {made.totals.shards} shards, "
        f"{dict(Counter(row['status'] for row in rows))}, {seconds:.1f} s"
    )
    # Whether the played emotion's score is higher in its own clips than in others: the chance that it is (AUC).
    keys = [record.key for record in EMOTIONS]
    table = np.array([[held[clip.script.part.key][key] for key in keys] for clip in clips], float)
    own = np.array([keys.index(clip.script.part.emotion) for clip in clips])
    chances = []
    judged = [column for column in range(len(keys)) if np.isfinite(table[:, column]).all()]
    for column in judged:
        yes, no = table[own == column, column], table[own != column, column]
        chances.append(float((yes[:, None] > no[None]).mean() + (yes[:, None] == no[None]).mean() / 2))
    print(
        f"embedded voice model, {len(judged)} emotions that it judges, clips that play one against all others: "
        f"mean AUC {np.mean(chances):.2f} (0.5: chance)"
    )
    one = emonet.load("voice")(talent / clips[0].path)
    print(f"emonet.load('voice') on one clip: {[part.status for part in one]}")


def print_prosody(talent: Path, clips: list[Clip]) -> None:
    """Correlation of the asked arousal with what was measured, within voices."""
    asked = np.array([played(c.script.part.emotion).arousal * (0.8, 1.0)[c.script.part.intensity - 3] for c in clips])
    measured = np.array([_measured(talent / clip.path, clip) for clip in clips])
    voices = [clip.script.part.voice for clip in clips]
    for name, column in zip(("words a second", "loudness before levelling", "pitch"), measured.T, strict=True):
        values = column.astype(float)
        for voice in set(voices):
            mine = np.array([one == voice for one in voices])
            values[mine] -= values[mine].mean()
        print(f"arousal and {name}: r = {np.corrcoef(asked, values)[0, 1]:.2f} within voices")
    pitches = {v: np.median([m[2] for m, one in zip(measured, voices, strict=True) if one == v]) for v in set(voices)}
    print("median pitch in semitones over 100 Hz: " + ", ".join(f"{v} {p:.1f}" for v, p in sorted(pitches.items())))


def print_words(talent: Path, clips: list[Clip], count: int, model: Path) -> None:
    from faster_whisper import WhisperModel

    from emonet.synthesis.voices._remote import word_error_rate

    listener = WhisperModel(str(model), device="cpu", compute_type="int8", local_files_only=True)
    rates = []
    for clip in clips[:: max(1, len(clips) // count)][:count]:
        heard = " ".join(piece.text for piece in listener.transcribe(str(talent / clip.path), language="en")[0])
        rates.append(word_error_rate(clip.script.text, heard))
    print(f"word error rate of {len(rates)} clips: median {np.median(rates):.2f}, highest {max(rates):.2f}")


def _measured(path: Path, clip: Clip) -> tuple[float, float, float]:
    samples, rate = soundfile.read(path, dtype="float32")
    return clip.script.words / clip.duration_s, -clip.facts["gain_db"], _pitch(samples, rate)


def _pitch(samples: NDArray[np.float32], rate: int) -> float:
    """Median of the autocorrelation's peak between 70 and 450 Hz over frames of 80 ms, in semitones over 100 Hz."""
    size, found = int(0.08 * rate), []
    for start in range(0, len(samples) - size, size):
        piece = samples[start : start + size] - samples[start : start + size].mean()
        spectrum = np.abs(np.fft.rfft(piece, 2 * size)) ** 2
        likeness = np.fft.irfft(spectrum)[:size]
        low, high = int(rate / 450), int(rate / 70)
        lag = low + int(likeness[low:high].argmax())
        if np.abs(piece).max() > 0.02 and likeness[lag] > 0.5 * likeness[0]:
            found.append(12 * np.log2(rate / lag / 100))
    return float(np.median(found)) if found else float("nan")


if __name__ == "__main__":
    main()
