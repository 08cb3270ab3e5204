"""Tables of the measured pages."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from emonet.models import Metric


def figure(metric: Metric) -> str:
    """Value and 95 % interval."""
    return f"{metric.value:.3f} [{metric.low:.3f}, {metric.high:.3f}]"


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table with a line end after it."""
    lines = [head, ["---"] * len(head), *rows]
    return "".join("| " + " | ".join(line) + " |\n" for line in lines)
