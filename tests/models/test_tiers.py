"""More precisions of one bundle: made, compared with fp32, refused when too coarse."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from emonet.errors import BundleError, ModelError, UnknownNameError, UsageError
from emonet.models import check_bundle, convert, load_model, quantize, read_card, verify_tier


@pytest.fixture(scope="module")
def voice_bundle(voice_release: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The small Plus suite, converted."""
    heads, encoder, *_ = voice_release
    folder = tmp_path_factory.mktemp("tiers") / "voice"
    convert(heads, encoder, folder)
    return folder


@pytest.fixture
def bundle(voice_bundle: Path, tmp_path: Path) -> Path:
    """A copy that a test may change."""
    return Path(shutil.copytree(voice_bundle, tmp_path / "bundle"))


@pytest.fixture(scope="module")
def many_clips() -> list[Any]:
    """Forty clips of tones and noise, so that scores have an order."""
    draw = np.random.default_rng(3)
    time = np.arange(16_000) / 16_000
    return [
        (
            draw.uniform(0.05, 0.5) * np.sin(2 * np.pi * draw.uniform(80, 2000) * time)
            + draw.uniform(0.001, 0.1) * draw.normal(size=16_000)
        ).astype(np.float32)
        for _ in range(40)
    ]


@pytest.mark.parametrize("precision", ["int8-weights", "int8"])
@pytest.mark.parametrize("runtime", ["onnxruntime", "openvino"])
def test_a_tier_is_smaller_and_close(bundle: Path, many_clips: Any, precision: Any, runtime: Any) -> None:
    """Files of a quarter the size that both runtimes read, with scores near fp32's."""
    card = quantize(bundle, precision, many_clips[:20], calibration_name="tones")
    tier = card.tier(precision)
    assert tier is not None
    assert tier.encoder is not None
    assert tier.heads is not None
    assert tier.heads.bytes < 0.7 * card.heads.bytes
    assert tier.calibration == ("20 items tones" if precision == "int8" else "")
    assert check_bundle(bundle).revision == card.revision
    expected = load_model(bundle, runtime="onnxruntime", precision="fp32").raw_scores(many_clips[20:])
    model = load_model(bundle, runtime=runtime, precision=precision)
    assert model.session.name.endswith(precision)
    found = model.raw_scores(many_clips[20:])
    assert not np.array_equal(found, expected)
    assert np.abs(found - expected).max() < 0.2 * np.abs(expected).max()


def test_verify_writes_what_it_measured(bundle: Path, many_clips: Any) -> None:
    """bfloat16 needs no files; its comparison with fp32 is kept in the card."""
    checks, card = verify_tier(bundle, "bf16", many_clips, data="tones", bound=-1.0)
    tier = card.tier("bf16")
    assert tier is not None
    assert tier.check is not None
    assert tier.check.passed
    assert tier.check.items == 40
    assert len(checks) == 59
    assert tier.check.max_difference == max(check.max_error for check in checks) > 0
    assert 0 < tier.check.mean_difference < tier.check.max_difference
    assert tier.check.rank_correlation == min(check.rank_correlation for check in checks)
    assert load_model(bundle, runtime="openvino", precision="bf16").card == card


def test_a_coarse_tier_is_refused(bundle: Path, many_clips: Any) -> None:
    """After verify has failed a tier it cannot be loaded by mistake; the bundle's fp32 still can."""
    quantize(bundle, "int8-weights")
    _, card = verify_tier(bundle, "int8-weights", many_clips, data="tones", bound=1.0)
    tier = card.tier("int8-weights")
    assert tier is not None
    assert tier.check is not None
    assert not tier.check.passed
    with pytest.raises(ModelError, match=r"verify refused it.*40 items"):
        load_model(bundle, runtime="openvino", precision="int8-weights")
    load_model(bundle, precision="fp32")


def test_a_tier_made_again_must_be_verified_again(bundle: Path, many_clips: Any) -> None:
    """A new file has no verdict."""
    quantize(bundle, "int8-weights")
    verify_tier(bundle, "int8-weights", many_clips, data="tones", bound=1.0)
    tier = quantize(bundle, "int8-weights").tier("int8-weights")
    assert tier is not None
    assert tier.check is None


def test_both_8_bit_tiers_share_their_heads(bundle: Path, many_clips: Any) -> None:
    """The large file is written once."""
    first = quantize(bundle, "int8-weights").tier("int8-weights")
    second = quantize(bundle, "int8", many_clips).tier("int8")
    assert first is not None
    assert second is not None
    assert first.heads == second.heads
    assert len(read_card(bundle).tiers) == 2


def test_face_bundles_have_tiers_too(face_release: Any, pictures: Any, tmp_path: Path) -> None:
    """Heads over an embedding are small and stay as they are."""
    heads, encoder, *_ = face_release
    convert(heads, encoder, tmp_path / "face")
    tier = quantize(tmp_path / "face", "int8-weights").tier("int8-weights")
    assert tier is not None
    assert tier.heads is None
    expected = load_model(tmp_path / "face", precision="fp32").raw_scores(pictures)
    found = load_model(tmp_path / "face", runtime="openvino", precision="int8-weights").raw_scores(pictures)
    assert np.nanmax(np.abs(found - expected)) < 0.2 * np.nanmax(np.abs(expected))


def test_damaged_tiers_are_found(bundle: Path) -> None:
    """The card vouches for the tiers' files as for the others."""
    quantize(bundle, "int8-weights")
    (bundle / "encoder.int8-weights.onnx").write_bytes(b"damaged")
    with pytest.raises(BundleError, match=r"encoder\.int8-weights\.onnx"):
        load_model(bundle)


def test_what_cannot_be_made_or_loaded_says_why(bundle: Path, many_clips: Any) -> None:
    """Too little data, a missing tier, a pair that does not exist, misspelt names."""
    with pytest.raises(UsageError, match="3 items given, at least 20"):
        quantize(bundle, "int8", many_clips[:3])
    with pytest.raises(UnknownNameError, match="int8"):
        quantize(bundle, "int7")  # type: ignore[arg-type]
    with pytest.raises(ModelError, match="emonet models quantize"):
        load_model(bundle, precision="int8")
    with pytest.raises(UsageError, match="openvino"):
        load_model(bundle, runtime="onnxruntime", precision="bf16")
    with pytest.raises(UsageError, match="at least 10"):
        verify_tier(bundle, "bf16", many_clips[:2], data="two")
    with pytest.raises(UnknownNameError, match="bf16"):
        load_model(bundle, precision="bf-16")  # type: ignore[arg-type]
