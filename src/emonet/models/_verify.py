"""A converted bundle against the official files it came from, run in plain PyTorch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emonet.errors import UsageError, require
from emonet.models._card import ImagePreprocessing
from emonet.models._convert import Release, read_release
from emonet.models._encoders import load_encoder
from emonet.models._model import open_model
from emonet.models._session import Runtime

_SAMPLE_RATE = 16_000


@dataclass(frozen=True, slots=True)
class HeadCheck:
    """How far one converted head is from the original.

    `max_error`, `mean_error`: largest and mean difference over the items, in raw score units; `max_relative_error`:
    the largest, divided by the largest magnitude of the original's scores. `rank_correlation`: Spearman's, over the
    items; NaN below 3 items.
    """

    dimension: str
    max_error: float
    mean_error: float
    max_relative_error: float
    rank_correlation: float


def verify(
    bundle: Path,
    heads: Path,
    encoder: Path,
    items: Sequence[NDArray[Any]],
    *,
    runtime: Runtime = "auto",
    threads: int | None = None,
) -> tuple[HeadCheck, ...]:
    """Score `items` with the bundle and with the original files in PyTorch float32, and compare head by head.

    Preparation of the input, encoder and heads on the PyTorch side are transformers' and torch's own. `items`: face
    crops uint8 [h, w, 3] or clips float32 [S], 16 kHz. Needs the extra `torch`; one original head is in memory at a
    time.
    """
    if not len(items):
        raise UsageError("verify needs at least one item to score; 20 or more make the rank correlation meaningful.")
    model = open_model(Path(bundle), runtime=runtime, threads=threads)
    release = read_release(heads, encoder)
    raw = model.raw_scores(items)
    inputs = _reference_inputs(release, items, normalize=model.card.encoder.l2_normalize)
    checks = []
    for kind, files in release.groups.items():
        for file in files:
            reference = _reference_scores(file.read(), inputs[kind])
            ours = raw[:, model.dimensions.index(file.dimension)].astype(np.float64)
            checks.append(compare(file.dimension, ours, reference))
    order = {dimension: i for i, dimension in enumerate(model.dimensions)}
    return tuple(sorted(checks, key=lambda check: order[check.dimension]))


def _reference_inputs(release: Release, items: Sequence[NDArray[Any]], *, normalize: bool) -> dict[str, Any]:
    """What the heads read, computed by transformers and torch."""
    import torch

    transformers = require("transformers", extra="torch", feature="verify")
    spec, module = release.encoder.preprocessing, load_encoder(release.encoder)
    rows: dict[str, list[Any]] = {kind: [] for kind in release.groups}
    with torch.no_grad():
        for item in items:
            if isinstance(spec, ImagePreprocessing):
                encoded = module(torch.from_numpy(_siglip_pixels(transformers, item, spec)))
                if normalize:
                    encoded = torch.nn.functional.normalize(encoded, dim=-1)
                rows["embedding"].append(encoded)
                continue
            extractor = transformers.WhisperFeatureExtractor(
                feature_size=spec.n_mels, sampling_rate=_SAMPLE_RATE, chunk_length=1
            )
            extractor.n_samples = round(spec.window_s * _SAMPLE_RATE)
            extractor.nb_max_frames = extractor.n_samples // extractor.hop_length
            features = extractor(item, sampling_rate=_SAMPLE_RATE, return_tensors="pt").input_features
            states = module(features)
            if "sequence" in rows:
                rows["sequence"].append(states.flatten(1))
            if "pooled" in rows:
                pooled = (states.mean(1), states.amin(1), states.amax(1), states.std(1))
                rows["pooled"].append(torch.cat(pooled, dim=-1))
    return {kind: torch.cat(parts) for kind, parts in rows.items()}


def _siglip_pixels(transformers: Any, item: NDArray[np.uint8], spec: ImagePreprocessing) -> NDArray[np.float32]:
    from PIL.Image import Resampling, fromarray

    # The variant on Pillow is the one the heads were made with; the newer one needs torchvision and differs slightly.
    build = getattr(transformers, "SiglipImageProcessorPil", None) or transformers.SiglipImageProcessor
    processor = build(
        size={"height": spec.height, "width": spec.width},
        resample=Resampling[spec.resample.upper()],
        image_mean=list(spec.mean),
        image_std=list(spec.std),
    )
    return np.asarray(processor(fromarray(item), return_tensors="np")["pixel_values"], np.float32)


def _reference_scores(layers: Sequence[tuple[Any, Any]], x: Any) -> NDArray[np.float64]:
    import torch

    with torch.no_grad():
        for number, (weight, bias) in enumerate(layers):
            x = torch.nn.functional.linear(torch.relu(x) if number else x, torch.tensor(weight), torch.tensor(bias))
    return np.asarray(x[:, 0].double().numpy())


def compare(dimension: str, ours: NDArray[np.float64], reference: NDArray[np.float64]) -> HeadCheck:
    """How far scores [n] of one dimension are from the reference's."""
    errors = np.abs(ours - reference)
    error = float(errors.max())
    size = float(np.abs(reference).max())
    relative = error / size if size > 0 else (0.0 if error == 0 else float("inf"))
    return HeadCheck(dimension, error, float(errors.mean()), relative, _spearman(ours, reference))


def _spearman(a: NDArray[np.float64], b: NDArray[np.float64]) -> float:
    if len(a) < 3:
        return float("nan")
    from scipy.stats import rankdata

    x, y = rankdata(a), rankdata(b)
    if x.std() == 0 or y.std() == 0:
        return 1.0 if x.std() == y.std() else float("nan")  # both constant: the order agrees
    return float(np.corrcoef(x, y)[0, 1])
