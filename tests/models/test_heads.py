"""Fused heads give what one head after the other gives."""

from __future__ import annotations

import tracemalloc
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from emonet.errors import BundleError, UsageError
from emonet.models import HeadWeights
from emonet.models._heads import HeadPlan, Heads, Input, Precision, block_size, pool, write_heads


def made_heads(kind: Input, layers: tuple[int, ...], count: int = 5, seed: int = 0) -> HeadWeights:
    """Random heads that keep the signal's size."""
    draw = np.random.default_rng(seed)
    weights, biases = [], []
    for i, (size_in, size_out) in enumerate(pairwise(layers)):
        weight = draw.normal(0, (2 / size_in) ** 0.5, (count, size_out, size_in)).astype(np.float32)
        bias = draw.normal(0.1, 0.1, (count, size_out)).astype(np.float32)
        weights.append(weight.reshape(-1, size_in) if i == 0 else weight)
        biases.append(bias.reshape(-1) if i == 0 else bias)
    return HeadWeights(kind, kind, tuple(f"d{i}" for i in range(count)), tuple(weights), tuple(biases))


def loop(heads: HeadWeights, x: Any) -> Any:
    """One head, one layer at a time, float64."""
    columns = []
    for index in range(len(heads.dimensions)):
        values = x.astype(np.float64)
        for number, (weight, bias) in enumerate(heads.head(index)):
            values = (np.maximum(values, 0) if number else values) @ weight.T + bias
        columns.append(values[:, 0])
    return np.stack(columns, axis=1)


@pytest.mark.parametrize("runtime", ["onnxruntime", "openvino"])
@pytest.mark.parametrize("precision", ["fp32", "fp16", "bf16", "int8"])
@pytest.mark.parametrize(
    ("kind", "layers"),
    [
        ("embedding", (24, 1)),
        ("embedding", (24, 16, 8, 1)),
        ("sequence", (20_000, 8, 8, 4, 1)),
        ("sequence", (6 * 16, 1)),
        ("pooled", (64, 8, 8, 1)),
    ],
)
def test_fused_heads_equal_the_loop(
    tmp_path: Path, kind: Input, layers: tuple[int, ...], precision: Precision, runtime: str
) -> None:
    """For every kind, depth, precision and runtime; several blocks included."""
    heads = made_heads(kind, layers, count=40)
    path = tmp_path / "heads.safetensors"
    plan = heads.plan()
    write_heads(path, [plan], precision)
    x = np.random.default_rng(1).normal(size=(3, layers[0])).astype(np.float32)
    computed = "fp32" if precision in ("fp32", "fp16") else precision
    ours = Heads(path, [plan.group], runtime=runtime, precision=computed).scores({kind: x})
    reference = loop(heads, x)
    error = np.abs(ours - reference).max() / np.abs(reference).max()
    bound = {"fp32": 1e-5, "fp16": 1e-3, "bf16": 1e-2, "int8": 3e-2}[precision]
    # A single layer has one output and stays float32, but a blocked one is multiplied as the runtime does.
    exact = len(layers) == 2 and (kind != "sequence" or runtime == "onnxruntime" or computed == "fp32")
    assert error < (1e-5 if exact else bound)


def test_several_groups_stand_side_by_side(tmp_path: Path) -> None:
    """The Plus suite's two kinds of heads share one file and one table of scores."""
    first, second = made_heads("sequence", (96, 8, 1), 3), made_heads("pooled", (64, 4, 1), 2, seed=1)
    second = HeadWeights("pooled", "pooled", ("q0", "q1"), second.weights, second.biases)
    plans = [first.plan(), second.plan()]
    write_heads(tmp_path / "h.safetensors", plans, "fp32")
    heads = Heads(tmp_path / "h.safetensors", [plan.group for plan in plans])
    sequence = np.random.default_rng(2).normal(size=(4, 6, 16)).astype(np.float32)
    ours = heads.scores({"sequence": sequence.reshape(4, -1), "pooled": pool(sequence)})
    reference = np.concatenate([loop(first, sequence.reshape(4, -1)), loop(second, pool(sequence))], axis=1)
    assert heads.dimensions == ("d0", "d1", "d2", "q0", "q1")
    assert heads.inputs == {"sequence", "pooled"}
    assert np.allclose(ours, reference, atol=1e-5)


