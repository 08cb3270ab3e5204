"""Safetensors files as memory maps: read without copying, written in place without holding the whole in memory.

The format is an 8-byte little-endian length, that many bytes of JSON (name → dtype, shape, byte range), then the
tensors (https://huggingface.co/docs/safetensors). The package's own reader would copy each tensor into memory and
numpy has no bfloat16; the heads of one voice suite take 4 to 16 GB, so they are mapped here instead.
"""

from __future__ import annotations

import json
import math
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from emonet.errors import BundleError, CheckpointError

Stored = Literal["F32", "F16", "BF16", "I8"]
# bfloat16 is kept as its 16 bits: the upper half of a float32.
_NUMPY: dict[str, type[np.generic]] = {"F32": np.float32, "F16": np.float16, "BF16": np.uint16, "I8": np.int8}
_LARGEST_HALF = 65504.0


@dataclass(frozen=True, slots=True, eq=False)
class Tensor:
    """A mapped array and how its numbers are stored. `scale`: float32, one per row of an `I8` tensor."""

    dtype: Stored
    array: NDArray[Any]
    scale: NDArray[np.float32] | None = None

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of the numbers."""
        return tuple(self.array.shape)

    def __getitem__(self, index: Any) -> Tensor:
        """Part of the tensor, still mapped; the index must keep the last axis."""
        return Tensor(self.dtype, self.array[index], None if self.scale is None else self.scale[index])

    def to_float32(self) -> NDArray[np.float32]:
        """The numbers as float32, scales applied. Not a copy when they are stored so."""
        values = widen(self.array, self.dtype)
        return values if self.scale is None else values * self.scale[..., None]


def widen(array: NDArray[Any], dtype: Stored, scratch: NDArray[np.float32] | None = None) -> NDArray[np.float32]:
    """Stored numbers to float32, without the scales of `I8`; exact for finite numbers.

    `scratch`: float32 of the same shape to write to, so that a loop over blocks does not ask for memory each time.
    Float32 itself is returned as it is.
    """
    if dtype == "F32":
        return array
    values = np.empty(array.shape, np.float32) if scratch is None else scratch
    if dtype == "BF16":
        bits = values.view(np.uint32)
        np.copyto(bits, array)
        np.left_shift(bits, 16, out=bits)
    elif dtype == "F16":
        # Moves the half's exponent and fraction into float32's and multiplies by 2^112 for the other bias. Nine times
        # as fast as numpy's own cast, and exact down to the subnormals; infinities never get into a bundle.
        moved = values.view(np.int32)
        np.copyto(moved, array.view(np.int16))
        np.left_shift(moved, 13, out=moved)
        np.bitwise_and(moved, np.int32(-0x70002000), out=moved)
        np.multiply(values, np.float32(2.0**112), out=values)
    else:
        np.copyto(values, array)
    return values


def narrow(values: NDArray[np.float32], dtype: Stored) -> tuple[NDArray[Any], NDArray[np.float32] | None]:
    """Float32 [..., columns] to stored numbers and, for `I8`, one scale per row: float32 [...].

    Raises `CheckpointError` for numbers that are not finite or too large for a half.
    """
    largest = float(np.abs(values).max(initial=0.0))
    if not math.isfinite(largest):
        raise CheckpointError("The weights hold NaN or infinity; expected finite numbers. Fetch the file again.")
    if dtype == "F32":
        return np.ascontiguousarray(values, np.float32), None
    if dtype == "BF16":
        bits = np.ascontiguousarray(values, np.float32).view(np.uint32)
        return ((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16).astype(np.uint16), None  # round half to even
    if dtype == "F16":
        if largest > _LARGEST_HALF:
            raise CheckpointError(f"A weight of {largest:.3g} is above what fp16 holds. Convert with bf16 or fp32.")
        return values.astype(np.float16), None
    scale = (np.abs(values).max(axis=-1) / 127.0).astype(np.float32)
    steps = np.where(scale > 0, scale, np.float32(1))[..., None]
    return np.clip(np.rint(values / steps), -127, 127).astype(np.int8), scale


def create_tensors(
    path: Path, tensors: Mapping[str, tuple[Stored, Sequence[int]]], metadata: Mapping[str, str]
) -> dict[str, NDArray[Any]]:
    """Make a safetensors file of its final size and return its tensors, zero and writable, as memory maps.

    `tensors`: name → (dtype, shape). The caller fills them and then calls `flush_tensors`.
    """
    # Widest numbers first keeps every tensor aligned to its own numbers.
    order = sorted(tensors, key=lambda name: (-np.dtype(_NUMPY[tensors[name][0]]).itemsize, name))
    header: dict[str, Any] = {"__metadata__": dict(metadata)}
    offset = 0
    for name in order:
        dtype, shape = tensors[name]
        size = math.prod(shape) * np.dtype(_NUMPY[dtype]).itemsize
        header[name] = {"dtype": dtype, "shape": list(shape), "data_offsets": [offset, offset + size]}
        offset += size
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-(len(text) + 8) % 64)
    with path.open("wb") as file:
        file.write(len(text).to_bytes(8, "little") + text)
        file.truncate(8 + len(text) + offset)
    return {name: array for name, _, array in _mapped(path, "r+", BundleError)}


def flush_tensors(tensors: Mapping[str, NDArray[Any]]) -> None:
    """Bring what was written to disk."""
    for array in tensors.values():
        if isinstance(array, np.memmap):
            array.flush()


def open_tensors(path: Path, *, error: type[Exception] = BundleError) -> dict[str, Tensor]:
    """Map a safetensors file. An `I8` tensor `<x>.weight.<i>` gets its `<x>.scale.<i>`.

    `error` is raised, with the file's name, when the file is cut off or not safetensors.
    """
    raw = {name: Tensor(dtype, array) for name, dtype, array in _mapped(path, "r", error)}
    tensors = {}
    for name, tensor in raw.items():
        scale = raw.get(name.replace(".weight.", ".scale.")) if tensor.dtype == "I8" else None
        tensors[name] = tensor if scale is None else Tensor(tensor.dtype, tensor.array, scale.array)
    return tensors


def _mapped(path: Path, mode: Literal["r", "r+"], error: type[Exception]) -> Iterator[tuple[str, Stored, NDArray[Any]]]:
    """Name, dtype and mapped array of every tensor, after the header was checked against the file's size."""
    size = os.path.getsize(path)
    with path.open("rb") as file:
        length = int.from_bytes(file.read(8), "little")
        if not 2 <= length <= min(size - 8, 100_000_000):
            raise error(f"{path}: not a safetensors file (header of {length} bytes in a file of {size}).")
        try:
            header = json.loads(file.read(length))
        except ValueError as cause:
            raise error(f"{path}: not a safetensors file (its header is not JSON).") from cause
    start = 8 + length
    for name, entry in header.items():
        if name == "__metadata__":
            continue
        dtype, shape, (low, high) = entry["dtype"], tuple(entry["shape"]), entry["data_offsets"]
        if dtype not in _NUMPY:
            raise error(f"{path}: tensor {name!r} is stored as {dtype}; known: {', '.join(_NUMPY)}.")
        kind = np.dtype(_NUMPY[dtype])
        if high - low != math.prod(shape) * kind.itemsize or start + high > size:
            raise error(
                f"{path}: tensor {name!r} needs bytes {low}..{high}, the file has {size - start}. It is cut off."
            )
        if high == low:
            yield name, dtype, np.zeros(shape, kind)
        else:
            yield name, dtype, np.memmap(path, kind, mode, start + low, shape)
