"""How well copies are found and quality is measured, on real media: the tables of docs/datasets.md.

    python -m benchmarks.curation --data DIR

DIR holds `manifest.csv` (columns path, modality, source, split) and the media. Copies are made here, so that they are
known; that two sources share nothing is the assumption behind the count of false alarms.
"""

from __future__ import annotations

import argparse
import csv
import io
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import PIL.Image
import PIL.ImageEnhance
import PIL.ImageFilter
import soundfile
import soxr
from numpy.typing import NDArray

from emonet.datasets.curation import (
    PictureRule,
    PictureSignature,
    SoundSignature,
    measure_sound,
    picture_copies,
    picture_signature,
    sound_copies,
    sound_signature,
)
from emonet.datasets.curation._measures import clipped_share, sharpness_of
from emonet.media import decode_image, read_audio
from emonet.statistics import roc_auc, wilson

Pixels, Samples = NDArray[np.uint8], NDArray[np.float32]
_RATE = 16_000
_HEAD = "| change | found | recall | 95 % interval |\n|---|---|---|---|"


def _jpeg(x: PIL.Image.Image, quality: int) -> PIL.Image.Image:
    buffer = io.BytesIO()
    x.save(buffer, "JPEG", quality=quality)
    return PIL.Image.open(buffer)


def _crop(x: PIL.Image.Image, part: float) -> PIL.Image.Image:
    w, h = x.size
    return x.crop((round(w * part), round(h * part), round(w * (1 - part)), round(h * (1 - part))))


def _noisy(x: PIL.Image.Image) -> PIL.Image.Image:
    values = np.asarray(x, np.float64)
    return PIL.Image.fromarray(
        np.clip(values + np.random.default_rng(1).normal(0, 12, values.shape), 0, 255).astype(np.uint8)
    )


