"""Every benchmark runs from end to end with tiny networks; reference and bundle agree."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from benchmarks.shapes import QUICK_FACE, QUICK_VOICE  # noqa: E402

from benchmarks import bundles, embedded, face, heads, inputs, reference, roofline, startup, voice  # noqa: E402
from emonet.models import load_model, read_card  # noqa: E402


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of the generated bundles, shared by the tests of this file."""
    return tmp_path_factory.mktemp("bundles")


@pytest.fixture(autouse=True)
def _without_calibration(monkeypatch: pytest.MonkeyPatch) -> None:
    """The calibrated tier takes ten seconds to make and goes the same way as the other of 8 bits."""
    monkeypatch.setattr(bundles, "find_spec", lambda _: None)


@pytest.fixture
def run(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., dict[str, Any]]:
    """Run one benchmark with --quick on generated media; what it wrote."""

    def measure(module: ModuleType, *options: str) -> dict[str, Any]:
        target = tmp_path / "result.json"
        fixed = ["--quick", "--rounds", "1", "--bundles", str(root), "--data", str(tmp_path), "--json", str(target)]
        monkeypatch.setattr(sys, "argv", [module.__name__, *fixed, *options])
        before = torch.get_num_threads()
        try:
            module.main()
        finally:
            torch.set_num_threads(before)
        content: dict[str, Any] = json.loads(target.read_text())
        return content

    return measure


def rows(content: dict[str, Any], key: str) -> list[dict[str, Any]]:
    """Rows of one table."""
    found: list[dict[str, Any]] = next(table["rows"] for table in content["tables"] if table["key"] == key)
    return found


@pytest.mark.parametrize(("module", "name"), [(voice, "voice"), (face, "face")])
def test_suites(run: Callable[..., dict[str, Any]], module: ModuleType, name: str) -> None:
    """All ways are there, with ratios, stages and distances; fp32 is its own yardstick."""
    content = run(module)
    found = rows(content, f"{name}-precisions")
    assert found[0]["name"].startswith("reference")
    assert found[0]["ratio"] == 1
    assert {row["name"] for row in found} >= {"onnxruntime fp32", "openvino fp32", "openvino int8-weights"}
    plain = next(row for row in found if row["name"] == "onnxruntime fp32")
    assert plain["max_difference"] == 0
    assert plain["rank_correlation"] == pytest.approx(1)
    assert found[0]["max_difference"] < 0.2  # heads of the bundle are stored in bf16, the reference's are not
    stages = rows(content, f"{name}-precisions-stages")
    assert {"decode", "prepare", "encoder", "heads", "output"} <= set(stages[1]["stages"])
    assert {row["batch"] for row in rows(content, f"{name}-batches")} == {1, 4, 16}
    assert {row["threads"] for row in rows(content, f"{name}-thread")} == {1}
    assert {one["threads"] for one in content["limits"]} >= {1}


def test_heads(run: Callable[..., dict[str, Any]]) -> None:
    """Every way of storing them, one to 16 items at once, near the loop's scores."""
    content = run(heads)
    found = rows(content, "heads-voice")
    assert {row["batch"] for row in found} == set(heads.BATCHES)
    exact = next(row for row in found if row["name"] == "onnxruntime fp32" and row["batch"] == 16)
    assert exact["max_difference"] < 1e-3
    assert len(rows(content, "heads-face-large")) == len(rows(content, "heads-face-small"))


@pytest.mark.slow
def test_embedded(run: Callable[..., dict[str, Any]]) -> None:
    """Both embedded models, told apart from the reference's."""
    content = run(embedded)
    for name in ("face", "voice"):
        found = rows(content, f"embedded-{name}")
        assert found[0]["name"].startswith("reference")
        assert {row["batch"] for row in found[1:]} == {1, 16}


@pytest.mark.slow
def test_startup(run: Callable[..., dict[str, Any]], monkeypatch: pytest.MonkeyPatch) -> None:
    """Fresh interpreters reach their first score; sizes are known."""
    monkeypatch.chdir(Path(__file__).resolve().parents[2])
    monkeypatch.setattr(startup, "import_codes", lambda: {"nothing": "pass", "emonet": "import emonet"})

    def cold(self: startup.Fresh, code: str, again: bool = False) -> None:
        # Once is enough to see that it runs.
        self.code = code + startup._REPORT + (startup._AGAIN if again else "")
        self.memory_mb, self.again_s = [], []

    monkeypatch.setattr(startup.Fresh, "__init__", cold)
    one_way = startup.ways
    monkeypatch.setattr(startup, "ways", lambda card: one_way(card)[:1])
    content = run(startup)
    assert {row["name"] for row in rows(content, "startup-voice")} >= {"reference (PyTorch fp32)", "onnxruntime fp32"}
    assert all(row["ms"] > 0 for row in rows(content, "startup-face"))
    parts = rows(content, "startup-voice-stages")[0]["stages"]
    assert list(parts) == ["imports", "loading", "first score", "a second score"]
    assert rows(content, "startup-sizes")[1]["disk_mb"] > 10


def test_roofline(run: Callable[..., dict[str, Any]]) -> None:
    """Rates for each number of threads, and floors that shrink with the precision."""
    content = run(roofline)
    assert len(rows(content, "roofline-rates")) == 4 * len(content["limits"])
    assert all(row["floor_ms"] > 0 for row in rows(content, "roofline-floors"))


def test_the_reference_computes_what_the_bundle_does(root: Path, tmp_path: Path) -> None:
    """Same weights, same scores, as far as the storage of the heads allows."""
    bundle = bundles.voice_suite(root, quick=True)
    files, said = inputs.clips(tmp_path, tmp_path, 3)
    assert said == "generated sounds"
    slow = reference.VoiceReference(bundle, QUICK_VOICE, held=4)
    model = load_model(bundle, precision="fp32")
    ours = model.raw_scores([reference.decode(path) for path in files])[:, :4]
    assert np.abs(ours - np.array([slow(path) for path in files])).max() < 2e-2 * np.abs(ours).max()
    assert set(slow.take()) == {"decode", "prepare", "encoder", "heads", "output"}
    towers = bundles.face_suite(root, quick=True)
    pictures, _ = inputs.faces(tmp_path, tmp_path, 2)
    loop = reference.FaceReference(towers, QUICK_FACE)
    from emonet.media import decode_image

    ours = load_model(towers, precision="fp32").raw_scores([decode_image(path).pixels for path in pictures])
    assert np.abs(ours - np.array([loop(path) for path in pictures])).max() < 2e-2 * np.abs(ours).max()


def test_a_bundle_is_made_once(root: Path) -> None:
    """The second call finds the first one's; another shape is made anew."""
    first = bundles.voice_suite(root, quick=True)
    before = (first / "encoder.onnx").stat().st_mtime_ns
    assert bundles.voice_suite(root, quick=True) == first
    assert (first / "encoder.onnx").stat().st_mtime_ns == before
    assert {tier.precision for tier in read_card(first).tiers} >= {"int8-weights"}
