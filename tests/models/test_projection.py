"""The product with a mapped matrix: every way of storing it on every runtime."""

from __future__ import annotations

import runpy
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from emonet.models import _projection
from emonet.models._projection import open_projection
from emonet.models._tensors import Stored, Tensor, narrow

_ROOT = Path(__file__).resolve().parents[2]


def stored(weight: NDArray[np.float32], dtype: Stored, blocks: int) -> Tensor:
    """[R, K] in blocks [B, R, k]."""
    parts = [narrow(np.ascontiguousarray(part), dtype) for part in np.split(weight, blocks, axis=1)]
    scale = np.stack([s for _, s in parts if s is not None]) if dtype == "I8" else None
    return Tensor(dtype, np.stack([values for values, _ in parts]), scale)


@pytest.fixture(scope="module")
def problem() -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """x [5, 4800] and weight [96, 4800]."""
    draw = np.random.default_rng(0)
    return draw.normal(size=(5, 4800)).astype(np.float32), draw.normal(0, 0.02, (96, 4800)).astype(np.float32)


@pytest.mark.parametrize("runtime", ["onnxruntime", "openvino"])
@pytest.mark.parametrize(("dtype", "bound"), [("F32", 1e-6), ("F16", 1e-3), ("BF16", 1e-2), ("I8", 3e-2)])
def test_blocks_add_up_to_the_product(problem: Any, runtime: str, dtype: Stored, bound: float) -> None:
    """Within what the storage and the runtime's arithmetic round."""
    x, weight = problem
    ours = open_projection(stored(weight, dtype, 6), runtime=runtime, precision="int8", threads=2)(x)
    expected = x.astype(np.float64) @ weight.T.astype(np.float64)
    assert ours.dtype == np.float32
    assert np.sqrt(((ours - expected) ** 2).mean() / (expected**2).mean()) < bound


def test_parts_of_a_block_join(problem: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A block too large to be widened at once is multiplied in parts of its rows, with the same result."""
    x, weight = problem
    whole = open_projection(stored(weight, "I8", 6), runtime="onnxruntime", precision="int8", threads=1)(x)
    monkeypatch.setattr(_projection, "_WIDENED_BYTES", 4 * 800 * 7)  # seven rows at once
    assert np.allclose(
        open_projection(stored(weight, "I8", 6), runtime="onnxruntime", precision="int8", threads=1)(x),
        whole,
        atol=1e-5,
    )


@pytest.mark.parametrize("dtype", ["BF16", "I8"])
def test_large_channels_do_not_spoil_the_others(problem: Any, dtype: Stored) -> None:
    """Trained transformers have a few channels twenty times as large as the rest; 8 bits must still tell the rest."""
    x, weight = (array.copy() for array in problem)
    x[:, ::800] *= 20
    ours = open_projection(stored(weight, dtype, 6), runtime="openvino", precision="int8", threads=2)(x)
    expected = x.astype(np.float64) @ weight.T.astype(np.float64)
    assert np.sqrt(((ours - expected) ** 2).mean() / (expected**2).mean()) < 3e-2


@pytest.mark.parametrize("dtype", ["BF16", "I8"])
def test_one_projection_serves_several_threads(problem: Any, dtype: Stored) -> None:
    """Requests belong to threads; results do not mix."""
    x, weight = problem
    project = open_projection(stored(weight, dtype, 6), runtime="openvino", precision="int8", threads=1)
    expected = [project(x[i : i + 1]) for i in range(5)]
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda i: project(x[i % 5 : i % 5 + 1]), range(40)))
    for i, row in enumerate(found):
        assert np.allclose(row, expected[i % 5], atol=1e-4)


def test_without_bfloat16_arithmetic_weights_are_widened(problem: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """On an older processor OpenVINO's bundle heads give float32 products of the stored numbers."""
    x, weight = problem
    monkeypatch.setattr(_projection, "openvino_has_bf16", lambda: False)
    ours = open_projection(stored(weight, "BF16", 6), runtime="openvino", precision="int8", threads=1)(x)
    same = open_projection(stored(weight, "BF16", 6), runtime="onnxruntime", precision="int8", threads=1)(x)
    assert np.array_equal(ours, same)


def test_the_graphs_are_what_their_script_writes(tmp_path: Path) -> None:
    """recipes/projection_graphs.py is the source of the files in the package."""
    runpy.run_path(str(_ROOT / "recipes" / "projection_graphs.py"))["main"](tmp_path)
    shipped = Path(_projection.__file__).parent / "graphs"
    assert len(list(tmp_path.iterdir())) == len(list(shipped.glob("project_*.onnx"))) == 4
    for path in tmp_path.iterdir():
        assert path.read_bytes() == (shipped / path.name).read_bytes()
