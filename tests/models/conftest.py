"""Releases of exactly the published layout, with random weights, in small and true widths."""

from __future__ import annotations

import json
import shutil
import warnings
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import transformers
from numpy.typing import NDArray

from emonet.models import HeadWeights, write_bundle
from emonet.taxonomy import ATTRIBUTES, EMOTIONS, checkpoint_name

torch.set_num_threads(2)

FACE_KEYS = tuple(emotion.key for emotion in EMOTIONS)
VOICE_KEYS = (*FACE_KEYS, *(a.key for a in ATTRIBUTES if a.modality == "voice" and a.kind == "attribute"))
QUALITY_KEYS = tuple(a.key for a in ATTRIBUTES if a.kind == "quality")
FACE_EXTRAS = tuple(a.key for a in ATTRIBUTES if a.modality == "face")


class FaceHead(torch.nn.Module):  # type: ignore[misc,name-defined]
    """The published face head: Linear, ReLU, Dropout repeated, then Linear to one; keys `layers.0, .3, .6 ...`."""

    def __init__(self, size: int, hidden: Sequence[int]) -> None:
        super().__init__()
        layers: list[Any] = []
        for out in hidden:
            layers += [torch.nn.Linear(size, out), torch.nn.ReLU(), torch.nn.Dropout(0.1)]
            size = out
        self.layers = torch.nn.Sequential(*layers, torch.nn.Linear(size, 1))

    def forward(self, x: Any) -> Any:
        return self.layers(x)


class VoiceHead(torch.nn.Module):  # type: ignore[misc,name-defined]
    """The published voice head: `proj`, then `mlp` = ReLU, Dropout, three times (Linear, ReLU, Dropout), Linear."""

    def __init__(self, size: int, proj: int, hidden: Sequence[int]) -> None:
        super().__init__()
        self.proj = torch.nn.Linear(size, proj)
        layers: list[Any] = [torch.nn.ReLU(), torch.nn.Dropout(0.0)]
        before = proj
        for out in hidden:
            layers += [torch.nn.Linear(before, out), torch.nn.ReLU(), torch.nn.Dropout(0.1)]
            before = out
        self.mlp = torch.nn.Sequential(*layers, torch.nn.Linear(before, 1))

    def forward(self, x: Any) -> Any:
        return self.mlp(self.proj(x.flatten(1)))


def randomize(head: Any, seed: int, *, spread: float = 1.0) -> Any:
    """Weights that keep the signal's size through every ReLU, so that no output is dead or constant."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, parameter in head.named_parameters():
            if name.endswith("bias"):
                parameter.normal_(0.2, 0.1, generator=generator)
            else:
                parameter.normal_(0, spread * (2 / parameter.shape[1]) ** 0.5, generator=generator)
    return head.eval()


def save_head(head: Any, path: Path, *, prefix: str = "", wrap: bool = False, dtype: Any = None) -> None:
    """Save as LAION does: a plain state dict, optionally with a compiler's prefix, a wrapper or another dtype."""
    state = {prefix + key: value.to(dtype) if dtype else value for key, value in head.state_dict().items()}
    torch.save({"state_dict": state} if wrap else state, path)


def save_siglip(folder: Path, **sizes: int) -> Any:
    """A whole SigLIP checkpoint (text tower included, as published) with random weights; the vision tower is kept."""
    torch.manual_seed(0)
    vision = {"hidden_size": 24, "intermediate_size": 40, "num_hidden_layers": 2, "num_attention_heads": 4}
    vision |= {"image_size": 32, "patch_size": 8, **sizes}
    text = {"hidden_size": vision["hidden_size"], "intermediate_size": 16, "num_hidden_layers": 1}
    text |= {"num_attention_heads": 4, "vocab_size": 32, "max_position_embeddings": 8}
    model = transformers.SiglipModel(transformers.SiglipConfig(text_config=text, vision_config=vision)).eval()
    model.save_pretrained(folder)
    side = vision["image_size"]
    (folder / "preprocessor_config.json").write_text(
        json.dumps(
            {
                "image_processor_type": "SiglipImageProcessor",
                "image_mean": [0.5, 0.5, 0.5],
                "image_std": [0.5, 0.5, 0.5],
                "resample": 2,
                "size": {"height": side, "width": side},
            }
        )
    )
    return model


