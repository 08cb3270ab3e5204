"""Official releases become bundles that give the same scores."""

from __future__ import annotations

import json
import shutil
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors.torch
import torch

from emonet.errors import BundleError, CheckpointError, UsageError
from emonet.models import Precision, ScoreRangeWarning, _encoders, convert, load_model, verify
from emonet.models._convert import read_release
from emonet.taxonomy import EMOTIONS


def relative_error(ours: Any, reference: Any) -> float:
    """Largest difference of any head, in units of the larger of that head's largest score and all heads' rms."""
    typical = np.sqrt((reference**2).mean())
    return float((np.abs(ours - reference).max(0) / np.maximum(np.abs(reference).max(0), typical)).max())


@pytest.mark.parametrize("precision", ["fp32", "fp16", "bf16", "int8"])
def test_face_bundle_scores_as_plain_pytorch(
    precision: Precision, face_release: Any, pictures: Any, score_faces: Callable[..., Any], tmp_path: Path
) -> None:
    """All 44 face heads give PyTorch's scores, within the precision that the card states."""
    heads, encoder, model, modules = face_release
    card = convert(heads, encoder, tmp_path / "b", precision=precision)
    ours = load_model(tmp_path / "b").raw_scores(pictures)
    reference = score_faces(model, modules, pictures)
    order = [card.dimensions.index(key) for key in modules]
    assert np.ptp(reference, axis=0).min() > 1e-4
    assert (
        relative_error(ours[:, order], reference) < {"fp32": 1e-4, "fp16": 2e-3, "bf16": 1e-2, "int8": 5e-2}[precision]
    )
    assert card.heads.precision == precision
    assert card.missing == {}


@pytest.mark.parametrize("precision", ["fp32", "fp16", "bf16", "int8"])
def test_voice_bundle_scores_as_plain_pytorch(
    precision: Precision, voice_release: Any, clips: Any, score_voices: Callable[..., Any], tmp_path: Path
) -> None:
    """All 59 heads of the Plus suite, sequence and pooled, give PyTorch's scores on clips of several lengths."""
    heads, encoder, model, modules = voice_release
    card = convert(heads, encoder, tmp_path / "b", precision=precision)
    ours = load_model(tmp_path / "b").raw_scores(clips)
    reference = score_voices(model, modules, clips)
    order = [card.dimensions.index(key) for key in modules]
    assert np.ptp(reference, axis=0).min() > 1e-4
    assert (
        relative_error(ours[:, order], reference) < {"fp32": 1e-4, "fp16": 2e-3, "bf16": 2e-2, "int8": 8e-2}[precision]
    )
    assert len(card.dimensions) == 59


def test_modality_and_size_follow_from_the_shapes(face_release: Any, voice_release: Any) -> None:
    """No flag says what a folder is; pooled heads make it the Plus suite."""
    face, voice = read_release(*face_release[:2]), read_release(*voice_release[:2])
    assert (face.modality, voice.modality) == ("face", "voice")
    assert {kind: len(group) for kind, group in voice.groups.items()} == {"sequence": 55, "pooled": 4}
    assert (face.suite, voice.suite) == (None, "Voice-Plus")
    assert face.dimensions[:40] == voice.dimensions[:40] == tuple(emotion.key for emotion in EMOTIONS)


def test_missing_heads_are_named_and_scored_nan(voice_release: Any, clips: Any, tmp_path: Path) -> None:
    """A suite without Teasing and without the pooled heads keeps its 55 columns; Teasing's is NaN with a reason."""
    heads, encoder, _, _ = voice_release
    for file in heads.glob("*.pth"):
        if "Teasing" not in file.name and "score_" not in file.name:
            (tmp_path / "heads").mkdir(exist_ok=True)
            shutil.copy(file, tmp_path / "heads")
    card = convert(tmp_path / "heads", encoder, tmp_path / "b", precision="fp32")
    model = load_model(tmp_path / "b")
    raw = model.raw_scores(clips[:2])
    assert set(card.missing) == {"teasing"}
    assert "model_Teasing_best.pth" in card.missing["teasing"]
    assert raw.shape == (2, 55)
    assert np.array_equal(np.isnan(raw).any(0), [d == "teasing" for d in card.dimensions])
    softmax = model.softmax(raw)
    assert np.isnan(softmax[:, list(card.dimensions).index("teasing")]).all()
    assert np.nansum(softmax, axis=1) == pytest.approx(1)


