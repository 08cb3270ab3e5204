"""`emonet synthesize faces`: a dry run, prompts alone, and pictures from a folder."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from emonet.cli import app
from emonet.errors import UsageError


def test_a_dry_run_writes_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Count, balance, cost, time, and some prompts."""
    options = ["--count", "280", "--base-url", "http://127.0.0.1:9/v1", "--model", "m", "--price", "0.04"]
    assert app(["synthesize", "faces", "--dry-run", "--output", str(tmp_path / "out"), *options]) == 0
    said = capsys.readouterr().out
    assert "280 portraits" in said
    assert "cost: 11.20 USD" in said
    assert "time: about 12 min at 2.5 s a picture" in said
    assert not (tmp_path / "out").exists()


def test_prompts_alone(tmp_path: Path) -> None:
    """One offline command: the prompts, and the audit that proves the balance."""
    output = tmp_path / "portraits"
    assert app(["synthesize", "faces", "--count", "120", "--prompts-only", "--output", str(output)]) == 0
    prompts = [json.loads(line) for line in (output / "prompts.jsonl").read_text().splitlines()]
    assert len(prompts) == 120
    audit = json.loads((output / "audit.json").read_text())
    assert set(audit["designed"]["counts"]["emotion"].values()) == {3}
    assert "| emotion | 40 | 3 | 3 | 0 |" in (output / "audit.md").read_text()


def test_missing_pictures_are_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "mine").mkdir()
    command = [
        "synthesize",
        "faces",
        "--count",
        "4",
        "--folder",
        str(tmp_path / "mine"),
        "--output",
        str(tmp_path / "out"),
    ]
    assert app(command) == 1
    assert "0 of 4 portraits" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ([], "Give --output"),
        (["--output", "x", "--folder", "a", "--diffusers", "b"], "choose one source"),
        (["--output", "x", "--base-url", "http://127.0.0.1:9/v1"], "belong together"),
        (["--output", "x"], "No generator"),
    ],
)
def test_wrong_use_is_told(options: list[str], message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UsageError, match=message):
        app(["synthesize", "faces", "--count", "3", *options])
