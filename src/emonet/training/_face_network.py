"""The embedded face network: a small residual net that estimates shares of expressions.

Symbols: n pictures, E embedding size (features and shares together), c expressions.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor, nn


class _Block(nn.Module):
    """Two 3x3 convolutions with a short cut."""

    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False)
        self.first_norm = nn.BatchNorm2d(outputs)
        self.second = nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False)
        self.second_norm = nn.BatchNorm2d(outputs)
        pool: nn.Module = nn.AvgPool2d(2, ceil_mode=True) if stride == 2 else nn.Identity()
        self.short = nn.Sequential(pool, nn.Conv2d(inputs, outputs, 1, bias=False), nn.BatchNorm2d(outputs))

    def forward(self, x: Tensor) -> Tensor:
        y = torch.relu(self.first_norm(self.first(x)))
        return torch.relu(self.second_norm(self.second(y)) + self.short(x))


class FaceNetwork(nn.Module):
    """float32 [n, channels, height, width] → logits [n, c]."""

    def __init__(self, settings: Mapping[str, Any], *, channels: int, classes: int) -> None:
        super().__init__()
        widths = settings["channels"]
        self.own_light = bool(settings.get("own_light", False))
        self.stem = nn.Sequential(
            nn.Conv2d(channels, widths[0], 3, 1, 1, bias=False), nn.BatchNorm2d(widths[0]), nn.ReLU(), nn.MaxPool2d(2)
        )
        self.body = nn.Sequential(*(_Block(a, b, 1 if i == 0 else 2) for i, (a, b) in enumerate(pairwise(widths))))
        self.dropout = nn.Dropout(settings["dropout"])
        self.expressions = nn.Linear(widths[-1], classes)

    def features(self, x: Tensor) -> Tensor:
        """float32 [n, width of the last block]. With `own_light` each picture is first brought to mean 0, spread 1."""
        if self.own_light:
            centred = x - x.mean((1, 2, 3), keepdim=True)
            x = centred / (centred.square().mean((1, 2, 3), keepdim=True) + 1e-3).sqrt()
        return self.body(self.stem(x)).mean((2, 3))

    def forward(self, x: Tensor) -> Tensor:
        return self.expressions(self.dropout(self.features(x)))


class FaceEncoder(nn.Module):
    """The bundle's encoder: float32 [n, channels, height, width] → embedding [n, E], E = features + shares.

    `scale` and `bias` [c] correct the logits to the vote shares of validation pictures.
    """

    def __init__(self, network: FaceNetwork, scale: float, bias: Tensor) -> None:
        super().__init__()
        self.network = network
        self.scale = scale
        self.register_buffer("bias", bias)

    def forward(self, x: Tensor) -> Tensor:
        features = self.network.features(x)
        shares = torch.softmax(self.network.expressions(features) * self.scale + self.bias, dim=1)
        return torch.cat([features, shares], dim=1)