def test_extra_face_heads_are_optional(face_release: Any, tmp_path: Path) -> None:
    """Without arousal, valence, dominance and vulnerability nothing is missing: not every release has them."""
    heads, encoder, _, _ = face_release
    (tmp_path / "heads").mkdir()
    for emotion in EMOTIONS:
        name = f"model_{emotion.aliases['face_checkpoint']}_best.pth"
        shutil.copy(heads / name, tmp_path / "heads")
    card = convert(tmp_path / "heads", encoder, tmp_path / "b")
    assert len(card.dimensions) == 40
    assert card.missing == {}


def test_neutral_means_come_from_the_release_or_the_published_table(face_release: Any, tmp_path: Path) -> None:
    """The card says which; a file beside the heads wins, in any of its layouts."""
    heads, encoder, _, _ = face_release
    card = convert(heads, encoder, tmp_path / "b")
    assert card.neutral_means["concentration"] == 4.0734057
    assert len(card.neutral_means) == 44
    assert "ferd" in card.neutral_source
    shutil.copytree(heads, tmp_path / "heads")
    stats = {"model_anger_best": {"mean": 0.5, "std": 1}, "Jealousy_&_Envy": 0.25}
    (tmp_path / "heads" / "neutral_stats_cache.json").write_text(json.dumps(stats))
    card = convert(tmp_path / "heads", encoder, tmp_path / "c")
    assert card.neutral_means == {"anger": 0.5, "jealousy_envy": 0.25}
    assert "neutral_stats_cache.json" in card.neutral_source
    for wrong in ({"angr": 1}, {"anger": "x"}, [1]):
        (tmp_path / "heads" / "neutral_stats_cache.json").write_text(json.dumps(wrong))
        with pytest.raises(CheckpointError, match="neutral_stats_cache"):
            convert(tmp_path / "heads", encoder, tmp_path / "c")


def test_normalisation_is_a_switch(
    face_release: Any, pictures: Any, score_faces: Callable[..., Any], tmp_path: Path
) -> None:
    """Off, the heads read the raw embedding, as PyTorch without normalisation."""
    heads, encoder, model, modules = face_release
    card = convert(heads, encoder, tmp_path / "b", precision="fp32", l2_normalize=False)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ScoreRangeWarning)
        ours = load_model(tmp_path / "b").raw_scores(pictures)
    reference = score_faces(model, modules, pictures, normalize=False)
    order = [card.dimensions.index(key) for key in modules]
    assert relative_error(ours[:, order], reference) < 1e-4
    assert not card.encoder.l2_normalize


def test_scores_far_outside_the_scale_warn(face_release: Any, pictures: Any, tmp_path: Path) -> None:
    """Heads made for normalised embeddings, fed raw ones: above 15 on 0..7 the warning says what to check."""
    heads, encoder, _, _ = face_release
    (tmp_path / "heads").mkdir()
    state = torch.load(heads / "model_anger_best.pth")
    save_state = {key: value * (1e4 if key == "layers.6.weight" else 1) for key, value in state.items()}
    torch.save(save_state, tmp_path / "heads" / "model_anger_best.pth")
    convert(tmp_path / "heads", encoder, tmp_path / "b", precision="fp32")
    with pytest.warns(ScoreRangeWarning, match="anger reaches .*L2 normalisation is on"):
        load_model(tmp_path / "b").raw_scores(pictures)


def test_heads_of_another_encoder_are_refused(face_release: Any, voice_release: Any, tmp_path: Path) -> None:
    """Face heads with a voice encoder: the file and both sizes are named, and the right encoder."""
    with pytest.raises(CheckpointError, match=r"(?s)reads 24 numbers.*800 \(sequence\) or 64 \(pooled\).*siglip2"):
        convert(face_release[0], voice_release[1], tmp_path / "b")
    assert not (tmp_path / "b").exists()


def test_other_encoders_are_refused(tmp_path: Path, face_release: Any) -> None:
    """A folder that is no SigLIP or Whisper checkpoint says what was found."""
    with pytest.raises(CheckpointError, match=r"config\.json"):
        read_release(face_release[0], tmp_path)
    (tmp_path / "config.json").write_text('{"model_type": "bert"}')
    with pytest.raises(CheckpointError, match="'bert'"):
        read_release(face_release[0], tmp_path)


