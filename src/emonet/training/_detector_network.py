"""The face detector's network: one scale of faces, one box per cell; a picture pyramid brings every face to that scale.

Anchor-free, dense (Tian et al. 2019, "FCOS"): each cell of stride 8 answers with a face score and the box around it.
Depthwise separable convolutions (Howard et al. 2017, "MobileNets").
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

STRIDE = 8
"""Pixels of the input per cell of the answer."""

# n pictures, h x w pixels, r x c cells: r = h / STRIDE, c = w / STRIDE


class _Separable(nn.Module):
    """Depthwise 3x3, pointwise, both normalised; adds its input where the shapes agree."""

    def __init__(self, inputs: int, outputs: int, stride: int = 1) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(inputs, inputs, 3, stride, 1, groups=inputs, bias=False),
            nn.BatchNorm2d(inputs),
            nn.ReLU(inplace=True),
            nn.Conv2d(inputs, outputs, 1, bias=False),
            nn.BatchNorm2d(outputs),
        )
        self.adds = stride == 1 and inputs == outputs

    def forward(self, x: Tensor) -> Tensor:
        y = self.body(x)
        return torch.relu(x + y if self.adds else y)


class FaceNetwork(nn.Module):
    """Grey picture → score and box per cell.

    `forward(x)`: x float32 [n, 1, h, w] in 0..1, h and w multiples of `STRIDE`. Returns float32 [n, 5, r, c]: the
    face score's logit, then the distances from the cell's centre to the left, top, right and bottom side of the box,
    in pixels of x.
    """

    def __init__(self, width: int, depth: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(1, width // 4, 3, 2, 1, bias=False),
            nn.BatchNorm2d(width // 4),
            nn.ReLU(inplace=True),
            _Separable(width // 4, width // 2, 2),
            _Separable(width // 2, width // 2),
            _Separable(width // 2, width, 2),
            *[_Separable(width, width) for _ in range(depth)],
        )
        self.head = nn.Conv2d(width, 5, 1)
        nn.init.normal_(self.head.weight, std=0.01)
        nn.init.constant_(self.head.bias, 0.0)
        with torch.no_grad():
            self.head.bias[0] = -4.6  # a face is rare: begin at 1 % (Lin et al. 2017, "Focal loss", section 4.1)

    def forward(self, x: Tensor) -> Tensor:
        y = self.head(self.body(x * 4 - 2))  # [n, 5, r, c]
        distances = torch.exp(torch.clamp(y[:, 1:], -3, 3)) * (2 * STRIDE)
        return torch.cat([y[:, :1], distances], 1)
