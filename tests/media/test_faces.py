"""The face detector: its answers, its geometry and its refusals."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import PIL.Image
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from emonet import errors
from emonet.media import _faces

_side = st.floats(0, 200, width=32)
_size = st.floats(1, 100, width=32)
_box = st.tuples(_side, _side, _size, _size).map(lambda b: (b[0], b[1], b[0] + b[2], b[1] + b[3]))
_scored = st.lists(st.tuples(_box, st.floats(0.0078125, 1, width=32)), max_size=20)


def _arrays(scored: list[tuple[tuple[float, ...], float]]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    boxes = np.asarray([box for box, _ in scored], np.float32).reshape(-1, 4)
    return boxes, np.asarray([score for _, score in scored], np.float32)


@pytest.fixture(scope="module")
def detector() -> _faces.FaceDetector:
    return _faces.load_face_detector(threads=1)


@pytest.fixture(scope="module")
def astronaut() -> NDArray[np.uint8]:
    data = pytest.importorskip("skimage.data", reason="the portrait comes inside scikit-image's wheel (extra demo)")
    return np.asarray(data.astronaut())


def _on_face(face: _faces.Face, scale: float = 1.0, x: float = 0.0, y: float = 0.0) -> bool:
    """Is the box on the astronaut's face (about 178, 72 to 268, 162), at least half overlapping?"""
    true = np.float32([178, 72, 268, 162]) * np.float32(scale) + np.float32([x, y, x, y])
    return bool(_faces.overlaps(true, np.float32([face.box]))[0][0] >= 0.5)


def test_finds_exactly_the_astronauts_face(detector: _faces.FaceDetector, astronaut: NDArray[np.uint8]) -> None:
    """One face, no second one in flag, suit, helmet or rocket."""
    faces = detector.detect(astronaut)
    assert len(faces) == 1
    assert _on_face(faces[0])
    assert 0.3 < faces[0].score <= 1


@pytest.mark.parametrize("scale", [0.4, 0.7, 2.0, 3.5])
def test_finds_the_face_at_every_size(
    detector: _faces.FaceDetector, astronaut: NDArray[np.uint8], scale: float
) -> None:
    """The picture pyramid covers small and large faces alike, and boxes come back in the picture's own pixels."""
    side = round(512 * scale)
    pixels = np.asarray(PIL.Image.fromarray(astronaut).resize((side, side)))
    assert _on_face(detector.detect(pixels)[0], scale)


def test_finds_a_face_that_fills_the_picture(detector: _faces.FaceDetector, astronaut: NDArray[np.uint8]) -> None:
    """A tight portrait crop is the usual input of a face model."""
    faces = detector.detect(np.ascontiguousarray(astronaut[52:182, 160:286]))
    assert _on_face(faces[0], x=-160, y=-52)


def test_finds_two_faces_in_a_wide_picture(detector: _faces.FaceDetector, astronaut: NDArray[np.uint8]) -> None:
    """Two portraits side by side give two faces, each in its half."""
    pair = np.hstack([astronaut[:256], astronaut[:256, ::-1]])
    faces = sorted(detector.detect(pair), key=lambda face: face.box[0])
    assert len(faces) == 2
    assert faces[0].box[2] < 512 < faces[1].box[0]


def test_grey_picture_gives_the_same_face(detector: _faces.FaceDetector, astronaut: NDArray[np.uint8]) -> None:
    """The network looks at luma only, so removing colour changes next to nothing."""
    grey = np.asarray(PIL.Image.fromarray(astronaut).convert("L").convert("RGB"))
    (colour,), (plain,) = detector.detect(astronaut), detector.detect(grey)
    assert np.allclose(colour.box, plain.box, atol=2)


@pytest.mark.parametrize("shape", [(1, 1), (1, 300), (300, 1), (7, 5), (64, 64), (33, 901)])
@pytest.mark.parametrize("shade", [0, 128, 255])
def test_flat_pictures_of_any_shape_hold_no_face(
    detector: _faces.FaceDetector, shape: tuple[int, int], shade: int
) -> None:
    """No shape breaks the pyramid and a flat picture is empty."""
    assert detector.detect(np.full((*shape, 3), shade, np.uint8)) == ()


@given(scored=_scored)
def test_merged_boxes_do_not_overlap_and_come_best_first(scored: list[tuple[tuple[float, ...], float]]) -> None:
    """Each answer stands for one face; scores fall and none is invented."""
    boxes, scores = _arrays(scored)
    kept, best = _faces.merged(boxes, scores)
    assert len(kept) == len(best) <= len(boxes)
    assert bool(scored) == bool(len(kept))
    assert (np.diff(best) <= 0).all()
    assert set(best.tolist()) <= set(scores.tolist())
    if scored:
        assert best[0] == scores.max()
        assert (kept.min(0) >= boxes.min(0) - 1e-3).all()
        assert (kept.max(0) <= boxes.max(0) + 1e-3).all()


