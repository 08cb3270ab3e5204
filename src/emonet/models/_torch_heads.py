"""All heads of a bundle on a graphics card: two products for the whole suite, no wait between them.

Shapes: n items, H heads, K inputs, R = H * O rows of the first layers, T frames, E size of a frame.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from emonet.errors import require
from emonet.models._card import HeadGroup
from emonet.models._tensors import Tensor, open_tensors

_FEATURE = "The runtime torch"


class TorchHeads:
    """First layers as one matrix in `dtype`, later layers batched over heads; scores in float32.

    A voice suite takes 8.1 GB of the card's memory at 16 bits (Voice Small, Plus), 16.2 GB for Voice Large.
    """

    def __init__(self, path: Path, groups: Sequence[HeadGroup], *, device: Any, dtype: Any) -> None:
        self._torch = require("torch", extra="torch", feature=_FEATURE)
        self.groups = tuple(groups)
        self.dimensions = tuple(dimension for group in groups for dimension in group.dimensions)
        tensors = open_tensors(path)
        self._first: dict[str, Any] = {}
        self._biases: dict[str, list[Any]] = {}
        self._later: dict[str, list[Any]] = {}
        for group in groups:
            depth = range(len(group.layers) - 1)
            self._first[group.name] = self._matrix(tensors[f"{group.name}.weight.0"], device, dtype)
            named = [tensors[f"{group.name}.weight.{i}"] for i in depth][1:]
            self._later[group.name] = [self._tensor(weight.to_float32(), device, dtype) for weight in named]
            biases = [tensors[f"{group.name}.bias.{i}"].to_float32() for i in depth]
            self._biases[group.name] = [self._tensor(bias, device, dtype) for bias in biases]

    def scores(self, encoded: Any) -> Any:
        """Encoder output [n, E] or [n, T, E] on the device → float32 [n, H] on the device; nothing waits."""
        torch = self._torch
        return torch.cat([self._group(group, encoded) for group in self.groups], dim=1)

    def _group(self, group: HeadGroup, encoded: Any) -> Any:
        torch = self._torch
        first, biases = self._first[group.name], self._biases[group.name]
        if group.input == "pooled":
            wide = encoded.float()  # deviations of 16-bit numbers would be coarse
            parts = (wide.mean(1), wide.amin(1), wide.amax(1), wide.std(1))
            x = torch.cat(parts, dim=1).to(first.dtype)
        else:
            x = encoded.flatten(1).to(first.dtype)
        values = torch.nn.functional.linear(x, first, biases[0])  # [n, R], summed in float32 by the card
        values = values.unflatten(1, (len(group.dimensions), -1)).transpose(0, 1)  # [H, n, O]
        for weight, bias in zip(self._later[group.name], biases[1:], strict=True):
            values = torch.baddbmm(bias[:, None, :], values.relu(), weight.transpose(1, 2))
        return values[:, :, 0].T.float()

    def _matrix(self, weight: Tensor, device: Any, dtype: Any) -> Any:
        """A first layer as [R, K], block by block, so that the host never holds it in float32."""
        if len(weight.shape) == 2:
            return self._tensor(weight.to_float32(), device, dtype)
        blocks, rows, size = weight.shape
        out = self._torch.empty(rows, blocks * size, device=device, dtype=dtype)
        for block in range(blocks):
            part = self._tensor(weight[block].to_float32(), device, dtype)
            out[:, block * size : (block + 1) * size] = part
        return out

    def _tensor(self, values: Any, device: Any, dtype: Any) -> Any:
        return self._torch.from_numpy(np.array(values, np.float32)).to(device=device, dtype=dtype)