def test_heads_are_written_one_at_a_time(tmp_path: Path) -> None:
    """The writer asks for each head once, in order, so a suite never has to fit in memory."""
    heads, asked = made_heads("sequence", (96, 8, 1)), []

    def read(index: int) -> Any:
        asked.append(index)
        return heads.head(index)

    write_heads(tmp_path / "h.safetensors", [HeadPlan(heads.plan().group, read)], "fp16")
    assert asked == [0, 1, 2, 3, 4]


def test_large_first_layers_stay_mapped(tmp_path: Path) -> None:
    """The heads of a sequence are not kept in memory; reduced precision takes fewer bytes on disk."""
    sizes = {}
    for precision in ("fp32", "fp16", "int8"):
        path = tmp_path / f"{precision}.safetensors"
        plan = made_heads("sequence", (60_000, 8, 1)).plan()
        write_heads(path, [plan], precision)  # type: ignore[arg-type]
        sizes[precision] = path.stat().st_size
        tracemalloc.start()
        heads = Heads(path, [plan.group])
        held, _ = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert heads.dimensions == plan.group.dimensions
        assert held < 200_000 < sizes[precision] / 10
    assert sizes["fp16"] / sizes["fp32"] == pytest.approx(0.5, abs=0.01)
    assert sizes["int8"] / sizes["fp32"] == pytest.approx(0.25, abs=0.01)


def test_bundles_with_other_blocks_are_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The size of the blocks is a matter of the file, not of the program that reads it."""
    heads, path = made_heads("sequence", (7000, 8, 1)), tmp_path / "heads.safetensors"
    with monkeypatch.context() as patched:
        patched.setattr("emonet.models._heads._BLOCK", 100)
        write_heads(path, [heads.plan()], "fp32")
    x = np.random.default_rng(1).normal(size=(2, 7000)).astype(np.float32)
    ours = Heads(path, [heads.plan().group]).scores({"sequence": x})
    assert np.allclose(ours, loop(heads, x), atol=1e-5)


def test_blocks_divide_the_published_input() -> None:
    """1,152,000 inputs make 125 blocks of 9216: twelve positions of Whisper-small's encoder."""
    assert block_size(1_152_000) == 9216
    assert block_size(64) == 64


def test_pooling_is_mean_min_max_and_unbiased_deviation() -> None:
    """Order and deviation as in the published Plus suite, computed here by hand for one channel."""
    values = np.array([[[1.0], [2.0], [6.0]]], np.float32)
    assert pool(values)[0] == pytest.approx([3.0, 1.0, 6.0, 7.0**0.5])


@pytest.mark.parametrize(
    "change",
    [
        {"weights": ()},
        {"dimensions": ("a", "b", "c")},
        {"biases": (np.zeros(3, np.float32), np.zeros((2, 1), np.float32))},
        {"weights": (np.zeros((16, 6), np.float32), np.zeros((2, 3, 8), np.float32))},
    ],
)
def test_shapes_that_do_not_fit_are_usage_errors(change: Any) -> None:
    """A trainer's mistake is reported with the group, the layer and both shapes."""
    good = made_heads("embedding", (6, 8, 1), 2)
    fields = {"dimensions": good.dimensions, "weights": good.weights, "biases": good.biases} | change
    with pytest.raises(UsageError, match="embedding"):
        HeadWeights("embedding", "embedding", **fields).plan()


def test_a_file_of_other_heads_is_refused(tmp_path: Path) -> None:
    """Card and heads must agree on every shape."""
    path = tmp_path / "h.safetensors"
    write_heads(path, [made_heads("embedding", (6, 8, 1), 2).plan()], "fp32")
    with pytest.raises(BundleError, match=r"weight\.0.*should have shape"):
        Heads(path, [made_heads("embedding", (6, 8, 1), 3).plan().group])
