"""Small networks become one ONNX file that gives the same numbers and tells nothing about the machine."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from emonet.errors import ModelError
from emonet.training._export import export_onnx

torch = pytest.importorskip("torch")
onnx = pytest.importorskip("onnx")


def _module() -> torch.nn.Module:
    torch.manual_seed(0)
    return torch.nn.Sequential(
        torch.nn.Conv2d(1, 4, 3, padding=1), torch.nn.BatchNorm2d(4), torch.nn.ReLU(),
        torch.nn.AdaptiveAvgPool2d(1), torch.nn.Flatten(),
    )  # fmt: skip


def test_file_reproduces_the_module(tmp_path: Path) -> None:
    """Input and output names, a free batch axis, equal numbers, one self-contained file without paths."""
    import onnxruntime

    module = _module()
    path = tmp_path / "encoder.onnx"
    difference = export_onnx(module, torch.randn(2, 1, 16, 16), path)
    assert difference <= 1e-4
    assert module.training
    assert [p.name for p in tmp_path.iterdir()] == ["encoder.onnx"]
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    assert [i.name for i in session.get_inputs()] == ["input"]
    assert [o.name for o in session.get_outputs()] == ["embedding"]
    batch = torch.randn(7, 1, 16, 16)
    (actual,) = session.run(None, {"input": batch.numpy()})
    np.testing.assert_allclose(actual, module.eval()(batch).detach().numpy(), atol=1e-5)
    content = path.read_bytes()
    assert b"site-packages" not in content
    assert b"stack_trace" not in content


def test_two_free_axes(tmp_path: Path) -> None:
    """A sequence network may leave its frame axis free too."""
    import onnxruntime

    torch.manual_seed(0)
    module = torch.nn.Conv1d(3, 2, 3, padding=1)
    path = tmp_path / "sequence.onnx"
    export_onnx(module, torch.randn(2, 3, 20), path, output_name="sequence", dynamic_axes={0: "n", 2: "frames"})
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    assert session.run(None, {"input": np.zeros((1, 3, 33), np.float32)})[0].shape == (1, 2, 33)


def test_a_file_that_differs_is_refused(tmp_path: Path) -> None:
    """Nothing is written when the numbers disagree."""
    with pytest.raises(ModelError, match="differs from torch"):
        export_onnx(_module(), torch.randn(2, 1, 16, 16), tmp_path / "x.onnx", tolerance=-1.0)
    assert not list(tmp_path.iterdir())
