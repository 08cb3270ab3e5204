"""Write the graphs by which ONNX Runtime multiplies one block of the voice heads' first layers.

    python recipes/projection_graphs.py src/emonet/models/graphs

Each graph computes `total + x · weightᵀ` for float32 x [n, k], float32 total [n, rows] and a weight [rows, k] stored
as its file's name says; the int8 one multiplies the product by a float32 scale [rows]. All sizes are free, so one file
serves every suite. They are files because the `onnx` package, which writes them, is not needed to run them.
"""

from __future__ import annotations

import sys
from pathlib import Path

from onnx import ModelProto, TensorProto, helper

STORED = {"F32": TensorProto.FLOAT, "F16": TensorProto.FLOAT16, "BF16": TensorProto.BFLOAT16, "I8": TensorProto.INT8}


def graph(stored: str) -> ModelProto:
    """The graph for one way of storing weights."""
    value, float32 = helper.make_tensor_value_info, TensorProto.FLOAT
    inputs = [
        value("x", float32, ["n", "k"]),
        value("weight", STORED[stored], ["rows", "k"]),
        value("total", float32, ["n", "rows"]),
    ]
    nodes, wide, product = [], "weight", "product"
    if stored != "F32":
        nodes.append(helper.make_node("Cast", ["weight"], ["wide"], to=float32))
        wide = "wide"
    nodes.append(helper.make_node("Gemm", ["x", wide], ["product"], transB=1))
    if stored == "I8":
        inputs.append(value("scale", float32, ["rows"]))
        nodes.append(helper.make_node("Mul", ["product", "scale"], ["scaled"]))
        product = "scaled"
    nodes.append(helper.make_node("Add", ["total", product], ["sum"]))
    outputs = [value("sum", float32, ["n", "rows"])]
    made = helper.make_graph(nodes, f"project_{stored.lower()}", inputs, outputs)
    return helper.make_model(made, opset_imports=[helper.make_opsetid("", 17)], ir_version=9, producer_name="emonet")


def main(folder: Path) -> None:
    """Write all four."""
    folder.mkdir(parents=True, exist_ok=True)
    for stored in STORED:
        (folder / f"project_{stored.lower()}.onnx").write_bytes(graph(stored).SerializeToString())


if __name__ == "__main__":
    main(Path(sys.argv[1]))
