"""A server with tiny models; media made on the fly."""

from __future__ import annotations

import io
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import PIL.Image
import pytest
import soundfile
from starlette.testclient import TestClient

sys.path.insert(0, str(Path(__file__).parent))

from emonet.serve import Limits, ServeSettings, create_app
from tiny_models import face_bundle, voice_bundle  # noqa: F401  # fixtures

SMALL = Limits(max_bytes=2_000_000, max_files=4, max_duration_s=60, max_pixels=1_000_000)


@pytest.fixture(scope="session")
def settings(face_bundle: Path, voice_bundle: Path) -> ServeSettings:  # noqa: F811
    return ServeSettings(models=(str(face_bundle), str(voice_bundle)), limits=SMALL)


@pytest.fixture(scope="module")
def api(settings: ServeSettings) -> Iterator[TestClient]:
    with TestClient(create_app(settings)) as client:
        yield client


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the server's temporary files would lie."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


@pytest.fixture(scope="session")
def wav() -> bytes:
    return hum(3.0)


def hum(seconds: float, level: float = 0.3, rate: int = 16_000) -> bytes:
    """A tone as a WAV file."""
    buffer = io.BytesIO()
    time = np.arange(round(seconds * rate)) / rate
    soundfile.write(buffer, (level * np.sin(2 * np.pi * 220 * time)).astype(np.float32), rate, format="WAV")
    return buffer.getvalue()


@pytest.fixture(scope="session")
def png() -> bytes:
    return grey((64, 64))


def grey(size: tuple[int, int], level: int = 128) -> bytes:
    """A grey picture as a PNG file."""
    buffer = io.BytesIO()
    PIL.Image.new("L", size, level).save(buffer, "PNG")
    return buffer.getvalue()
