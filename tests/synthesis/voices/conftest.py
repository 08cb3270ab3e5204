"""Fixtures of the tests on voice acting."""

from __future__ import annotations

import pytest

from emonet.errors import MissingExtraError
from emonet.synthesis.voices import EspeakGenerator, FinishPolicy, load_espeak


@pytest.fixture
def lenient() -> FinishPolicy:
    """Takes of the hummer pass, in which nobody speaks."""
    return FinishPolicy(min_speech=0.0)


@pytest.fixture(scope="session")
def espeak() -> EspeakGenerator:
    """eSpeak NG, or a skip where it is not installed."""
    try:
        return load_espeak(workers=1)
    except MissingExtraError as error:
        pytest.skip(str(error))
