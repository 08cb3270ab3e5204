"""Names and numbers for people."""

from __future__ import annotations

import math

import pytest

from emonet.benchmark.report._words import dimension_name, interval, kind_of, metric_name, number, plain


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (0.404, "0.40"),
        (-0.404, "−0.40"),
        (-0.001, "0.00"),
        (0, "0.00"),
        (None, "–"),
        (math.nan, "–"),
        (12.345, "12.35"),
    ],
)
def test_numbers(value: float | None, shown: str) -> None:
    """Two decimals, a real minus, no negative zero, a dash for what is undefined."""
    assert number(value) == shown


def test_intervals() -> None:
    """Value and both ends; the value alone without them."""
    assert interval(0.4, -0.35, 0.45) == "0.40 [−0.35, 0.45]"
    assert interval(0.4, None, None) == "0.40"
    assert interval(None, 0.1, 0.2) == "–"


def test_names() -> None:
    """Emotions have their names, foreign dimensions, metrics and kinds stay readable."""
    assert dimension_name("jealousy_envy", "face") == "Jealousy & Envy"
    assert dimension_name("smiling", "face") == "smiling"
    assert metric_name("own_metric") == "own metric"
    assert kind_of("robot").label == "other"
    assert plain("a\x00b\ud800") == "a�b\\ud800"
