"""Runtimes for the encoder: ONNX Runtime, or OpenVINO through the extra `openvino`."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any, Literal, Protocol, get_args

import numpy as np
from numpy.typing import NDArray

from emonet.errors import BundleError, UnknownNameError, UsageError, require
from emonet.models._cache import writable_folder
from emonet.models._projection import openvino_has_bf16

Runtime = Literal["auto", "onnxruntime", "openvino", "torch"]
"""What computes. `auto` is what `emonet doctor` found best on this machine, or else `onnxruntime`."""

Computed = Literal["auto", "fp32", "bf16", "int8-weights", "int8"]
"""How it is computed. `auto` is what `emonet doctor` found best among the precisions that keep the order of the
scores, or else `fp32`. `bf16` needs a processor that has it; the 8-bit tiers have files of their own
(`emonet models quantize`)."""


class Session(Protocol):
    """A loaded encoder. Calls may come from several threads at once."""

    name: str
    """Runtime, its version and the precision, for reports."""

    def __call__(self, x: NDArray[np.float32]) -> NDArray[np.float32]:
        """float32 [n, ...] → float32 [n, size] (embedding) or [n, frames, size] (sequence)."""
        ...


def open_session(
    path: Path,
    *,
    output: str,
    runtime: Runtime = "onnxruntime",
    precision: Computed = "fp32",
    threads: int | None = None,
) -> Session:
    """Load an encoder's graph and check that it has one input and an output named `output`.

    `threads`: threads of one call; None leaves the choice to the runtime. Raises `BundleError` when the file is not
    such a graph, `UnknownNameError` for an unknown runtime or precision, `UsageError` for a pair that does not exist
    here, `MissingExtraError` without the runtime's package.
    """
    if precision not in _PRECISIONS:
        raise UnknownNameError("precision", precision, _PRECISIONS)
    if runtime == "onnxruntime":
        if precision == "bf16":
            raise UsageError("ONNX Runtime does not compute in bfloat16 on processors; use runtime='openvino'.")
        return _OnnxRuntime(path, output, precision, threads)
    if runtime == "openvino":
        return _OpenVino(path, output, precision, threads)
    raise UnknownNameError("runtime", runtime, get_args(Runtime))


class _OnnxRuntime:
    def __init__(self, path: Path, output: str, precision: str, threads: int | None) -> None:
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
        self.name = f"onnxruntime {onnxruntime.__version__} {precision}"

    def __call__(self, x: NDArray[np.float32]) -> NDArray[np.float32]:
        return np.asarray(self._session.run([self._output], {self._input: x})[0], np.float32)


class _OpenVino:
    def __init__(self, path: Path, output: str, precision: str, threads: int | None) -> None:
        openvino = require("openvino", extra="openvino", feature="The runtime openvino")
        # What an 8-bit tier leaves in float is computed in bfloat16 where that is faster.
        hint = "bf16" if precision != "fp32" and openvino_has_bf16() else "f32"
        if precision == "bf16" and hint != "bf16":
            raise UsageError("This processor has no bfloat16 arithmetic; use precision='fp32'.")
        # Pinned threads of two processes would share one core.
        settings: dict[str, Any] = {"ENABLE_CPU_PINNING": False, "INFERENCE_PRECISION_HINT": hint}
        if threads:
            settings["INFERENCE_NUM_THREADS"] = threads
        if path.stat().st_size > _CACHED_BYTES and (folder := writable_folder("openvino")):
            settings["CACHE_DIR"] = str(folder)  # the compiled graph opens several times faster next time
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


_CACHED_BYTES = 32 * 1024 * 1024
_PRECISIONS = ("fp32", "bf16", "int8-weights", "int8")


def _check(path: Path, inputs: list[str], outputs: list[str], expected: str) -> None:
    if len(inputs) != 1 or expected not in outputs:
        raise BundleError(
            f"{path}: inputs {inputs} and outputs {outputs}; expected one input and an output named {expected!r}."
        )
