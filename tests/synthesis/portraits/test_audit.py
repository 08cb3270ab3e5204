"""The audit tells who was lost on the way; the mark of a JPEG file stands against what a generator wrote."""

from __future__ import annotations

import io
import json
from pathlib import Path

import numpy as np
import PIL.Image
import pytest

from emonet.synthesis.portraits import (
    FolderGenerator,
    Provenance,
    audit_design,
    audit_document,
    audit_text,
    design_portraits,
    mark_picture,
    read_factors,
    read_provenance,
    synthesize_portraits,
)


def test_groups_that_are_turned_down_more_often_are_named() -> None:
    """Every picture of the oldest passes at the second attempt only: two looked at, one turned down."""
    design = design_portraits(294, read_factors(), seed=1)
    age = design.names.index("age")
    looked_at = {i: (2, 1) if row[age] == "80" else (1, 0) for i, row in enumerate(design.rows)}
    audit = audit_design(design, faults={"no face": 42}, looked_at=looked_at)
    first, *others = audit.rejections["age"]
    assert (first.level, first.turned_down, first.looked_at, first.share) == ("80", 42, 84, 0.5)
    assert first.low > max(other.high for other in others)
    assert "- age: 80, 42 of 84" in audit_text(audit)
    assert json.loads(json.dumps(audit_document(audit)))["turned_down_of_looked_at"]["age"][0]["level"] == "80"


def test_a_factor_that_follows_from_another_is_seen() -> None:
    """Of what was made only two ages of one gender each: Cramér's V is 1, chi-square the number of pictures."""
    design = design_portraits(294, read_factors(), seed=1)
    wanted = {("20", "man"), ("80", "woman")}
    age, gender = design.names.index("age"), design.names.index("gender")
    kept = [i for i, row in enumerate(design.rows) if (row[age], row[gender]) in wanted]
    audit = audit_design(design, kept)
    assert audit.association["age x gender"] == pytest.approx(1)
    assert audit.chi2["age x gender"] == (pytest.approx(len(kept)), 1)
    assert audit.empty["age x gender"] == 7 * 3 - 2


def test_nothing_made_is_no_error() -> None:
    audit = audit_design(design_portraits(12, read_factors(), seed=1), [])
    assert set(audit.association.values()) == {0.0}
    assert audit.made.rows == 0


def test_pictures_that_come_into_the_folder_later_are_taken(tmp_path: Path) -> None:
    """A folder that is filled bit by bit: the next run looks again."""
    skimage = pytest.importorskip("skimage.data", reason="the portrait comes with scikit-image (extra demo)")
    design = design_portraits(2, read_factors(), seed=1)
    mine = tmp_path / "mine"
    mine.mkdir()
    assert synthesize_portraits(design, FolderGenerator(mine), tmp_path / "out").kept == ()
    PIL.Image.fromarray(skimage.astronaut()[0:260, 95:355]).resize((512, 512)).save(mine / f"{design.keys[0]}.jpg")
    made = synthesize_portraits(design, FolderGenerator(mine), tmp_path / "out")
    assert made.kept == design.keys[:1]
    mark = read_provenance((tmp_path / "out" / "pictures" / f"{design.keys[0]}.jpg").read_bytes())
    assert mark is not None
    assert mark.seed == ""  # no seed of ours made it


@pytest.mark.parametrize("known", [{"xmp": b'<x:xmpmeta><rdf:Description xmp:CreatorTool="other"/></x:xmpmeta>'}, {}])
def test_xmp_of_a_generator_gives_way(known: dict[str, bytes]) -> None:
    """Readers take one packet of a JPEG file; it has to be ours, and marking twice leaves one."""
    file = io.BytesIO()
    picture = PIL.Image.fromarray(np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8))
    picture.save(file, "JPEG", **known)
    first, second = Provenance("model", "ab" * 32, "1", "one"), Provenance("model", "cd" * 32, "2", "two")
    marked = mark_picture(mark_picture(file.getvalue(), first), second)
    assert read_provenance(marked) == second
    assert marked.count(b"http://ns.adobe.com/xap/1.0/\x00") == 1
    assert marked[2:4] == b"\xff\xe0"  # JFIF first
    before, after = (np.asarray(PIL.Image.open(io.BytesIO(data))) for data in (file.getvalue(), marked))
    np.testing.assert_array_equal(before, after)
