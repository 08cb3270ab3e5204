"""Making portraits: checked, made again, marked, packed, audited; a killed run goes on and pays nothing twice."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image
import pytest

from emonet.datasets import describe, read_samples
from emonet.errors import UsageError
from emonet.services import Endpoint
from emonet.synthesis.portraits import (
    CheckRules,
    Design,
    FolderGenerator,
    Provenance,
    ServiceGenerator,
    check_portrait,
    design_portraits,
    mark_picture,
    read_factors,
    read_provenance,
    synthesize_portraits,
)
from openai_server import Failure, openai_server

skimage = pytest.importorskip("skimage", reason="the public-domain portrait comes with scikit-image (extra demo)")


@pytest.fixture(scope="module")
def portrait() -> PIL.Image.Image:
    """The astronaut's face with some room around it."""
    from skimage.data import astronaut

    return PIL.Image.fromarray(astronaut()[0:260, 95:355]).resize((512, 512))


def variation(portrait: PIL.Image.Image, number: int, form: str = "PNG") -> bytes:
    """The same face before different blotches, so that no picture is a copy of another."""
    draw = np.random.default_rng(number)
    coarse = PIL.Image.fromarray(draw.integers(0, 256, (4, 4, 3)).astype(np.uint8)).resize((900, 900))
    side = int(draw.integers(760, 860))
    coarse.paste(portrait.resize((side, side)), (int(draw.integers(0, 900 - side)), int(draw.integers(0, 900 - side))))
    file = io.BytesIO()
    coarse.save(file, form, quality=90)
    return file.getvalue()


@pytest.fixture
def design() -> Design:
    return design_portraits(6, read_factors(), seed=1)


def served(portrait: PIL.Image.Image, bad: dict[int, bytes | Failure]) -> Any:
    """Pictures in the order of the requests, some of them bad."""
    count = iter(range(1000))

    def answer(*_: Any) -> Any:
        number = next(count)
        return bad.get(number, variation(portrait, number))

    return answer


def blank() -> bytes:
    file = io.BytesIO()
    PIL.Image.new("RGB", (512, 512), "grey").save(file, "PNG")
    return file.getvalue()


def test_pictures_that_do_not_pass_are_made_again(portrait: PIL.Image.Image, design: Design, tmp_path: Path) -> None:
    """No face, a file that is no picture, a copy and a failing server come first; all six are there at last."""
    bad: dict[int, Any] = {1: blank(), 2: b"no picture", 3: variation(portrait, 0), 4: Failure(500)}
    with openai_server(served(portrait, bad)) as server:
        endpoint = Endpoint(server.url, "made-1", backoff_s=0.01, concurrency=1)
        made = synthesize_portraits(design, ServiceGenerator(endpoint, tmp_path / "replies"), tmp_path / "out")
        sent = len(server.requests)
        again = synthesize_portraits(design, ServiceGenerator(endpoint, tmp_path / "replies"), tmp_path / "out")
        assert len(server.requests) == sent
    assert len(made.kept) == 6
    assert dict(made.audit.faults) == {"no face": 1, "cannot be decoded": 1, "copy": 1}
    assert (again.kept, again.audit) == (made.kept, made.audit)
    prompts = [body["prompt"] for _, body in server.requests]
    assert len(set(prompts)) == 6


def test_shards_are_taken_by_the_readers(portrait: PIL.Image.Image, design: Design, tmp_path: Path) -> None:
    """Emotion, demographics, prompt and licence of EmoNet-Face BIG; the file itself says that it is synthetic."""
    with openai_server(served(portrait, {})) as server:
        generator = ServiceGenerator(Endpoint(server.url, "made-1"), tmp_path / "replies")
        synthesize_portraits(design, generator, tmp_path / "out", licence="CC0-1.0")
    samples = list(read_samples(tmp_path / "out" / "shards" / "portraits-000000.tar"))
    for sample, row in zip(samples, design.rows, strict=True):
        levels = dict(zip(design.names, row, strict=True))
        found = describe(sample)
        assert found.emotion == levels["emotion"]
        assert found.demographics == {name: levels[name] for name in ("ethnicity", "gender", "age")}
        assert (sample.licence, sample.facts["synthetic"]) == ("CC0-1.0", True)
        mark = read_provenance(sample.media or b"")
        assert mark is not None
        assert mark.key == sample.key
        assert mark.source_type.endswith("trainedAlgorithmicMedia")


