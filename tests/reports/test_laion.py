"""LAION's JSON layouts, key by key."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from emonet.errors import UsageError
from emonet.estimation import Estimate, Estimates
from emonet.media import Region
from emonet.reports import LaionFolder, laion_face, laion_voice

_NAN = float("nan")


def _estimate(modality: str, source: str, scale: float = 1.0, **region: Any) -> Estimate:
    raw = np.array([1.0, 2.0, _NAN, 0.25], np.float32) * np.float32(scale)
    relative = np.array([0.5, 1.5, _NAN, 0.0], np.float32)
    softmax = np.array([0.25, 0.75, _NAN, _NAN], np.float32)
    return Estimate(
        source, modality, Region(**region), "ok", "", "m", "r", ("jealousy_envy", "anger", "awe", "valence"),  # type: ignore[arg-type]
        raw, relative, softmax, np.full(4, np.nan, np.float32),
    )  # fmt: skip


def test_face_layout() -> None:
    """Keys are the checkpoints' names; three numbers each, softmax null for what is no emotion."""
    assert laion_face(_estimate("face", "c1.jpeg")) == {
        "model_jealousy_&_envy_best": {"raw": 1.0, "mean_subtracted": 0.5, "softmax": 0.25},
        "model_anger_best": {"raw": 2.0, "mean_subtracted": 1.5, "softmax": 0.75},
        "model_valence_best": {"raw": 0.25, "mean_subtracted": 0.0, "softmax": None},
    }


def test_voice_layout() -> None:
    """Raw numbers under the release's names, then the file's own name; a caption comes first when there is one."""
    body = laion_voice(_estimate("voice", "/some/where/clip.wav"), caption="calm")
    assert list(body) == ["caption", "emotions", "source_audio_file"]
    assert body == {
        "caption": "calm",
        "emotions": {"Jealousy_&_Envy": 1.0, "Anger": 2.0, "Valence": 0.25},
        "source_audio_file": "clip.wav",
    }


def test_folder_keeps_foreign_keys_and_averages_windows(tmp_path: Path) -> None:
    """Another tool's keys survive; several windows become their mean weighted by length."""
    (tmp_path / "clip.json").write_text('{"speaker": "spk_7", "caption": "old"}')
    windows = [
        _estimate("voice", "clip.wav", 1.0, start_s=0.0, end_s=3.0, window=0),
        _estimate("voice", "clip.wav", 2.0, start_s=3.0, end_s=4.0, window=1),
    ]
    LaionFolder(tmp_path).write(Estimates(windows))
    text = (tmp_path / "clip.json").read_text()
    body = json.loads(text)
    assert list(body) == ["speaker", "caption", "emotions", "source_audio_file"]
    assert body["emotions"]["Anger"] == pytest.approx(2.5)
    assert '\n    "speaker"' in text


def test_largest_face_stands_for_the_picture(tmp_path: Path) -> None:
    """The layout holds one face per picture."""
    small = _estimate("face", "a.png", 1.0, box=(0, 0, 10, 10))
    large = _estimate("face", "a.png", 3.0, box=(0, 0, 20, 20))
    LaionFolder(tmp_path / "new").write(Estimates([small, large]))
    assert json.loads((tmp_path / "new" / "a.json").read_text())["model_anger_best"]["raw"] == 6.0


def test_same_stem_does_not_overwrite(tmp_path: Path) -> None:
    """`a.wav`, `a.mp3` and another folder's `a.mp3` give three files; a failure gives none."""
    folder = LaionFolder(tmp_path)
    for source in ("x/a.wav", "x/a.mp3", "y/a.mp3"):
        folder.write(Estimates([_estimate("voice", source)]))
    folder.write(Estimates([Estimate("b.wav", "voice", Region(), "unreadable", "broken")]))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.json", "a.mp3.2.json", "a.mp3.json"]
    assert folder.written == 3
    with pytest.raises(UsageError, match="needs a folder"):
        LaionFolder(tmp_path / "a.json")


@pytest.mark.shared
def test_published_outputs_have_our_keys(shared: Path) -> None:
    """The columns of LAION's published face outputs are the stems that the layout uses."""
    header = (shared / "data/reference/emonet_face_model_outputs_152_faces.csv").read_text().splitlines()[0].split(",")
    ours = {key.removeprefix("model_").removesuffix("_best") for key in laion_face(_estimate("face", "a.png"))}
    assert ours <= set(header)
