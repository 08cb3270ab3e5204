"""The published encoders as PyTorch modules, for graphics cards: their weights beside a bundle's ONNX graph.

A bundle's graph cannot be turned back into a module that PyTorch runs well, so the tier `torch` keeps the encoder's
tensors under transformers' names (`encoder.safetensors`) with its configuration (`encoder.config.json`).
"""

from __future__ import annotations

import json
import os
import tempfile
from pathlib import Path
from typing import Any

from emonet.errors import BundleError, ModelError, require
from emonet.models._bundle import put_tier, sha256
from emonet.models._card import Card, Tier
from emonet.models._encoders import load_encoder, read_encoder

_WEIGHTS, _CONFIG = "encoder.safetensors", "encoder.config.json"
_FEATURE = "The runtime torch"


def add_torch_tier(folder: Path, encoder: Path) -> Card:
    """Keep an encoder's tensors in a bundle for the runtime torch, and give back its new card.

    `encoder`: the folder in transformers' format that the bundle was converted from; only the half that the heads read
    is kept, in its own precision. Raises `CheckpointError` when it is no such folder.
    """
    save_file = require("safetensors.torch", extra="torch", feature=_FEATURE).save_file
    facts = read_encoder(Path(encoder))
    module = load_encoder(facts).model
    tensors = {name: tensor.detach().contiguous().clone() for name, tensor in module.state_dict().items()}
    folder = Path(folder)
    with tempfile.TemporaryDirectory(dir=folder, prefix=".tier-") as temporary:
        save_file(tensors, str(Path(temporary) / _WEIGHTS))
        config = module.config.to_dict()
        (Path(temporary) / _CONFIG).write_text(json.dumps(config, default=str) + "\n", encoding="utf-8")
        for name in (_WEIGHTS, _CONFIG):
            os.replace(Path(temporary) / name, folder / name)
    tier = Tier(
        precision="torch",
        encoder=_WEIGHTS,
        encoder_sha256=sha256(folder / _WEIGHTS),
        data_file=_CONFIG,
        data_sha256=sha256(folder / _CONFIG),
    )
    return put_tier(folder, tier)


def load_torch_encoder(folder: Path, card: Card, *, device: Any, dtype: Any) -> Any:
    """A module: pixels or log-mel [n, ...] → embedding [n, E] or sequence [n, T, E], on `device` in `dtype`.

    Attention is PyTorch's scaled dot product, which takes FlashAttention's kernel where the card has it. Raises
    `ModelError` for a bundle without the tier `torch`.
    """
    tier = card.tier("torch")
    if tier is None or tier.encoder is None or tier.data_file is None:
        raise ModelError(
            f"{card.id} holds no PyTorch encoder. Add it with `emonet models convert ... --tier torch`, or use "
            "runtime='openvino' or 'onnxruntime'."
        )
    torch = require("torch", extra="torch", feature=_FEATURE)
    transformers = require("transformers", extra="torch", feature=_FEATURE)
    load_file = require("safetensors.torch", extra="torch", feature=_FEATURE).load_file
    fields = json.loads((folder / tier.data_file).read_text(encoding="utf-8"))
    face = card.modality == "face"
    build, configure = (
        (transformers.SiglipVisionModel, transformers.SiglipVisionConfig)
        if face
        else (_whisper_encoder(transformers), transformers.WhisperConfig)
    )
    config = configure(**{key: value for key, value in fields.items() if key != "dtype"})
    config._attn_implementation = "sdpa"
    module = build(config)
    missing, unexpected = module.load_state_dict(load_file(str(folder / tier.encoder)), strict=False, assign=True)
    if missing or unexpected:
        raise BundleError(
            f"{folder / tier.encoder}: {len(missing)} tensors are missing and {len(unexpected)} unknown, first "
            f"{[*missing, *unexpected][0]}. Convert the bundle again with this version of transformers."
        )
    return _OnlyOutput.of(torch, module.to(device=device, dtype=dtype).eval(), face=face)


def _whisper_encoder(transformers: Any) -> Any:
    return require("transformers.models.whisper.modeling_whisper", extra="torch", feature=_FEATURE).WhisperEncoder


class _OnlyOutput:
    """One array in, one array out."""

    @staticmethod
    def of(torch: Any, module: Any, *, face: bool) -> Any:
        class Encoder(torch.nn.Module):
            def __init__(self) -> None:
                super().__init__()
                self.model = module

            def forward(self, x: Any) -> Any:
                return self.model(pixel_values=x).pooler_output if face else self.model(x).last_hidden_state

        return Encoder().eval()
