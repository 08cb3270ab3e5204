"""The voice heads' first layers: one product with a matrix of 4 to 16 GB that stays on disk and is read once a batch.

Shapes: n items, K inputs, B blocks of k = K / B inputs, R rows (outputs of all heads together).

The weight is stored in blocks of inputs, [B, R, k], and added up in float32 block by block, so that nothing larger
than one block is ever widened. Blocks are handed to the runtime as they lie in the mapped file: several processes
share one copy in the page cache, and nothing has to be loaded before the first score. Only 8-bit weights under
OpenVINO are constants of a compiled graph, which repacks them into a private copy: it then multiplies in 8 bits.
"""

from __future__ import annotations

import ctypes
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emonet.errors import require
from emonet.models._tensors import Tensor

Projection = Callable[[NDArray[np.float32]], NDArray[np.float32]]
"""x float32 [n, K] → float32 [n, R]. Calls may come from several threads at once."""

_GRAPHS = Path(__file__).parent / "graphs"  # written by recipes/projection_graphs.py
_WIDENED_BYTES = 32 * 1024 * 1024  # most of a block that is float32 at one time
_ONNX_BFLOAT16 = 16  # TensorProto.BFLOAT16; numpy has no such type


def open_projection(weight: Tensor, *, runtime: str, precision: str, threads: int | None) -> Projection:
    """The fastest product with `weight` [B, R, k] that `runtime` offers for the way it is stored.

    Below fp32 `openvino` multiplies bfloat16 and 8-bit weights as they are, on processors that can; everything else is
    widened to float32 part by part and multiplied by ONNX Runtime. `threads`: None for the runtime's choice.
    """
    if precision == "fp32":
        return _OnnxRuntime(weight, threads)
    if runtime == "openvino" and weight.dtype == "I8":
        return _OpenVinoInt8(weight, threads)
    if runtime == "openvino" and weight.dtype == "BF16" and openvino_has_bf16():
        return _OpenVinoBf16(weight, threads)
    return _OnnxRuntime(weight, threads)


def openvino_has_bf16() -> bool:
    """Whether this processor multiplies bfloat16 numbers faster than float32 ones, by OpenVINO's account."""
    openvino = require("openvino", extra="openvino", feature="The runtime openvino")
    return "BF16" in openvino.Core().get_property("CPU", "OPTIMIZATION_CAPABILITIES")


def blocks_first(x: NDArray[np.float32], size: int) -> NDArray[np.float32]:
    """x [n, K] → [B, n, k], contiguous."""
    return np.ascontiguousarray(x.reshape(len(x), -1, size).transpose(1, 0, 2), np.float32)


