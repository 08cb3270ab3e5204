"""The whole way: a Whisper with random weights learns clips and their captions, and says them when it hears them."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
import soundfile

import emonet
from emonet.captions import caption_estimates, caption_scores, make_baseline
from emonet.captions.whisper import (
    CaptionerRecipe,
    EmotionAgreement,
    evaluate_captions,
    load_captioner,
    train_captioner,
)
from emonet.datasets import Sample, write_shards
from emonet.media import SAMPLE_RATE, Audio, read_audio
from emonet.taxonomy import EMOTIONS
from tiny_whisper import SECONDS, tiny_whisper

RECIPE = CaptionerRecipe(
    epochs=80, batch=8, learning_rate=3e-3, weight_decay=0.0, validation=0.0, group_field="", checkpoint_steps=10_000
)


def learn(
    samples: list[Sample],
    clips: Mapping[str, Audio],
    scores: Mapping[str, Mapping[str, float]],
    folder: Path,
    *,
    least: float,
) -> EmotionAgreement:
    """Train on the samples, caption the clips again, check losses and captions; agreement with the scores."""
    captions = {sample.key: sample.facts["captions"] for sample in samples}
    write_shards(samples, folder / "shards")
    base = tiny_whisper(folder / "base", [text for said in captions.values() for text in said])
    trained = train_captioner(RECIPE, data=folder / "shards", base=base, output=folder / "run")
    assert np.mean(trained.losses[-4:]) < 0.05 * np.mean(trained.losses[:4])
    captioner = load_captioner(trained.folder, batch_size=12)
    heard = dict(zip(clips, (one.text for one in captioner.describe(clips.values())), strict=True))
    found = evaluate_captions(heard, references=captions, scores=scores, top=2)
    print(f"loss {trained.losses[0]:.2f} to {trained.losses[-1]:.3f}; {found}")  # shown with pytest -s
    assert found.text.exact is not None
    assert found.text.exact >= least
    assert found.agreement is not None
    return found.agreement


def test_learns_made_sounds(tmp_path: Path) -> None:
    """Eight chords with made-up scores: captions of training clips come back and agree with their scores."""
    random = np.random.default_rng(1)
    samples, clips, scores = [], {}, {}
    keys = [emotion.key for emotion in EMOTIONS[:20]]
    for number in range(8):
        times = np.arange(round(1.2 * SAMPLE_RATE)) / SAMPLE_RATE
        pitches = 120 * 2 ** (number / 3) * np.array([1.0, 1.5])
        sound = (0.2 * np.sin(2 * np.pi * pitches[:, None] * times).sum(0)).astype(np.float32)
        key = f"chord{number}"
        scores[key] = dict(zip(keys, random.normal(size=len(keys)).tolist(), strict=True))
        top = sorted(keys, key=lambda one, own=scores[key]: -own[one])[:2]  # type: ignore[misc]
        said = [caption_scores(dict.fromkeys(top, 4.0), attributes=0, always=(), seed=seed).text for seed in (1, 2)]
        file = io.BytesIO()
        soundfile.write(file, sound, SAMPLE_RATE, format="WAV", subtype="FLOAT")
        samples.append(Sample(key, file.getvalue(), "wav", "voice", {"captions": said}))
        clips[key] = Audio(sound, key)
    # Of two equally good captions greedy decoding may begin one and end the other.
    agreement = learn(samples, clips, scores, tmp_path, least=0.6)
    assert agreement.gain.low > 0.1


@pytest.mark.shared
def test_learns_real_voices(shared: Path, tmp_path: Path) -> None:
    """24 real vocal bursts, captioned by rule from the embedded model's scores: heard again, they get their captions,
    and the emotions named agree with the scores far beyond captions dealt at random."""
    data = shared / "data"
    with (data / "manifest.csv").open(encoding="utf-8") as file:
        rows = [
            row for row in csv.DictReader(file) if row["source"] == "emogator" and float(row["duration_s"]) < SECONDS
        ]
    paths = [data / row["path"] for row in rows[::61]][:40]
    estimates = [one for one in emonet.load("voice")(paths) if one.ok][:24]
    assert len(estimates) == 24
    baseline = make_baseline(estimates)
    samples, clips, scores = [], {}, {}
    for estimate, caption in zip(
        estimates, caption_estimates(estimates, baseline=baseline, emotions=2, attributes=0, always=()), strict=True
    ):
        assert caption is not None
        path = Path(estimate.source)
        samples.append(Sample(path.stem, path.read_bytes(), "opus", "voice", {"captions": [caption.text]}))
        clips[path.stem], scores[path.stem] = read_audio(path), estimate.scores()
    agreement = learn(samples, clips, scores, tmp_path, least=0.9)
    assert agreement.rank.low > agreement.control.high
    assert agreement.gain.low > 0.1
