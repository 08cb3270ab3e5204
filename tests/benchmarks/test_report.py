"""Measured tables into a page, and nothing else of the page."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from benchmarks import report

_PAGE = "before\n<!-- begin voice -->\nold\n<!-- end voice -->\nbetween\n<!-- begin face -->\nkept\n<!-- end face -->\n"
_DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "performance.md"


def run_of(name: str, *, quick: bool = False) -> dict[str, Any]:
    """Results as a benchmark writes them."""
    machine = {"system": "Linux", "processor": "Some CPU", "cores": 2, "memory_gb": 24.0, "flags": ["avx2"]}
    machine |= {"python": "3.11", "versions": {"emonet": "0.1.0", "torch": None}}
    rows = [{"name": "reference", "ms": 3000.0, "ms_low": 2900.0, "ms_high": 3100.0}]
    table = {"key": name, "title": "T", "unit": "clip", "rows": rows, "note": "A note."}
    return {"benchmark": name, "quick": quick, "when": "2026-11-23T10:00+00:00", "machine": machine, "tables": [table]}


def fill(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *runs: dict[str, Any]) -> str:
    """The page after the report."""
    results = tmp_path / "results"
    results.mkdir()
    for run in runs:
        (results / f"{run['benchmark']}.json").write_text(json.dumps(run))
    page = tmp_path / "page.md"
    page.write_text(_PAGE)
    monkeypatch.setattr(sys, "argv", ["report", "--results", str(results), "--page", str(page)])
    report.main()
    return page.read_text()


def test_blocks_are_replaced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    """The table is in its block; a block without results stays; results without a block are named."""
    page = fill(tmp_path, monkeypatch, run_of("voice"))
    assert "| reference | 3000 | 2900..3100 |" in page
    assert "old" not in page
    assert "kept" in page
    assert page.startswith("before\n")
    assert "No block" in capsys.readouterr().out  # the machine's, which this page lacks


def test_filling_twice_changes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The text of a block is not found again inside another."""
    once = fill(tmp_path, monkeypatch, run_of("voice"), run_of("face"))
    again, _ = report.fill(once, report.blocks([run_of("voice"), run_of("face")]))
    assert again == once


def test_quick_results_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Times of tiny networks must not get into a document."""
    with pytest.raises(SystemExit, match="voice: of a --quick run"):
        fill(tmp_path, monkeypatch, run_of("voice", quick=True))


def test_no_results_are_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An empty folder is a mistake."""
    with pytest.raises(SystemExit, match="holds no results"):
        fill(tmp_path, monkeypatch)


def test_the_machine_is_named() -> None:
    """Runs of one machine share a paragraph."""
    text = report.machine_text([run_of("voice"), run_of("face")])
    assert text == (
        "Some CPU, 2 cores, 24 GB of memory (avx2); Linux, Python 3.11; emonet 0.1.0. "
        "Measured: voice 2026-11-23, face 2026-11-23."
    )


def test_the_documents_blocks_are_sound() -> None:
    """Every begin has its end, and no key occurs twice."""
    text = _DOCUMENT.read_text(encoding="utf-8")
    begun = re.findall(r"<!-- begin ([\w-]+) -->", text)
    assert begun == re.findall(r"<!-- end ([\w-]+) -->", text)
    assert len(set(begun)) == len(begun)
    assert len(report._BLOCK.findall(text)) == len(begun)


def test_all_are_run_and_failures_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One that fails does not stop the others; an old result of it is not taken for a new one."""
    called: list[list[str]] = []

    def run(command: list[str]) -> Any:
        called.append(command)
        failed = command[2] == "benchmarks.face"
        if not failed:
            Path(command[command.index("--json") + 1]).write_text(json.dumps(run_of(command[2].partition(".")[2])))
        return subprocess.CompletedProcess(command, int(failed))

    (tmp_path / "face.json").write_text(json.dumps(run_of("face")))
    page = tmp_path / "page.md"
    page.write_text(_PAGE)
    monkeypatch.setattr(report.subprocess, "run", run)
    monkeypatch.setattr(sys, "argv", ["report", "--run", "--results", str(tmp_path), "--page", str(page)])
    with pytest.raises(SystemExit, match=r"Failed.*face"):
        report.main()
    assert [command[2] for command in called] == [f"benchmarks.{name}" for name in report.RUNS]
    assert "kept" in page.read_text()
    assert "old" not in page.read_text()
