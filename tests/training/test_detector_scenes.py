"""Scenes and backgrounds from which the face detector learns."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import PIL.Image
import pytest

from emonet.training import _detector_backgrounds as backgrounds
from emonet.training._detector_labels import LabelledFace, labelled_faces, overlap
from emonet.training._detector_scenes import LARGEST, SMALLEST, Scene, SceneMaker

pytest.importorskip("skimage", reason="the face-free photographs come inside scikit-image's wheel (extra demo)")
pytest.importorskip("sklearn", reason="two face-free photographs come inside scikit-learn's wheel (extra torch)")


@pytest.fixture(scope="module")
def faces(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[LabelledFace]]:
    """Four drawn stand-ins for faces on disk: a bright oval on black, whose box is known exactly."""
    folder = tmp_path_factory.mktemp("faces")
    made = []
    for number in range(4):
        rows, columns = np.mgrid[:48, :48]
        oval = ((rows - 24) / 20) ** 2 + ((columns - 24) / 16) ** 2 < 1
        PIL.Image.fromarray((oval * 255).astype(np.uint8)).save(folder / f"{number}.png")
        made.append(LabelledFace(f"{number}.png", "ferplus", "train", (8.0, 4.0, 40.0, 44.0), True, False))
    return folder, made


def _maker(faces: tuple[Path, list[LabelledFace]], seed: int, **settings: float) -> SceneMaker:
    return SceneMaker(*faces, ("coffee.png",), np.random.default_rng(seed), side=64, bank=8, **settings)  # type: ignore[arg-type]


def test_scenes_are_repeatable_and_within_bounds(faces: tuple[Path, list[LabelledFace]]) -> None:
    """The same seed gives the same scenes; boxes to learn have the network's sizes and lie mostly in the picture."""
    first, second = ([maker.scene() for _ in range(60)] for maker in (_maker(faces, 3), _maker(faces, 3)))
    for one, two in zip(first, second, strict=True):
        assert np.array_equal(one.pixels, two.pixels)
        assert np.array_equal(one.boxes, two.boxes)
    boxes = np.concatenate([scene.boxes for scene in first])
    assert len(boxes) > 20
    size = (boxes[:, 2:] - boxes[:, :2]).max(1)
    assert ((size >= SMALLEST) & (size <= LARGEST)).all()
    assert all(scene.pixels.shape == (64, 64) and scene.pixels.dtype == np.uint8 for scene in first)


def test_boxes_of_a_scene_do_not_overlap(faces: tuple[Path, list[LabelledFace]]) -> None:
    """Nothing is pasted over a face that the network is told to find."""
    maker = _maker(faces, 5)
    for scene in (maker.scene() for _ in range(60)):
        boxes = [tuple(map(float, box)) for box in np.concatenate([scene.boxes, scene.ignored])]
        assert all(overlap(a, b) == 0 for k, a in enumerate(boxes) for b in boxes[:k])  # type: ignore[arg-type]


def test_boxes_lie_on_the_pasted_faces(faces: tuple[Path, list[LabelledFace]]) -> None:
    """Scaling, turning and mirroring move box and face together: the oval's centre of mass is the box's centre."""
    folder, made = faces
    maker = SceneMaker(folder, made, ("coffee.png",), np.random.default_rng(1), side=128, bank=4)
    away = []
    for _ in range(60):
        pixels, box = maker._face()
        placed = maker._placed(pixels, box, 40.0)
        assert placed is not None
        values, _, box, _, _ = placed
        rows, columns = np.nonzero(values > (values.min() + values.max()) / 2)
        away.append((columns.mean() + 0.5 - (box[0] + box[2]) / 2, rows.mean() + 0.5 - (box[1] + box[3]) / 2))
    # Side light and the bar that covers some faces move the mass of a few; a wrong box would move all.
    assert (np.median(np.abs(away), axis=0) < 1).all()


def test_face_share_zero_makes_face_free_scenes(faces: tuple[Path, list[LabelledFace]]) -> None:
    """The threshold is chosen on scenes made alike, without faces."""
    maker = _maker(faces, 2, face_share=0.0)
    scenes = [maker.scene() for _ in range(40)]
    assert not any(len(scene.boxes) or len(scene.ignored) for scene in scenes)
    assert all(isinstance(scene, Scene) for scene in scenes)


def test_every_background_kind_is_a_picture() -> None:
    """Each generator fills the asked square with grey values that vary or at least exist."""
    generator = np.random.default_rng(0)
    for kind in set(backgrounds._KINDS):
        values = kind(64, generator)
        assert values.shape == (64, 64)
        assert np.isfinite(values).all()
    assert backgrounds.generated(64, generator).dtype == np.uint8


def test_photographs_for_training_and_measuring_differ() -> None:
    """What counts false alarms was never seen in training, and all named pictures are in the wheels."""
    assert not set(backgrounds.TRAINING_PHOTOGRAPHS) & set(backgrounds.HELD_OUT_PHOTOGRAPHS)
    for name in backgrounds.TRAINING_PHOTOGRAPHS + backgrounds.HELD_OUT_PHOTOGRAPHS:
        pixels = backgrounds.photograph(name)
        assert pixels.ndim == 3
        assert pixels.dtype == np.uint8


def test_absent_photograph_says_what_to_install() -> None:
    """A misnamed picture is answered with the install line."""
    from emonet import errors

    with pytest.raises(errors.UsageError, match="pip install"):
        backgrounds.photograph("nowhere.png")


def test_pseudo_boxes_are_cached_and_read_back(tmp_path: Path) -> None:
    """The five minutes of labelling are spent once."""
    cache = tmp_path / "boxes.json"
    cache.write_text(
        '[{"path": "a.jpg", "source": "muxspace", "split": "test", '
        '"box": [1, 2, 3, 4.5], "found": true, "agreed": false}]'
    )
    (face,) = labelled_faces(tmp_path, cache)
    assert face == LabelledFace("a.jpg", "muxspace", "test", (1, 2, 3, 4.5), True, False)


def test_overlap_of_boxes() -> None:
    """Half of two equal boxes shared is a third of their union."""
    assert overlap((0, 0, 2, 2), (0, 0, 2, 2)) == 1
    assert overlap((0, 0, 2, 2), (1, 0, 3, 2)) == pytest.approx(1 / 3)
    assert overlap((0, 0, 2, 2), (2, 0, 3, 2)) == 0
