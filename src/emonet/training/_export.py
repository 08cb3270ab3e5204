"""A trained torch module as one ONNX file, checked against the module it came from.

For the small networks of this package, whose weights fit in the graph file. The exporter notes the source lines of
every node, with the paths of the machine it ran on; those notes are taken out, so that a file says nothing about where
it was made.
"""

from __future__ import annotations

import logging
import os
import tempfile
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from emonet.errors import ModelError, require
from emonet.models._quantize import pack_weights

if TYPE_CHECKING:
    import onnx
    import torch

INPUT = "input"
TOLERANCE = 1e-4


def export_onnx(
    module: torch.nn.Module,
    example_input: torch.Tensor,
    path: Path,
    *,
    output_name: str = "embedding",
    dynamic_axes: Mapping[int, str] | None = None,
    tolerance: float = TOLERANCE,
    eight_bits: bool = False,
) -> float:
    """Write `module` as `path`, with one input `input` and one output `output_name`; returns the largest difference.

    Args:
        module: Maps one float32 tensor to one float32 tensor; exported in evaluation mode, its mode is then restored.
        example_input: float32, at least 2 items on axis 0 (an axis of size 1 would be taken for a constant).
        path: File to write, atomically.
        output_name: `embedding` or `sequence`.
        dynamic_axes: Axes of the input that vary and their names; default: axis 0, `n`. Sizes must differ from 1 in
            `example_input`.
        tolerance: Largest allowed |ONNX Runtime - torch| on the example and on a batch of one.
        eight_bits: Store matrices and filters as 8-bit numbers with one scale an output. The module's own weights must
            be such numbers already, or the difference says that they are not.

    Raises:
        ModelError: The file does not reproduce the module within `tolerance`.
        MissingExtraError: torch, onnx or onnxscript is absent.
    """
    torch = require("torch", extra="torch", feature="Training a model")
    onnx = require("onnx", extra="torch", feature="Writing an ONNX file")
    require("onnxscript", extra="torch", feature="Writing an ONNX file")
    axes = dict(dynamic_axes or {0: "n"})
    training = module.training
    module.eval()
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=".", suffix=".onnx")
    os.close(handle)
    temporary = Path(name)
    try:
        with _quiet():
            torch.onnx.export(
                module,
                (example_input,),
                temporary,
                dynamo=True,
                input_names=[INPUT],
                output_names=[output_name],
                dynamic_shapes=(axes,),
                external_data=False,
                verbose=False,
            )
        graph = onnx.load(temporary)
        _strip(graph)
        onnx.checker.check_model(graph)
        onnx.save(graph, temporary)
        if eight_bits:
            onnx.save(pack_weights(temporary, storage_only=True), temporary)
        difference = parity(module, example_input, temporary)
        if not difference <= tolerance:
            raise ModelError(
                f"{path}: ONNX Runtime differs from torch by {difference:.2e}, allowed are {tolerance:.0e}. "
                "Look for layers that behave differently in evaluation mode."
            )
        temporary.chmod(0o644)
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)
        module.train(training)
    return difference


def parity(module: torch.nn.Module, example_input: torch.Tensor, path: Path) -> float:
    """Largest |ONNX Runtime - torch| over the example and over its first item alone. The module must be in
    evaluation mode."""
    torch = require("torch", extra="torch", feature="Training a model")
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    largest = 0.0
    for batch in (example_input, example_input[:1]):
        with torch.inference_mode():
            expected = module(batch).numpy()
        (actual,) = session.run(None, {INPUT: batch.numpy()})
        if actual.shape != expected.shape:
            return float("inf")
        largest = max(largest, float(np.abs(actual - expected).max()))
    return largest


def _strip(graph: onnx.ModelProto) -> None:
    """Remove the notes (stack traces, class names) from every part of the graph."""
    parts: list[Any] = [graph, graph.graph, *graph.functions]
    inner = graph.graph
    parts += [*inner.node, *inner.input, *inner.output, *inner.value_info, *inner.initializer]
    for function in graph.functions:
        parts += [*function.node, *function.value_info]
    for part in parts:
        if hasattr(part, "metadata_props"):
            del part.metadata_props[:]
        part.doc_string = ""
    inner.name = "emonet"


@contextmanager
def _quiet() -> Iterator[None]:
    """Silence two known remarks: the exporter's use of a renamed torch class, and torchvision not being installed."""
    logger = logging.getLogger("torch.onnx")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings(
                "ignore", message=r"`isinstance\(treespec, LeafSpec\)` is deprecated", category=FutureWarning
            )
            yield
    finally:
        logger.setLevel(level)
