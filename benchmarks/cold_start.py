"""From the shell to the first score of an embedded model: `emonet estimate FILE` in fresh processes.

Usage: python -m benchmarks.cold_start [--json FILE] [--rounds 10] [--quick]

Files are in the page cache. An installed package has its bytecode from pip; without it, as in a checkout where
PYTHONDONTWRITEBYTECODE is set, Python compiles emonet's own source files in every run. The parts are measured in
other processes than the whole, and add up only roughly.
"""

from __future__ import annotations

import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from benchmarks.inputs import clips, photographs
from benchmarks.pipeline import Record, portraits
from benchmarks.timing import Candidate, Row, Table, finish, interleave, options

_PHASES = """
import json, sys, time
marks = [("start", time.perf_counter())]
def mark(name): marks.append((name, time.perf_counter()))
import numpy
mark("import numpy")
import onnxruntime
mark("import onnxruntime")
from emonet.cli import app
mark("import emonet.cli")
import emonet.estimation
mark("import emonet.estimation")
from emonet.estimation import Estimators, expand_inputs, stream_files
models, files = Estimators(), expand_inputs([sys.argv[1]])
models(files[0])
mark("load the model")
(found,) = stream_files(files, models)
mark("first score")
from rich.console import Console
from emonet.reports import print_estimates
mark("import emonet.reports")
print_estimates(found, Console(stderr=True))
mark("print")
print(json.dumps({b[0]: b[1] - a[1] for a, b in zip(marks, marks[1:])}))
"""
_IMPORT = re.compile(r"import time:\s+(\d+) \|\s+\d+ \|\s*(\S+)")


def command() -> list[str]:
    """The installed command, or the same without its script."""
    script = Path(sys.executable).with_name("emonet")
    return [str(script)] if script.exists() else [sys.executable, "-m", "emonet.cli"]


def environment(cache: Path, *, bytecode: bool) -> dict[str, str]:
    """As it is, but with all bytecode kept in `cache`, or none written beside what the packages brought along."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("PYTHONDONTWRITE", "PYTHONPYCACHE"))}
    return kept | ({"PYTHONPYCACHEPREFIX": str(cache)} if bytecode else {"PYTHONDONTWRITEBYTECODE": "1"})


def shell(path: Path, env: Mapping[str, str], sums: list[float]) -> Any:
    """A run of the command, timed as a shell would; processor seconds go to `sums`."""

    def run(_: int) -> Mapping[str, float]:
        before, start = os.times(), time.perf_counter()
        done = subprocess.run([*command(), "estimate", str(path)], capture_output=True, text=True, env=dict(env))
        wall, after = time.perf_counter() - start, os.times()
        if done.returncode:
            sys.exit(f"emonet estimate {path} failed: {done.stderr}")
        sums.append(after.children_user + after.children_system - before.children_user - before.children_system)
        return {"": wall}

    return run


def whole(files: Mapping[str, Path], rounds: int, cache: Path) -> tuple[Table, list[Record]]:
    """Both models, with and without bytecode."""
    candidates: list[Candidate] = []
    sums: dict[str, list[float]] = {}
    for model, path in files.items():
        for bytecode in (True, False):
            name = f"{model}, {'bytecode at hand' if bytecode else 'emonet compiled each time'}"
            sums[name] = []
            candidates.append(Candidate(name, shell(path, environment(cache, bytecode=bytecode), sums[name])))
    for candidate in candidates:
        candidate.run(0)  # the first run fills the page cache and writes the bytecode
        sums[candidate.name].clear()
    rows = interleave(candidates, rounds)
    records = []
    for row in rows:
        processor = statistics.median(sums[row["name"]])
        conditions = {"how": row["name"], "processor_s": round(processor, 3), "command": "emonet estimate FILE"}
        spread = (row["ms_low"] / 1e3, row["ms_high"] / 1e3)
        records.append(Record("cold_start", row["ms"] / 1e3, "s", spread, rounds, conditions))
        del row["stages"], row["ratio"], row["ratio_low"], row["ratio_high"]
    return Table("cold-start", "From the shell to the first score", "run", rows, "Median and range."), records


def phases(files: Mapping[str, Path], rounds: int, cache: Path) -> Table:
    """Where the time goes, in the order in which it goes there."""
    rows: list[Row] = []
    env = environment(cache, bytecode=True)
    for model, path in files.items():
        taken: list[dict[str, float]] = []
        for _ in range(rounds):
            done = subprocess.run(
                [sys.executable, "-c", _PHASES, str(path)], capture_output=True, text=True, env=env, check=True
            )
            taken.append(json.loads(done.stdout))
        for phase in taken[0]:
            values = [1e3 * one[phase] for one in taken]
            place = {"ms": statistics.median(values), "ms_low": min(values), "ms_high": max(values)}
            rows.append({"name": f"{model}: {phase}", **place})
    return Table("cold-start-phases", "Parts of the first run", "run", rows, "Bytecode at hand; median and range.")


def imports(path: Path, cache: Path) -> Table:
    """Milliseconds that each package's own modules take to import; the measuring itself makes all of them slower."""
    call = [sys.executable, "-X", "importtime", "-m", "emonet.cli", "estimate", str(path)]
    done = subprocess.run(call, capture_output=True, text=True, env=environment(cache, bytecode=True), check=True)
    found: Counter[str] = Counter()
    for microseconds, module in _IMPORT.findall(done.stderr):
        found[module.partition(".")[0]] += int(microseconds)
    rows: list[Row] = [{"name": name, "ms": total / 1e3} for name, total in found.most_common(15)]
    note = "`python -X importtime`, one run, the modules of each package added up."
    return Table("cold-start-imports", "Imports of a first run", "package", rows, note)


def inputs(arguments: Any) -> dict[str, Path]:
    """A recording and a picture."""
    recordings, _ = clips(arguments.data, arguments.bundles / "clips", 1)
    folder: Path = arguments.data / "faces" / "muxspace"
    faces: Sequence[Path] = sorted(folder.iterdir())[:1] if folder.is_dir() else ()
    pictures = portraits(faces, arguments.bundles / "portrait") or photographs(arguments.bundles / "pictures", 1)
    return {"voice": recordings[0], "face": pictures[0]}


def main() -> None:
    """Measure and print."""
    parser = options(__doc__)
    parser.set_defaults(rounds=10)
    arguments = parser.parse_args()
    rounds = 2 if arguments.quick else arguments.rounds
    files = inputs(arguments)
    with tempfile.TemporaryDirectory() as folder:
        cache = Path(folder)
        table, records = whole(files, rounds, cache)
        tables = [table, phases(files, rounds, cache), imports(files["voice"], cache)]
    finish("cold_start", tables, arguments, records=[asdict(record) for record in records])


if __name__ == "__main__":
    main()
