"""Inference: transformers and CTranslate2, batches, long recordings, partial text, and clear errors."""

from __future__ import annotations

import builtins
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
import torch
from transformers import GenerationMixin, WhisperForConditionalGeneration

from emonet.captions.whisper import Captioner, convert_captioner, load_captioner
from emonet.errors import CheckpointError, MissingExtraError, ModelError, UsageError
from emonet.media import SAMPLE_RATE, Audio, WindowPolicy
from emonet.models import AudioPreprocessing, log_mel


@pytest.fixture(scope="module")
def talkative(base: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tiny model with louder random weights in the decoder, so that it writes other words for other sounds."""
    folder = tmp_path_factory.mktemp("talkative") / "model"
    shutil.copytree(base, folder)
    model = WhisperForConditionalGeneration.from_pretrained(folder)
    torch.manual_seed(3)
    with torch.no_grad():
        for name, weights in model.named_parameters():
            if "encoder_attn" in name and weights.ndim == 2:
                weights.mul_(4)
        model.model.decoder.embed_tokens.weight[-5:] *= 0.01
    model.save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def captioner(talkative: Path) -> Captioner:
    return load_captioner(talkative, max_tokens=12, batch_size=2)


def test_greedy_is_transformers_own(talkative: Path, captioner: Captioner, tones: list[Audio]) -> None:
    """Batched captions hold the tokens that transformers' `generate` gives for one clip after the other."""
    model = WhisperForConditionalGeneration.from_pretrained(talkative).eval()
    decoder = captioner._decoder
    spec = AudioPreprocessing(front_end="whisper", n_mels=80, window_s=captioner.window_s)
    features = np.stack([log_mel(tone.samples, spec) for tone in tones])
    ours = decoder.write(features, 12)
    prompt = torch.tensor([decoder.decoding.prompt])
    for row, tokens in zip(features, ours, strict=True):
        # The base class's greedy search; Whisper's own adds timestamps and long recordings around it.
        out = GenerationMixin.generate(
            model, torch.from_numpy(row[None]), decoder_input_ids=prompt, max_new_tokens=12, max_length=None
        )
        assert out[0, prompt.shape[1] :].tolist() == tokens
    assert len({tuple(tokens) for tokens in ours}) > 1


def test_batches_do_not_matter(talkative: Path, captioner: Captioner, tones: list[Audio]) -> None:
    """Captions come in order and are the same in batches of two as one by one; complete or not is told."""
    one_by_one = load_captioner(talkative, max_tokens=12, batch_size=1)
    together = list(captioner.describe(tones))
    assert [one.raw for one in together] == [one.raw for one in one_by_one.describe(tones)]
    assert [one.source for one in together] == [tone.source for tone in tones]
    assert all(one.complete == (one.tokens < 12) for one in together)
    assert json.loads(json.dumps(together[0].as_json()))["caption"] == together[0].text


def test_partial_text_grows_to_the_caption(captioner: Captioner, tones: list[Audio]) -> None:
    """The stream's last text of a window is its caption, and the pieces before come in order."""
    everything = WindowPolicy(max_s=captioner.window_s, detector="none")
    pieces = list(captioner.stream(tones[1], everything))
    (whole,) = captioner(tones[1], everything)
    assert pieces[-1].final
    assert [piece.final for piece in pieces].count(True) == 1
    assert pieces[-1].text == whole.text
    assert len(pieces) > 3
    assert torch.is_inference_mode_enabled() is False


def test_long_recordings_come_in_windows(captioner: Captioner, tmp_path: Path) -> None:
    """A recording longer than the model hears gives one caption a window, with times; silence gives none."""
    generator = np.random.default_rng(0)
    soundfile.write(tmp_path / "long.wav", 0.1 * generator.normal(size=5 * SAMPLE_RATE), SAMPLE_RATE)
    soundfile.write(tmp_path / "silent.wav", np.zeros(2 * SAMPLE_RATE), SAMPLE_RATE)
    everything = WindowPolicy(max_s=captioner.window_s, detector="none")
    windows = captioner(tmp_path / "long.wav", everything)
    assert [(one.start_s, one.end_s) for one in windows] == [(0.0, 2.0), (2.0, 4.0), (4.0, 5.0)]
    assert captioner(tmp_path / "long.wav") == ()  # noise is no speech
    assert list(captioner.stream(tmp_path / "silent.wav")) == []


@pytest.mark.shared
def test_windows_stand_at_speech(captioner: Captioner, shared: Path) -> None:
    """Windows of real speech lie within the recording and do not overlap."""
    path = sorted((shared / "data" / "voices" / "nemo").iterdir())[0]
    windows = captioner(path)
    assert windows
    edges = [edge for one in windows for edge in (one.start_s, one.end_s)]
    assert edges == sorted(edges)


def test_ctranslate2_writes_the_same(talkative: Path, captioner: Captioner, tones: list[Audio], tmp_path: Path) -> None:
    """A converted checkpoint gives the same captions, keeps its window, and streams whole windows."""
    folder = convert_captioner(talkative, tmp_path / "converted")
    other = load_captioner(folder, max_tokens=12)
    assert (other.runtime, other.window_s) == ("ctranslate2", captioner.window_s)
    assert list(other.describe(tones)) == list(captioner.describe(tones))
    pieces = list(other.stream(tones[0], WindowPolicy(max_s=other.window_s, detector="none")))
    assert pieces[-1].text == next(captioner.describe(tones[:1])).text
    with pytest.raises(UsageError, match="exists"):
        convert_captioner(talkative, folder)
    with pytest.raises(UsageError, match="CTranslate2's format"):
        load_captioner(folder, runtime="transformers")


def test_published_rules_are_kept(talkative: Path, tones: list[Audio], tmp_path: Path) -> None:
    """Suppressed tokens of generation_config.json are never written, and its forced ids do not count."""
    folder = tmp_path / "model"
    shutil.copytree(talkative, folder)
    free = load_captioner(folder, max_tokens=8)
    written = free._decoder.write(np.stack([free._features(tone) for tone in tones]), 8)
    banned = [tokens[0] for tokens in written]
    rules = json.loads((folder / "generation_config.json").read_text())
    rules |= {"suppress_tokens": banned, "forced_decoder_ids": [[1, banned[0]]]}
    (folder / "generation_config.json").write_text(json.dumps(rules))
    strict = load_captioner(folder, max_tokens=8)
    now = strict._decoder.write(np.stack([strict._features(tone) for tone in tones]), 8)
    assert not set(banned) & {token for tokens in now for token in tokens}


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"runtime": "onnx"}, "runtime"),
        ({"runtime": "ctranslate2"}, "transformers's format"),
        ({"device": "tpu"}, "device"),
        ({"max_tokens": 0}, "max_tokens"),
        ({"compute_type": "int3"}, "compute_type"),
        ({"clean": "bold"}, "rule"),
        ({"language": "xx"}, "language"),
    ],
)
def test_wrong_options(base: Path, options: dict[str, Any], says: str) -> None:
    """Each wrong argument is named."""
    with pytest.raises(UsageError, match=says):
        load_captioner(base, **options)


