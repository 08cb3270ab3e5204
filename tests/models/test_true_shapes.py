"""The published architectures at their true sizes, random weights: bundle against plain PyTorch."""

from __future__ import annotations

import gc
import importlib.util
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from emonet.models import convert, load_model

_SPEC = importlib.util.spec_from_file_location("published_layouts", Path(__file__).with_name("conftest.py"))
assert _SPEC
assert _SPEC.loader
layouts = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(layouts)

pytestmark = pytest.mark.slow


@pytest.fixture
def room(tmp_path: Path) -> Iterator[Path]:
    """A folder whose gigabytes go away with the test."""
    yield tmp_path
    gc.collect()
    shutil.rmtree(tmp_path, ignore_errors=True)


def relative_error(ours: Any, reference: Any) -> float:
    """Largest difference of any head in units of that head's largest score."""
    return float((np.abs(ours - reference).max(0) / np.abs(reference).max(0)).max())


def test_voice_small_and_large(room: Path, score_voices: Callable[..., Any]) -> None:
    """BUD-E-Whisper's encoder (12 layers of 768, 1500 positions), heads of 73.7 and 147.5 million parameters."""
    model = layouts.save_whisper(
        room / "encoder",
        d_model=768,
        encoder_layers=12,
        encoder_attention_heads=12,
        encoder_ffn_dim=3072,
        max_source_positions=1500,
    )
    clips = layouts.made_clips((48_000, 500_000))
    size = 1500 * 768
    for suite, proj, hidden, keys in (
        ("Small", 64, (64, 32, 16), ("anger", "valence")),
        ("Large", 128, (128, 64, 32), ("awe",)),
    ):
        heads = {key: layouts.randomize(layouts.VoiceHead(size, proj, hidden), i) for i, key in enumerate(keys)}
        layouts.save_suite(room / suite, heads, "voice")
        reference = score_voices(model, heads, clips)
        del heads
        gc.collect()
        for precision, bound in (("fp32", 1e-3), ("fp16", 5e-3), ("int8", 8e-2)):
            card = convert(room / suite, room / "encoder", room / "bundle", precision=precision)  # type: ignore[arg-type]
            ours = load_model(room / "bundle").raw_scores(clips)[:, [card.dimensions.index(key) for key in keys]]
            assert card.id == f"laion/Empathic-Insight-Voice-{suite}"
            assert relative_error(ours, reference) < bound, (suite, precision)
        shutil.rmtree(room / suite)


def test_face_small_and_large(room: Path, score_faces: Callable[..., Any]) -> None:
    """SigLIP2 so400m patch16-384's vision tower (27 layers of 1152), all 40 heads of both sizes."""
    model = layouts.save_siglip(
        room / "encoder",
        hidden_size=1152,
        intermediate_size=4304,
        num_hidden_layers=27,
        num_attention_heads=16,
        image_size=384,
        patch_size=16,
    )
    pictures = layouts.made_pictures(2)
    suites = {"Small": (128, 32), "Large": (1024, 512, 256)}
    references = {}
    for suite, hidden in suites.items():
        heads = {key: layouts.randomize(layouts.FaceHead(1152, hidden), i) for i, key in enumerate(layouts.FACE_KEYS)}
        layouts.save_suite(room / suite, heads, "face")
        references[suite] = score_faces(model, heads, pictures)
    del model, heads
    gc.collect()
    for suite, reference in references.items():
        card = convert(room / suite, room / "encoder", room / "bundle", precision="fp32")
        ours = load_model(room / "bundle").raw_scores(pictures)
        assert card.id == f"laion/Empathic-Insight-Face-{suite}"
        assert card.missing == {}
        assert relative_error(ours, reference) < 1e-3, suite
