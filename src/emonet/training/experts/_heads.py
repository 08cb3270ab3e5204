"""All heads as one network: the published shape for every emotion, evaluated and trained as a batch.

Symbols: n items, h heads, K inputs.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from emonet.models import HeadWeights
from emonet.taxonomy import Modality, checkpoint_name

Floats = NDArray[np.float32]


class ExpertHeads(nn.Module):
    """`sizes`: inputs, hidden layers, 1. Forward: float [n, K] → scores [n, h].

    Weights of layer i are [h, out, in]. Each head starts as torch's own linear layers do, from a seed of its dimension,
    so that it is the same head whichever others are trained with it.
    """

    def __init__(self, dimensions: Sequence[str], sizes: Sequence[int], dropout: float, seed: int) -> None:
        super().__init__()
        self.dimensions, self.sizes, self.dropout = tuple(dimensions), tuple(sizes), dropout
        self.weights, self.biases = nn.ParameterList(), nn.ParameterList()
        generators = [torch.Generator().manual_seed(_seed(seed, dimension)) for dimension in dimensions]
        for size_in, size_out in pairwise(sizes):
            bound = 1 / math.sqrt(size_in)
            weight = torch.stack([torch.rand(size_out, size_in, generator=g) for g in generators])
            bias = torch.stack([torch.rand(size_out, generator=g) for g in generators])
            self.weights.append(nn.Parameter((2 * weight - 1) * bound))
            self.biases.append(nn.Parameter((2 * bias - 1) * bound))

    def forward(self, x: Tensor) -> Tensor:
        first = self.weights[0]  # one product for all heads, as they read the same input
        hidden = (x @ first.flatten(0, 1).T).unflatten(1, first.shape[:2]).transpose(0, 1)  # [h, n, out]
        hidden = hidden + self.biases[0][:, None]
        for weight, bias in list(zip(self.weights, self.biases, strict=True))[1:]:
            hidden = nn.functional.dropout(torch.relu(hidden), self.dropout, self.training)
            hidden = torch.baddbmm(bias[:, None], hidden, weight.transpose(1, 2))
        return hidden[:, :, 0].T

    @torch.no_grad()
    def start_at(self, level: Tensor) -> None:
        """Let the scores begin around `level` [h]: what is known of each dimension before any input is looked at."""
        self.biases[-1].copy_(level[:, None])

    def layers_of(self, head: int) -> list[tuple[Floats, Floats]]:
        """Weight [out, in] and bias [out] of each layer of one head."""
        pairs = zip(self.weights, self.biases, strict=True)
        return [(w[head].detach().cpu().numpy(), b[head].detach().cpu().numpy()) for w, b in pairs]


def join_heads(parts: Sequence[ExpertHeads], dimensions: Sequence[str], kind: str) -> HeadWeights:
    """Heads that were trained in parts, in the order of `dimensions`, as a bundle stores them."""
    layers = {key: part.layers_of(i) for part in parts for i, key in enumerate(part.dimensions)}
    depth = len(parts[0].weights)
    weights = [np.stack([layers[key][i][0] for key in dimensions]) for i in range(depth)]
    biases = [np.stack([layers[key][i][1] for key in dimensions]) for i in range(depth)]
    weights[0], biases[0] = weights[0].reshape(-1, weights[0].shape[2]), biases[0].reshape(-1)
    return HeadWeights(kind, kind, tuple(dimensions), tuple(weights), tuple(biases))  # type: ignore[arg-type]


def write_official(parts: Sequence[ExpertHeads], folder: Path, modality: Modality) -> None:
    """One `model_<Name>_best.pth` per dimension with the keys of LAION's releases, which any of their tools reads."""
    folder.mkdir(parents=True, exist_ok=True)
    for part in parts:
        for i, dimension in enumerate(part.dimensions):
            state: dict[str, Tensor] = {}
            for number, (weight, bias) in enumerate(part.layers_of(i)):
                name = _official_layer(number, modality)
                state |= {
                    f"{name}.weight": torch.from_numpy(weight.copy()),
                    f"{name}.bias": torch.from_numpy(bias.copy()),
                }
            path = folder / f"model_{checkpoint_name(dimension, modality)}_best.pth"
            temporary = path.with_name(f".{path.name}")
            torch.save(state, temporary)
            temporary.replace(path)


def _official_layer(number: int, modality: Modality) -> str:
    """Linear, ReLU, dropout in turn; voices name the first layer `proj` and count on after it."""
    if modality == "face":
        return f"layers.{3 * number}"
    return "proj" if number == 0 else f"mlp.{3 * number - 1}"


def _seed(seed: int, dimension: str) -> int:
    return int.from_bytes(hashlib.sha256(f"{seed}\n{dimension}".encode()).digest()[:6], "big")
