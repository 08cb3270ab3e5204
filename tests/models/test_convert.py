"""Official releases become bundles that give the same scores."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from emonet.models import Precision, convert, load_model, verify
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
    print(precision, relative_error(ours[:, order], reference))
    assert relative_error(ours[:, order], reference) < {"fp32": 1e-4, "fp16": 2e-3, "bf16": 1e-2, "int8": 5e-2}[precision]
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
    print(precision, relative_error(ours[:, order], reference))
    assert relative_error(ours[:, order], reference) < {"fp32": 1e-4, "fp16": 2e-3, "bf16": 2e-2, "int8": 8e-2}[precision]
    assert len(card.dimensions) == 59
