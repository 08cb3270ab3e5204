"""Raters over HTTP while the server is killed, in small; `python -m benchmarks.annotation_load` measures the whole."""

from __future__ import annotations

import argparse
from pathlib import Path

import pytest
from benchmarks.annotation_load import run


def test_nothing_is_lost_when_the_server_is_killed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Every acknowledged answer is in the database once, and nothing else; the run itself checks it."""
    options = argparse.Namespace(raters=8, seconds=6.0, kills=2, pause=0.2, items=200)
    run(options, tmp_path, f"sqlite:///{tmp_path / 'annotation.db'}")
    assert "server killed 2 times" in capsys.readouterr().out
