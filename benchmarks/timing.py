"""Timing in turns, and the tables that come of it.

All candidates of a table run in one process, one after the other, and each round starts at another one, so that a slow
moment of the machine meets them all. Ratios are formed round by round against the first candidate; a table shows their
median and their range.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import platform
import statistics
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from emonet.models._cache import home
from emonet.models._remembered import cores, machine

Row = dict[str, Any]
Run = Callable[[int], Mapping[str, float]]
"""One timed call; it is given the round's number and returns the seconds of each stage."""


@dataclass(frozen=True)
class Candidate:
    """Something to time. `items`: clips or pictures of one call; `facts`: further columns of its row."""

    name: str
    run: Run
    items: int = 1
    facts: Mapping[str, Any] = field(default_factory=dict)


@dataclass
class Table:
    """Rows for one place in the documents. `unit`: what milliseconds are of. `note`: what a reader must know."""

    key: str
    title: str
    unit: str
    rows: list[Row]
    note: str = ""


class Stopwatch:
    """Seconds by stage, added up."""

    def __init__(self) -> None:
        self.stages: dict[str, float] = {}

    @contextmanager
    def __call__(self, stage: str) -> Iterator[None]:
        start = time.perf_counter()
        yield
        self.stages[stage] = self.stages.get(stage, 0.0) + time.perf_counter() - start

    def around(self, stage: str, function: Callable[..., Any]) -> Callable[..., Any]:
        """The same function, timed."""

        def timed(*arguments: Any, **named: Any) -> Any:
            with self(stage):
                return function(*arguments, **named)

        return timed

    def take(self) -> dict[str, float]:
        """What was measured since the last time."""
        stages, self.stages = self.stages, {}
        return stages


def whole(function: Callable[[], Any]) -> Run:
    """A call that is timed as one stage."""

    def run(_: int) -> Mapping[str, float]:
        start = time.perf_counter()
        function()
        return {"": time.perf_counter() - start}

    return run


def interleave(candidates: Sequence[Candidate], rounds: int) -> list[Row]:
    """Time warm candidates in turns; one row each, times in ms per item, ratios against the first candidate."""
    taken: list[list[Mapping[str, float]]] = [[] for _ in candidates]
    for number in range(rounds):
        gc.collect()  # rather here than in the middle of a call
        for i in range(len(candidates)):
            now = (i + number) % len(candidates)
            stages = candidates[now].run(number)
            taken[now].append({stage: seconds / candidates[now].items for stage, seconds in stages.items()})
    totals = [[sum(stages.values()) for stages in rows] for rows in taken]
    return [
        {
            "name": candidate.name,
            **candidate.facts,
            **_summary(totals[i]),
            **{f"ratio{part}": value for part, value in _ratio(totals[0], totals[i]).items()},
            "stages": {
                stage: statistics.median(stages.get(stage, 0.0) for stages in taken[i]) * 1e3
                for stage in taken[i][0]
                if stage
            },
        }
        for i, candidate in enumerate(candidates)
    ]


def _summary(seconds: Sequence[float]) -> Row:
    return {"ms": statistics.median(seconds) * 1e3, "ms_low": min(seconds) * 1e3, "ms_high": max(seconds) * 1e3}


def _ratio(first: Sequence[float], own: Sequence[float]) -> dict[str, float]:
    ratios = [a / b for a, b in zip(first, own, strict=True)]
    return {"": statistics.median(ratios), "_low": min(ratios), "_high": max(ratios)}


def split_stages(table: Table, title: str) -> list[Table]:
    """The table without its stages, and one of the stages alone, whose key ends in `-stages`."""
    stages = [{"name": row["name"], **_places(row), "stages": row.pop("stages")} for row in table.rows]
    note = f"Milliseconds per {table.unit}; `prepare` makes log-mel spectrograms or pixels."
    return [table, Table(f"{table.key}-stages", title, table.unit, stages, note)]


def _places(row: Row) -> Row:
    return {key: row[key] for key in ("threads", "batch") if key in row}