def save_whisper(folder: Path, **sizes: int) -> Any:
    """A whole Whisper checkpoint with random weights."""
    torch.manual_seed(0)
    config = {"d_model": 16, "encoder_layers": 2, "encoder_attention_heads": 2, "encoder_ffn_dim": 32}
    config |= {"decoder_layers": 1, "decoder_attention_heads": 2, "decoder_ffn_dim": 16, "vocab_size": 40}
    config |= {"max_source_positions": 50, "max_target_positions": 8, "num_mel_bins": 80}
    config |= {"pad_token_id": 0, "bos_token_id": 1, "eos_token_id": 2, "decoder_start_token_id": 3, **sizes}
    made = transformers.WhisperConfig(begin_suppress_tokens=None, **config)
    model = transformers.WhisperForConditionalGeneration(made).eval()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about generation settings, which do not matter here
        model.save_pretrained(folder)
    return model


def save_suite(folder: Path, heads: Mapping[str, Any], modality: Any, **how: Any) -> None:
    """One `model_<Name>_best.pth` per head."""
    folder.mkdir(parents=True, exist_ok=True)
    for key, head in heads.items():
        save_head(head, folder / f"model_{checkpoint_name(key, modality)}_best.pth", **how)


@pytest.fixture(scope="session")
def face_release(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path, Any, dict[str, Any]]:
    """Folders of heads and encoder, the SigLIP model and all 44 heads, in small width."""
    folder = tmp_path_factory.mktemp("face-release")
    model = save_siglip(folder / "encoder")
    keys = (*FACE_KEYS, *FACE_EXTRAS)
    heads = {key: randomize(FaceHead(24, (16, 8)), seed) for seed, key in enumerate(keys)}
    save_suite(folder / "heads", heads, "face")
    return folder / "heads", folder / "encoder", model, heads


@pytest.fixture(scope="session")
def voice_release(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path, Any, dict[str, Any]]:
    """Folders of heads and encoder, the Whisper model and the Plus suite's 59 heads, in small width."""
    folder = tmp_path_factory.mktemp("voice-release")
    model = save_whisper(folder / "encoder")
    heads: dict[str, Any] = {
        key: randomize(VoiceHead(50 * 16, 16, (16, 12, 8)), seed) for seed, key in enumerate(VOICE_KEYS)
    }
    heads |= {key: randomize(VoiceHead(4 * 16, 16, (16, 12, 8)), 90 + i) for i, key in enumerate(QUALITY_KEYS)}
    save_suite(folder / "heads", heads, "voice", prefix="_orig_mod.")
    return folder / "heads", folder / "encoder", model, heads


