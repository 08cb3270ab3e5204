"""Pictures and videos in bulk, with the tiny face model."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from emonet.bulk import Summary
from made_shards import scores, tone_bytes, write_tar

Make = Callable[..., Path]


def test_pictures_videos_and_what_is_neither(
    run: Callable[..., Summary], tmp_path: Path, picture: Make, video: Make, face_bundle: Path
) -> None:
    """One row a file: a picture has one region taken whole, a video one for each frame; a recording is refused."""
    samples = {
        "clip.mp4": video(seconds=2.0).read_bytes(),
        "dark.png": picture("dark.png", level=20).read_bytes(),
        "light.png": picture("light.png", level=230).read_bytes(),
        "sound.wav": tone_bytes(0.5),
    }
    made = run(write_tar(tmp_path / "mixed.tar", samples), model=face_bundle, whole_audio=False, whole_image=True)
    assert made.ok
    rows = {row["key"]: row for row in scores(tmp_path / "output").iter_rows(named=True)}
    assert {key: row["status"] for key, row in rows.items()} == {
        "clip": "ok", "dark": "ok", "light": "ok", "sound": "unreadable"
    }  # fmt: skip
    assert rows["light"]["anger"] > rows["dark"]["anger"]
    assert (rows["dark"]["n_regions"], rows["clip"]["n_regions"]) == (1, 4)
    starts = [region["start_s"] for region in rows["clip"]["regions"]]
    assert starts == sorted(starts)
    mean = sum(region["scores"][0] for region in rows["clip"]["regions"]) / 4
    assert mean == pytest.approx(next(v for k, v in rows["clip"].items() if k == "amusement"))
    assert "is a recording" in rows["sound"]["message"]


def test_a_picture_without_a_face_is_a_row(
    run: Callable[..., Summary], tmp_path: Path, picture: Make, face_bundle: Path
) -> None:
    """`no_face`, with the detector's word for it."""
    run(write_tar(tmp_path / "grey.tar", {"grey.png": picture().read_bytes()}), model=face_bundle, whole_audio=False)
    row = scores(tmp_path / "output").row(0, named=True)
    assert row["status"] == "no_face"
    assert row["message"].startswith("no face found in 64x64 pixels")
    assert row["regions"] == []