def test_a_killed_run_goes_on(portrait: PIL.Image.Image, design: Design, tmp_path: Path) -> None:
    """Stopped after three pictures, in the middle of a line of the log: three more are asked for, none twice."""
    with openai_server(served(portrait, {})) as server:
        generator = ServiceGenerator(Endpoint(server.url, "made-1", concurrency=1), tmp_path / "replies")

        class KilledError(Exception):
            pass

        class Breaking:
            name, licence = generator.name, generator.licence

            def pictures(self, orders: Any) -> Iterator[Any]:
                for number, made in enumerate(generator.pictures(orders)):
                    if number == 3:
                        raise KilledError
                    yield made

            def effort(self, prompts: Any) -> None: ...

        with pytest.raises(KilledError):
            synthesize_portraits(design, Breaking(), tmp_path / "out")  # type: ignore[arg-type]
        with (tmp_path / "out" / "log.jsonl").open("a") as log:
            log.write('{"key": "portrait-0000')
        made = synthesize_portraits(design, generator, tmp_path / "out")
        assert len(made.kept) == 6
        assert len(server.requests) == 6


def test_finished_pictures_of_a_folder(portrait: PIL.Image.Image, design: Design, tmp_path: Path) -> None:
    """Named by key; what is missing is told, and no second attempt is made for it."""
    (tmp_path / "mine").mkdir()
    for number, key in enumerate(design.keys[:4]):
        (tmp_path / "mine" / f"{key}.jpg").write_bytes(variation(portrait, number, "JPEG"))
    made = synthesize_portraits(design, FolderGenerator(tmp_path / "mine"), tmp_path / "out")
    assert made.kept == design.keys[:4]
    assert set(made.failed.values()) == {"no such picture in the folder"}
    assert made.audit.made.rows == 4


def test_another_design_needs_another_folder(portrait: PIL.Image.Image, design: Design, tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    synthesize_portraits(design, FolderGenerator(tmp_path / "mine"), tmp_path / "out")
    other = design_portraits(6, read_factors(), seed=2)
    with pytest.raises(UsageError, match="another design"):
        synthesize_portraits(other, FolderGenerator(tmp_path / "mine"), tmp_path / "out")


@pytest.mark.parametrize("form", ["PNG", "JPEG", "WEBP"])
def test_the_mark_leaves_the_pixels_alone(portrait: PIL.Image.Image, form: str) -> None:
    """Whatever the generator is called."""
    before = variation(portrait, 1, form)
    mark = Provenance('model "x" & <y>', "ab" * 32, "7", "portrait-00001")
    after = mark_picture(before, mark)
    assert read_provenance(after) == mark
    assert read_provenance(before) is None
    old, new = (np.asarray(PIL.Image.open(io.BytesIO(data)).convert("RGB")) for data in (before, after))
    np.testing.assert_array_equal(old, new)


def test_what_a_portrait_must_be(portrait: PIL.Image.Image) -> None:
    """Whole, large enough, sharp, one of them."""
    from emonet.media import load_face_detector

    detector = load_face_detector()

    def fault(picture: PIL.Image.Image, **rules: float) -> str:
        file = io.BytesIO()
        picture.save(file, "PNG")
        return check_portrait(file.getvalue(), detector, CheckRules(**rules)).fault  # type: ignore[arg-type]

    assert fault(portrait) == ""
    assert fault(PIL.Image.new("RGB", (400, 400))) == "no face"
    two = PIL.Image.new("RGB", (1024, 512))
    two.paste(portrait, (0, 0))
    two.paste(portrait, (512, 0))
    assert fault(two) == "several faces"
    assert fault(portrait.resize((200, 200))) == "picture too small"
    assert fault(portrait.resize((60, 60)).resize((512, 512)), min_sharpness=0.05) in ("not sharp", "no face")
    assert fault(portrait, min_face=0.9) == "face too small"
    assert fault(portrait, margin=3.0) == "face cut off"
    assert fault(portrait, symmetry=0.99) == "not from the front"
