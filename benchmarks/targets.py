"""What the project set out to reach, and what the benchmarks of one machine found."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal, NamedTuple


class Target(NamedTuple):
    """`table`, `row`, `at_once`: where the figure stands; `figure`: its column; `least`: what was aimed at."""

    path: str
    table: str
    row: str
    at_once: int | None
    figure: Literal["ratio", "rate", "real_time", "busy"]
    least: float


# Against the reference on two cores, with true shapes.
TARGETS = (
    Target("voice, 55 heads, bf16", "voice-precisions", "openvino bf16", 8, "ratio", 2.8),
    Target("voice, 55 heads, bf16", "voice-batches", "openvino bf16", 16, "ratio", 2.8),
    Target("voice, 55 heads, int8", "voice-precisions", "openvino int8", 8, "ratio", 4.7),
    Target("voice, one clip alone, bf16", "voice-batches", "openvino bf16", 1, "ratio", 2.3),
    Target("voice, one clip alone, int8", "voice-batches", "openvino int8", 1, "ratio", 3.8),
    Target("55 voice heads alone, bf16", "heads-voice", "openvino bf16", 16, "ratio", 14),
    Target("55 voice heads alone, int8", "heads-voice", "openvino int8", 16, "ratio", 18),
    Target("face, bf16", "face-precisions", "openvino bf16", 4, "ratio", 2.4),
    Target("face, int8-weights", "face-precisions", "openvino int8-weights", 4, "ratio", 2.9),
    Target("40 face heads on stored embeddings, bf16", "heads-face-large", "openvino bf16", 16, "ratio", 24),
    Target("start to first score, 55 voice heads, bf16", "startup-voice", "openvino bf16", None, "ratio", 20),
    Target("embedded voice model, real time", "pipeline-voices", "2 workers", None, "real_time", 300),
    Target(
        "embedded face model, pictures of 1024 x 1024 a second", "pipeline-faces-1024", "2 workers", None, "rate", 60
    ),
    Target("cores busy on a folder of real clips", "pipeline-voices", "2 workers", None, "busy", 0.9),
)


def targets_table(runs: Sequence[Mapping[str, Any]]) -> str:
    """Markdown: aim, finding and its range. What was not measured on this machine is left out."""
    rows = {
        (table["key"], row["name"], row.get("batch")): row
        for run in runs
        for table in run["tables"]
        for row in table["rows"]
    }
    lines = ["| what | at once | aim | found | range |", "| --- | ---: | ---: | ---: | ---: |"]
    for target in TARGETS:
        row = rows.get((target.table, target.row, target.at_once))
        if row is None or row.get(target.figure) is None:
            continue
        low, high = (row.get(f"{target.figure}_{end}") for end in ("low", "high"))
        spread = f"{_shown(low, target)}..{_shown(high, target)}" if low is not None and high is not None else ""
        found = _shown(row[target.figure], target)
        lines.append(
            f"| {target.path} | {target.at_once or ''} | {_shown(target.least, target)} | {found} | {spread} |"
        )
    return "\n".join(lines)


def _shown(value: float, target: Target) -> str:
    if target.figure == "busy":
        return f"{value:.0%}"
    if target.figure == "rate":
        return f"{value:.0f}"
    return f"{value:.1f}x" if value < 100 else f"{value:.0f}x"
