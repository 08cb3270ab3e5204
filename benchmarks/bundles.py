"""Models of LAION's true shapes with random weights, written by emonet's own writers, once, into a cache folder.

Time does not depend on the weights' values, with one exception that does not concern products of matrices; accuracy
does. The reference gets the very same weights: the encoder from `<bundle>/source` in transformers' format, heads from
`head_layers`, so that both sides must come to the same scores.

A suite takes about 13 GB (voice) and 5 GB (face) of disk and some minutes; `python -m benchmarks.bundles` makes both.
"""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import asdict
from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.inputs import made_clip, made_picture
from benchmarks.shapes import FACE, QUICK_FACE, QUICK_VOICE, VOICE, FaceShape, VoiceShape
from benchmarks.timing import options
from emonet.models import HeadGroup, Precision, quantize, read_card, write_bundle
from emonet.models._encoders import export_encoder, read_encoder
from emonet.models._heads import HeadPlan

Shape = VoiceShape | FaceShape
Layers = list[tuple[NDArray[np.float32], NDArray[np.float32]]]
CALIBRATION = 20  # items from which the int8 tier takes its ranges


def voice_suite(root: Path, *, quick: bool = False) -> Path:
    """The voice suite with its 8-bit tiers; made at the first call."""
    return suite(root, QUICK_VOICE if quick else VOICE, "bf16")


def face_suite(root: Path, *, quick: bool = False) -> Path:
    """The face suite with its 8-bit tiers; made at the first call."""
    return suite(root, QUICK_FACE if quick else FACE, "bf16")


def suite(root: Path, shape: Shape, stored: Precision) -> Path:
    """A bundle of this shape under `root`, its heads stored at `stored`, with the tiers that can be made here."""
    folder = root / f"{shape.name}-{stored}"
    if not _is_made(folder, shape):
        _write(folder, shape, stored)
    card = read_card(folder)
    wanted = ["int8-weights", *(["int8"] if find_spec("nncf") else [])]
    for precision in wanted:
        if card.tier(precision) is None:
            _say(f"{folder.name}: tier {precision}")
            draw = np.random.default_rng(1)
            make: Callable[[Any], Any] = made_clip if isinstance(shape, VoiceShape) else made_picture
            items = [make(draw) for _ in range(CALIBRATION)] if precision == "int8" else []
            card = quantize(folder, precision, items, calibration_name="generated")  # type: ignore[arg-type]
    return folder


def head_layers(shape: Shape, index: int) -> Layers:
    """Weights [out, in] and biases [out] of one head, the same at every call.

    They keep the signal's size through every ReLU, so that no score is constant.
    """
    draw = np.random.default_rng((7, index))
    tile = draw.standard_normal(min(1 << 22, max(2, shape.sizes[0])), np.float32)
    layers: Layers = []
    for size_in, size_out in pairwise(shape.sizes):
        weight = _fill(draw, tile, size_in * size_out).reshape(size_out, size_in)
        weight *= np.float32((2 / size_in) ** 0.5)
        layers.append((weight, draw.normal(0.2, 0.1, size_out).astype(np.float32)))
    return layers


def source_folder(bundle: Path) -> Path:
    """The encoder in transformers' format, for the reference."""
    return bundle.with_name(f"{bundle.name}-source")


def _fill(draw: np.random.Generator, tile: NDArray[np.float32], count: int) -> NDArray[np.float32]:
    """Normal numbers; long arrays repeat a tile from random places, as drawing 4 billion would take minutes."""
    if count <= tile.size:
        return draw.standard_normal(count, np.float32)
    out = np.empty(count, np.float32)
    start = 0
    while start < count:
        part = tile[int(draw.integers(tile.size - 1)) :][: count - start]
        out[start : start + len(part)] = part
        start += len(part)
    return out


