"""Runtimes for the encoder: ONNX Runtime, or OpenVINO through the extra `openvino`."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from emonet.errors import BundleError, UnknownNameError, require

Runtime = Literal["auto", "onnxruntime", "openvino", "openvino-bf16"]
"""`auto` is `onnxruntime`: the same numbers everywhere, whatever else is installed. `openvino` computes in float32,
`openvino-bf16` in bfloat16 where the processor has it (about twice as fast, scores change by some 0.5 %)."""


class Session(Protocol):
    """A loaded encoder. Calls may come from several threads at once."""

    name: str
    """Runtime and its version, for reports."""

    def __call__(self, x: NDArray[np.float32]) -> NDArray[np.float32]:
        """float32 [n, ...] → float32 [n, size] (embedding) or [n, frames, size] (sequence)."""
        ...


def open_session(path: Path, *, output: str, runtime: Runtime = "auto", threads: int | None = None) -> Session:
    """Load `encoder.onnx` and check that it has one input and an output named `output`.

    `threads`: threads of one call; None leaves the choice to the runtime. Raises `BundleError` when the file is not
    such a graph, `UnknownNameError` for an unknown runtime, `MissingExtraError` without openvino.
    """
    if runtime not in _RUNTIMES:
        raise UnknownNameError("runtime", runtime, _RUNTIMES)
    return _RUNTIMES[runtime](path, output, threads)


class _OnnxRuntime:
    def __init__(self, path: Path, output: str, threads: int | None) -> None:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads or 0
        options.inter_op_num_threads = 1
        options.log_severity_level = 3
        # Workers that spin between calls take the cores from the heads and from decoding.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        try:
            self._session: Any = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
        except Exception as error:  # onnxruntime's own exceptions share no base class
            raise BundleError(f"{path}: ONNX Runtime cannot load it ({error}). Pull or convert it again.") from error
        inputs = [value.name for value in self._session.get_inputs()]
        _check(path, inputs, [value.name for value in self._session.get_outputs()], output)
        self._input, self._output = inputs[0], output
        self.name = f"onnxruntime {onnxruntime.__version__}"

    def __call__(self, x: NDArray[np.float32]) -> NDArray[np.float32]:
        return np.asarray(self._session.run([self._output], {self._input: x})[0], np.float32)


class _OpenVino:
    def __init__(self, path: Path, output: str, threads: int | None, *, precision: str = "f32") -> None:
        openvino = require("openvino", extra="openvino", feature=f"The runtime openvino ({precision})")
        # Pinned threads of two processes would share one core.
        settings: dict[str, Any] = {"ENABLE_CPU_PINNING": False, "INFERENCE_PRECISION_HINT": precision}
        if threads:
            settings["INFERENCE_NUM_THREADS"] = threads
        try:
            self._model: Any = openvino.compile_model(str(path), "CPU", settings)
        except Exception as error:
            raise BundleError(f"{path}: OpenVINO cannot load it ({error}). Use runtime='onnxruntime'.") from error
        outputs = [name for port in self._model.outputs for name in port.get_names()]
        _check(path, [port.get_any_name() for port in self._model.inputs], outputs, output)
        self._output = output
        self._local = threading.local()  # a request may not be shared between threads
        self.name = f"openvino {openvino.__version__.partition('-')[0]} {precision}"

    def __call__(self, x: NDArray[np.float32]) -> NDArray[np.float32]:
        if not hasattr(self._local, "request"):
            self._local.request = self._model.create_infer_request()
        results = self._local.request.infer([x], share_inputs=True)
        return np.array(results[self._model.output(self._output)], np.float32)


def _openvino_bf16(path: Path, output: str, threads: int | None) -> Session:
    return _OpenVino(path, output, threads, precision="bf16")


_RUNTIMES: dict[str, Callable[[Path, str, int | None], Session]] = {
    "auto": _OnnxRuntime,
    "onnxruntime": _OnnxRuntime,
    "openvino": _OpenVino,
    "openvino-bf16": _openvino_bf16,
}


def _check(path: Path, inputs: list[str], outputs: list[str], expected: str) -> None:
    if len(inputs) != 1 or expected not in outputs:
        raise BundleError(
            f"{path}: inputs {inputs} and outputs {outputs}; expected one input and an output named {expected!r}."
        )
