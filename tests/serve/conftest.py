"""A server with tiny models; media made on the fly."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.testclient import TestClient

sys.path.insert(0, str(Path(__file__).parent))

from emonet.serve import ServeSettings, create_app
from made_uploads import SMALL, grey, hum


@pytest.fixture(scope="session")
def settings(face_bundle: Path, voice_bundle: Path) -> ServeSettings:
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


@pytest.fixture(scope="session")
def png() -> bytes:
    return grey((64, 64))
