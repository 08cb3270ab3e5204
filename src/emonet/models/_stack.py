"""Heads that are small enough to be kept in memory: all layers of all heads in a few products.

Shapes: n items, H heads, K inputs, O outputs of a layer.

The first layers read the same input and are one product [n, K] x [K, H*O]; each later layer is one product per head,
batched. numpy computes them in float32; OpenVINO compiles all but the last layer into one graph, in bfloat16 when that
is asked for. The last, a dot product per head, is float32: its sum is the score, and must not be rounded to 8 bits.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emonet.errors import require

Floats = NDArray[np.float32]
Stack = Callable[[Floats], Floats]
"""x float32 [n, K] → scores float32 [n, H]. Calls may come from several threads at once."""


def open_stack(
    weights: Sequence[Floats], biases: Sequence[Floats], *, runtime: str, precision: str, threads: int | None
) -> Stack:
    """`weights[0]` [H*O, K], `weights[i > 0]` [H, out, in]; `biases[0]` [H*O], `biases[i > 0]` [H, out]."""
    if runtime == "openvino" and len(weights) > 1:
        return _OpenVino(weights, biases, precision, threads)

    def run(x: Floats) -> Floats:
        return later_layers(x @ weights[0].T + biases[0], weights[1:], biases[1:])

    return run


def later_layers(first: Floats, weights: Sequence[Floats], biases: Sequence[Floats]) -> Floats:
    """From the first layer's output [n, H*O], before its ReLU, to scores [n, H]."""
    heads = weights[0].shape[0] if weights else first.shape[1]
    values = first.reshape(len(first), heads, -1).transpose(1, 0, 2)  # [H, n, O]
    for weight, bias in zip(weights, biases, strict=True):
        values = np.maximum(values, 0) @ weight.transpose(0, 2, 1) + bias[:, None, :]
    return values[:, :, 0].T


class _OpenVino:
    def __init__(self, weights: Sequence[Floats], biases: Sequence[Floats], precision: str, threads: int | None):
        openvino = require("openvino", extra="openvino", feature="The runtime openvino")
        opset = require("openvino.opset15", extra="openvino", feature="The runtime openvino")
        heads = weights[1].shape[0] if len(weights) > 1 else len(biases[0])
        x = opset.parameter([-1, weights[0].shape[1]], np.float32, "x")
        values = opset.add(opset.matmul(x, opset.constant(weights[0]), False, True), opset.constant(biases[0][None]))
        values = opset.reshape(values, opset.constant(np.array([0, heads, len(biases[0]) // heads])), True)
        values = opset.transpose(values, opset.constant(np.array([1, 0, 2])))
        self._last = (weights[1:][-1:], biases[1:][-1:])
        for weight, bias in zip(weights[1:-1], biases[1:-1], strict=True):
            product = opset.matmul(opset.relu(values), opset.constant(weight), False, True)
            values = opset.add(product, opset.constant(bias[:, None, :]))
        settings: dict[str, Any] = {"ENABLE_CPU_PINNING": False, "INFERENCE_PRECISION_HINT": precision}
        settings |= {"INFERENCE_NUM_THREADS": threads} if threads else {}
        self._model: Any = openvino.compile_model(openvino.Model([values], [x], "heads"), "CPU", settings)
        self._local = threading.local()  # a request may not be shared between threads

    def __call__(self, x: Floats) -> Floats:
        if not hasattr(self._local, "request"):
            self._local.request = self._model.create_infer_request()
        values = self._local.request.infer([np.ascontiguousarray(x, np.float32)], share_inputs=True)[0]  # [H, n, O]
        return later_layers(values.transpose(1, 0, 2).reshape(len(x), -1), *self._last)
