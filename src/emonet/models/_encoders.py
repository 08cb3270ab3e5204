"""The published encoders, from a folder of transformers' format, and their export to ONNX."""

from __future__ import annotations

import json
import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from emonet.errors import CheckpointError, require
from emonet.models._card import AudioPreprocessing, ImagePreprocessing
from emonet.taxonomy import Modality

_INLINE_BYTES = 1_000_000_000  # larger weights go beside the graph; one protobuf message ends at 2 GB
_RESAMPLE: dict[Any, Literal["bilinear", "bicubic", "lanczos"]] = {
    1: "lanczos",
    2: "bilinear",
    3: "bicubic",
    "lanczos": "lanczos",
    "bilinear": "bilinear",
    "bicubic": "bicubic",
}


@dataclass(frozen=True, slots=True)
class EncoderFacts:
    """What an encoder's configuration says. `frames`: positions of its output sequence, None for an embedding."""

    folder: Path
    modality: Modality
    size: int
    frames: int | None
    preprocessing: ImagePreprocessing | AudioPreprocessing
    notes: tuple[str, ...] = ()

    @property
    def output(self) -> Literal["embedding", "sequence"]:
        """Name and kind of the ONNX output."""
        return "embedding" if self.frames is None else "sequence"

    @property
    def head_inputs(self) -> dict[str, int]:
        """Kind of head input → its size."""
        if self.frames is None:
            return {"embedding": self.size}
        return {"sequence": self.frames * self.size, "pooled": 4 * self.size}


def read_encoder(folder: Path) -> EncoderFacts:
    """Read `config.json` (and `preprocessor_config.json` when there) of a SigLIP or Whisper checkpoint.

    Raises `CheckpointError` when the folder is no such checkpoint.
    """
    folder = Path(folder)
    config = _json(folder / "config.json")
    kind = config.get("model_type")
    if kind in ("siglip", "siglip_vision_model"):
        return _siglip(folder)
    if kind == "whisper":
        return _whisper(folder)
    raise CheckpointError(
        f"{folder / 'config.json'}: model_type is {kind!r}; expected 'siglip' (google/siglip2-so400m-patch16-384) for "
        "face heads or 'whisper' (laion/BUD-E-Whisper) for voice heads."
    )


def load_encoder(facts: EncoderFacts) -> Any:
    """The torch module: pixels or log-mel → embedding or sequence, float32, in evaluation mode."""
    torch = require("torch", extra="torch", feature="Converting an encoder")
    transformers = require("transformers", extra="torch", feature="Converting an encoder")
    build = transformers.SiglipVisionModel if facts.modality == "face" else transformers.WhisperModel
    before = transformers.logging.get_verbosity()
    transformers.logging.set_verbosity_error()  # the unused text tower or decoder is no news
    try:
        model, report = build.from_pretrained(
            facts.folder,
            local_files_only=True,
            use_safetensors=True,
            dtype=torch.float32,
            attn_implementation="sdpa",
            output_loading_info=True,
        )
    except (OSError, ValueError, RuntimeError) as error:
        raise CheckpointError(
            f"{facts.folder}: transformers cannot load the encoder ({error}). Expected config.json and "
            "model.safetensors; pickled pytorch_model.bin is not read."
        ) from error
    finally:
        transformers.logging.set_verbosity(before)
    used = [key for key in report["missing_keys"] if facts.modality == "face" or "encoder." in key]
    if used or report.get("mismatched_keys"):
        odd = [*used, *map(str, report.get("mismatched_keys", ()))]
        raise CheckpointError(
            f"{facts.folder}: model.safetensors lacks or misfits {len(odd)} of the encoder's tensors, first {odd[0]}. "
            "config.json and the weights do not belong together; fetch both again."
        )
    return _only_output(model.eval() if facts.modality == "face" else model.get_encoder().eval(), facts)


def export_encoder(facts: EncoderFacts, path: Path) -> None:
    """Write the encoder as ONNX: input `input` with a free batch axis, output `embedding` or `sequence`, float32.

    Weights over 1 GB lie beside the graph in `<path>.data`.
    """
    torch = require("torch", extra="torch", feature="Converting an encoder")
    require("onnxscript", extra="torch", feature="Converting an encoder")
    module = load_encoder(facts)
    spec = facts.preprocessing
    if isinstance(spec, ImagePreprocessing):
        example = torch.zeros(2, spec.channels, spec.height, spec.width)
    else:
        assert facts.frames is not None
        example = torch.zeros(2, spec.n_mels, 2 * facts.frames)
    bytes_ = sum(parameter.numel() for parameter in module.parameters()) * 4
    with _quiet_exporter(), torch.no_grad():
        program = torch.onnx.export(
            module,
            (example,),
            dynamo=True,
            input_names=["input"],
            dynamic_shapes=({0: torch.export.Dim("n", min=1, max=4096)},),
            verbose=False,
        )
        _name_output(program.model.graph, facts.output)
        program.save(str(path), external_data=bytes_ > _INLINE_BYTES)