@given(first=_box, second=_box)
def test_overlap_is_symmetric_and_bounded(first: tuple[float, ...], second: tuple[float, ...]) -> None:
    """Intersection over union lies in 0..1, is 1 for a box with itself and never exceeds that over the smaller box."""
    a, b = np.float32(first), np.float32(second)
    union, smaller = _faces.overlaps(a, b[None])
    assert np.isclose(union, _faces.overlaps(b, a[None])[0], atol=1e-5)
    assert 0 <= union[0] <= smaller[0] + 1e-5 <= 1.01
    assert np.isclose(_faces.overlaps(a, a[None])[0][0], 1, atol=1e-4)


@given(scored=_scored, width=st.integers(1, 150), height=st.integers(1, 150))
@settings(max_examples=50)
def test_faces_lie_within_the_picture(scored: list[tuple[tuple[float, ...], float]], width: int, height: int) -> None:
    """Boxes are cut to the picture and never empty."""
    for face in _faces.faces_of(*_arrays(scored), width, height):
        left, top, right, bottom = face.box
        assert 0 <= left < right <= width
        assert 0 <= top < bottom <= height


@pytest.mark.parametrize(
    "pixels",
    [
        np.zeros((4, 4), np.uint8),
        np.zeros((4, 4, 4), np.uint8),
        np.zeros((4, 4, 3), np.float32),
        np.zeros((0, 4, 3), np.uint8),
    ],
)
def test_refuses_what_is_not_a_picture(detector: _faces.FaceDetector, pixels: NDArray[np.uint8]) -> None:
    """The message names what came and what was expected."""
    with pytest.raises(errors.UsageError, match="expected uint8"):
        detector.detect(pixels)


def test_unknown_name_lists_the_known_ones() -> None:
    """A misspelt name is answered with the nearest one."""
    with pytest.raises(errors.UnknownNameError, match="Did you mean 'yunet'"):
        _faces.load_face_detector("yunnet")


def test_altered_network_is_refused(tmp_path: Path) -> None:
    """The card's hash guards the network; a missing or broken card is named too."""
    source = Path(_faces.__file__).parent / "detector"
    folder = tmp_path / "detector"
    shutil.copytree(source, folder)
    network = folder / "face-detector.onnx"
    network.write_bytes(network.read_bytes()[:-1])
    with pytest.raises(errors.BundleError, match="altered"):
        _faces.EmbeddedDetector(folder)
    network.unlink()
    with pytest.raises(errors.BundleError, match="missing"):
        _faces.EmbeddedDetector(folder)
    (folder / "face-detector.json").write_text("{}")
    with pytest.raises(errors.BundleError, match="lacks"):
        _faces.EmbeddedDetector(folder)


@pytest.mark.parametrize("wrong", [{"threshold": 0.0}, {"threshold": 1.5}, {"longest": 10}])
def test_refuses_wrong_settings(wrong: dict[str, float]) -> None:
    """Settings outside their range are named."""
    with pytest.raises(errors.UsageError, match=next(iter(wrong))):
        _faces.EmbeddedDetector(**wrong)  # type: ignore[arg-type]


def test_card_says_what_the_detector_is() -> None:
    """The card names data, licence and measured shares with intervals."""
    card = json.loads((Path(_faces.__file__).parent / "detector" / "face-detector.json").read_text())
    assert {"sha256", "threshold", "bytes", "licence", "training_data", "recall", "false_alarms"} <= card.keys()
    for share in card["recall"].values():
        low, high = share["interval"]
        assert 0 <= low <= share["value"] <= high <= 1


@pytest.mark.shared
def test_card_recall_is_reproduced_on_a_sample(shared: Path, detector: _faces.FaceDetector) -> None:
    """On 100 real portraits of the test split the recall lies in a 99.9 % binomial range of the card's."""
    import csv

    stats = pytest.importorskip("scipy.stats", reason="the binomial range comes from scipy (extra torch)")
    with (shared / "data" / "manifest.csv").open(newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["source"] == "muxspace" and row["split"] == "test"]
    paths = [row["path"] for row in rows][::5][:100]
    assert len(paths) == 100
    hits = 0
    for path in paths:
        pixels = np.asarray(PIL.Image.open(shared / "data" / path).convert("RGB"))
        hits += bool(detector.detect(pixels))
    card = json.loads((Path(_faces.__file__).parent / "detector" / "face-detector.json").read_text())
    assert hits >= stats.binom.ppf(0.0005, 100, card["recall"]["portraits"]["interval"][0])
