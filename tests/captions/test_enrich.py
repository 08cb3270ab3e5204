"""Captions into the JSON of WebDataset samples."""

from __future__ import annotations

import json
import tarfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from emonet.captions import caption_estimate, enrich_shard
from emonet.captions._enrich import region_fields
from emonet.datasets import read_samples
from emonet.errors import UsageError
from emonet.estimation import Estimate
from emonet.media import Region
from made_shards import shard, tone_bytes, write_tar

FIELDS = ("procedural_caption", "procedural_caption_details")


def numbered(files: Sequence[Path]) -> list[dict[str, Any]]:
    """A caption that tells the size of each file."""
    return [{"procedural_caption": f"{path.stat().st_size} bytes"} for path in files]


def test_samples_keep_what_they_had_and_get_captions(tmp_path: Path) -> None:
    before = list(read_samples(shard(tmp_path / "in.tar", 1, count=70)))
    done = enrich_shard(tmp_path / "in.tar", tmp_path / "new" / "out.tar", numbered, fields=FIELDS)
    after = list(read_samples(tmp_path / "new" / "out.tar"))
    assert (done.samples, done.captioned, done.problems) == (70, 70, {})
    assert [s.key for s in after] == [s.key for s in before]
    for old, new in zip(before, after, strict=True):
        assert (new.media, new.licence) == (old.media, old.licence)
        assert new.media is not None
        assert new.facts == {**old.facts, "procedural_caption": f"{len(new.media)} bytes"}
    with tarfile.open(tmp_path / "new" / "out.tar") as tar:
        assert "procedural_caption" in json.load(tar.extractfile("1-000.json"))  # type: ignore[arg-type]
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["out.tar"]


def test_captions_that_are_there_are_not_replaced_unasked(tmp_path: Path) -> None:
    sample = {"a.wav": tone_bytes(0.5), "a.json": json.dumps({"procedural_caption": "by hand"}).encode()}
    write_tar(tmp_path / "in.tar", sample)
    with pytest.raises(UsageError, match="has the field 'procedural_caption' already"):
        enrich_shard(tmp_path / "in.tar", tmp_path / "out.tar", numbered, fields=FIELDS)
    assert not (tmp_path / "out.tar").exists()
    enrich_shard(tmp_path / "in.tar", tmp_path / "out.tar", numbered, fields=FIELDS, overwrite=True)
    (new,) = read_samples(tmp_path / "out.tar")
    assert new.facts["procedural_caption"] == f"{len(sample['a.wav'])} bytes"
    with pytest.raises(UsageError, match="already exists"):
        enrich_shard(tmp_path / "in.tar", tmp_path / "out.tar", numbered, fields=FIELDS)


def test_a_failure_leaves_nothing_behind(tmp_path: Path) -> None:
    shard(tmp_path / "in.tar", 1)

    def fails(files: Sequence[Path]) -> list[dict[str, Any]]:
        raise RuntimeError("model lost")

    with pytest.raises(RuntimeError, match="model lost"):
        enrich_shard(tmp_path / "in.tar", tmp_path / "out" / "out.tar", fails, fields=FIELDS)
    assert list((tmp_path / "out").iterdir()) == []


def test_members_that_a_copy_cannot_hold_are_counted(tmp_path: Path) -> None:
    write_tar(tmp_path / "in.tar", {"a.wav": tone_bytes(0.5), "a.json": b"{}", "a.npy": b"123"})
    done = enrich_shard(tmp_path / "in.tar", tmp_path / "out.tar", numbered, fields=FIELDS)
    assert done.left_out == 1


def test_an_output_that_is_no_tar_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"ends in \.tar"):
        enrich_shard(tmp_path / "in.tar", tmp_path / "out.zip", numbered, fields=FIELDS)


def test_two_faces_and_a_voice_are_told_apart() -> None:
    """A mean over different people would describe none of them."""

    def row(modality: Any, region: Region, value: float) -> Estimate:
        scores = np.array([value], np.float32)
        model = f"emonet/embedded-{modality}"
        return Estimate("v.mp4", modality, region, "ok", "", model, "", ("anger",), scores, scores, scores, scores)

    frames = [row("face", Region(start_s=t, track=track), 9.0 - 18 * track) for t in (0.0, 0.5) for track in (0, 1)]
    fields = region_fields([*frames, row("voice", Region(start_s=0.0, end_s=1.0, window=0), 9.0)], caption_estimate)
    told = fields["procedural_caption_details"]["subjects"]
    assert [entry["subject"] for entry in told] == ["face 1", "face 2", "voice"]
    assert [entry["emotions"][0]["strength"] for entry in told] == ["extreme", "none", "extreme"]
    assert [len(entry.get("windows", ())) for entry in told] == [2, 2, 0]
    assert fields["procedural_caption"].startswith("[face 1] Seen in this face: extremely ")