def test_an_encoder_without_its_weights_is_refused(tmp_path: Path, face_release: Any) -> None:
    """Freshly initialised weights must never pass for trained ones."""
    heads, encoder, _, _ = face_release
    shutil.copytree(encoder, tmp_path / "e")
    tensors = safetensors.torch.load_file(encoder / "model.safetensors")
    kept = {key: value for key, value in tensors.items() if "post_layernorm" not in key}
    safetensors.torch.save_file(kept, tmp_path / "e" / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(CheckpointError, match="post_layernorm"):
        convert(heads, tmp_path / "e", tmp_path / "b")
    (tmp_path / "e" / "model.safetensors").unlink()
    with pytest.raises(CheckpointError, match=r"model\.safetensors"):
        convert(heads, tmp_path / "e", tmp_path / "b")


def test_encoder_preprocessing_comes_from_its_file(tmp_path: Path, face_release: Any) -> None:
    """Without preprocessor_config.json the card says which filter was assumed."""
    heads, encoder, _, _ = face_release
    shutil.copytree(encoder, tmp_path / "e")
    assert read_release(heads, tmp_path / "e").encoder.preprocessing.resample == "bilinear"  # type: ignore[union-attr]
    (tmp_path / "e" / "preprocessor_config.json").unlink()
    facts = read_release(heads, tmp_path / "e").encoder
    assert facts.preprocessing.resample == "bicubic"  # type: ignore[union-attr]
    assert "bicubic" in facts.notes[0]


def test_large_encoders_keep_their_weights_beside_the_graph(
    face_release: Any, pictures: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """External data is part of the bundle and of its hashes."""
    heads, encoder, _, _ = face_release
    shutil.copytree(encoder, tmp_path / "e")
    monkeypatch.setattr(_encoders, "_INLINE_BYTES", 0)
    card = convert(heads, tmp_path / "e", tmp_path / "b", precision="fp32")
    assert card.encoder.data_file == "encoder.onnx.data"
    inline = tmp_path / "inline"
    monkeypatch.setattr(_encoders, "_INLINE_BYTES", 1 << 40)
    convert(heads, encoder, inline, precision="fp32")
    assert np.allclose(load_model(tmp_path / "b").raw_scores(pictures), load_model(inline).raw_scores(pictures))
    data = tmp_path / "b" / "encoder.onnx.data"
    data.write_bytes(data.read_bytes()[:-1] + b"\x01")
    with pytest.raises(BundleError, match=r"encoder\.onnx\.data"):
        load_model(tmp_path / "b")


@pytest.mark.parametrize("kind", ["face", "voice"])
def test_verify_compares_with_the_original_files(
    kind: str, request: pytest.FixtureRequest, pictures: Any, clips: Any, tmp_path: Path
) -> None:
    """Every head's error and rank correlation; a bundle of other heads does not pass."""
    heads, encoder, _, modules = request.getfixturevalue(f"{kind}_release")
    items = pictures if kind == "face" else clips
    convert(heads, encoder, tmp_path / "b", precision="fp32")
    checks = verify(tmp_path / "b", heads, encoder, items)
    assert {check.dimension for check in checks} == set(modules)
    assert max(check.max_relative_error for check in checks) < 1e-3
    assert min(check.rank_correlation for check in checks) > 0.89
    other = tmp_path / "other"
    other.mkdir()
    for file, source in zip(sorted(heads.glob("*A*.pth")), sorted(heads.glob("*A*.pth"))[1:], strict=False):
        shutil.copy(source, other / file.name)
    if kind == "voice":
        wrong = verify(tmp_path / "b", other, encoder, items)
        assert max(check.max_relative_error for check in wrong) > 0.1


def test_precision_is_checked_before_anything_is_read(tmp_path: Path) -> None:
    """An unknown precision is a usage error that lists the known ones."""
    with pytest.raises(UsageError, match="fp32, fp16, bf16 or int8"):
        convert(tmp_path, tmp_path, tmp_path / "b", precision="fp8")  # type: ignore[arg-type]
