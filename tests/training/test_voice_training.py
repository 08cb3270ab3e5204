"""A whole training on generated voices: it learns, stops and goes on, and writes a bundle that says the same."""

from __future__ import annotations

import csv
import json
import tomllib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

torch = pytest.importorskip("torch")
pytest.importorskip("onnxscript")

from emonet.errors import UsageError  # noqa: E402
from emonet.models import load_model, log_mel  # noqa: E402
from emonet.training._manifest import COLUMNS  # noqa: E402
from emonet.training._voice_data import open_clips  # noqa: E402
from emonet.training._voice_network import VoiceNetwork, round_weights  # noqa: E402
from emonet.training._voice_page import voice_page  # noqa: E402
from emonet.training._voice_targets import make_targets, validation_rows  # noqa: E402
from emonet.training._voice_training import fit, preprocessing, select_items, train_voice  # noqa: E402

ROOT = Path(__file__).resolve().parents[2]
EMOTIONS = {"angry": "Anger", "sad": "Sadness", "calm": "Contentment", "neutral": ""}
SPEAKERS = 16


def recipe(**training: Any) -> dict[str, Any]:
    """The shipped recipe with a tiny network and one made-up corpus."""
    settings = tomllib.loads((ROOT / "recipes/embedded-voice.toml").read_text(encoding="utf-8"))
    settings["network"] |= {"width": 32, "heads": 2, "inner": 48, "layers": 1, "channels": 24, "embedding": 16}
    settings["network"] |= {"dropout": 0.0, "head_dropout": 0.0}
    del settings["pretrained"]  # random weights
    settings["training"] |= {"epochs": 30, "batch": 16, "seconds": [0.6], "learning_rate": 3e-3, "average": 0.9}
    settings["training"] |= {"pretrained_rate": 1.0, "frozen_stem": False, "bfloat16": False, **training}
    settings["augmentation"] |= dict.fromkeys(("speed", "reverb", "noise", "band_limit", "clip", "codec"), 0.0)
    settings["augmentation"] |= {"masks": 0}
    settings["support"] |= {"min_positives": 3, "min_speakers": 3, "resamples": 50}
    settings["sources"] = {
        "made": {
            "name": "Made",
            "url": "https://example.org",
            "licence": "CC0-1.0",
            "role": "labels",
            "validation_speakers": 4,
            "use": "tones",
        }
    }
    return settings


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Tones whose pitch is the emotion; calm and neutral ones sound alike and cannot be told apart."""
    folder = tmp_path_factory.mktemp("voices")
    random = np.random.default_rng(0)
    time = np.arange(9600) / 16000
    rows = []
    for speaker in range(SPEAKERS):
        for label, emotion in EMOTIONS.items():
            for take in range(2):
                pitch = {"angry": 2400.0, "sad": 600.0}.get(label, 1200.0)
                wobble = 200.0 * (random.random() < 0.5)  # says nothing about calm or neutral
                hertz = pitch + 10 * speaker + wobble * np.sin(60 * time)
                tone = np.sin(2 * np.pi * np.cumsum(hertz) / 16000) + 0.05 * random.normal(size=len(time))
                path = f"{speaker}-{label}-{take}.wav"
                soundfile.write(folder / path, 0.3 * tone, 16000)
                rows.append(
                    {"path": path, "modality": "voice", "source": "made", "licence": "CC0-1.0", "label": label}
                    | {"emonet40": emotion, "split": "test" if speaker >= 12 else "train", "subject": str(speaker)}
                    | {"language": "", "duration_s": "0.6"}
                )
    with (folder / "manifest.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, COLUMNS)
        writer.writeheader()
        writer.writerows(rows)
    return folder


@pytest.fixture(scope="module")
def trained(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    output = tmp_path_factory.mktemp("trained")
    said: list[str] = []
    train_voice(recipe(), data=data, output=output, report=said.append)
    assert any("min left" in line for line in said)
    return output


def test_it_learns_and_says_what_it_did_not(trained: Path) -> None:
    """What the sound shows is scored and measured on new speakers; every other emotion is NaN with a reason."""
    card = load_model(trained / "bundle", threads=1).card
    assert not {"anger", "sadness"} & set(card.missing)
    figures = {metric.dimension: metric for metric in card.metrics if metric.name == "auc"}
    assert figures["anger"].value > 0.9
    assert figures["sadness"].low > 0.5
    assert "no speaker was asked" in card.missing["awe"]
    assert set(card.missing) | set(card.evidence) == set(card.dimensions)
    assert card.training_data[0].items == 64


def test_bundle_says_what_torch_says(trained: Path, data: Path) -> None:
    """The bundle's raw scores are those of the network with its weights rounded to 8 bits."""
    model = load_model(trained / "bundle", threads=1)
    stored = np.load(trained / "scores.npz")
    clips = [soundfile.read(data / name, dtype="float32")[0] for name in stored["items"][:12]]
    np.testing.assert_allclose(model.raw_scores(clips)[:, model.card.dimensions.index("anger")],
                               stored["raw"][:12, model.card.dimensions.index("anger")], atol=0.02)  # fmt: skip
    settings = recipe()
    items = select_items(settings, data)
    network = VoiceNetwork(settings["network"], corpora=make_targets(items, settings, data).corpora)
    network.load_state_dict(torch.load(trained / "checkpoint.pt", weights_only=True)["average"])
    round_weights(network.encoder.eval())
    heard = np.stack([log_mel(clip, model.card.preprocessing) for clip in clips])
    with torch.inference_mode():
        np.testing.assert_allclose(model.embed(clips), network.encoder(torch.from_numpy(heard)).numpy(), atol=1e-3)


