"""YuNet's answers decoded, on a generated network of the same layout."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from emonet import errors
from emonet.media import _yunet
from emonet.media._faces import load_face_detector

_SIDE = 64


def _file(path: Path, *, kinds: tuple[str, ...] = ("cls", "obj", "bbox"), side: int | None = _SIDE) -> Path:
    """A network with YuNet's inputs and outputs whose answer is fixed: one face in one cell of stride 16."""
    onnx = pytest.importorskip("onnx", reason="the generated network is written with onnx (extra torch)")
    helper, numpy_helper = onnx.helper, onnx.numpy_helper
    nodes, weights, outputs = [], [], []
    for kind in kinds:
        for stride in (8, 16, 32):
            cells = (_SIDE // stride) ** 2
            values = np.zeros((1, cells, 4 if kind == "bbox" else 1), np.float32)
            if stride == 16:  # second row, third column
                at = 1 * 4 + 2
                values[0, at] = {"cls": [0.81], "obj": [1.2], "bbox": [0.5, 0.25, np.log(2), np.log(1.5)]}[kind]
            name = f"{kind}_{stride}"
            weights.append(numpy_helper.from_array(values, f"{name}_fixed"))
            nodes += [helper.make_node("Add", [f"{name}_fixed", "nothing"], [name])]
            outputs.append(helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, values.shape))
    weights.append(numpy_helper.from_array(np.float32(0), "zero"))
    nodes = [
        helper.make_node("ReduceMax", ["input"], ["top"], keepdims=0),
        helper.make_node("Mul", ["top", "zero"], ["nothing"]),
        *nodes,
    ]
    picture = helper.make_tensor_value_info("input", onnx.TensorProto.FLOAT, [1, 3, side, side])
    graph = helper.make_graph(nodes, "yunet", [picture], outputs, weights)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.save(model, path)
    return path


@pytest.mark.parametrize("side", [_SIDE, None])
def test_decodes_the_box_of_a_cell(tmp_path: Path, side: int | None) -> None:
    """Centre ((2 + .5) 16, (1 + .25) 16), size (2, 1.5) 16, score sqrt(.81 x 1), scaled back to the picture."""
    detector = load_face_detector(f"yunet:{_file(tmp_path / 'y.onnx', side=side)}", threads=1)
    (face,) = detector.detect(np.zeros((_SIDE, _SIDE, 3), np.uint8))
    assert face.box == pytest.approx((24, 8, 56, 32), abs=1e-4)
    assert face.score == pytest.approx(0.9)


def test_scales_boxes_back_to_a_larger_picture(tmp_path: Path) -> None:
    """A file with a fixed input sees the picture reduced; the boxes come back in the picture's own pixels."""
    detector = load_face_detector(f"yunet:{_file(tmp_path / 'y.onnx')}", threads=1)
    (face,) = detector.detect(np.zeros((_SIDE, 2 * _SIDE, 3), np.uint8))
    assert face.box == pytest.approx((48, 16, 112, 64), abs=1e-3)


def test_refuses_a_file_of_another_layout(tmp_path: Path) -> None:
    """The 2022 file has other outputs; the message names the lacking ones."""
    with pytest.raises(errors.BundleError, match="bbox_16"):
        _yunet.YuNetDetector(_file(tmp_path / "y.onnx", kinds=("cls", "obj")))


def test_refuses_a_missing_or_broken_file(tmp_path: Path) -> None:
    """A wrong path and a file that is no network are told apart."""
    with pytest.raises(errors.BundleError, match="missing"):
        load_face_detector(f"yunet:{tmp_path / 'absent.onnx'}")
    broken = tmp_path / "broken.onnx"
    broken.write_bytes(b"no network")
    with pytest.raises(errors.BundleError, match="cannot be run"):
        load_face_detector(f"yunet:{broken}")


def test_offline_says_what_to_do(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Without a network and without a cached file the message points to the embedded detector."""
    import huggingface_hub

    def offline(*_: object) -> str:
        raise OSError("offline")

    monkeypatch.setattr(huggingface_hub, "hf_hub_download", offline)
    with pytest.raises(errors.BundleError, match="embedded detector"):
        load_face_detector("yunet")


def test_another_file_from_the_hub_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """What the hub sends must be the pinned file."""
    import huggingface_hub

    other = tmp_path / "other.onnx"
    other.write_bytes(b"something else")
    monkeypatch.setattr(huggingface_hub, "hf_hub_download", lambda *_: str(other))
    with pytest.raises(errors.BundleError, match="not the pinned YuNet"):
        load_face_detector("yunet")