@pytest.fixture(autouse=True)
def _export_once(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    """An encoder that was exported in this run is copied, because the exporter takes seconds."""
    from emonet.models import _convert, _encoders

    def export(facts: Any, path: Path) -> None:
        if facts.folder not in _EXPORTED:
            kept = tmp_path_factory.mktemp("exported") / "encoder.onnx"
            _encoders.export_encoder(facts, kept)
            _EXPORTED[facts.folder] = kept
        for file in _EXPORTED[facts.folder].parent.iterdir():
            shutil.copyfile(file, path.with_name(file.name))

    monkeypatch.setattr(_convert, "export_encoder", export)


_EXPORTED: dict[Path, Path] = {}


@pytest.fixture
def pictures() -> list[NDArray[np.uint8]]:
    """Generated pictures of several sizes: gradients with noise, uint8 [h, w, 3]."""
    return made_pictures()


@pytest.fixture
def clips() -> list[NDArray[np.float32]]:
    """Generated clips of several lengths, some beyond the small encoder's second: float32 [S]."""
    return made_clips((8_000, 16_000, 16_000, 23_456, 4_001))


def made_pictures(count: int = 5) -> list[NDArray[np.uint8]]:
    """Gradients with noise, each of another size."""
    draw = np.random.default_rng(7)
    out = []
    for i in range(count):
        height, width = 40 + 17 * i, 90 - 11 * i
        ramp = np.linspace(0, 200, width)[None, :, None] * draw.uniform(0.2, 1, (height, 1, 3))
        out.append(np.clip(ramp + draw.normal(0, 25, (height, width, 3)), 0, 255).astype(np.uint8))
    return out


def made_clips(lengths: Sequence[int]) -> list[NDArray[np.float32]]:
    """Harmonic tones with an envelope and noise."""
    draw = np.random.default_rng(11)
    out = []
    for i, length in enumerate(lengths):
        t = np.arange(length) / 16_000
        tone = sum(np.sin(2 * np.pi * (110 + 35 * i) * k * t + k) / k for k in range(1, 9))
        out.append((0.1 * tone * (1 + np.sin(7 * t)) + draw.normal(0, 0.01, length)).astype(np.float32))
    return out


@pytest.fixture
def small_bundle(tmp_path: Path) -> Callable[..., Path]:
    """Writes a bundle as the trainers do: a small ONNX encoder and one linear head for each of three emotions."""

    def write(*, modality: str = "voice", seed: int = 0, folder: Path | None = None, **change: Any) -> Path:
        draw = np.random.default_rng(seed)
        judged = ("anger", "fear", "awe")
        head = HeadWeights(
            "linear",
            "embedding",
            judged,
            (draw.normal(size=(3, 8)).astype(np.float32) / 4,),
            (draw.normal(size=3).astype(np.float32),),
        )
        card: dict[str, Any] = {
            "id": "small",
            "title": "test",
            "modality": modality,
            "dimensions": FACE_KEYS,
            "scale": {"*": {"low": -100, "high": 100, "meaning": "none"}},
            "preprocessing": {"kind": "audio", "front_end": "log-mel", "n_mels": 16}
            if modality == "voice"
            else {"kind": "image", "height": 12, "width": 10, "mean": [0.5] * 3, "std": [0.5] * 3},
            "encoder": {"output": "embedding", "size": 8},
            "missing": {key: "not trained" for key in FACE_KEYS if key not in judged},
            "licence": "test",
        }
        card = {key: value for key, value in (card | change).items() if value is not None}
        graph = tmp_path / f"{modality}-{seed}.onnx"
        _small_encoder(
            graph, channels=16 if modality == "voice" else 3, axes=3 if modality == "voice" else 4, draw=draw
        )
        target = folder or tmp_path / "bundles" / modality
        write_bundle(target, encoder_onnx=graph, groups=[head], card=card)
        return target

    return write


def _small_encoder(path: Path, *, channels: int, axes: int, draw: np.random.Generator) -> None:
    """tanh, mean over time or space, one matrix: [n, channels, ...] → [n, 8]."""
    import onnx
    from onnx import helper, numpy_helper

    free = ["n", channels, "t"] if axes == 3 else ["n", channels, "h", "w"]
    nodes = [
        helper.make_node("Tanh", ["input"], ["bounded"]),
        helper.make_node("ReduceMean", ["bounded", "axes"], ["mean"], keepdims=0),
        helper.make_node("MatMul", ["mean", "weight"], ["embedding"]),
    ]
    graph = helper.make_graph(
        nodes,
        "small",
        [helper.make_tensor_value_info("input", onnx.TensorProto.FLOAT, free)],
        [helper.make_tensor_value_info("embedding", onnx.TensorProto.FLOAT, ["n", 8])],
        [
            numpy_helper.from_array(draw.normal(size=(channels, 8)).astype(np.float32), "weight"),
            numpy_helper.from_array(np.arange(2, axes), "axes"),
        ],
    )
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9), path)


@pytest.fixture
def score_faces() -> Callable[..., NDArray[np.float64]]:
    """Plain PyTorch: transformers' processor, `get_image_features`, normalisation, one head after the other."""

    def score(model: Any, heads: Mapping[str, Any], items: Sequence[Any], *, normalize: bool = True) -> Any:
        from PIL.Image import fromarray

        side = model.config.vision_config.image_size
        processor = transformers.SiglipImageProcessorPil(
            size={"height": side, "width": side}, resample=2, image_mean=[0.5] * 3, image_std=[0.5] * 3
        )
        with torch.no_grad():
            pixels = processor([fromarray(item) for item in items], return_tensors="pt")["pixel_values"]
            features = model.vision_model(pixel_values=pixels).pooler_output
            if normalize:
                features = features / features.norm(dim=-1, keepdim=True)
            return torch.cat([head(features) for head in heads.values()], dim=1).double().numpy()

    return score


@pytest.fixture
def score_voices() -> Callable[..., NDArray[np.float64]]:
    """Plain PyTorch: transformers' extractor, the encoder's last hidden state, one head after the other."""

    def score(model: Any, heads: Mapping[str, Any], items: Sequence[Any]) -> Any:
        config = model.config
        extractor = transformers.WhisperFeatureExtractor(
            feature_size=config.num_mel_bins, chunk_length=config.max_source_positions // 50
        )
        with torch.no_grad():
            mel = extractor(items, sampling_rate=16_000, return_tensors="pt")["input_features"]
            states = torch.cat([model.model.encoder(one[None]).last_hidden_state for one in mel])
            pooled = torch.cat([states.mean(1), states.amin(1), states.amax(1), states.std(1)], dim=1)
            rows = [head(pooled if key in QUALITY_KEYS else states) for key, head in heads.items()]
            return torch.cat(rows, dim=1).double().numpy()

    return score