def _name_output(graph: Any, name: str) -> None:
    """Name the only output; the exporter itself would not see that a value inside already has that name."""
    inner = [value for node in graph for value in node.outputs]
    for value in [*inner, *graph.initializers.values()]:
        if value.name == name:
            value.name = f"inner_{name}"
    graph.outputs[0].name = name


@contextmanager
def _quiet_exporter() -> Iterator[None]:
    """The exporter warns and logs about its own internals; parity tests decide whether it did well."""
    loggers = [logging.getLogger(name) for name in ("torch.onnx", "onnxscript", "onnx_ir")]
    before = [logger.level for logger in loggers]
    try:
        for logger in loggers:
            logger.setLevel(logging.ERROR)
        with warnings.catch_warnings():
            for category in (DeprecationWarning, FutureWarning, UserWarning):
                module = r"(torch|onnxscript|onnx_ir|copyreg|transformers)(\..*)?"
                warnings.filterwarnings("ignore", category=category, module=module)
            yield
    finally:
        for logger, level in zip(loggers, before, strict=True):
            logger.setLevel(level)


def _only_output(model: Any, facts: EncoderFacts) -> Any:
    import torch

    class Encoder(torch.nn.Module):
        """One array in, one array out."""

        def __init__(self) -> None:
            super().__init__()
            self.model = model

        def forward(self, x: Any) -> Any:
            if facts.modality == "face":
                return self.model(pixel_values=x).pooler_output
            return self.model(x).last_hidden_state

    return Encoder().eval()


def _siglip(folder: Path) -> EncoderFacts:
    transformers = require("transformers", extra="torch", feature="Converting an encoder")
    config = transformers.AutoConfig.from_pretrained(folder, local_files_only=True)
    vision = getattr(config, "vision_config", config)
    notes: list[str] = []
    file = folder / "preprocessor_config.json"
    if file.is_file():
        stated = _json(file)
    else:
        stated = {"resample": 3}
        notes.append(
            "The encoder's preprocessor_config.json was absent at conversion: pictures are resized with the bicubic "
            "filter, transformers' default for SigLIP."
        )
    size = stated.get("size", {})
    resample = stated.get("resample", 3)
    if resample not in _RESAMPLE:
        raise CheckpointError(f"{file}: resample is {resample!r}; expected 1 (Lanczos), 2 (bilinear) or 3 (bicubic).")
    spec = ImagePreprocessing(
        height=int(size.get("height", vision.image_size)),
        width=int(size.get("width", vision.image_size)),
        resample=_RESAMPLE[resample],
        mean=tuple(map(float, stated.get("image_mean", (0.5, 0.5, 0.5)))),
        std=tuple(map(float, stated.get("image_std", (0.5, 0.5, 0.5)))),
    )
    if (spec.height, spec.width) != (vision.image_size, vision.image_size):
        raise CheckpointError(
            f"{file}: pictures of {spec.height}x{spec.width}; config.json expects {vision.image_size} squared."
        )
    return EncoderFacts(folder, "face", int(vision.hidden_size), None, spec, tuple(notes))


def _whisper(folder: Path) -> EncoderFacts:
    transformers = require("transformers", extra="torch", feature="Converting an encoder")
    config = transformers.AutoConfig.from_pretrained(folder, local_files_only=True)
    frames = int(config.max_source_positions)  # the second convolution halves 100 mel frames a second to 50
    spec = AudioPreprocessing(front_end="whisper", n_mels=int(config.num_mel_bins), window_s=frames / 50)
    return EncoderFacts(folder, "voice", int(config.d_model), frames, spec)


def _json(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise CheckpointError(
            f"{path}: cannot be read as JSON ({error}). Expected a folder in transformers' format with config.json and "
            "model.safetensors."
        ) from error
    if not isinstance(content, dict):
        raise CheckpointError(f"{path}: holds a {type(content).__name__}; expected an object.")
    return content