PICTURES: dict[str, Callable[[PIL.Image.Image], PIL.Image.Image]] = {
    "JPEG, quality 50": lambda x: _jpeg(x, 50),
    "JPEG, quality 10": lambda x: _jpeg(x, 10),
    "half the size": lambda x: x.resize((x.width // 2, x.height // 2)),
    "twice the size": lambda x: x.resize((x.width * 2, x.height * 2)),
    "brighter by 40 %, whites clipped": lambda x: PIL.ImageEnhance.Brightness(x).enhance(1.4),
    "contrast 60 %": lambda x: PIL.ImageEnhance.Contrast(x).enhance(0.6),
    "gamma 0.6": lambda x: x.point([round(255 * (v / 255) ** 0.6) for v in range(256)] * len(x.getbands())),
    "blurred (1 px)": lambda x: x.filter(PIL.ImageFilter.GaussianBlur(1)),
    "noise (12 of 255)": _noisy,
    "cropped by 2 % on each side": lambda x: _crop(x, 0.02),
    "cropped by 4 % on each side": lambda x: _crop(x, 0.04),
    "cropped by 8 % on each side": lambda x: _crop(x, 0.08),
    "turned by 2 degrees": lambda x: x.rotate(2, PIL.Image.Resampling.BICUBIC),
    "turned by 5 degrees": lambda x: x.rotate(5, PIL.Image.Resampling.BICUBIC),
    "mirrored": lambda x: x.transpose(PIL.Image.Transpose.FLIP_LEFT_RIGHT),
}


def _coded(x: Samples, kind: str, subtype: str, level: float | None = None) -> Samples:
    buffer = io.BytesIO()
    extra = {} if level is None else {"compression_level": level}
    soundfile.write(buffer, x, _RATE, format=kind, subtype=subtype, **extra)
    buffer.seek(0)
    decoded, rate = soundfile.read(buffer, dtype="float32")
    return decoded if rate == _RATE else soxr.resample(decoded, rate, _RATE)


def _with_noise(x: Samples, snr_db: float, seed: int = 1) -> Samples:
    noise = np.random.default_rng(seed).normal(0, 1, len(x)).astype(np.float32)
    return x + noise * np.sqrt(np.mean(x**2)) * np.float32(10 ** (-snr_db / 20))


SOUNDS: dict[str, Callable[[Samples], Samples]] = {
    "quieter by 20 dB": lambda x: x * np.float32(0.1),
    "MP3, about 20 kbit/s": lambda x: _coded(x, "MP3", "MPEG_LAYER_III", 0.9),
    "Opus, about 27 kbit/s": lambda x: _coded(x, "OGG", "OPUS", 0.9),
    "Opus, about 10 kbit/s": lambda x: _coded(x, "OGG", "OPUS", 0.99),
    "Vorbis, lowest quality": lambda x: _coded(x, "OGG", "VORBIS", 0.99),
    "telephone band (8 kHz)": lambda x: soxr.resample(soxr.resample(x, _RATE, 8000), 8000, _RATE),
    "first 0.3 s cut off": lambda x: x[4800:],
    "0.5 s of silence before": lambda x: np.pad(x, (8000, 0)),
    "middle half only": lambda x: x[len(x) // 4 : len(x) * 3 // 4],
    "quieter, later and as MP3": lambda x: _coded(x[3001:] * np.float32(0.3), "MP3", "MPEG_LAYER_III", 0.9),
    "noise at 20 dB": lambda x: _with_noise(x, 20),
    "noise at 10 dB": lambda x: _with_noise(x, 10),
    "clipped by 12 dB": lambda x: np.clip(x / np.abs(x).max() * 4, -1, 1),
    "faster by 1 %": lambda x: soxr.resample(x, _RATE * 1.01, _RATE),
    "faster by 5 %": lambda x: soxr.resample(x, _RATE * 1.05, _RATE),
}


def _row(name: str, hits: int, n: int) -> str:
    found = wilson(hits / n, n)
    return f"| {name} | {hits} of {n} | {found.value:.3f} | {found.low:.3f} to {found.high:.3f} |"


def pictures(data: Path, rows: Sequence[dict[str, str]], seed: int) -> None:
    """Recall on made copies and on FER+'s pixel copies; alarms between sources."""
    signatures = [picture_signature(decode_image(data / row["path"]).pixels) for row in rows]
    blind = [replace(one, exact=str(k)) for k, one in enumerate(signatures)]  # likeness alone decides
    source = np.array([row["source"] for row in rows])
    draw = np.random.default_rng(seed)
    chosen = np.concatenate([draw.choice(np.flatnonzero(source == name), 300, False) for name in np.unique(source)])
    print(f"\n{len(rows)} pictures; copies made of {len(chosen)}\n\n{_HEAD}")
    for name, change in PICTURES.items():
        made = []
        for k in chosen:
            with PIL.Image.open(data / rows[k]["path"]) as picture:
                made.append(picture_signature(np.asarray(change(picture.convert("RGB")).convert("RGB"))))
        originals = [blind[k] for k in chosen]
        print(_row(name, _found_pictures(originals, made), len(chosen)))
        if name == "mirrored":
            asked = _found_pictures(originals, made, PictureRule(mirrored=True))
            print(_row("mirrored, with mirrored = true", asked, len(chosen)))
    _pixel_copies(rows, signatures, blind)


def _found_pictures(
    originals: Sequence[PictureSignature], made: Sequence[PictureSignature], rule: PictureRule | None = None
) -> int:
    n = len(originals)
    pairs = picture_copies([f"{k:06d}" for k in range(2 * n)], [*originals, *made], rule)
    return sum(int(b) == int(a) + n for a, b in pairs.select("first", "second").iter_rows())


def _pixel_copies(
    rows: Sequence[dict[str, str]], signatures: Sequence[PictureSignature], blind: Sequence[PictureSignature]
) -> None:
    groups: dict[str, list[int]] = {}
    for k, one in enumerate(signatures):
        groups.setdefault(one.exact, []).append(k)
    known = {(a, b) for group in groups.values() for a in group for b in group if a < b}
    names = [f"{k:06d}" for k in range(len(rows))]
    pairs = picture_copies(names, blind)
    found = {(int(a), int(b)) for a, b in pairs.select("first", "second").iter_rows()}
    print(_row("pairs of equal pixels, digest not used", len(known & found), len(known)))
    for wanted, label in ((known, "equal pixels"), (found, "any likeness")):
        leaks = {
            k for pair in wanted for k, other in (pair, pair[::-1])
            if rows[k]["split"] == "test" and rows[other]["split"] == "train" and rows[k]["source"] == "ferplus"
        }  # fmt: skip
        print(f"FER+ test pictures with a copy in training ({label}): {len(leaks)}")
    sources = np.array([row["source"] for row in rows])
    across = [(a, b) for a, b in found if sources[a] != sources[b]]
    counts = np.unique(sources, return_counts=True)[1]
    tried = int((counts.sum() ** 2 - (counts**2).sum()) // 2)
    print(
        f"between sources: {len(across)} alarms in {tried:,} pairs; upper end of 95 %: {_most(len(across), tried):.1e}"
    )
    print(f"pairs found: {len(found)}, of them not of equal pixels: {len(found - known)}")


def sounds(data: Path, rows: Sequence[dict[str, str]], seed: int) -> None:
    """Recall on made copies; alarms among all clips."""
    source = np.array([row["source"] for row in rows])
    draw = np.random.default_rng(seed)
    parts = [np.flatnonzero(source == name) for name in np.unique(source)]
    chosen = np.concatenate([draw.choice(part, min(80, len(part)), False) for part in parts])
    loaded = [read_audio(data / rows[k]["path"]).samples for k in chosen]
    originals = [sound_signature(x) for x in loaded]
    print(f"\n{len(rows)} clips; copies made of {len(chosen)}\n\n{_HEAD}")
    for name, change in SOUNDS.items():
        made = [sound_signature(np.ascontiguousarray(change(x), np.float32)) for x in loaded]
        print(_row(name, _found_sounds(originals, made), len(chosen)), flush=True)
    everything = [sound_signature(read_audio(data / row["path"]).samples) for row in rows]
    pairs = sound_copies([f"{k:06d}" for k in range(len(rows))], everything)
    n = len(rows) * (len(rows) - 1) // 2
    print(f"among all clips: {len(pairs)} pairs found in {n:,}; upper end of 95 %: {_most(len(pairs), n):.1e}")
    for a, b, likeness, exact in pairs.iter_rows():
        print(f"  {likeness:.3f} {'exact' if exact else ''} {rows[int(a)]['path']} {rows[int(b)]['path']}")


def _found_sounds(originals: Sequence[SoundSignature], made: Sequence[SoundSignature]) -> int:
    n = len(originals)
    blind = [replace(one, exact=str(k)) for k, one in enumerate([*originals, *made])]
    pairs = sound_copies([f"{k:06d}" for k in range(2 * n)], blind)
    return sum(int(b) == int(a) + n for a, b in pairs.select("first", "second").iter_rows())


def measures(data: Path, rows: Sequence[dict[str, str]], seed: int) -> None:
    """Signal to noise on mixtures of known ratio; clipping and blur against the untouched file."""
    draw = np.random.default_rng(seed)
    voices = [row for row in rows if row["source"] in ("nemo", "ravdess")]
    loaded = [read_audio(data / voices[k]["path"]).samples for k in draw.choice(len(voices), 200, False)]
    print("\n| noise added | measured: median | 5 % to 95 % | unknown |\n|---|---|---|---|")
    clean = [measure_sound(x)[0] for x in loaded]
    for snr_db in (None, 30.0, 20.0, 10.0, 5.0, 0.0):
        heard = []
        for x, known in zip(loaded, clean, strict=True):
            # The ratio is meant for the speech, not for the pauses that share the clip with it.
            share = 10 * np.log10(max(known.duration_s / max(known.speech_s, 0.1), 1))
            heard.append(known if snr_db is None else measure_sound(_with_noise(x, snr_db - share))[0])
        values = [one.snr_db for one in heard if one.snr_db is not None]
        low, middle, high = np.percentile(values, (5, 50, 95))
        said = "none" if snr_db is None else f"{snr_db:g} dB below the speech"
        print(f"| {said} | {middle:.1f} dB | {low:.1f} to {high:.1f} dB | {len(heard) - len(values)} of {len(heard)} |")
    print("\n| clipping | over 1 % of samples flagged | 95 % interval |\n|---|---|---|")
    for name, change in (
        ("none", lambda x: x), ("by 6 dB", lambda x: np.clip(x / np.abs(x).max() * 2, -1, 1)),
        ("by 12 dB", lambda x: np.clip(x / np.abs(x).max() * 4, -1, 1)),
        ("by 12 dB, then quieter by 20 dB", lambda x: np.clip(x / np.abs(x).max() * 4, -1, 1) * np.float32(0.1)),
        ("by 12 dB, then Opus", lambda x: _coded(np.clip(x / np.abs(x).max() * 4, -1, 1), "OGG", "OPUS", 0.9)),
    ):  # fmt: skip
        hits = sum(clipped_share(np.asarray(change(x), np.float32)) > 0.01 for x in loaded)
        share = wilson(hits / len(loaded), len(loaded))
        print(f"| {name} | {hits} of {len(loaded)} | {share.low:.3f} to {share.high:.3f} |")
    faces = [row for row in rows if row["source"] == "muxspace"]
    sharp, blurred = [], {1.0: [], 2.0: []}
    for k in draw.choice(len(faces), 400, False):
        with PIL.Image.open(data / faces[k]["path"]) as picture:
            rgb = picture.convert("RGB")
        sharp.append(sharpness_of(np.asarray(rgb)))
        for radius, held in blurred.items():
            held.append(sharpness_of(np.asarray(rgb.filter(PIL.ImageFilter.GaussianBlur(radius)))))
    for radius, held in blurred.items():
        truth = np.repeat([1.0, 0.0], len(sharp))
        auc = roc_auc(np.array(sharp + held), truth)
        print(f"sharpness tells 400 pictures from themselves blurred by {radius:g} px: AUC {auc:.3f}")


def _most(alarms: int, n: int) -> float:
    """Upper end of the exact (Clopper-Pearson) 95 % interval of a rate."""
    from scipy.stats import beta

    return float(beta.ppf(0.975, alarms + 1, n - alarms))


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", choices=("pictures", "sounds", "measures"))
    given = parser.parse_args()
    with (given.data / "manifest.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    for name, run, held in (
        ("pictures", pictures, [row for row in rows if row["modality"] == "face"]),
        ("sounds", sounds, [row for row in rows if row["modality"] == "voice"]),
        ("measures", measures, rows),
    ):
        if given.only in (None, name):
            run(given.data, held, given.seed)


if __name__ == "__main__":
    main()
