"""`emonet models`: what is listed, shown, converted and verified."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from emonet.cli import main
from emonet.models import resolve_model


def _run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as end:
        main(arguments)
    out, err = capsys.readouterr()
    return int(end.value.code or 0), out, err


def test_list_holds_embedded_and_published_models(capsys: pytest.CaptureFixture[str]) -> None:
    """Both embedded models are ready, LAION's suites are named."""
    code, out, _ = _run(capsys, "models", "list")
    assert code == 0
    assert out.count("embedded") == 2
    assert "Empathic-Insight-Voice" in out.replace("\n", "")


@pytest.mark.parametrize("name", ["face", "voice"])
def test_show_says_how_well_and_why_not(capsys: pytest.CaptureFixture[str], name: str) -> None:
    """The card is shown with intervals, licence, limits and the reasons for what is not judged."""
    code, out, _ = _run(capsys, "models", "show", name)
    assert code == 0
    for expected in ("licence", "not judged", "auc", "[", "trained on"):
        assert expected in out
    code, out, _ = _run(capsys, "models", "show", name, "--json")
    card = json.loads(out)
    assert len(card["dimensions"]) == 40
    assert all(metric["low"] <= metric["value"] <= metric["high"] for metric in card["metrics"])


def test_verify_notices_a_changed_file(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """Whole bundles pass; one changed byte is found and named."""
    copy = shutil.copytree(resolve_model("face"), tmp_path / "face")
    assert _run(capsys, "models", "verify", str(copy))[0] == 0
    encoder = copy / "encoder.onnx"
    content = bytearray(encoder.read_bytes())
    content[len(content) // 2] ^= 1
    encoder.write_bytes(content)
    code, _, err = _run(capsys, "models", "verify", str(copy))
    assert code == 1
    assert "encoder.onnx" in err


def test_comparison_needs_all_three(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """Giving only the heads is wrong usage, and says what is missing."""
    code, _, err = _run(capsys, "models", "verify", "face", "--heads", str(tmp_path))
    assert code == 2
    assert "--encoder" in err


def test_unknown_and_absent_models_say_what_to_do(capsys: pytest.CaptureFixture[str]) -> None:
    """A misspelt name gets the nearest one, a published model the command that fetches it."""
    code, _, err = _run(capsys, "models", "show", "voise")
    assert code == 2
    assert "voice" in err
    code, _, err = _run(capsys, "models", "show", "laion/Empathic-Insight-Face-Small")
    assert code == 1
    assert "emonet models pull" in err
