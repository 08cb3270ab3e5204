"""What happens to pictures of faces while training: framing, light, blur, noise, JPEG and covered parts, by chance.

Symbols: n pictures, h, w the network's input.
"""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import Any

import numpy as np
import PIL.Image
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from emonet.training._face_data import Faces, normal_input, sampled


def changed(
    faces: Faces, rows: NDArray[np.int64], spec: Mapping[str, Any], settings: Mapping[str, Any], draw: torch.Generator
) -> Tensor:
    """Network input float32 [rows, 1, h, w], each picture changed in its own way as `settings` allows."""
    x = torch.from_numpy(faces.pixels[rows])[:, None].float() / 255
    x = sampled(x, _framing(torch.from_numpy(faces.reach[rows]), settings, draw), spec)
    x = _light(x, settings, draw)
    for i in _chosen(len(x), settings["blur_share"], draw):
        x[i] = blurred(x[i], float(torch.rand((), generator=draw)) * settings["blur"] + 0.3)
    x = x + torch.randn(x.shape, generator=draw) * torch.rand(len(x), 1, 1, 1, generator=draw) * settings["noise"]
    _cover(x, settings, draw)
    x = x.clamp(0, 1)
    for i in _chosen(len(x), settings["jpeg_share"], draw):
        x[i] = coded(x[i], int(torch.randint(settings["jpeg_lowest"], 90, (), generator=draw)))
    return normal_input(x, spec)


def blurred(picture: Tensor, sigma: float) -> Tensor:
    """A picture [1, h, w] after a Gaussian of `sigma` pixels."""
    reach = max(1, round(2.5 * sigma))
    steps = torch.arange(-reach, reach + 1, dtype=torch.float32)
    kernel = torch.exp(-0.5 * (steps / sigma) ** 2)
    kernel = kernel / kernel.sum()
    wide = F.pad(picture[None], (reach,) * 4, mode="replicate")
    return F.conv2d(F.conv2d(wide, kernel[None, None, None]), kernel[None, None, :, None])[0]


def coded(picture: Tensor, quality: int) -> Tensor:
    """A picture [1, h, w], 0..1, after JPEG at `quality`."""
    memory = io.BytesIO()
    PIL.Image.fromarray((picture[0] * 255).round().to(torch.uint8).numpy()).save(memory, "JPEG", quality=quality)
    return torch.from_numpy(np.array(PIL.Image.open(memory)))[None].float() / 255


def _framing(reach: Tensor, settings: Mapping[str, Any], draw: torch.Generator) -> Tensor:
    """Affine maps float32 [n, 2, 3] from the network's input to the cached picture."""
    n = len(reach)
    size = reach * torch.exp(torch.randn(n, generator=draw) * settings["zoom"])
    angle = torch.randn(n, generator=draw) * settings["turn"]
    aspect = torch.exp(torch.randn(n, generator=draw) * settings["zoom"] / 2)
    mirror = torch.where(torch.rand(n, generator=draw) < 0.5, -1.0, 1.0)
    placed = torch.zeros(n, 2, 3)
    placed[:, 0, 0], placed[:, 0, 1] = size * aspect * torch.cos(angle) * mirror, -size * torch.sin(angle)
    placed[:, 1, 0], placed[:, 1, 1] = size * torch.sin(angle) * mirror, size / aspect * torch.cos(angle)
    placed[:, :, 2] = torch.randn(n, 2, generator=draw) * settings["shift"]
    return placed


def _light(x: Tensor, settings: Mapping[str, Any], draw: torch.Generator) -> Tensor:
    """Another exposure and contrast, and light that falls from one side."""

    def normal(name: str) -> Tensor:
        return torch.randn(len(x), 1, 1, 1, generator=draw) * settings[name]

    x = x.clamp(1e-4, 1) ** torch.exp(normal("gamma"))
    across = torch.linspace(-1, 1, x.shape[3])[None, None, None, :]
    down = torch.linspace(-1, 1, x.shape[2])[None, None, :, None]
    x = x * torch.exp(normal("side_light") * across + normal("side_light") * down)
    mean = x.mean((2, 3), keepdim=True)
    return (x - mean) * torch.exp(normal("contrast")) + mean + normal("brightness")


def _cover(x: Tensor, settings: Mapping[str, Any], draw: torch.Generator) -> None:
    """Grey rectangles of an eighth to a half of the side, in place."""
    high, wide = x.shape[2:]
    for i in _chosen(len(x), settings["erase_share"], draw):
        height, width = (int(v) for v in torch.randint(high // 8, high // 2, (2,), generator=draw))
        top = int(torch.randint(0, high - height, (1,), generator=draw))
        left = int(torch.randint(0, wide - width, (1,), generator=draw))
        x[i, :, top : top + height, left : left + width] = torch.rand((), generator=draw)


def _chosen(n: int, share: float, draw: torch.Generator) -> list[int]:
    return [int(i) for i in torch.nonzero(torch.rand(n, generator=draw) < share)[:, 0]]
