"""The book of these tests."""

from __future__ import annotations

import pytest

from made_books import TEXT


@pytest.fixture(scope="session")
def text() -> str:
    """The book's text."""
    return TEXT.read_text(encoding="utf-8")


@pytest.fixture(scope="session")
def lectures(text: str) -> list[str]:
    """Its eight lectures."""
    return ["LECTURE" + part for part in text.split("LECTURE ")[1:]]
