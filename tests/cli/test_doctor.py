"""`emonet doctor`: says what is here, times it, remembers the answer."""

from __future__ import annotations

from pathlib import Path

import pytest

from emonet.cli import main
from emonet.models import _trials
from emonet.models._remembered import read_remembered


@pytest.fixture(autouse=True)
def _short(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Few items, a small stand-in, a cache of its own, a wide terminal."""
    monkeypatch.setattr(_trials, "_POSITIONS", 16)
    monkeypatch.setattr(_trials, "_COMPARED", 12)
    monkeypatch.setenv("EMONET_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("COLUMNS", "240")


def _run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str]:
    with pytest.raises(SystemExit) as end:
        main(["doctor", *arguments])
    return int(end.value.code or 0), capsys.readouterr().out


def test_it_times_and_remembers(capsys: pytest.CaptureFixture[str]) -> None:
    """A table of ways, what auto means now and why, and the file it is kept in."""
    code, out = _run(capsys, "--seconds", "4")
    assert code == 0
    assert "face: loads and scores with onnxruntime" in out
    for expected in (
        "openvino",
        "int8-weights",
        "lowest rank correlation",
        "auto for voice",
        "auto for LAION's suites",
    ):
        assert expected in out
    answer = read_remembered()
    assert answer is not None
    assert {timing.kind for timing in answer.timings} == {"face", "voice", "transformer"}
    code, out = _run(capsys, "--forget")
    assert code == 0
    assert "Forgotten" in out
    assert read_remembered() is None


def test_it_can_only_look(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """Without time or with --no-remember nothing is kept."""
    code, out = _run(capsys, "--seconds", "0")
    assert code == 0
    assert "per second" not in out
    _run(capsys, "--seconds", "0.1", "--no-remember")
    assert read_remembered() is None


def test_a_cache_that_cannot_be_written_is_said(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The timings are shown; nothing is kept, and the reader learns why."""
    blocked = tmp_path / "a-file"
    blocked.write_text("")
    monkeypatch.setenv("EMONET_HOME", str(blocked / "home"))
    code, out = _run(capsys, "--seconds", "0.1")
    assert code == 0
    assert "Not remembered" in out
    assert "EMONET_HOME" in out
