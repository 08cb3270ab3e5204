"""The embedded voice encoder: the first layers of a speech recogniser, then attentive pooling over time.

Symbols: n clips, S samples at 16 kHz, T frames of 24 ms, W width of the recogniser, C channels, E embedding size.
Sources: Moonshine, Jeffries et al. 2024 (arXiv 2410.15608), whose encoder reads samples and, by rotary positions, any
length; attentive statistics pooling, Okabe et al. 2018 (arXiv 1803.10963).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F


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
    """Samples float32 [n, S] → embedding float32 [n, E]; S may be any length of at least a quarter of a second.

    `settings`: `width`, `layers`, `heads` and `inner` of the recogniser, `channels`, `embedding` and `dropout` of what
    stands on it.
    """

    def __init__(self, settings: Mapping[str, Any]) -> None:
        super().__init__()
        width, channels = int(settings["width"]), int(settings["channels"])
        self.speech = speech_encoder(settings)
        self.norm = nn.LayerNorm(width)
        self.join = nn.Linear(width, channels)
        self.pool = AttentivePooling(channels, 64)
        self.pool_norm = nn.BatchNorm1d(2 * channels)
        self.dropout = nn.Dropout(settings["dropout"])
        self.embed = nn.Linear(2 * channels, int(settings["embedding"]))

    def forward(self, samples: Tensor) -> Tensor:
        heard = self.norm(self.speech(samples).last_hidden_state)  # [n, T, W]
        pooled = self.pool(F.gelu(self.join(heard)).transpose(1, 2))  # [n, 2C]
        return F.relu(self.embed(self.dropout(self.pool_norm(pooled))))


class VoiceNetwork(nn.Module):
    """The encoder with all that is trained on it: 40 linear emotion heads and one classifier per corpus."""

    def __init__(self, settings: Mapping[str, Any], *, corpora: Mapping[str, Sequence[str]]) -> None:
        super().__init__()
        size = int(settings["embedding"])
        self.encoder = VoiceEncoder(settings)
        self.dropout = nn.Dropout(settings["head_dropout"])
        self.emotions = nn.Linear(size, 40)
        self.corpora = nn.ModuleDict({name: nn.Linear(size, len(labels)) for name, labels in corpora.items()})

    def forward(self, samples: Tensor) -> tuple[Tensor, Tensor]:
        """(embedding [n, E] after dropout, emotion logits [n, 40])."""
        embedding = self.dropout(self.encoder(samples))
        return embedding, self.emotions(embedding)


def speech_encoder(settings: Mapping[str, Any]) -> nn.Module:
    """Moonshine's encoder with `settings["layers"]` layers and no norm at its end, random weights."""
    from transformers import MoonshineConfig, MoonshineModel

    heads = int(settings["heads"])
    config = MoonshineConfig(
        vocab_size=2,
        hidden_size=int(settings["width"]),
        intermediate_size=int(settings["inner"]),
        encoder_num_hidden_layers=int(settings["layers"]),
        encoder_num_attention_heads=heads,
        encoder_num_key_value_heads=heads,
        decoder_num_hidden_layers=1,
        decoder_num_attention_heads=heads,
        decoder_num_key_value_heads=heads,
        bos_token_id=0,
        eos_token_id=1,
    )
    config._attn_implementation = "eager"  # for so short sequences it trains faster than the fused kernel
    encoder = MoonshineModel(config).encoder
    encoder.layer_norm = nn.Identity()  # VoiceEncoder.norm stands there; theirs was learnt for the last layer of all
    return cast(nn.Module, encoder)


@torch.no_grad()
def round_weights(module: nn.Module, *, bits: int = 8) -> None:
    """Round every weight matrix and filter of `module` to `bits` bits, one scale per output, in place.

    What is then measured is what a file of such numbers holds. Vectors (biases, norms) keep all their digits.
    """
    top = 2 ** (bits - 1) - 1
    for layer in module.modules():
        if isinstance(layer, nn.Linear | nn.Conv1d):
            flat = layer.weight.flatten(1)
            scale = flat.abs().amax(1).clamp_min(1e-12) / top
            rounded = (flat / scale[:, None]).round().clamp(-top, top) * scale[:, None]
            layer.weight.copy_(rounded.view_as(layer.weight))