def test_what_is_no_captioner(base: Path, tmp_path: Path) -> None:
    """A name that is none, a folder without files, another model and other weights each say so."""
    with pytest.raises(UsageError, match="no folder and no Hub id"):
        load_captioner(tmp_path / "nowhere")
    with pytest.raises(ModelError, match="HF_HUB_OFFLINE"):
        load_captioner("laion/BUD-E-Whisper")
    with pytest.raises(CheckpointError, match=r"config\.json"):
        load_captioner(tmp_path)
    folder = tmp_path / "other"
    shutil.copytree(base, folder)
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | {"decoder_layers": 3}))
    with pytest.raises(CheckpointError, match="do not belong together"):
        load_captioner(folder)
    (folder / "config.json").write_text(json.dumps(config | {"model_type": "bert"}))
    with pytest.raises(CheckpointError, match="bert"):
        load_captioner(folder)


def test_a_clip_that_would_go_unheard(captioner: Captioner) -> None:
    """`describe` does not cut silently."""
    with pytest.raises(UsageError, match=r"hears 2 s at once"):
        list(captioner.describe([Audio(np.zeros(3 * SAMPLE_RATE, np.float32), "long")]))
    with pytest.raises(UsageError, match="max_s"):
        captioner(Audio(np.zeros(SAMPLE_RATE, np.float32), "short"), WindowPolicy(max_s=30))


def test_missing_packages(base: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without transformers the message is the install line."""
    real: Callable[..., Any] = builtins.__import__

    def absent(name: str, *rest: Any) -> Any:
        if name == "transformers":
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
        return real(name, *rest)

    monkeypatch.setattr("emonet.errors.import_module", lambda name: absent(name))
    with pytest.raises(MissingExtraError, match=r"emonet\[caption\]"):
        load_captioner(base, device="cpu")
