"""From LAION's official releases to a bundle: a folder of head files and an encoder in transformers' format."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from emonet.errors import CheckpointError, UsageError
from emonet.models._bundle import write_bundle
from emonet.models._card import Card, HeadGroup
from emonet.models._checkpoints import HeadFile, check_same_shape, find_heads
from emonet.models._encoders import EncoderFacts, export_encoder, read_encoder
from emonet.models._heads import HeadPlan, Input, Precision
from emonet.models._neutral import face_neutral_means
from emonet.taxonomy import ATTRIBUTES, EMOTIONS, Modality, checkpoint_name

_SUITES: Mapping[tuple[int, ...], str] = {
    (1152, 128, 32, 1): "Face-Small",
    (1152, 1024, 512, 256, 1): "Face-Large",
    (1_152_000, 64, 64, 32, 16, 1): "Voice-Small",
    (1_152_000, 128, 128, 64, 32, 1): "Voice-Large",
}
_ENCODERS = {"face": "google/siglip2-so400m-patch16-384", "voice": "laion/BUD-E-Whisper"}
_LICENCE = "CC-BY-4.0 (heads: LAION); encoder: {}"
_ENCODER_LICENCES = {"face": "Apache-2.0 (Google)", "voice": "CC-BY-4.0 (Maurice Kraus, Christoph Schuhmann)"}
_LIMITS = {
    "face": (
        "Trained on synthetic portraits; apparent expression, not inner state. Not for critical decisions.",
        "That the embedding is L2-normalised before the heads is inferred from published scores, not stated by LAION. "
        "Scores far outside 0 to 7 mean that it is wrong for these heads.",
    ),
    "voice": (
        "Scores are regressions of Gemini labels on acted and synthetic speech and are not on one scale across heads.",
        "Heads read absolute positions in a window of fixed length: silence before the speech changes the scores.",
    ),
}


@dataclass(frozen=True, slots=True)
class Release:
    """Heads and encoder that belong together, as found on disk. `groups`: heads by what they read."""

    encoder: EncoderFacts
    groups: Mapping[Input, tuple[HeadFile, ...]]

    @property
    def modality(self) -> Modality:
        """Face or voice."""
        return self.encoder.modality

    @property
    def heads(self) -> dict[str, HeadFile]:
        """Every head by dimension."""
        return {head.dimension: head for group in self.groups.values() for head in group}

    @property
    def suite(self) -> str | None:
        """LAION's name of the suite by its shapes, e.g. "Voice-Plus"; None for other shapes."""
        if "pooled" in self.groups:
            return "Voice-Plus"
        return next((_SUITES.get(group[0].layers) for group in self.groups.values()), None)

    @property
    def dimensions(self) -> tuple[str, ...]:
        """What a suite of this kind judges: 40 emotions; every attribute of voices; those of faces that are there."""
        quality = "pooled" in self.groups
        attributes = [
            attribute.key
            for attribute in ATTRIBUTES
            if attribute.modality == self.modality
            and (attribute.key in self.heads or (self.modality == "voice" and (quality or attribute.kind != "quality")))
        ]
        return (*(emotion.key for emotion in EMOTIONS), *attributes)


def read_release(heads: Path, encoder: Path) -> Release:
    """Find out what a folder of heads is from the shapes in it, and check that the encoder belongs to it.

    Raises `CheckpointError` naming the file and both shapes when it does not.
    """
    facts = read_encoder(Path(encoder))
    kinds: dict[int, Any] = {size: kind for kind, size in facts.head_inputs.items()}

    def check(path: Path, layers: tuple[int, ...]) -> None:
        if layers[0] not in kinds:
            expected = " or ".join(f"{size} ({name})" for size, name in kinds.items())
            raise CheckpointError(
                f"{path}: its first layer reads {layers[0]} numbers; the encoder in {encoder} gives "
                f"{expected}. Face heads (1152) belong to {_ENCODERS['face']}, voice heads (1152000 or 3072) to "
                f"{_ENCODERS['voice']}."
            )

    sorted_heads: dict[Input, list[HeadFile]] = {}
    for head in find_heads(Path(heads), facts.modality, check=check):
        sorted_heads.setdefault(kinds[head.layers[0]], []).append(head)
    groups = {kind: tuple(group) for kind, group in sorted_heads.items()}
    for group in groups.values():
        check_same_shape(group)
    return Release(facts, groups)