def options(description: str | None) -> argparse.ArgumentParser:
    """The options that all benchmarks share."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="tiny networks: does it run?")
    parser.add_argument("--json", type=Path, help="write what was measured to this file")
    parser.add_argument("--rounds", type=int, default=3, help="turns of each candidate (default 3)")
    parser.add_argument(
        "--bundles",
        type=Path,
        default=home() / "benchmarks",
        help="folder for generated models, 25 GB (default %(default)s)",
    )
    parser.add_argument(
        "--data", type=Path, default=Path("../shared/data"), help="folder with manifest.csv of real media, if at hand"
    )
    return parser


def finish(name: str, tables: Sequence[Table], arguments: argparse.Namespace, **facts: Any) -> None:
    """Print the tables as Markdown, and write them with the facts of the machine when asked to."""
    for table in tables:
        print(f"\n## {table.title}\n\n{markdown(table)}", flush=True)
    if not arguments.json:
        return
    content = {
        "benchmark": name,
        "quick": arguments.quick,
        "when": datetime.now(UTC).isoformat(timespec="minutes"),
        "machine": {**machine(), "memory_gb": memory_gb(), "python": platform.python_version(), "load": load()},
        **facts,
        "tables": [vars(table) for table in tables],
    }
    arguments.json.parent.mkdir(parents=True, exist_ok=True)
    temporary = arguments.json.with_suffix(".part")
    temporary.write_text(json.dumps(content, indent=1), encoding="utf-8")
    os.replace(temporary, arguments.json)


def memory_gb() -> float:
    """Main memory of the machine."""
    if not hasattr(os, "sysconf"):
        return float("nan")
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9


def load() -> float:
    """Processes that want a core, averaged over the last minute."""
    return os.getloadavg()[0] if hasattr(os, "getloadavg") else float("nan")


def thread_counts() -> tuple[int, ...]:
    """One thread, and all there are."""
    return tuple(dict.fromkeys((1, cores())))


# Heading and format of every column; columns appear in this order where a row has them.
_COLUMNS: Mapping[str, tuple[str, Callable[[Any], str]]] = {
    "name": ("", str),
    "threads": ("threads", str),
    "batch": ("at once", str),
    "ms": ("ms per {unit}", lambda value: _digits(value)),
    "spread": ("range", str),
    "ratio": ("times as fast", lambda value: f"{value:.2f}"),
    "ratios": ("range", str),
    "floor_share": ("of the machine's limit", lambda value: f"{value:.0%}"),
    "stage": ("{stage}", lambda value: _digits(value)),
    "gflops": ("GFLOP/s", lambda value: _digits(value)),
    "gigabytes_s": ("GB/s", lambda value: f"{value:.1f}"),
    "floor_ms": ("least ms per {unit}", lambda value: _digits(value)),
    "max_difference": ("largest difference", lambda value: f"{value:.2g}"),
    "mean_difference": ("mean difference", lambda value: f"{value:.2g}"),
    "rank_correlation": ("lowest rank correlation", lambda value: f"{value:.4f}"),
    "mean_rank_correlation": ("mean rank correlation", lambda value: f"{value:.4f}"),
    "rate": ("{unit}s per second", lambda value: _digits(value)),
    "real_time": ("times as fast as the sound", lambda value: _digits(value)),
    "busy": ("cores busy", lambda value: f"{value:.0%}"),
    "others": ("taken by others", lambda value: f"{value:.0%}"),
    "memory_mb": ("memory, MB", lambda value: f"{value:.0f}"),
    "disk_mb": ("on disk, MB", lambda value: f"{value:.0f}"),
}


def markdown(table: Table) -> str:
    """The table as Markdown, with its note below."""
    rows = [_flat(row) for row in table.rows]
    present = dict.fromkeys(key for row in rows for key in row)
    order = list(_COLUMNS)
    known = [key for key in present if key.partition(":")[0] in _COLUMNS]
    known.sort(key=lambda key: (order.index(key.partition(":")[0]), _stage_place(key)))
    headings = [_COLUMNS[k.partition(":")[0]][0].format(unit=table.unit, stage=k.partition(":")[2]) for k in known]
    lines = [headings, ["---"] + ["---:"] * (len(known) - 1)]
    for row in rows:
        lines.append([_COLUMNS[k.partition(":")[0]][1](row[k]) if row.get(k) is not None else "" for k in known])
    text = "\n".join(f"| {' | '.join(cells)} |" for cells in lines)
    return f"{text}\n\n{table.note}" if table.note else text


_STAGES = (
    "imports",
    "loading",
    "first score",
    "a second score",
    "decode",
    "speech detection",
    "face detection",
    "prepare",
    "encoder",
    "heads",
    "output",
)


def _stage_place(key: str) -> int:
    """Stages in the order in which they happen."""
    stage = key.partition(":")[2]
    return _STAGES.index(stage) if stage in _STAGES else -1


def _flat(row: Row) -> Row:
    """Ranges as text, and one column for each stage."""
    flat = {key: value for key, value in row.items() if key in _COLUMNS}
    if "ms_low" in row:
        flat["spread"] = f"{_digits(row['ms_low'])}..{_digits(row['ms_high'])}"
    if "ratio_low" in row:
        flat["ratios"] = f"{row['ratio_low']:.2f}..{row['ratio_high']:.2f}"
    return flat | {f"stage:{stage}": value for stage, value in row.get("stages", {}).items()}


def _digits(value: float) -> str:
    """Three significant digits."""
    if value >= 100 or value == 0:
        return f"{value:.0f}"
    return f"{value:.1f}" if value >= 10 else f"{value:.2f}" if value >= 1 else f"{value:.3f}"