class _OnnxRuntime:
    """Each part is cast to float32 and multiplied within one graph; the weights are inputs, not constants."""

    def __init__(self, weight: Tensor, threads: int | None) -> None:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads or 0
        options.log_severity_level = 3
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        path = str(_GRAPHS / f"project_{weight.dtype.lower()}.onnx")
        self._session: Any = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
        self._value = onnxruntime.OrtValue.ortvalue_from_numpy
        self._typed = onnxruntime.OrtValue.ortvalue_from_numpy_with_onnx_type
        self._weight = weight

    def __call__(self, x: NDArray[np.float32]) -> NDArray[np.float32]:
        blocks, rows, size = self._weight.shape
        parts = max(1, _WIDENED_BYTES // (4 * size))  # rows at once
        inputs = blocks_first(x, size)
        out = np.empty((len(x), rows), np.float32)
        for start in range(0, rows, parts):
            here = slice(start, min(start + parts, rows))
            total = np.zeros((len(x), here.stop - start), np.float32)
            for block in range(blocks):
                total = self._add(total, inputs[block], block, here)
            out[:, here] = total
        return out

    def _add(self, total: NDArray[np.float32], x: NDArray[np.float32], block: int, rows: slice) -> NDArray[np.float32]:
        part = self._weight.array[block, rows]
        bf16 = self._weight.dtype == "BF16"
        feeds = {
            "x": self._value(x),
            "weight": self._typed(part, _ONNX_BFLOAT16) if bf16 else self._value(part),
            "total": self._value(total),
        }
        if self._weight.scale is not None:
            feeds["scale"] = self._value(np.ascontiguousarray(self._weight.scale[block, rows]))
        return np.asarray(self._session.run_with_ort_values(["sum"], feeds)[0].numpy(), np.float32)


class _OpenVinoBf16:
    """Products of bfloat16 numbers, added up in float32; each block's sum is rounded to bfloat16 once."""

    def __init__(self, weight: Tensor, threads: int | None) -> None:
        openvino = require("openvino", extra="openvino", feature="The runtime openvino")
        opset = require("openvino.opset15", extra="openvino", feature="The runtime openvino")
        _, rows, size = weight.shape
        x = opset.parameter([-1, size], np.float32, "x")
        part = opset.parameter([rows, size], openvino.Type.bf16, "weight")
        product = opset.matmul(x, opset.convert(part, np.float32), False, True)
        graph = openvino.Model([product], [x, part], "project_bf16")
        self._model: Any = openvino.compile_model(graph, "CPU", _settings(threads))
        self._tensor, self._weight = openvino.Tensor, weight
        shape = openvino.Shape([rows, size])
        self._parts = [openvino.Tensor(block.view(np.int16), shape, openvino.Type.bf16) for block in weight.array]
        self._local = threading.local()  # a request may not be shared between threads

    def __call__(self, x: NDArray[np.float32]) -> NDArray[np.float32]:
        request = _request(self._local, self._model)
        _, rows, size = self._weight.shape
        total = np.zeros((len(x), rows), np.float32)
        for part, values in zip(self._parts, blocks_first(x, size), strict=True):
            total += request.infer([self._tensor(values, shared_memory=True), part], share_inputs=True)[0]
        return total


class _OpenVinoInt8:
    """Weights of 8 bits with a scale per row and block; OpenVINO rounds the inputs to 8 bits in groups of neighbours,
    so that a few large channels do not spoil the others."""

    def __init__(self, weight: Tensor, threads: int | None) -> None:
        openvino = require("openvino", extra="openvino", feature="The runtime openvino")
        opset = require("openvino.opset15", extra="openvino", feature="The runtime openvino")
        blocks, _, size = weight.shape
        assert weight.scale is not None
        x = opset.parameter([-1, blocks * size], np.float32, "x")
        inputs = opset.split(x, opset.constant(np.array(1)), blocks).outputs()
        total: Any = None
        for values, part, scale in zip(inputs, weight.array, weight.scale, strict=True):
            stored = opset.convert(opset.constant(_as_writable(part), shared_memory=True), np.float32)
            product = opset.matmul(values, opset.multiply(stored, opset.constant(scale[:, None])), False, True)
            total = product if total is None else opset.add(total, product)
        graph = openvino.Model([total], [x], "project_int8")
        self._model: Any = openvino.compile_model(graph, "CPU", _settings(threads))
        self._weight = weight  # the constants lie in its mapped file
        self._local = threading.local()

    def __call__(self, x: NDArray[np.float32]) -> NDArray[np.float32]:
        results = _request(self._local, self._model).infer([np.ascontiguousarray(x, np.float32)], share_inputs=True)
        return np.array(results[0], np.float32)


def _as_writable(array: NDArray[Any]) -> NDArray[Any]:
    """The same memory under a flag that OpenVINO insists on. It only reads its constants; writing would end the
    process, as the file is mapped for reading."""
    memory = (ctypes.c_byte * array.nbytes).from_address(array.__array_interface__["data"][0])
    return np.ctypeslib.as_array(memory).view(array.dtype).reshape(array.shape)


def _settings(threads: int | None) -> dict[str, Any]:
    precision = "bf16" if openvino_has_bf16() else "f32"
    settings: dict[str, Any] = {"ENABLE_CPU_PINNING": False, "INFERENCE_PRECISION_HINT": precision}
    return settings | ({"INFERENCE_NUM_THREADS": threads} if threads else {})


def _request(local: threading.local, model: Any) -> Any:
    if not hasattr(local, "request"):
        local.request = model.create_infer_request()
    return local.request
