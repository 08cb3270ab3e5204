"""The runtime torch, on the processor: the same scores as ONNX Runtime's, in order, from the bundle alone."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from emonet.errors import BundleError, ModelError, UsageError
from emonet.models import add_torch_tier, convert, load_model, log_mel
from emonet.models._card import AudioPreprocessing
from emonet.models._torch_mel import batch_log_mel
from emonet.models._torch_model import TorchModel


@pytest.fixture(scope="module")
def voice(voice_release: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The small Plus suite with its PyTorch encoder."""
    heads, encoder, *_ = voice_release
    folder = tmp_path_factory.mktemp("torch") / "voice"
    convert(heads, encoder, folder, precision="fp32")
    add_torch_tier(folder, encoder)
    return folder


@pytest.fixture(scope="module")
def face(face_release: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The small face suite with its PyTorch encoder."""
    heads, encoder, *_ = face_release
    folder = tmp_path_factory.mktemp("torch") / "face"
    convert(heads, encoder, folder, precision="fp32")
    add_torch_tier(folder, encoder)
    return folder


@pytest.fixture(scope="module")
def many_clips() -> list[Any]:
    """Clips of different lengths, one longer than the window."""
    draw = np.random.default_rng(0)
    return [draw.normal(0, 0.1, int(n)).astype(np.float32) for n in (900, 4000, 16_000, 8000, 20_000, 3000, 12_345)]


def test_voice_scores_equal_onnxruntimes(voice: Path, many_clips: Any) -> None:
    """Full-sequence and pooled heads, batches that do not divide the number of clips."""
    expected = load_model(voice, runtime="onnxruntime", precision="fp32").raw_scores(many_clips)
    model = load_model(voice, runtime="torch", precision="fp32")
    assert model.session.name.startswith("torch ")
    assert np.allclose(model.raw_scores(many_clips), expected, atol=2e-4)
    for batch in (1, 3):
        small = TorchModel(voice, model.card, precision="fp32", device="cpu", batch=batch)
        assert np.allclose(small.raw_scores(many_clips), expected, atol=2e-4)


def test_face_scores_equal_onnxruntimes(face: Path, pictures: Any) -> None:
    """Embeddings are normalised before the heads, alone and stored ones too."""
    reference = load_model(face, runtime="onnxruntime", precision="fp32")
    model = load_model(face, runtime="torch", precision="fp32")
    assert np.allclose(model.raw_scores(pictures), reference.raw_scores(pictures), atol=1e-5, equal_nan=True)
    assert np.allclose(model.embed(pictures), reference.embed(pictures), atol=1e-5)
    stored = reference.embed(pictures)
    assert np.allclose(model.score_embeddings(stored), reference.score_embeddings(stored), atol=1e-5, equal_nan=True)


def test_bfloat16_is_close(voice: Path, many_clips: Any) -> None:
    """Coarser, and clearly the same scores."""
    expected = load_model(voice, runtime="onnxruntime", precision="fp32").raw_scores(many_clips)
    found = load_model(voice, runtime="torch", precision="bf16").raw_scores(many_clips)
    assert 0 < np.abs(found - expected).max() < 0.1 * np.abs(expected).max()


@pytest.mark.parametrize("precision", ["fp16", "bf16", "int8"])
def test_stored_precision_is_widened_exactly(
    voice_release: Any, tmp_path: Path, many_clips: Any, precision: Any
) -> None:
    """Heads at any storage give what ONNX Runtime gives from the same file."""
    heads, encoder, *_ = voice_release
    convert(heads, encoder, tmp_path / "v", precision=precision)
    add_torch_tier(tmp_path / "v", encoder)
    expected = load_model(tmp_path / "v", runtime="onnxruntime", precision="fp32").raw_scores(many_clips)
    found = load_model(tmp_path / "v", runtime="torch", precision="fp32").raw_scores(many_clips)
    assert np.allclose(found, expected, atol=2e-4)


@pytest.mark.parametrize("length", [400, 8000, 15_900, 16_000])
def test_log_mel_equals_the_front_end(length: int) -> None:
    """The batch on the device has the numbers of the one on the processor, at any length."""
    clip = np.random.default_rng(length).normal(0, 0.1, length).astype(np.float32)
    spec = AudioPreprocessing(front_end="whisper", n_mels=80, window_s=1.0)
    padded = np.zeros((2, 16_000), np.float32)
    padded[1, :length] = clip
    found = batch_log_mel(torch.from_numpy(padded), n_mels=80).numpy()
    assert np.abs(found[1] - log_mel(clip, spec)).max() < 1e-4


def test_wrong_items_raise_where_they_are_asked_for(voice: Path, many_clips: Any) -> None:
    """The thread that prepares batches hands its error on, and ends."""
    model = load_model(voice, runtime="torch", precision="fp32")
    before = threading.active_count()
    with pytest.raises(UsageError, match="Item 7"):
        model.raw_scores([*many_clips, np.zeros((2, 2), np.float32)])
    assert threading.active_count() == before
    assert model.raw_scores([]).shape == (0, 59)


def test_what_is_missing_is_named(voice_release: Any, voice: Path, tmp_path: Path) -> None:
    """A bundle without the tier, a precision that PyTorch does not get, tensors of another encoder."""
    heads, encoder, *_ = voice_release
    convert(heads, encoder, tmp_path / "plain")
    with pytest.raises(ModelError, match="--tier torch"):
        load_model(tmp_path / "plain", runtime="torch", precision="fp32")
    with pytest.raises(UsageError, match="fp32 or bf16, not int8"):
        load_model(voice, runtime="torch", precision="int8")
    card = load_model(voice, runtime="torch", precision="fp32").card
    (tmp_path / "encoder.safetensors").write_bytes((voice / "encoder.safetensors").read_bytes())
    config = (voice / "encoder.config.json").read_text().replace('"encoder_layers": 2', '"encoder_layers": 3')
    (tmp_path / "encoder.config.json").write_text(config)
    with pytest.raises(BundleError, match="tensors are missing"):
        TorchModel(tmp_path, card, precision="fp32", device="cpu")


@pytest.mark.gpu
def test_cuda_graphs_give_the_same(voice: Path, many_clips: Any) -> None:
    """On a graphics card full batches run as one graph and the rest without; the scores agree with the processor's."""
    if not torch.cuda.is_available():
        pytest.skip("no CUDA device here; tests above run the same code on the processor")
    expected = load_model(voice, runtime="onnxruntime", precision="fp32").raw_scores(many_clips)
    card = load_model(voice, precision="fp32").card
    model = TorchModel(voice, card, precision="fp32", device="cuda", batch=3)
    for _ in range(2):
        assert np.allclose(model.raw_scores(many_clips), expected, atol=1e-2)
