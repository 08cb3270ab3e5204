"""Expert heads: many small networks of one shape, evaluated together.

Shapes: n items, H heads, K inputs, O outputs of the first layer, B blocks of k = K / B inputs.

The first layers of all heads read the same input, so they are one matrix multiplication [n, K] x [K, H*O]; later
layers are batched over heads. For voice, K is 1,152,000 and that one matrix is 4 to 16 GB: it is stored in blocks of
inputs, [B, H*O, k], so that every block is read once per batch from the mapped file, widened to float32 while it is in
the processor's cache, and added up in float32.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from emonet.errors import BundleError, UsageError
from emonet.models._card import HeadGroup
from emonet.models._tensors import Stored, Tensor, create_tensors, flush_tensors, narrow, open_tensors, widen

Input = Literal["embedding", "sequence", "pooled"]
Precision = Literal["fp32", "fp16", "bf16", "int8"]
_STORED: dict[str, Stored] = {"fp32": "F32", "fp16": "F16", "bf16": "BF16", "int8": "I8"}
_BLOCK = 3072  # most inputs in a block: a batch of 16 of them stays in the second-level cache
_ROWS_AT_ONCE = 128  # rows widened at once: 128 x 3072 float32 = 1.5 MB

Layer = tuple[NDArray[np.float32], NDArray[np.float32]]
"""Weight float32 [out, in] and bias float32 [out] of one layer of one head."""


@dataclass(frozen=True, slots=True, eq=False)
class HeadWeights:
    """Heads of one shape, in memory.

    `weights[0]`: float32 [heads*out, in], head after head; `weights[i > 0]`: float32 [heads, out, in];
    `biases[0]`: float32 [heads*out]; `biases[i > 0]`: float32 [heads, out]. ReLU between layers, none after the last,
    which has one output.
    """

    name: str
    input: Input
    dimensions: tuple[str, ...]
    weights: tuple[NDArray[np.float32], ...]
    biases: tuple[NDArray[np.float32], ...]

    @property
    def layers(self) -> tuple[int, ...]:
        """Sizes, input first, output last."""
        first = self.weights[0].shape
        return (first[1], first[0] // len(self.dimensions), *(weight.shape[1] for weight in self.weights[1:]))

    def head(self, index: int) -> list[Layer]:
        """Layers of one head."""
        heads = len(self.dimensions)
        first = self.weights[0].reshape(heads, -1, self.weights[0].shape[1])[index]
        layers = [(first, self.biases[0].reshape(heads, -1)[index])]
        layers += [(w[index], b[index]) for w, b in zip(self.weights[1:], self.biases[1:], strict=True)]
        return [(np.asarray(w, np.float32), np.asarray(b, np.float32)) for w, b in layers]

    def plan(self) -> HeadPlan:
        """What `write_heads` needs; `UsageError` when the shapes do not fit together."""
        heads, depth = len(self.dimensions), len(self.weights)
        if not heads or not depth or depth != len(self.biases) or self.weights[0].shape[0] % heads:
            raise UsageError(
                f"Head group {self.name!r}: {heads} dimensions, {depth} weights and {len(self.biases)} biases do not "
                "fit; expected one weight and one bias per layer and the same number of rows for each head."
            )
        sizes = self.layers
        for i, (weight, bias) in enumerate(zip(self.weights, self.biases, strict=True)):
            out = sizes[i + 1]
            expected = ((heads * out, sizes[0]), (heads * out,)) if i == 0 else ((heads, out, sizes[i]), (heads, out))
            if (weight.shape, bias.shape) != expected:
                raise UsageError(
                    f"Head group {self.name!r}, layer {i}: weight {weight.shape} and bias {bias.shape}; "
                    f"expected {expected[0]} and {expected[1]}."
                )
        if sizes[-1] != 1:
            raise UsageError(f"Head group {self.name!r} ends with {sizes[-1]} outputs; expected 1.")
        return HeadPlan(
            HeadGroup(name=self.name, input=self.input, dimensions=self.dimensions, layers=sizes), self.head
        )


@dataclass(frozen=True, slots=True, eq=False)
class HeadPlan:
    """Heads that are read one at a time while they are written: `read(i)` gives the layers of `dimensions[i]`."""

    group: HeadGroup
    read: Callable[[int], list[Layer]]


def block_size(inputs: int) -> int:
    """Largest divisor of `inputs` that is at most 3072."""
    return next(size for size in range(min(inputs, _BLOCK), 0, -1) if inputs % size == 0)


def write_heads(
    path: Path, plans: Sequence[HeadPlan], precision: Precision, *, progress: Callable[[str], None] | None = None
) -> None:
    """Write `heads.safetensors`, one head in memory at a time.

    All layers but the last, which has one output, are stored at `precision`; the last layer, biases and the scales of
    int8 are float32.
    """
    tensors: dict[str, tuple[Stored, Sequence[int]]] = {}
    for plan in plans:
        tensors |= _layout(plan.group, precision)
    files = create_tensors(path, tensors, {"precision": precision})
    for plan in plans:
        for index, dimension in enumerate(plan.group.dimensions):
            if progress:
                progress(dimension)
            _write_head(files, plan.group, index, plan.read(index), tensors)
    flush_tensors(files)


def _layout(group: HeadGroup, precision: Precision) -> dict[str, tuple[Stored, Sequence[int]]]:
    """Name → dtype and shape of every tensor of a group."""
    heads, last = len(group.dimensions), len(group.layers) - 2
    out: dict[str, tuple[Stored, Sequence[int]]] = {}
    for i, (size_in, size_out) in enumerate(zip(group.layers, group.layers[1:], strict=False)):
        stored: Stored = "F32" if i == last else _STORED[precision]
        shape: tuple[int, ...] = (heads, size_out, size_in)
        if i == 0:
            shape = (heads * size_out, size_in)
        if i == 0 and group.input == "sequence":
            block = block_size(size_in)
            shape = (size_in // block, heads * size_out, block)
        out[f"{group.name}.weight.{i}"] = (stored, shape)
        out[f"{group.name}.bias.{i}"] = ("F32", (heads * size_out,) if i == 0 else (heads, size_out))
        if stored == "I8":
            out[f"{group.name}.scale.{i}"] = ("F32", shape[:-1])
    return out


def _write_head(
    files: Mapping[str, NDArray[Any]],
    group: HeadGroup,
    index: int,
    layers: Sequence[Layer],
    tensors: Mapping[str, tuple[Stored, Sequence[int]]],
) -> None:
    for i, (weight, bias) in enumerate(layers):
        name, size_out = f"{group.name}.weight.{i}", group.layers[i + 1]
        stored, shape = tensors[name]
        rows = slice(index * size_out, (index + 1) * size_out)
        part: Any = rows if i == 0 else index
        if i == 0 and len(shape) == 3:
            for block in range(shape[0]):
                columns = slice(block * shape[2], (block + 1) * shape[2])
                values, scale = narrow(weight[:, columns], stored)
                files[name][block, rows] = values
                if scale is not None:
                    files[f"{group.name}.scale.{i}"][block, rows] = scale
        else:
            values, scale = narrow(weight, stored)
            files[name][part] = values
            if scale is not None:
                files[f"{group.name}.scale.{i}"][part] = scale
        files[f"{group.name}.bias.{i}"][part] = bias


class Heads:
    """The heads of a bundle, mapped from `heads.safetensors`. Reading only: safe to share between threads."""

    def __init__(self, path: Path, groups: Sequence[HeadGroup]) -> None:
        """`BundleError` when a tensor that `groups` promises is absent or of another shape."""
        self.groups = tuple(groups)
        self.dimensions = tuple(dimension for group in groups for dimension in group.dimensions)
        tensors = open_tensors(path)
        self._weights: dict[str, list[Tensor]] = {}
        self._biases: dict[str, list[NDArray[np.float32]]] = {}
        for group in groups:
            for name, (_, shape) in _layout(group, "fp32").items():
                found = tensors.get(name)
                if found is None or found.shape != tuple(shape):
                    has = "nothing" if found is None else found.shape
                    raise BundleError(
                        f"{path}: tensor {name!r} should have shape {tuple(shape)}, found {has}. The bundle's files do "
                        "not belong together; convert or pull it again."
                    )
            depth = range(len(group.layers) - 1)
            self._weights[group.name] = [tensors[f"{group.name}.weight.{i}"] for i in depth]
            self._biases[group.name] = [tensors[f"{group.name}.bias.{i}"].to_float32() for i in depth]
        # Only the blocked first layers are too large to be kept in float32.
        self._kept = {
            group.name: [w.to_float32() for w in self._weights[group.name][int(group.input == "sequence") :]]
            for group in groups
        }

    @property
    def inputs(self) -> frozenset[str]:
        """Which of `embedding`, `sequence` and `pooled` the heads read."""
        return frozenset(group.input for group in self.groups)

    def scores(self, inputs: Mapping[str, NDArray[np.float32]]) -> NDArray[np.float32]:
        """Raw scores float32 [n, len(dimensions)].

        `inputs`: float32 [n, K] under each name of `self.inputs`.
        """
        return np.concatenate([self._group(group, inputs[group.input]) for group in self.groups], axis=1)

    def _group(self, group: HeadGroup, x: NDArray[np.float32]) -> NDArray[np.float32]:
        kept, biases = list(self._kept[group.name]), self._biases[group.name]
        blocked = group.input == "sequence"
        hidden = project_blocks(x, self._weights[group.name][0]) if blocked else x @ kept.pop(0).T  # [n, H*O]
        hidden = hidden + biases[0]
        values = hidden.reshape(len(x), len(group.dimensions), -1).transpose(1, 0, 2)  # [H, n, O]
        for weight, bias in zip(kept, biases[1:], strict=True):
            values = np.maximum(values, 0) @ weight.transpose(0, 2, 1) + bias[:, None, :]
        return values[:, :, 0].T


def project_blocks(x: NDArray[np.float32], weight: Tensor) -> NDArray[np.float32]:
    """x [n, K] times a blocked weight [B, rows, k]: float32 [n, rows], each block read once."""
    blocks, rows, size = weight.shape
    out = np.zeros((rows, len(x)), np.float32)
    scratch = np.empty((min(rows, _ROWS_AT_ONCE), size), np.float32)
    for block in range(blocks):
        part = np.ascontiguousarray(x[:, block * size : (block + 1) * size].T)  # [k, n]
        for start in range(0, rows, _ROWS_AT_ONCE):
            here = slice(start, min(start + _ROWS_AT_ONCE, rows))
            product = widen(weight.array[block, here], weight.dtype, scratch[: here.stop - start]) @ part  # [rows, n]
            if weight.scale is not None:
                product *= weight.scale[block, here, None]
            out[here] += product
    return out.T


def pool(sequence: NDArray[np.float32]) -> NDArray[np.float32]:
    """Mean, min, max and unbiased standard deviation over time: [n, frames, size] → float32 [n, 4 * size].

    Order and float32 as in LAION's Empathic-Insight-Voice-Plus.
    """
    sequence = np.asarray(sequence, np.float32)
    parts = (sequence.mean(1), sequence.min(1), sequence.max(1), sequence.std(1, ddof=1))
    return np.concatenate(parts, axis=1).astype(np.float32)
