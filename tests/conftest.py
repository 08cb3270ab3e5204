"""Fixtures for the whole suite."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import settings

# How long an example takes depends on what else the machine does.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")

pytest_plugins = ["tiny_models"]

_ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session")
def shared() -> Path:
    """Folder with the real labelled media, or a skip with the reason."""
    folder = Path(os.environ.get("EMONET_SHARED", _ROOT.parent / "shared"))
    if not (folder / "data" / "manifest.csv").is_file():
        pytest.skip(f"real media not at hand: {folder}/data/manifest.csv is absent (set EMONET_SHARED to its folder)")
    return folder


@pytest.fixture(autouse=True)
def _own_cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """No test reads or fills the user's model cache, and none reaches a hub."""
    monkeypatch.setenv("EMONET_HOME", str(tmp_path_factory.getbasetemp() / "emonet-home"))
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
