"""LAION's way, as its model cards and notebooks show it: PyTorch in float32, eager, one item and one head at a time.

Voice: decode and resample to 16 kHz, transformers' WhisperFeatureExtractor, the encoder, then for each of the 55
emotions and attributes a FullEmbeddingMLP over the flattened sequence. LAION decodes with librosa, which is not among
emonet's packages; here soundfile and soxr do what librosa calls them for, with the same samples. Face: Pillow,
transformers' SiglipImageProcessor, the vision tower, then 40 heads of the Large suite. LAION's voice pipeline also
writes a caption for each clip; that is left out, as emonet is not asked for one.

55 voice heads take 16 GB in float32. Where fewer are held, the time of the heads is scaled to 55: they are of one
shape, and each is read from memory anew for each clip.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
import soxr
import torch
import transformers
from numpy.typing import NDArray

from benchmarks.bundles import head_layers, source_folder
from benchmarks.shapes import FaceShape, VoiceShape
from benchmarks.timing import Stopwatch

_RATE = 16_000
transformers.utils.logging.disable_progress_bar()


class FullEmbeddingMLP(torch.nn.Module):  # type: ignore[misc]
    """A voice head: one large projection, then a small network; ReLU and dropout between."""

    def __init__(self, sizes: Sequence[int]) -> None:
        super().__init__()
        self.proj = torch.nn.Linear(sizes[0], sizes[1])
        layers: list[Any] = [torch.nn.ReLU(), torch.nn.Dropout(0.0)]
        for size_in, size_out in pairwise(sizes[1:-1]):
            layers += [torch.nn.Linear(size_in, size_out), torch.nn.ReLU(), torch.nn.Dropout(0.1)]
        self.mlp = torch.nn.Sequential(*layers, torch.nn.Linear(sizes[-2], sizes[-1]))

    def forward(self, x: Any) -> Any:
        return self.mlp(self.proj(x.flatten(1)))


def voice_head(shape: VoiceShape, index: int) -> FullEmbeddingMLP:
    """A head with the weights that the bundle has."""
    with torch.device("meta"):  # no time is lost on numbers that are replaced
        head = FullEmbeddingMLP(shape.sizes)
    return _filled(head, head_layers(shape, index))


def face_head(shape: FaceShape, index: int) -> Any:
    """A head with the weights that the bundle has."""
    layers: list[Any] = []
    with torch.device("meta"):
        for size_in, size_out in pairwise(shape.sizes[:-1]):
            layers += [torch.nn.Linear(size_in, size_out), torch.nn.ReLU(), torch.nn.Dropout(0.1)]
        head = torch.nn.Sequential(*layers, torch.nn.Linear(shape.sizes[-2], shape.sizes[-1]))
    return _filled(head, head_layers(shape, index))


class VoiceReference:
    """Scores recordings. `held`: heads in memory, as many as asked for; `watch` has the time of each stage."""

    def __init__(self, bundle: Path, shape: VoiceShape, *, held: int) -> None:
        self.held = min(held, len(shape.dimensions))
        self.scale = len(shape.dimensions) / self.held
        self.watch = Stopwatch()
        model = transformers.WhisperModel.from_pretrained(
            source_folder(bundle), local_files_only=True, dtype=torch.float32, attn_implementation="sdpa"
        )
        self._encoder = model.get_encoder().eval()
        self._extract = transformers.WhisperFeatureExtractor(feature_size=shape.mels, sampling_rate=_RATE)
        self._extract.n_samples = shape.positions * _RATE // 50
        self._extract.nb_max_frames = 2 * shape.positions
        self._heads = [voice_head(shape, index) for index in range(self.held)]

    @torch.no_grad()
    def __call__(self, path: Path) -> list[float]:
        """Scores of the first `held` dimensions."""
        watch = self.watch
        with watch("decode"):
            samples = decode(path)
        with watch("prepare"):
            features = self._extract(samples, sampling_rate=_RATE, return_tensors="pt").input_features
        with watch("encoder"):
            states = self._encoder(features).last_hidden_state
        with watch("heads"):
            scores = [head(states).item() for head in self._heads]
        with watch("output"):
            json.dumps(scores)
        return scores

    def take(self) -> dict[str, float]:
        """Seconds by stage since the last time, with the heads scaled to all."""
        stages = self.watch.take()
        return stages | {"heads": stages["heads"] * self.scale}


class FaceReference:
    """Scores pictures of faces, whole, as LAION's notebooks do. `watch` has the time of each stage."""

    def __init__(self, bundle: Path, shape: FaceShape) -> None:
        self.watch = Stopwatch()
        source = source_folder(bundle)
        # The variant on Pillow is the one the heads were made with; the newer one needs torchvision.
        build = getattr(transformers, "SiglipImageProcessorPil", None) or transformers.SiglipImageProcessor
        self._process = build(**json.loads((source / "preprocessor_config.json").read_text(encoding="utf-8")))
        self._tower = transformers.SiglipVisionModel.from_pretrained(
            source, local_files_only=True, dtype=torch.float32, attn_implementation="sdpa"
        ).eval()
        self._heads = [face_head(shape, index) for index in range(len(shape.dimensions))]

    @torch.no_grad()
    def __call__(self, path: Path) -> list[float]:
        """Scores of the 40 emotions."""
        import PIL.Image

        watch = self.watch
        with watch("decode"):
            picture = PIL.Image.open(path).convert("RGB")
        with watch("prepare"):
            pixels = self._process(picture, return_tensors="pt")["pixel_values"]
        with watch("encoder"):
            embedding = self._tower(pixel_values=pixels).pooler_output
            embedding = embedding / embedding.norm(dim=-1, keepdim=True)
        with watch("heads"):
            scores = [head(embedding).item() for head in self._heads]
        with watch("output"):
            json.dumps(scores)
        return scores

    def take(self) -> dict[str, float]:
        """Seconds by stage since the last time."""
        return self.watch.take()


def decode(path: Path) -> NDArray[np.float32]:
    """16 kHz mono, float32 [samples], as `librosa.load(path, sr=16000)`."""
    samples, rate = soundfile.read(path, dtype="float32", always_2d=True)
    mono = samples.mean(axis=1)
    return mono if rate == _RATE else np.asarray(soxr.resample(mono, rate, _RATE, "HQ"), np.float32)


def _filled(head: Any, layers: Sequence[tuple[NDArray[np.float32], NDArray[np.float32]]]) -> Any:
    linear = [module for module in head.modules() if isinstance(module, torch.nn.Linear)]
    for module, (weight, bias) in zip(linear, layers, strict=True):
        module.weight = torch.nn.Parameter(torch.from_numpy(weight))
        module.bias = torch.nn.Parameter(torch.from_numpy(bias))
    return head.eval()
