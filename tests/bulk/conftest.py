"""Shards of short tones, some of them damaged, and a run of the tiny voice model over them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from emonet.bulk import Summary
from emonet.bulk import run as run_bulk
from made_shards import shard


@pytest.fixture
def shards(tmp_path: Path) -> Path:
    """A folder of four tars of six tones; one tone in each of the first two is damaged."""
    folder = tmp_path / "input"
    for number in range(4):
        shard(folder / f"{number:03d}.tar", number, damaged=(2,) if number < 2 else ())
    return folder


@pytest.fixture
def run(shards: Path, tmp_path: Path, voice_bundle: Path) -> Callable[..., Summary]:
    """`emonet.bulk.run` over the shards with the tiny model and one worker, into `tmp_path / "output"`."""

    def call(source: Any = None, output: Any = None, **options: Any) -> Summary:
        options = {"model": voice_bundle, "whole_audio": True, "workers": 1, **options}
        return run_bulk(source or f"{shards}/*.tar", output or tmp_path / "output", **options)

    return call
