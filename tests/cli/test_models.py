"""`emonet models`: what is listed, shown, converted and verified."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from emonet.cli import main
from emonet.models import read_card, resolve_model


def _run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as end:
        main(arguments)
    out, err = capsys.readouterr()
    return int(end.value.code or 0), out, err


def test_list_holds_embedded_and_published_models(capsys: pytest.CaptureFixture[str]) -> None:
    """The four embedded models are ready, LAION's suites are named."""
    code, out, _ = _run(capsys, "models", "list")
    assert code == 0
    assert out.count("embedded") == 4
    assert "Empathic-Insight-Voice" in out.replace("\n", "")


@pytest.mark.parametrize("name", ["face", "voice", "face-open", "voice-open"])
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


@pytest.fixture(scope="module")
def portraits(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of one face in twenty lights."""
    skimage = pytest.importorskip("skimage.data", reason="the extra `demo` is not installed")
    folder = tmp_path_factory.mktemp("portraits")
    for i in range(20):
        pixels = np.clip(skimage.astronaut() * (0.5 + i / 20) + 3 * i, 0, 255).astype(np.uint8)
        Image.fromarray(np.roll(pixels, 4 * i, axis=1)).save(folder / f"{i:02}.png")
    return folder


def test_a_tier_is_made_and_judged(capsys: pytest.CaptureFixture[str], tmp_path: Path, portraits: Path) -> None:
    """The command makes an 8-bit tier from pictures, compares it with fp32, and the card remembers the verdict."""
    copy = str(shutil.copytree(resolve_model("face"), tmp_path / "face"))
    calibration = ("--precision", "int8", "--calibration", str(portraits))
    code, out, _ = _run(capsys, "models", "quantize", copy, *calibration)
    assert code == 0
    assert "emonet models verify" in out
    assert "not yet compared" in _run(capsys, "models", "show", copy)[1]
    code, out, _ = _run(capsys, "models", "verify", copy, "--precision", "int8", "--media", str(portraits))
    check = read_card(Path(copy)).tiers[0].check
    assert check is not None
    assert check.items >= 20
    assert ("passed" if check.passed else "refused") in out
    assert code == (0 if check.passed else 1)
    assert f"{check.rank_correlation:.4f}" in out
    assert "refused" in _run(capsys, "models", "show", copy)[1] or check.passed


def test_calibration_needs_files(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """The tier int8 without data is wrong usage."""
    copy = str(shutil.copytree(resolve_model("face"), tmp_path / "face"))
    code, _, err = _run(capsys, "models", "quantize", copy, "--precision", "int8")
    assert code == 2
    assert "--calibration" in err
    code, _, err = _run(capsys, "models", "convert", "a", "b", "c", "--tier", "int8")
    assert code == 2
    assert "--calibration" in err
