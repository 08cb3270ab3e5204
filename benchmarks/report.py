"""Write what the benchmarks measured into docs/performance.md.

Usage: python -m benchmarks.report [--run] [--results FOLDER] [--page docs/performance.md]

With --run every benchmark is run first, about half an hour on a quiet machine; one that fails is named at the end and
leaves its tables as they were. FOLDER holds the JSON files of one machine. Each table goes between
`<!-- begin KEY -->` and `<!-- end KEY -->`; the block `machine` says on what and when. Blocks whose benchmark is not in
the folder stay as they are.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.targets import targets_table
from benchmarks.timing import Table, markdown
from emonet.models._cache import home

RUNS: Mapping[str, Sequence[str]] = {
    "roofline": (),
    "voice": (),
    "face": (),
    "heads": (),
    "embedded": (),
    "startup": (),
    "cold_start": (),
    "bulk": (),
    "pipeline": ("--only", "folders", "speech", "memory", "--files", "200", "--rounds", "3"),
}
"""The benchmarks of `--run` and their options; `gpu` needs a graphics card and has a page of its own."""

_BLOCK = re.compile(r"<!-- begin (?P<key>[\w-]+) -->\n.*?<!-- end (?P=key) -->", re.DOTALL)


def run_all(folder: Path) -> list[str]:
    """Run every benchmark in a process of its own; names of those that failed."""
    folder.mkdir(parents=True, exist_ok=True)
    failed = []
    for name, options in RUNS.items():
        print(f"== {name}", flush=True)
        target = folder / f"{name}.json"
        target.unlink(missing_ok=True)  # an older result must not stand in for one that fails now
        command = [sys.executable, "-m", f"benchmarks.{name}", "--json", str(target), *options]
        if subprocess.run(command).returncode:
            failed.append(name)
    return failed


def read_runs(folder: Path) -> list[dict[str, Any]]:
    """The contents of the JSON files. Exits when there are none, or one is of a quick run."""
    runs = [json.loads(path.read_text(encoding="utf-8")) for path in sorted(folder.glob("*.json"))]
    runs = [run for run in runs if isinstance(run, dict) and "tables" in run]
    if not runs:
        sys.exit(f"{folder} holds no results; run the benchmarks with --json {folder}/NAME.json first.")
    if quick := [run["benchmark"] for run in runs if run["quick"]]:
        sys.exit(f"{', '.join(quick)}: of a --quick run, which times tiny networks; run without it.")
    return runs


def blocks(runs: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """Text of every block by its key."""
    out = {"machine": machine_text(runs), "targets": targets_table(runs)}
    for run in runs:
        for fields in run["tables"]:
            table = Table(**fields)
            out[table.key] = markdown(table)
    return out


def machine_text(runs: Sequence[Mapping[str, Any]]) -> str:
    """On what and when, in one paragraph for each machine."""
    lines: dict[str, list[str]] = {}
    for run in runs:
        facts = run["machine"]
        versions = ", ".join(f"{name} {found}" for name, found in facts["versions"].items() if found)
        text = (
            f"{facts['processor']}, {facts['cores']} cores, {facts['memory_gb']:.0f} GB of memory"
            f"{' (' + ', '.join(facts['flags']) + ')' if facts['flags'] else ''}; {facts['system']}, "
            f"Python {facts['python']}; {versions}."
        )
        lines.setdefault(text, []).append(f"{run['benchmark']} {run['when'][:10]}")
    return "\n\n".join(f"{text} Measured: {', '.join(dict.fromkeys(measured))}." for text, measured in lines.items())


def fill(page: str, texts: Mapping[str, str]) -> tuple[str, list[str]]:
    """The page with its blocks replaced, and the keys of texts that have no block."""
    used: set[str] = set()

    def replace(match: re.Match[str]) -> str:
        key = match["key"]
        if key not in texts:
            return match[0]
        used.add(key)
        return f"<!-- begin {key} -->\n{texts[key]}\n<!-- end {key} -->"

    return _BLOCK.sub(replace, page), sorted(set(texts) - used)


def main() -> None:
    """Fill the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--run", action="store_true", help="run the benchmarks first")
    parser.add_argument("--results", type=Path, default=home() / "benchmarks" / "results", help="default %(default)s")
    parser.add_argument("--page", type=Path, default=Path("docs/performance.md"), help="default %(default)s")
    arguments = parser.parse_args()
    failed = run_all(arguments.results) if arguments.run else []
    page, left = fill(arguments.page.read_text(encoding="utf-8"), blocks(read_runs(arguments.results)))
    temporary = arguments.page.with_suffix(".part")
    temporary.write_text(page, encoding="utf-8")
    os.replace(temporary, arguments.page)
    if left:
        print(f"No block in {arguments.page} for: {', '.join(left)}")
    if failed:
        sys.exit(f"Failed, their tables are as before: {', '.join(failed)}")


if __name__ == "__main__":
    main()
