"""The face detector's training loop, targets, export and measures, on made data."""

from __future__ import annotations

import json
import warnings
from pathlib import Path

import numpy as np
import PIL.Image
import pytest

torch = pytest.importorskip("torch", reason="training needs torch (extra torch)")
pytest.importorskip("onnxscript", reason="the network is exported with onnxscript (extra torch)")
pytest.importorskip("skimage", reason="the face-free photographs come inside scikit-image's wheel (extra demo)")

from emonet import errors  # noqa: E402
from emonet.media._faces import Face  # noqa: E402
from emonet.training import _detector_evaluation as evaluation  # noqa: E402
from emonet.training import _detector_training as training  # noqa: E402
from emonet.training._detector_labels import LabelledFace  # noqa: E402
from emonet.training._detector_network import STRIDE, FaceNetwork  # noqa: E402
from emonet.training._detector_scenes import Scene  # noqa: E402

_RECIPE = """
task = "face-detector"
[network]
width = 16
depth = 1
[training]
seed = 1
threads = 1
scene_side = 64
batch = 8
steps = 120
rate = 1e-2
weight_decay = 0.0
mean_decay = 0.9
report_every = 40
"""


def _scene() -> Scene:
    return Scene(np.zeros((64, 64), np.uint8), np.float32([[8, 16, 40, 48]]), np.float32([[48, 48, 64, 64]]))


def test_targets_mark_the_middle_of_a_face() -> None:
    """Cells near the face's centre are positive and hold its box; a ring and ignored faces do not count."""
    positive, counts, boxes = training.targets_of(_scene())
    rows, columns = np.nonzero(positive)
    assert set(zip(rows.tolist(), columns.tolist(), strict=True)) == {(3, 2), (3, 3), (4, 2), (4, 3)}
    assert (boxes[:, 3, 2] == [8, 16, 40, 48]).all()
    assert counts[6:, 6:].sum() == 0
    assert counts[0, 0] == 1
    assert (counts[positive > 0] == 1).all()


def test_losses_vanish_for_the_right_answer() -> None:
    """Boxes and scores equal to the truth cost nothing; a shifted box costs."""
    positive, counts, boxes = (torch.from_numpy(part)[None] for part in training.targets_of(_scene()))
    centres = (torch.arange(8) + 0.5) * STRIDE
    x, y = centres[None, None, :], centres[None, :, None]
    answer = torch.stack([positive * 40 - 20, x - boxes[:, 0], y - boxes[:, 1], boxes[:, 2] - x, boxes[:, 3] - y], 1)
    score_loss, box_loss = training.losses(answer, positive, counts, boxes)
    assert score_loss < 1e-3
    assert box_loss < 1e-5
    answer[:, 1] += 10
    assert training.losses(answer, positive, counts, boxes)[1] > 0.1


