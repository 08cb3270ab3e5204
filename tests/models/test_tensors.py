"""Number formats and memory-mapped safetensors files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors.numpy
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from emonet.errors import BundleError, CheckpointError
from emonet.models._tensors import create_tensors, flush_tensors, narrow, open_tensors, widen

finite = arrays(
    np.float32, array_shapes(min_dims=2, max_dims=3, max_side=7), elements=st.floats(-60_000, 60_000, width=32)
)


def test_every_half_is_widened_exactly() -> None:
    """All finite halves, subnormals and both zeros included, equal numpy's own cast."""
    halves = np.arange(65536, dtype=np.uint16).view(np.float16)
    halves = halves[np.isfinite(halves)]
    widened = widen(halves, "F16")
    assert np.array_equal(widened.view(np.uint32), halves.astype(np.float32).view(np.uint32))


@given(finite)
@settings(max_examples=60, deadline=None)
def test_bfloat16_rounds_as_torch_does(values: Any) -> None:
    """To bfloat16 and back gives torch's numbers, bit for bit."""
    stored, scale = narrow(values, "BF16")
    assert scale is None
    assert np.array_equal(widen(stored, "BF16"), torch.from_numpy(values).bfloat16().float().numpy())


@given(finite)
@settings(max_examples=60, deadline=None)
def test_int8_is_within_half_a_step_of_each_row(values: Any) -> None:
    """No number moves by more than half of its row's step; a row of zeros stays zero."""
    stored, scale = narrow(values, "I8")
    assert scale is not None
    error = np.abs(widen(stored, "I8") * scale[..., None] - values)
    assert (error <= 0.5001 * scale[..., None] + 1e-30).all()


def test_scratch_is_used() -> None:
    """A loop may lend its memory to the widened numbers."""
    scratch = np.empty((3, 4), np.float32)
    for dtype in ("F16", "BF16", "I8"):
        stored, _ = narrow(np.arange(12, dtype=np.float32).reshape(3, 4), dtype)  # type: ignore[arg-type]
        assert widen(stored, dtype, scratch) is scratch  # type: ignore[arg-type]


@pytest.mark.parametrize(("value", "dtype"), [(np.inf, "F32"), (np.nan, "I8"), (1e5, "F16")])
def test_numbers_that_do_not_fit_are_refused(value: float, dtype: Any) -> None:
    """NaN, infinity and halves out of range are errors, not silent damage."""
    with pytest.raises(CheckpointError):
        narrow(np.full((1, 2), value, np.float32), dtype)


def test_the_safetensors_package_reads_our_files(tmp_path: Path) -> None:
    """Files written in place are ordinary safetensors files, and theirs are read by us."""
    path = tmp_path / "x.safetensors"
    made = create_tensors(path, {"a": ("F32", (2, 3)), "b": ("I8", (5,)), "c": ("F16", (3, 1)), "e": ("F32", (0,))}, {})
    made["a"][:] = np.arange(6).reshape(2, 3)
    made["b"][:] = [-2, -1, 0, 1, 2]
    made["c"][:] = [[0.5], [1.5], [-2]]
    flush_tensors(made)
    theirs = safetensors.numpy.load_file(path)
    ours = open_tensors(path)
    assert set(theirs) == set(ours) == {"a", "b", "c", "e"}
    assert all(np.array_equal(theirs[name], ours[name].array) for name in theirs)
    safetensors.numpy.save_file({"z": np.eye(3, dtype=np.float32)}, tmp_path / "z.safetensors")
    assert np.array_equal(open_tensors(tmp_path / "z.safetensors")["z"].to_float32(), np.eye(3))


def test_tensors_are_mapped_not_read(tmp_path: Path) -> None:
    """Opening a file of 2 GB (of holes) takes no memory: every tensor is a map of the file."""
    path = tmp_path / "large.safetensors"
    create_tensors(path, {"w": ("F16", (1 << 30,))}, {})
    tensor = open_tensors(path)["w"]
    assert isinstance(tensor.array, np.memmap)
    assert tensor.array[-1] == 0


@pytest.mark.parametrize("damage", [lambda b: b[:-1], lambda b: b[:4], lambda b: b"\xff" * 8 + b[8:], lambda b: b[:8]])
def test_damaged_files_are_named(tmp_path: Path, damage: Any) -> None:
    """A cut-off or foreign file gives the error that was asked for, with the file's name."""
    path = tmp_path / "x.safetensors"
    safetensors.numpy.save_file({"z": np.eye(3, dtype=np.float32)}, path)
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(BundleError, match=r"x\.safetensors"):
        open_tensors(path)