def convert(
    heads: Path,
    encoder: Path,
    output: Path,
    *,
    precision: Precision = "fp16",
    name: str | None = None,
    l2_normalize: bool | None = None,
    recipe: Mapping[str, str | int | float | bool] | None = None,
    progress: Callable[[str], None] | None = None,
) -> Card:
    """Convert an official release once into a bundle that needs no torch.

    `heads`: folder of `model_<Name>_best.pth` (or `.safetensors`) files, read with weights-only loading. `encoder`:
    folder with `config.json` and `model.safetensors`. Modality and size follow from the shapes; a dimension without a
    file is named in the card's `missing` and scored NaN. `precision` is that of the heads; the encoder stays float32.
    `name`: the card's id, by default the suite that the shapes belong to. `l2_normalize`: whether embeddings are
    normalised before the heads; by default yes for faces. `recipe`: notes for the card. `progress` is told each step.

    One head is in memory at a time. Raises `CheckpointError` or `UsageError`; needs the extra `torch`.
    """
    if precision not in ("fp32", "fp16", "bf16", "int8"):
        raise UsageError(f"precision is {precision!r}; expected fp32, fp16, bf16 or int8.")
    release = read_release(heads, encoder)
    if l2_normalize and release.modality == "voice":
        raise UsageError("l2_normalize is for face heads; voice heads read a sequence of raw encoder states.")
    normalize = release.modality == "face" if l2_normalize is None else l2_normalize
    card = _card(release, Path(heads), name=name, normalize=normalize, notes=recipe or {})
    output = Path(output)
    output.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{output.name}.encoder.", dir=output.parent) as temporary:
        if progress:
            progress(f"encoder of {release.encoder.folder} to ONNX")
        graph = Path(temporary) / "encoder.onnx"
        export_encoder(release.encoder, graph)
        return write_bundle(
            output,
            encoder_onnx=graph,
            groups=_plans(release),
            precision=precision,
            card=card,
            progress=progress,
        )


def _plans(release: Release) -> list[HeadPlan]:
    plans = []
    for kind, files in release.groups.items():
        by_dimension = {file.dimension: file for file in files}
        ordered = [by_dimension[dimension] for dimension in release.dimensions if dimension in by_dimension]
        group = HeadGroup(
            name=kind, input=kind, dimensions=tuple(file.dimension for file in ordered), layers=ordered[0].layers
        )
        plans.append(HeadPlan(group, _reader(ordered)))
    return plans


def _reader(files: Sequence[HeadFile]) -> Callable[[int], list[Any]]:
    return lambda index: files[index].read()


def _card(
    release: Release, heads: Path, *, name: str | None, normalize: bool, notes: Mapping[str, str | int | float | bool]
) -> dict[str, Any]:
    modality, suite, facts = release.modality, release.suite, release.encoder
    found = release.heads
    title = f"Empathic Insight {suite.replace('-', ' ')}" if suite else f"Heads of {heads.name}"
    missing = {
        dimension: f"the release folder has no file model_{checkpoint_name(dimension, modality)}_best.pth"
        for dimension in release.dimensions
        if dimension not in found
    }
    means, source = face_neutral_means(heads) if modality == "face" else ({}, "")
    return {
        "id": name or (f"laion/Empathic-Insight-{suite}" if suite else heads.name),
        "title": title,
        "modality": modality,
        "dimensions": release.dimensions,
        "scale": _scales(release),
        "preprocessing": facts.preprocessing,
        "encoder": {
            "output": facts.output,
            "frames": facts.frames,
            "size": facts.size,
            "l2_normalize": normalize,
        },
        "neutral_means": {dimension: mean for dimension, mean in means.items() if dimension in found},
        "neutral_source": source or "none published for voice: raw scores are used as they are",
        "missing": missing,
        "evidence": {dimension: {"kind": "published", "detail": "LAION's expert head"} for dimension in found},
        "licence": _LICENCE.format(_ENCODER_LICENCES[modality]),
        "limits": [*_LIMITS[modality], *facts.notes],
        "source": f"LAION's published heads, converted; encoder {_ENCODERS[modality]}",
        "recipe": {"converted_heads": len(found), **notes},
    }


def _scales(release: Release) -> dict[str, dict[str, Any]]:
    """0..7 for emotions in faces, 0..4 in voices; each attribute its own."""
    face = release.modality == "face"
    meaning = "intensity: 0 absent, 7 strongest" if face else "intensity: 0 absent, 4 extremely present"
    scales: dict[str, dict[str, Any]] = {"*": {"low": 0, "high": 7 if face else 4, "meaning": meaning}}
    for attribute in ATTRIBUTES:
        if attribute.modality == release.modality and attribute.key in release.dimensions:
            poles = f"{attribute.low_pole} to {attribute.high_pole}"
            scales[attribute.key] = {"low": attribute.low, "high": attribute.high, "meaning": poles}
    return scales
