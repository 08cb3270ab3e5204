"""Media that kill the process that decodes them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from emonet.bulk import Summary
from emonet.datasets import read_samples
from made_shards import scores, tone_bytes, write_tar

_DEADLY = """
import os
from emonet.estimation import Estimator

whole = Estimator.pieces

def pieces(self, path, **options):
    if path.read_bytes()[:6] == b"DEADLY":
        os.abort()
    return whole(self, path, **options)

Estimator.pieces = pieces
"""
"""What a crash in a decoder looks like from outside; loaded by every Python that is started."""


@pytest.fixture
def deadly_decoder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Processes started from now on die when they decode bytes that begin with DEADLY."""
    (tmp_path / "site").mkdir()
    (tmp_path / "site/sitecustomize.py").write_text(_DEADLY)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "site"))


@pytest.mark.usefixtures("deadly_decoder")
def test_a_sample_that_kills_its_worker_is_a_row(run: Callable[..., Summary], tmp_path: Path) -> None:
    """After two deaths the culprits are found, named in their rows, and all others are scored."""
    samples = {f"{i}.wav": b"DEADLY" if i in (1, 4) else tone_bytes(0.2 + i / 10) for i in range(6)}
    made = run(write_tar(tmp_path / "deadly.tar", samples), enrich=True)
    assert made.ok
    table = scores(tmp_path / "output")
    assert table["status"].to_list() == ["ok", "unreadable", "ok", "ok", "unreadable", "ok"]
    kept = {sample.key: sample.media for sample in read_samples(str(tmp_path / "output/media/deadly.tar"))}
    assert kept == {name.removesuffix(".wav"): media for name, media in samples.items()}
    assert table["message"][1] == "the process that decoded it died (signal 6)"
