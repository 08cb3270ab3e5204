"""8-bit tiers of a bundle: the same model in a quarter of the memory, and faster where the processor multiplies bytes.

`int8-weights` needs no data: every linear layer's weight is stored in 8 bits with one float32 scale per output.
`int8` rounds the activations between the linear layers too; their ranges come from running the model over recordings
or pictures like those it will see, after outliers have been moved from activations into weights (SmoothQuant,
arXiv 2211.10438), by the package nncf. Neither is used by default before `verify_tier` has passed it.
"""

from __future__ import annotations

import logging
import os
import tempfile
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from emonet.errors import UnknownNameError, UsageError, require
from emonet.models._bundle import check_bundle, put_tier, sha256
from emonet.models._card import Card, HeadsFile, Tier
from emonet.models._heads import narrow_heads
from emonet.models._model import open_model

Quantized = Literal["int8-weights", "int8"]
_HEADS = "heads.int8.safetensors"
_FEWEST = 20  # items below which activation ranges are chance
_INLINE_BYTES = 1_500_000_000


def quantize(
    folder: Path,
    precision: Quantized,
    calibration: Sequence[NDArray[Any]] = (),
    *,
    calibration_name: str = "",
    progress: Callable[[str], None] | None = None,
) -> Card:
    """Add an 8-bit tier to a bundle, in place of one of the same precision, and give back its new card.

    `calibration`: at least 20 items as the model takes them (face crops uint8 [h, w, 3]; clips float32 [S], 16 kHz),
    needed for `int8`; 100 to 300 are usual. `calibration_name` says in the card what they were. Heads over a whole
    sequence get 8-bit first layers, scaled per row and block; small heads stay as they are.

    Needs the extra `torch` (package onnx), for `int8` the extra `quantize` (nncf). Raises `UsageError` for too few
    items.
    """
    if precision not in ("int8-weights", "int8"):
        raise UnknownNameError("8-bit precision", precision, ("int8-weights", "int8"))
    if precision == "int8" and len(calibration) < _FEWEST:
        raise UsageError(f"int8 takes its ranges from data: {len(calibration)} items given, at least {_FEWEST} needed.")
    folder = Path(folder)
    card = check_bundle(folder)
    say = progress or (lambda _: None)
    say(f"encoder to {precision}")
    encoder = folder / card.encoder.file
    model = pack_weights(encoder) if precision == "int8-weights" else _calibrated(folder, encoder, calibration)
    name = f"encoder.{precision}.onnx"
    data_file = _save(model, folder, name)
    heads = None
    if any(group.input == "sequence" for group in card.heads.groups):
        say("heads to int8")
        heads = _heads(folder, card)
    tier = Tier(
        precision=precision,
        encoder=name,
        encoder_sha256=sha256(folder / name),
        data_file=data_file,
        data_sha256=sha256(folder / data_file) if data_file else None,
        heads=heads,
        calibration=f"{len(calibration)} items {calibration_name}".strip() if precision == "int8" else "",
    )
    return put_tier(folder, tier)


def _heads(folder: Path, card: Card) -> HeadsFile:
    """The heads at 8 bits; written once for both tiers."""
    made = next((tier.heads for tier in card.tiers if tier.heads), None)
    if made is not None:
        return made
    with _temporary(folder, _HEADS) as path:
        narrow_heads(folder / card.heads.file, path, card.heads.groups)
    size, digest = (folder / _HEADS).stat().st_size, sha256(folder / _HEADS)
    return card.heads.model_copy(update={"file": _HEADS, "sha256": digest, "precision": "int8", "bytes": size})