def _is_made(folder: Path, shape: Shape) -> bool:
    try:
        made = json.loads((source_folder(folder) / "shape.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return bool(made == json.loads(json.dumps(asdict(shape)))) and (folder / "emonet.json").is_file()


def _write(folder: Path, shape: Shape, stored: Precision) -> None:
    folder.parent.mkdir(parents=True, exist_ok=True)
    source = source_folder(folder)
    shutil.rmtree(source, ignore_errors=True)
    _say(f"{folder.name}: encoder")
    (_save_whisper if isinstance(shape, VoiceShape) else _save_siglip)(source, shape)
    facts = read_encoder(source)
    kind: Any = "sequence" if isinstance(shape, VoiceShape) else "embedding"
    group = HeadGroup(name=kind, input=kind, dimensions=shape.dimensions, layers=shape.sizes)
    card: dict[str, Any] = {
        "id": f"benchmark/{shape.name}",
        "title": "Random weights of a published shape, for timing",
        "modality": facts.modality,
        "dimensions": shape.dimensions,
        "scale": {"*": {"low": -1e6, "high": 1e6, "meaning": "none: the weights are random"}},
        "preprocessing": facts.preprocessing,
        "encoder": {
            "output": facts.output,
            "frames": facts.frames,
            "size": facts.size,
            "l2_normalize": facts.modality == "face",
        },
        "licence": "none: random numbers",
    }
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".export-") as temporary:
        graph = Path(temporary) / "encoder.onnx"
        export_encoder(facts, graph)
        _say(f"{folder.name}: {len(shape.dimensions)} heads")
        write_bundle(
            folder,
            encoder_onnx=graph,
            groups=[HeadPlan(group, lambda index: head_layers(shape, index))],
            precision=stored,
            card=card,
        )
    (source / "shape.json").write_text(json.dumps(asdict(shape)), encoding="utf-8")


def _save_whisper(folder: Path, shape: Any) -> None:
    import torch
    import transformers

    torch.manual_seed(0)
    config = transformers.WhisperConfig(
        d_model=shape.width,
        encoder_layers=shape.layers,
        encoder_attention_heads=shape.attention,
        encoder_ffn_dim=shape.hidden,
        max_source_positions=shape.positions,
        num_mel_bins=shape.mels,
        decoder_layers=1,  # never run
        decoder_attention_heads=shape.attention,
        decoder_ffn_dim=8,
        vocab_size=64,
        max_target_positions=8,
        pad_token_id=0,
        bos_token_id=1,
        eos_token_id=2,
        decoder_start_token_id=3,
    )
    _save(transformers.WhisperModel(config), folder)


def _save_siglip(folder: Path, shape: Any) -> None:
    import torch
    import transformers

    torch.manual_seed(0)
    config = transformers.SiglipVisionConfig(
        hidden_size=shape.width,
        intermediate_size=shape.hidden,
        num_hidden_layers=shape.layers,
        num_attention_heads=shape.attention,
        image_size=shape.side,
        patch_size=shape.patch,
    )
    _save(transformers.SiglipVisionModel(config), folder)
    facts = {"size": {"height": shape.side, "width": shape.side}, "resample": 2}
    facts |= {"image_mean": [0.5] * 3, "image_std": [0.5] * 3}
    (folder / "preprocessor_config.json").write_text(json.dumps(facts), encoding="utf-8")


def _save(model: Any, folder: Path) -> None:
    """Weights that carry the input through; transformers' own are so small that the positions drown it."""
    import torch
    import transformers

    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if parameter.dim() >= 2 and "position" not in name:
                inputs = parameter[0].numel()
                parameter.normal_(0, (2 / inputs) ** 0.5 if parameter.dim() > 2 else inputs**-0.5)
    transformers.utils.logging.disable_progress_bar()
    model.save_pretrained(folder)


def _say(text: str) -> None:
    print(f"making {text}", flush=True)


def heads_file(root: Path, shape: VoiceShape, count: int, stored: Precision) -> tuple[Path, HeadGroup]:
    """A file of the first `count` heads alone, and the group it holds; made at the first call."""
    from emonet.models._heads import write_heads

    group = HeadGroup(name="sequence", input="sequence", dimensions=shape.dimensions[:count], layers=shape.sizes)
    path = root / f"{shape.name}-{count}heads-{stored}.safetensors"
    if not path.is_file():
        _say(path.name)
        root.mkdir(parents=True, exist_ok=True)
        temporary = path.with_suffix(".part")
        write_heads(temporary, [HeadPlan(group, lambda index: head_layers(shape, index))], stored)
        temporary.replace(path)
    return path, group


def checkpoints(root: Path, shape: Shape, count: int) -> Sequence[Path]:
    """The first heads as LAION publishes them, one `.pth` each; made at the first call."""
    import torch

    from benchmarks.reference import face_head, voice_head

    folder = root / f"{shape.name}-pth"
    folder.mkdir(parents=True, exist_ok=True)
    paths = [folder / f"model_{index}_best.pth" for index in range(count)]
    for index, path in enumerate(paths):
        if not path.is_file():
            head = voice_head(shape, index) if isinstance(shape, VoiceShape) else face_head(shape, index)
            torch.save(head.state_dict(), path)
    return paths


def main() -> None:
    """Make both suites, so that the benchmarks need not."""
    arguments = options(__doc__).parse_args()
    for make in (voice_suite, face_suite):
        print(make(arguments.bundles, quick=arguments.quick))


if __name__ == "__main__":
    main()