def test_exported_network_answers_like_torch(tmp_path: Path) -> None:
    """ONNX and torch agree at several sizes, and the file holds no path of the machine that wrote it."""
    import onnxruntime

    torch.manual_seed(0)
    network = FaceNetwork(16, 1).eval()
    path = _exported(network, tmp_path / "net.onnx")
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    for rows, columns in ((8, 8), (64, 40), (136, 72)):
        x = np.random.default_rng(0).random((1, 1, rows, columns), np.float32)
        want = network(torch.from_numpy(x)).detach().numpy()
        want[:, 0] = 1 / (1 + np.exp(-want[:, 0]))
        (got,) = session.run(None, {"input": x})
        assert got.shape == (1, 5, rows // STRIDE, columns // STRIDE)
        np.testing.assert_allclose(got, want, atol=1e-4)
    assert str(Path.cwd()).encode() not in path.read_bytes()


def _exported(network: FaceNetwork, path: Path) -> Path:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch's exporter warns of its own deprecations
        return training.export(network, path)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Thirty drawn faces (bright oval, two eyes, a mouth) with a cache of their boxes."""
    folder = tmp_path / "data"
    folder.mkdir()
    generator = np.random.default_rng(0)
    rows, columns = np.mgrid[:48, :48]
    records = []
    for number in range(60):
        picture = np.full((48, 48), 30.0)
        picture[((rows - 24) / 21) ** 2 + ((columns - 24) / 17) ** 2 < 1] = generator.uniform(150, 250)
        for x in (17, 31):
            picture[(rows - 18) ** 2 + (columns - x) ** 2 < 9] = 20
        picture[(abs(rows - 36) < 2) & (abs(columns - 24) < 8)] = 20
        PIL.Image.fromarray(picture.astype(np.uint8)).save(folder / f"{number}.png")
        source, split = ("muxspace", "ferplus")[number % 2], ("train", "test")[number % 6 > 3]
        box = [7.0, 3.0, 41.0, 45.0]
        records.append(
            {"path": f"{number}.png", "source": source, "split": split, "box": box, "found": True, "agreed": True}
        )
    lines = [f"{row['path']},{row['source']},{row['split']},48,48" for row in records]
    (folder / "manifest.csv").write_text("\n".join(["path,source,split,width,height", *lines]))
    (tmp_path / "output").mkdir()
    (tmp_path / "output" / "boxes.json").write_text(json.dumps(records))
    return folder


def test_training_learns_and_writes_a_detector(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A minute network on drawn faces: the loss falls, and the folder loads as a detector with a measured card."""
    from emonet.media._faces import EmbeddedDetector
    from emonet.training import _detector_card as card_module
    from emonet.training import _detector_scenes

    monkeypatch.setattr(_detector_scenes, "_BANK", 10)
    monkeypatch.setattr(card_module, "_EMPTY_SCENES", 20)
    monkeypatch.setattr(card_module, "_GENERATED", 10)
    monkeypatch.setattr(card_module.backgrounds, "HELD_OUT_PHOTOGRAPHS", ("page.png", "gravel.png"))
    recipe = tmp_path / "recipe.toml"
    recipe.write_text(_RECIPE)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        folder = training.train_detector(recipe, data, tmp_path / "output")
    record = json.loads((tmp_path / "output" / "training.json").read_text())
    assert record["losses"][-1][1] < record["losses"][0][1]
    card = EmbeddedDetector(folder, threads=1).card
    assert 0.2 <= card["threshold"] <= 0.9
    assert {"portraits", "fer_48_pixels"} <= card["recall"].keys()
    assert str(tmp_path) not in (folder / "face-detector.json").read_text()
    assert "step 120/120" in capsys.readouterr().out


def test_refuses_another_kind_of_recipe(tmp_path: Path) -> None:
    """A recipe of another task is named before any work."""
    recipe = tmp_path / "other.toml"
    recipe.write_text('task = "voice"')
    with pytest.raises(errors.UsageError, match="face-detector"):
        training.train_detector(recipe, tmp_path, tmp_path / "out")


def test_validation_faces_are_other_people() -> None:
    """Pictures of one person never lie on both sides, and test pictures on neither."""
    faces = [
        LabelledFace(f"faces/Person_{p}_{k:04d}.jpg", "muxspace", "train", (0, 0, 1, 1), True, True)
        for p in "abcdefghijklmnopqrstuvwxyz"
        for k in range(3)
    ]
    test = LabelledFace("faces/Other_0001.jpg", "muxspace", "test", (0, 0, 1, 1), True, True)
    train, validation = training.split_faces([*faces, test])
    assert len(train) + len(validation) == len(faces)
    people = [{face.path.rsplit("_", 1)[0] for face in part} for part in (train, validation)]
    assert not people[0] & people[1]


def test_wilson_interval_matches_the_published_example() -> None:
    """Newcombe 1998, table I: 81 of 263 gives .2553 to .3662; none of 20 gives 0 to .1611."""
    assert evaluation.Share(81, 263).interval == pytest.approx((0.2553, 0.3662), abs=1e-4)
    assert evaluation.Share(0, 20).interval == pytest.approx((0, 0.1611), abs=1e-4)


def test_measures_count_hits_and_alarms() -> None:
    """A detector that always answers the same box hits where the face is there and alarms everywhere."""

    def always(pixels: np.ndarray) -> tuple[Face, ...]:
        return (Face((10.0, 10.0, 40.0, 40.0), 0.9),)

    blank = np.zeros((50, 50, 3), np.uint8)
    cases = [evaluation.Case(blank, (12, 12, 40, 40)), evaluation.Case(blank, (30, 30, 50, 50))]
    assert evaluation.found(always, cases).value == 0.5
    assert evaluation.central(always, cases).value == 1
    rate, low, high, pictures = evaluation.alarms(always, [("a", blank), ("a", blank), ("b", blank)])
    assert (rate, low, high, pictures) == (1, 1, 1, 3)
    assert evaluation.alarms(lambda _: (), [("a", blank)])[0] == 0


def test_turned_portraits_keep_box_and_face_together(tmp_path: Path) -> None:
    """A white square turned about the middle lies where the moved box says."""
    picture = np.zeros((60, 80, 3), np.uint8)
    picture[10:22, 50:62] = 255
    PIL.Image.fromarray(picture).save(tmp_path / "a.png")
    face = LabelledFace("a.png", "muxspace", "test", (50.0, 10.0, 62.0, 22.0), True, True)
    for angle, enlarge in ((0, 1), (15, 1), (-15, 1), (0, 3), (30, 2)):
        (case,) = evaluation.portraits(tmp_path, [face], angle=angle, enlarge=enlarge)
        rows, columns = np.nonzero(case.pixels[..., 0] > 128)
        assert columns.mean() + 0.5 == pytest.approx((case.box[0] + case.box[2]) / 2, abs=1.5)
        assert rows.mean() + 0.5 == pytest.approx((case.box[1] + case.box[3]) / 2, abs=1.5)
