"""The embedded voice encoder: a small residual convolutional network with attentive pooling over time.

Symbols: n clips, M mel bands, T frames of 10 ms, C channels, E embedding size.
Sources: residual blocks, He et al. 2016 (arXiv 1512.03385); squeeze-and-excitation, Hu et al. 2018 (arXiv 1709.01507);
attentive statistics pooling, Okabe et al. 2018 (arXiv 1803.10963).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class ResidualBlock(nn.Module):
    """Two 3x3 convolutions with a channel gate and a short cut; `stride` (mel, time) on the first."""

    def __init__(self, channels_in: int, channels: int, stride: tuple[int, int]) -> None:
        super().__init__()
        self.first = nn.Conv2d(channels_in, channels, 3, stride, 1, bias=False)
        self.first_norm = nn.BatchNorm2d(channels)
        self.second = nn.Conv2d(channels, channels, 3, 1, 1, bias=False)
        self.second_norm = nn.BatchNorm2d(channels)
        self.squeeze = nn.Linear(channels, channels // 4)
        self.excite = nn.Linear(channels // 4, channels)
        self.short = nn.Conv2d(channels_in, channels, 1, bias=False)
        self.stride = stride

    def forward(self, x: Tensor) -> Tensor:
        y = F.relu(self.first_norm(self.first(x)))
        y = self.second_norm(self.second(y))
        gate = torch.sigmoid(self.excite(F.relu(self.squeeze(y.mean((2, 3))))))  # [n, C]
        if self.stride != (1, 1):
            x = F.avg_pool2d(x, self.stride, self.stride, ceil_mode=True)
        return F.relu(y * gate[:, :, None, None] + self.short(x))


class AttentivePooling(nn.Module):
    """[n, C, T] → [n, 2C]: mean and standard deviation over time, each channel with its own attention."""

    def __init__(self, channels: int, hidden: int) -> None:
        super().__init__()
        self.look = nn.Conv1d(channels, hidden, 1)
        self.weigh = nn.Conv1d(hidden, channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        attention = torch.softmax(self.weigh(torch.tanh(self.look(x))), dim=2)  # [n, C, T]
        attention, x = attention.float(), x.float()  # a difference of squares needs all its digits
        mean = (attention * x).sum(2)
        spread = ((attention * x * x).sum(2) - mean * mean).clamp_min(1e-4).sqrt()
        return torch.cat([mean, spread], 1)


class VoiceEncoder(nn.Module):
    """Standardised log-mel float32 [n, M, T] → embedding float32 [n, E]; T may be any length of at least 16 frames."""

    def __init__(self, *, n_mels: int, channels: Sequence[int], width: int, embedding: int, dropout: float) -> None:
        super().__init__()
        first, *later = channels
        self.stem = nn.Sequential(
            nn.Conv2d(1, first, 3, (2, 2), 1, bias=False), nn.BatchNorm2d(first), nn.ReLU(inplace=True)
        )
        strides = [(2, 2), (2, 2), (2, 1), (1, 1)]
        blocks: list[nn.Module] = []
        before, bands = first, -(-n_mels // 2)
        for channel, stride in zip(later, strides, strict=False):
            blocks.append(ResidualBlock(before, channel, stride))
            before, bands = channel, -(-bands // stride[0])
        self.blocks = nn.Sequential(*blocks)
        self.join = nn.Sequential(nn.Conv1d(before * bands, width, 1, bias=False), nn.BatchNorm1d(width), nn.ReLU())
        self.pool = AttentivePooling(width, 64)
        self.norm = nn.BatchNorm1d(2 * width)
        self.dropout = nn.Dropout(dropout)
        self.embed = nn.Linear(2 * width, embedding)
        self.embed_norm = nn.BatchNorm1d(embedding)

    def forward(self, mel: Tensor) -> Tensor:
        x = self.blocks(self.stem(mel.unsqueeze(1)))  # [n, C, M', T']
        x = self.pool(self.join(x.flatten(1, 2)))  # [n, 2 width]
        return F.relu(self.embed_norm(self.embed(self.dropout(self.norm(x)))))


class VoiceNetwork(nn.Module):
    """The encoder with all that is trained on it: 40 linear emotion heads and one classifier per corpus."""

    def __init__(self, settings: Mapping[str, Any], *, n_mels: int, corpora: Mapping[str, Sequence[str]]) -> None:
        super().__init__()
        self.n_mels, size = n_mels, int(settings["embedding"])
        self.encoder = VoiceEncoder(
            n_mels=n_mels,
            channels=settings["channels"],
            width=settings["width"],
            embedding=size,
            dropout=settings["dropout"],
        )
        self.dropout = nn.Dropout(settings["head_dropout"])
        self.emotions = nn.Linear(size, 40)
        self.corpora = nn.ModuleDict({name: nn.Linear(size, len(labels)) for name, labels in corpora.items()})

    def forward(self, mel: Tensor) -> tuple[Tensor, Tensor]:
        """(embedding [n, E] after dropout, emotion logits [n, 40])."""
        embedding = self.dropout(self.encoder(mel))
        return embedding, self.emotions(embedding)