def test_bundle_takes_any_length(trained: Path) -> None:
    """From a few samples to more than half a minute, alone or mixed, each clip gets finite scores of its own."""
    model = load_model(trained / "bundle", threads=1)
    random = np.random.default_rng(0)
    clips = [0.1 * random.normal(size=n).astype(np.float32) for n in (100, 8000, 16000 * 31, 8000)]
    together = model.raw_scores(clips)
    assert np.isfinite(together[:, model.card.dimensions.index("anger")]).all()
    np.testing.assert_allclose(together, np.concatenate([model.raw_scores([c]) for c in clips]), atol=1e-4)


def test_page_shows_the_card(trained: Path) -> None:
    """The page's figures come from the card."""
    card = load_model(trained / "bundle", threads=1).card
    page = voice_page(card)
    metric = next(metric for metric in card.metrics if metric.name == "auc")
    assert f"{metric.value:.3f} [{metric.low:.3f}, {metric.high:.3f}]" in page
    assert all(reason in page for reason in card.missing.values())


def test_a_stopped_run_goes_on_to_the_same_weights(data: Path, tmp_path: Path) -> None:
    """Stopping after an epoch and resuming ends at the weights of an unbroken run."""
    settings = recipe(epochs=3)
    items = select_items(settings, data)
    clips = open_clips(items, preprocessing(settings), tmp_path / "cache", report=lambda _: None)
    targets, held = make_targets(items, settings, data), validation_rows(items, settings)
    rows = np.flatnonzero(~held & np.asarray([item.split == "train" for item in items]))
    for name in ("whole", "broken"):
        (tmp_path / name).mkdir()

    def stop(line: str) -> None:
        if line.startswith("epoch 2/"):
            raise KeyboardInterrupt

    whole = fit(settings, clips, targets, rows, tmp_path / "whole", report=lambda _: None)
    with pytest.raises(KeyboardInterrupt):
        fit(settings, clips, targets, rows, tmp_path / "broken", report=stop)
    said: list[str] = []
    resumed = fit(settings, clips, targets, rows, tmp_path / "broken", report=said.append)
    assert said[0] == "resuming after epoch 2/3"
    for name, tensor in whole.state_dict().items():
        torch.testing.assert_close(resumed.state_dict()[name], tensor)
    assert len(json.loads((tmp_path / "broken/history.json").read_text())) == 3
    with pytest.raises(UsageError, match="another recipe"):
        fit(recipe(epochs=4), clips, targets, rows, tmp_path / "broken", report=lambda _: None)


def test_a_source_without_voices_is_named(data: Path, tmp_path: Path) -> None:
    """The recipe names more than the folder holds: the message says which source."""
    settings = recipe()
    settings["sources"] = {**settings["sources"], "other": settings["sources"]["made"]}
    with pytest.raises(UsageError, match="other"):
        train_voice(settings, data=data, output=tmp_path, report=lambda _: None)
