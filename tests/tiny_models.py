"""Tiny models on disk and small media made on the fly; tests of reports and of the command use them too."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from emonet.media import Face
from emonet.models import HeadWeights, write_bundle
from emonet.taxonomy import EMOTIONS

JUDGED = ("amusement", "contentment", "fear", "anger", "sadness", "contempt")
KEYS = tuple(record.key for record in EMOTIONS)


def _card(modality: str, preprocessing: dict[str, Any]) -> dict[str, Any]:
    return {
        "id": f"test/{modality}",
        "title": f"Tiny {modality} model",
        "modality": modality,
        "dimensions": KEYS,
        "scale": {"*": {"low": 0, "high": 7, "meaning": "intensity"}},
        "preprocessing": preprocessing,
        "encoder": {"output": "embedding", "size": 2},
        "neutral_means": dict.fromkeys(JUDGED, 0.5),
        "calibration": {"anger": {"x": (0.0, 2.0), "y": (0.0, 1.0), "data": "made up"}},
        "missing": {key: "no free labels <&>" for key in KEYS if key not in JUDGED},
        "evidence": {
            key: {"kind": "teacher" if key == "contempt" else "direct", "detail": "made up"} for key in JUDGED
        },
        "metrics": [
            {"name": "mean AUC", "value": 0.8, "low": 0.7, "high": 0.9, "n": 99, "data": "made-up people"},
            {
                "name": "AUC",
                "dimension": "anger",
                "value": 0.7,
                "low": 0.6,
                "high": 0.8,
                "n": 99,
                "data": "made-up people",
            },
        ],
        "licence": "Apache-2.0",
        "limits": ["Knows only brightness and loudness."],
        "created": "2026-01-01",
    }


def _heads() -> HeadWeights:
    """Emotion i scores (i + 1) times the first number of the embedding."""
    weights = np.zeros((len(JUDGED), 2), np.float32)
    weights[:, 0] = np.arange(1, len(JUDGED) + 1)
    return HeadWeights("linear", "embedding", JUDGED, (weights,), (np.zeros(len(JUDGED), np.float32),))


def _encoder(path: Path, shape: list[str | int]) -> Path:
    """ONNX: mean and maximum of each item, [n, 2]."""
    import onnx
    from onnx import TensorProto, helper

    flat = list(range(1, len(shape)))
    nodes = [
        helper.make_node("ReduceMean", ["input"], ["mean"], axes=flat, keepdims=0),
        helper.make_node("ReduceMax", ["input"], ["max"], axes=flat, keepdims=0),
        helper.make_node("Unsqueeze", ["mean", "one"], ["mean2"]),
        helper.make_node("Unsqueeze", ["max", "one"], ["max2"]),
        helper.make_node("Concat", ["mean2", "max2"], ["embedding"], axis=1),
    ]
    graph = helper.make_graph(
        nodes,
        "tiny",
        [helper.make_tensor_value_info("input", TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info("embedding", TensorProto.FLOAT, ["n", 2])],
        [helper.make_tensor("one", TensorProto.INT64, [1], [1])],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    onnx.checker.check_model(model)
    path.write_bytes(model.SerializeToString())
    return path


@pytest.fixture(scope="session")
def face_bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A face model that scores brightness: white is 1 per unit of weight, black 0."""
    folder = tmp_path_factory.mktemp("face-model")
    encoder = _encoder(folder / "encoder.onnx", ["n", 1, 16, 16])
    spec = {"kind": "image", "height": 16, "width": 16, "channels": 1, "mean": (0.0,), "std": (1.0,), "margin": 0.1}
    write_bundle(folder / "bundle", encoder_onnx=encoder, groups=[_heads()], card=_card("face", spec))
    return folder / "bundle"


@pytest.fixture(scope="session")
def voice_bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A voice model with windows of two seconds; its scores are small and mean nothing."""
    folder = tmp_path_factory.mktemp("voice-model")
    encoder = _encoder(folder / "encoder.onnx", ["n", 20, "frames"])
    spec = {"kind": "audio", "front_end": "log-mel", "n_mels": 20, "window_s": 2.0, "min_s": 0.5}
    write_bundle(folder / "bundle", encoder_onnx=encoder, groups=[_heads()], card=_card("voice", spec))
    return folder / "bundle"


class CentreFaces:
    """A detector that sees a face in the middle of each picture that is not black, and two in wide ones."""

    def detect(self, pixels: NDArray[np.uint8]) -> tuple[Face, ...]:
        height, width = pixels.shape[:2]
        if not pixels.any():
            return ()
        side = height / 2
        centres = (width / 4, 3 * width / 4) if width > 1.5 * height else (width / 2,)
        top = height / 2 - side / 2
        return tuple(Face((x - side / 2, top, x + side / 2, top + side), 0.9) for x in centres)


@pytest.fixture
def centre_faces() -> CentreFaces:
    """The detector above."""
    return CentreFaces()


@pytest.fixture
def picture(tmp_path: Path) -> Callable[..., Path]:
    """Writes a grey PNG: picture("a.png", level=128, size=(64, 64))."""

    def write(name: str = "a.png", *, level: int = 128, size: tuple[int, int] = (64, 64)) -> Path:
        import PIL.Image

        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        PIL.Image.new("RGB", size, (level, level, level)).save(path, format=None if path.suffix else "PNG")
        return path

    return write


@pytest.fixture
def tone(tmp_path: Path) -> Callable[..., Path]:
    """Writes a tone: tone("a.wav", seconds=3.0)."""

    def write(name: str = "a.wav", *, seconds: float = 3.0, level: float = 0.3, rate: int = 16_000) -> Path:
        import soundfile

        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        times = np.arange(round(seconds * rate)) / rate
        soundfile.write(path, level * np.sin(2 * np.pi * 220 * times), rate)
        return path

    return write


@pytest.fixture
def video(tmp_path: Path) -> Callable[..., Path]:
    """Writes a short MP4 of growing brightness, with or without a tone: video("a.mp4", seconds=2.0, sound=True)."""
    av = pytest.importorskip("av")

    def write(name: str = "a.mp4", *, seconds: float = 2.0, sound: bool = True) -> Path:
        path = tmp_path / name
        with av.open(str(path), "w") as container:
            pictures = container.add_stream("mpeg4", rate=10)
            pictures.width = pictures.height = 64
            pictures.pix_fmt = "yuv420p"
            tones = container.add_stream("aac", rate=16_000, layout="mono") if sound else None
            count = round(seconds * 10)
            for i in range(count):
                pixels = np.full((64, 64, 3), 60 + 150 * i // count, np.uint8)
                container.mux(pictures.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24")))
            container.mux(pictures.encode())
            if tones is not None:
                times = np.arange(round(seconds * 16_000)) / 16_000
                samples = (0.3 * np.sin(2 * np.pi * 220 * times)).astype(np.float32)[None]
                frame = av.AudioFrame.from_ndarray(samples, format="fltp", layout="mono")
                frame.sample_rate = 16_000
                container.mux(tones.encode(frame))
                container.mux(tones.encode())
        return path

    return write
