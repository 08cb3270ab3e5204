"""Expert heads: many small networks of one shape, evaluated together.

Shapes: n items, H heads, K inputs, O outputs of the first layer, B blocks of k = K / B inputs.

The first layers of all heads read the same input, so they are one matrix multiplication [n, K] x [K, H*O]; later
layers are batched over heads. For voice, K is 1,152,000 and that one matrix is 4 to 16 GB: it is stored in blocks of
inputs, [B, H*O, k], and multiplied from the mapped file (models/_projection.py).
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
from emonet.models._projection import open_projection, openvino_has_bf16
from emonet.models._stack import later_layers, open_stack
from emonet.models._tensors import Stored, Tensor, create_tensors, flush_tensors, narrow, open_tensors

Input = Literal["embedding", "sequence", "pooled"]
Precision = Literal["fp32", "fp16", "bf16", "int8"]
_STORED: dict[str, Stored] = {"fp32": "F32", "fp16": "F16", "bf16": "BF16", "int8": "I8"}
_BLOCK = 9216  # most inputs in a block: few calls, and scales of 8-bit rows that follow the weights

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
    """Largest divisor of `inputs` that is at most 9216."""
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


def narrow_heads(source: Path, target: Path, groups: Sequence[HeadGroup]) -> None:
    """Copy `heads.safetensors` with the blocked first layers in 8 bits, one scale per row and block.

    Everything else, a small share of the file, is kept in float32. One block is in memory at a time.
    """
    tensors = open_tensors(source)
    layout: dict[str, tuple[Stored, Sequence[int]]] = {}
    blocked = [f"{group.name}.weight.0" for group in groups if group.input == "sequence"]
    for name, tensor in tensors.items():
        if ".scale." in name:
            continue
        layout[name] = ("I8" if name in blocked else "F32", tensor.shape)
        if name in blocked:
            layout[name.replace(".weight.", ".scale.")] = ("F32", tensor.shape[:-1])
    files = create_tensors(target, layout, {"precision": "int8"})
    for name in blocked:
        for block in range(tensors[name].shape[0]):
            values, scale = narrow(tensors[name][block].to_float32(), "I8")
            files[name][block] = values
            files[name.replace(".weight.", ".scale.")][block] = scale
    for name in set(layout) & set(tensors) - set(blocked):
        files[name][...] = tensors[name].to_float32()
    flush_tensors(files)


class Heads:
    """The heads of a bundle, mapped from `heads.safetensors`. Reading only: safe to share between threads."""

    def __init__(
        self,
        path: Path,
        groups: Sequence[HeadGroup],
        *,
        runtime: str = "onnxruntime",
        precision: str = "fp32",
        threads: int | None = None,
    ) -> None:
        """`runtime`, `precision` and `threads` as in `open_session`. `BundleError` when a tensor that `groups`
        promises is absent or of another shape."""
        self.groups = tuple(groups)
        self.dimensions = tuple(dimension for group in groups for dimension in group.dimensions)
        tensors = open_tensors(path)
        self._run: dict[str, Callable[[NDArray[np.float32]], NDArray[np.float32]]] = {}
        for group in groups:
            weights, biases = _of_group(path, group, tensors)
            if group.input == "sequence":
                self._run[group.name] = _blocked(weights, biases, runtime, precision, threads)
            else:
                # What a reduced precision leaves to the runtime is computed in bfloat16 where that is faster.
                hint = "bf16" if runtime == "openvino" and precision != "fp32" and openvino_has_bf16() else "f32"
                wide = [weight.to_float32() for weight in weights]
                self._run[group.name] = open_stack(wide, biases, runtime=runtime, precision=hint, threads=threads)

    @property
    def inputs(self) -> frozenset[str]:
        """Which of `embedding`, `sequence` and `pooled` the heads read."""
        return frozenset(group.input for group in self.groups)

    def scores(self, inputs: Mapping[str, NDArray[np.float32]]) -> NDArray[np.float32]:
        """Raw scores float32 [n, len(dimensions)].

        `inputs`: float32 [n, K] under each name of `self.inputs`.
        """
        return np.concatenate([self._run[group.name](inputs[group.input]) for group in self.groups], axis=1)


def _of_group(
    path: Path, group: HeadGroup, tensors: Mapping[str, Tensor]
) -> tuple[list[Tensor], list[NDArray[np.float32]]]:
    """Weights, still mapped, and biases of a group, their shapes checked."""
    for name, (_, shape) in _layout(group, "fp32").items():
        found = tensors.get(name)
        if found is None or not _fits(found.shape, tuple(shape)):
            has = "nothing" if found is None else found.shape
            raise BundleError(
                f"{path}: tensor {name!r} should have shape {tuple(shape)}, found {has}. The bundle's files do not "
                "belong together; convert or pull it again."
            )
    depth = range(len(group.layers) - 1)
    weights = [tensors[f"{group.name}.weight.{i}"] for i in depth]
    return weights, [tensors[f"{group.name}.bias.{i}"].to_float32() for i in depth]


def _blocked(
    weights: Sequence[Tensor], biases: Sequence[NDArray[np.float32]], runtime: str, precision: str, threads: int | None
) -> Callable[[NDArray[np.float32]], NDArray[np.float32]]:
    """Only the first layers are too large to be kept in memory."""
    project = open_projection(weights[0], runtime=runtime, precision=precision, threads=threads)
    later = [weight.to_float32() for weight in weights[1:]]

    def run(x: NDArray[np.float32]) -> NDArray[np.float32]:
        return later_layers(project(x) + biases[0], later, biases[1:])

    return run


def _fits(found: tuple[int, ...], expected: tuple[int, ...]) -> bool:
    """Blocked layers may have blocks of any size that give the same inputs."""
    if len(found) == len(expected) == 3 and found[1] == expected[1]:
        return found[0] * found[2] == expected[0] * expected[2]
    return found == expected


def pool(sequence: NDArray[np.float32]) -> NDArray[np.float32]:
    """Mean, min, max and unbiased standard deviation over time: [n, frames, size] → float32 [n, 4 * size].

    Order and float32 as in LAION's Empathic-Insight-Voice-Plus.
    """
    sequence = np.asarray(sequence, np.float32)
    parts = (sequence.mean(1), sequence.min(1), sequence.max(1), sequence.std(1, ddof=1))
    return np.concatenate(parts, axis=1).astype(np.float32)
