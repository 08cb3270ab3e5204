"""The tiny models and media of the estimation tests."""

from __future__ import annotations

import importlib.util
from pathlib import Path

_FILE = Path(__file__).parents[1] / "estimation" / "conftest.py"
_SPEC = importlib.util.spec_from_file_location("estimation_fixtures", _FILE)
assert _SPEC is not None
assert _SPEC.loader is not None
_FIXTURES = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(_FIXTURES)

face_bundle = _FIXTURES.face_bundle
voice_bundle = _FIXTURES.voice_bundle
centre_faces = _FIXTURES.centre_faces
picture = _FIXTURES.picture
tone = _FIXTURES.tone
video = _FIXTURES.video
