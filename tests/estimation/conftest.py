"""Tiny models whose scores follow from brightness and loudness, and small media made on the fly."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from emonet.media import Face
from tiny_models import make_face_bundle, make_voice_bundle, write_picture, write_tone


@pytest.fixture(scope="session")
def face_bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A face model on disk."""
    return make_face_bundle(tmp_path_factory.mktemp("models") / "face")


@pytest.fixture(scope="session")
def voice_bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A voice model on disk."""
    return make_voice_bundle(tmp_path_factory.mktemp("models") / "voice")