def pack_weights(path: Path, *, storage_only: bool = False) -> Any:
    """The graph with the weight of each linear layer replaced by 8-bit numbers and one scale an output.

    With `storage_only` the filters of convolutions as well, and unpacked by operators that a runtime computes once
    when it loads the file: from DequantizeLinear, ONNX Runtime would go on to round the activations too.
    """
    onnx = require("onnx", extra="torch", feature="Quantizing an encoder")
    model = onnx.load(str(path))
    graph = model.graph
    stored = {tensor.name: tensor for tensor in graph.initializer}
    added: dict[str, Any] = {}
    for node in graph.node:
        convolution = storage_only and node.op_type == "Conv"
        packed = convolution or node.op_type in ("MatMul", "Gemm")
        weight = stored.get(node.input[1]) if packed and len(node.input) > 1 else None
        if weight is None or weight.data_type != onnx.TensorProto.FLOAT or not (convolution or len(weight.dims) == 2):
            continue
        if weight.name not in added:
            first = convolution or any(attribute.name == "transB" and attribute.i for attribute in node.attribute)
            added[weight.name] = _packed(onnx, weight, 0 if first else 1, storage_only)
        node.input[1] = f"{weight.name}.wide"
    if not added:
        raise UsageError(f"{path}: no linear layer with a stored weight; an 8-bit tier would be the same model.")
    kept = [tensor for tensor in graph.initializer if tensor.name not in added]
    del graph.initializer[:]
    graph.initializer.extend([*kept, *(tensor for tensors, _ in added.values() for tensor in tensors)])
    nodes = [*(node for _, unpacking in added.values() for node in unpacking), *graph.node]
    del graph.node[:]
    graph.node.extend(nodes)
    return model


def _packed(onnx: Any, weight: Any, axis: int, storage_only: bool) -> tuple[list[Any], list[Any]]:
    """Initialisers and nodes that stand for a weight: 8 bits along `axis`, its outputs."""
    values = onnx.numpy_helper.to_array(weight)
    largest = np.abs(values).max(axis=tuple(i for i in range(values.ndim) if i != axis), keepdims=True)
    scale = np.where(largest > 0, largest / 127, 1).astype(np.float32)
    numbers = np.clip(np.rint(values / scale), -127, 127).astype(np.int8)
    name, wide = weight.name, f"{weight.name}.wide"
    if storage_only:
        arrays = {f"{name}.int8": numbers, f"{name}.scale": scale}
        cast = onnx.helper.make_node("Cast", [f"{name}.int8"], [f"{name}.float"], to=onnx.TensorProto.FLOAT)
        nodes = [cast, onnx.helper.make_node("Mul", [f"{name}.float", f"{name}.scale"], [wide])]
    else:
        arrays = {
            f"{name}.int8": numbers,
            f"{name}.scale": scale.ravel(),
            f"{name}.zero": np.zeros(scale.size, np.int8),
        }
        nodes = [onnx.helper.make_node("DequantizeLinear", list(arrays), [wide], axis=axis)]
    return [onnx.numpy_helper.from_array(array, title) for title, array in arrays.items()], nodes


def _calibrated(folder: Path, path: Path, calibration: Sequence[NDArray[Any]]) -> Any:
    """The graph with 8-bit weights and activations, ranges from the calibration items."""
    onnx = require("onnx", extra="torch", feature="Quantizing an encoder")
    with _quiet():
        nncf = require("nncf", extra="quantize", feature="Calibrating an 8-bit encoder")
        nncf.set_log_level(logging.ERROR)
        prepare = open_model(folder, runtime="onnxruntime", precision="fp32").prepare
        samples = [{"input": prepare(item)[None]} for item in calibration]
        return nncf.quantize(
            onnx.load(str(path)),
            nncf.Dataset(samples),
            model_type=nncf.ModelType.TRANSFORMER,
            preset=nncf.QuantizationPreset.PERFORMANCE,
            subset_size=len(samples),
        )


def _save(model: Any, folder: Path, name: str) -> str | None:
    """Write the graph; name of the file beside it when its weights do not fit into one message."""
    onnx = require("onnx", extra="torch", feature="Quantizing an encoder")
    beside = f"{name}.data" if model.ByteSize() > _INLINE_BYTES else None
    with _temporary(folder, name) as path:
        if beside is None:
            onnx.save(model, str(path))
        else:
            (folder / beside).unlink(missing_ok=True)
            onnx.save(model, str(path), save_as_external_data=True, location=beside)
            os.replace(path.with_name(beside), folder / beside)
    return beside


@contextmanager
def _temporary(folder: Path, name: str) -> Iterator[Path]:
    """A path that becomes `folder / name` when the block ends without an error."""
    with tempfile.TemporaryDirectory(dir=folder, prefix=".tier-") as temporary:
        path = Path(temporary) / name
        yield path
        os.replace(path, folder / name)


@contextmanager
def _quiet() -> Iterator[None]:
    """nncf prints progress bars and warns about its own dependencies; what matters is checked afterwards."""
    with warnings.catch_warnings(), Path(os.devnull).open("w") as nowhere:
        warnings.simplefilter("ignore")
        with redirect_stdout(nowhere), redirect_stderr(nowhere):
            yield
