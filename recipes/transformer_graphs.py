"""Write the graphs by which `emonet doctor` times a transformer of the shape of LAION's encoders.

    python recipes/transformer_graphs.py src/emonet/models/graphs

Each graph is one layer of Whisper-small's encoder (width 768, 12 heads, 3072 hidden units; Radford et al. 2022):
`input` float32 [n, positions, 768] → `sequence` of the same shape. Weights are in a file `transformer.<precision>.bin`
beside the graph, which the doctor fills with random numbers: only the shape matters for the time. The 8-bit graphs
follow emonet.models._quantize: 8-bit weights, and for `int8` activations too, with a range of -6..6.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
from onnx import ModelProto, TensorProto, helper, numpy_helper

WIDTH, HEADS, HIDDEN = 768, 12, 3072
LINEARS = {"qkv": (WIDTH, 3 * WIDTH), "out": (WIDTH, WIDTH), "up": (WIDTH, HIDDEN), "down": (HIDDEN, WIDTH)}


class Layer:
    """Nodes and initialisers as they are put together; `offset`: bytes of weights so far."""

    def __init__(self, precision: str) -> None:
        self.precision = precision
        self.nodes: list[Any] = []
        self.stored: list[Any] = []
        self.offset = 0

    def constant(self, name: str, values: Any) -> str:
        """A small array inside the graph."""
        self.stored.append(numpy_helper.from_array(np.asarray(values), name))
        return name

    def op(self, kind: str, *inputs: str, to: str, outputs: int = 1, **attributes: Any) -> str:
        """One node; the name of its (first) output."""
        names = [to] if outputs == 1 else [f"{to}{i}" for i in range(outputs)]
        self.nodes.append(helper.make_node(kind, list(inputs), names, **attributes))
        return names[0]

    def linear(self, x: str, name: str) -> str:
        """x · weight, the weight in the file beside the graph."""
        size_in, size_out = LINEARS[name]
        weight = self._outside(f"{name}.weight", size_in, size_out)
        if self.precision != "fp32":
            zero = self.constant(f"{name}.zero", np.int8(0))
            scale = self.constant(f"{name}.scale", np.float32((3 / size_in) ** 0.5 / 127))
            weight = self.op("DequantizeLinear", weight, scale, zero, to=f"{name}.wide")
        if self.precision == "int8":
            zero = self.constant(f"{name}.x.zero", np.int8(0))
            step = self.constant(f"{name}.x.scale", np.float32(6 / 127))
            x = self.op("QuantizeLinear", x, step, zero, to=f"{name}.x.int8")
            x = self.op("DequantizeLinear", x, step, zero, to=f"{name}.x")
        return self.op("MatMul", x, weight, to=f"{name}.y")

    def _outside(self, name: str, size_in: int, size_out: int) -> str:
        stored = TensorProto.FLOAT if self.precision == "fp32" else TensorProto.INT8
        length = size_in * size_out * (4 if self.precision == "fp32" else 1)
        tensor = TensorProto(name=name, data_type=stored, dims=[size_in, size_out])
        tensor.data_location = TensorProto.EXTERNAL
        facts = {"location": f"transformer.{self.precision}.bin", "offset": self.offset, "length": length}
        for key, value in facts.items():
            tensor.external_data.add(key=key, value=str(value))
        self.offset += length
        self.stored.append(tensor)
        return name


def graph(precision: str) -> ModelProto:
    """One layer: normalise, attend, add; normalise, two linear layers with GELU, add."""
    layer = Layer(precision)
    ones = layer.constant("ones", np.ones(WIDTH, np.float32))
    heads = layer.constant("heads", np.array([0, 0, HEADS, WIDTH // HEADS]))
    whole = layer.constant("whole", np.array([0, 0, WIDTH]))
    scale = layer.constant("scale", np.float32((WIDTH // HEADS) ** -0.5))

    x = layer.op("LayerNormalization", "input", ones, to="before")
    layer.linear(x, "qkv")
    layer.op("Split", "qkv.y", to="part", outputs=3, axis=2, num_outputs=3)
    for i, order in enumerate(([0, 2, 1, 3], [0, 2, 3, 1], [0, 2, 1, 3])):
        layer.op("Reshape", f"part{i}", heads, to=f"split{i}")
        layer.op("Transpose", f"split{i}", to=f"head{i}", perm=order)
    layer.op("Mul", "head0", scale, to="query")
    layer.op("MatMul", "query", "head1", to="logits")
    layer.op("Softmax", "logits", to="attention", axis=-1)
    layer.op("MatMul", "attention", "head2", to="mixed")
    layer.op("Transpose", "mixed", to="joined", perm=[0, 2, 1, 3])
    layer.op("Reshape", "joined", whole, to="flat")
    layer.op("Add", "input", layer.linear("flat", "out"), to="middle")

    x = layer.op("LayerNormalization", "middle", ones, to="again")
    layer.op("Gelu", layer.linear(x, "up"), to="active")
    layer.op("Add", "middle", layer.linear("active", "down"), to="sequence")

    shape = ["n", "positions", WIDTH]
    made = helper.make_graph(
        layer.nodes,
        f"transformer_{precision}",
        [helper.make_tensor_value_info("input", TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info("sequence", TensorProto.FLOAT, shape)],
        layer.stored,
    )
    return helper.make_model(made, opset_imports=[helper.make_opsetid("", 20)], ir_version=9, producer_name="emonet")


def main(folder: Path) -> None:
    """Write all three."""
    folder.mkdir(parents=True, exist_ok=True)
    for precision in ("fp32", "int8-weights", "int8"):
        (folder / f"transformer.{precision}.onnx").write_bytes(graph(precision).SerializeToString())


if __name__ == "__main__":
    main(Path(sys.argv[1]))
