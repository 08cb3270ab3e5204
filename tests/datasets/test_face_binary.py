"""EmoNet-Face Binary: roles, stages and counts from generated judgements, and the release's own counts."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path

import polars as pl
import pytest

from emonet.datasets import LabelledSet, contrast_pairs, read_face_binary, triple_positives, vote_patterns
from emonet.errors import UsageError

Rows = list[tuple[str, str, bool, str]]
Write = Callable[[Path, Sequence[tuple[str, str, bool, str]]], Path]

# Item, emotion it was made for (target) and its contrast; who judged what. human-4 judges targets and contrasts.
ROWS: Rows = [
    ("00000", "human-1", True, "Elation"),
    ("00000", "human-4", True, "Elation"),
    ("00000", "human-6", True, "Elation"),
    ("00000", "human-3", False, "Sadness"),
    ("00001", "human-1", True, "Elation"),
    ("00001", "human-4", False, "Elation"),
    ("00001", "human-3", True, "Sadness"),
    ("00002", "human-1", True, "Sadness"),
    ("00002", "human-4", True, "Sadness"),
    ("00002", "human-6", False, "Sadness"),
    ("00002", "human-4", False, "Elation"),
    ("00003", "human-1", False, "Sadness"),
    ("00003", "human-3", False, "Elation"),
    ("00004", "human-4", False, "Hopelessness"),
    ("00004", "human-4", True, "Hope/Enthusiasm/Optimism"),
    ("00005", "human-6", False, "Sadness"),
    ("00005", "human-4", False, "Elation"),
]


@pytest.fixture
def labelled(tmp_path: Path, write_binary: Write) -> LabelledSet:
    return read_face_binary(write_binary(tmp_path / "binary.csv", ROWS))


def test_target_and_contrast_follow_the_pattern_of_judgements(labelled: LabelledSet) -> None:
    roles = {item: (target, contrast) for item, target, contrast, _ in labelled.items.iter_rows()}
    assert roles == {
        "00000": ("elation", "sadness"),  # three judgements of one emotion make it the target
        "00001": ("elation", "sadness"),
        "00002": ("sadness", "elation"),
        "00003": ("sadness", "elation"),  # one judgement each, but human-1 only ever judges targets
        "00004": (None, None),  # human-4 judges both
        "00005": ("sadness", "elation"),
    }


def test_stages_follow_who_said_no(labelled: LabelledSet) -> None:
    rows = labelled.ratings.table.filter(pl.col("protocol") == "target")
    stages = {(item, rater): stage for item, rater, stage in rows.select("item", "rater", "stage").iter_rows()}
    assert stages == {
        ("00000", "human-1"): 1,  # nobody said no: the order of this trio in the same block, from item 00002
        ("00000", "human-4"): 2,
        ("00000", "human-6"): 3,
        ("00001", "human-1"): 1,
        ("00001", "human-4"): 2,
        ("00002", "human-1"): 1,
        ("00002", "human-4"): 2,
        ("00002", "human-6"): 3,
        ("00003", "human-1"): 1,
        ("00005", "human-6"): 1,
    }


def test_a_trio_whose_order_nothing_tells_has_no_stage(tmp_path: Path, write_binary: Write) -> None:
    rows = [row for row in ROWS if row[0] != "00002"]
    table = read_face_binary(write_binary(tmp_path / "binary.csv", rows)).ratings.table
    assert table.filter((pl.col("item") == "00000") & (pl.col("protocol") == "target"))["stage"].to_list() == [None] * 3


def test_counts_and_contrasts(labelled: LabelledSet) -> None:
    assert vote_patterns(labelled).rows() == [(1, 0, 7), (1, 1, 2), (2, 1, 1), (3, 2, 1), (3, 3, 1)]
    assert triple_positives(labelled).rows() == [("00000", "elation")]
    assert contrast_pairs(labelled) == (("elation", "sadness"),)
    assert labelled.asked is not None
    assert len(labelled.asked) == 12
    assert "1 items have two single ratings" in labelled.notes[1]


def test_both_layouts_and_both_spellings_are_read(tmp_path: Path, write_binary: Write, labelled: LabelledSet) -> None:
    path = tmp_path / "variant.csv"
    lines = [f"{item},{emotion.replace('Hopel', 'Helpl')},{rater},{int(value)}" for item, rater, value, emotion in ROWS]
    path.write_text("\n".join(["item,emotion,rater,present", *lines]))
    variant = read_face_binary(path)
    assert variant.ratings.table.equals(labelled.ratings.table)
    assert variant.items.equals(labelled.items)
    assert "helplessness" in labelled.dimensions


def test_two_partners_of_one_emotion_are_no_matching(tmp_path: Path, write_binary: Write) -> None:
    rows = [*ROWS, ("00006", "human-1", False, "Elation"), ("00006", "human-3", False, "Anger")]
    with pytest.raises(UsageError, match="elation"):
        contrast_pairs(read_face_binary(write_binary(tmp_path / "binary.csv", rows)))


@pytest.mark.parametrize(
    ("row", "message"),
    [
        (("00009", "human-1", "yep", "Anger"), "data row 18: the judgement is 'yep'"),
        (("00009", "human-1", True, "Angr"), "data row 18: unknown emotion 'Angr'. Did you mean 'Anger'?"),
        (("00009", "", True, "Anger"), "data row 18: the column 'rater' is empty"),
    ],
)
def test_a_faulty_row_is_named(
    tmp_path: Path, write_binary: Write, row: tuple[str, str, bool, str], message: str
) -> None:
    with pytest.raises(UsageError) as caught:
        read_face_binary(write_binary(tmp_path / "binary.csv", [*ROWS, row]))
    assert message in str(caught.value)


CLASSES = ["Elation", "Hope/Enthusiasm/Optimism", "Hopelessness", "Sadness"]
MADE_FOR = [0, 0, 3, 3, 2, 3]


@pytest.mark.parametrize("names", [None, [f"{k:05d}.jpg" for k in range(6)]])
def test_the_pictures_tell_the_role_that_the_judgements_leave_open(
    tmp_path: Path,
    write_binary: Write,
    write_parquet: Callable[..., Path],
    png: Callable[[int], bytes],
    names: list[str] | None,
) -> None:
    path = write_parquet(
        tmp_path / "train.parquet",
        [png(k) for k in range(6)],
        names=names,
        facts={"emotion": MADE_FOR},
        classes={"emotion": CLASSES},
    )
    labelled = read_face_binary(write_binary(tmp_path / "binary.csv", ROWS), parquet=path)
    assert labelled.items.filter(pl.col("item") == "00004").row(0, named=True)["target"] == "helplessness"
    assert labelled.items["target"].null_count() == 0
    assert set(labelled.ratings.table["protocol"]) == {"target", "contrast"}
    assert labelled.read_media is not None
    assert [labelled.read_media(item) for item in labelled.items["item"]] == [png(k) for k in range(6)]


def test_pictures_of_another_order_are_refused(
    tmp_path: Path, write_binary: Write, write_parquet: Callable[..., Path], png: Callable[[int], bytes]
) -> None:
    path = tmp_path / "train.parquet"
    ratings = write_binary(tmp_path / "binary.csv", ROWS)
    emotions = {"emotion": MADE_FOR[::-1]}
    write_parquet(path, [png(k) for k in range(6)], facts=emotions, classes={"emotion": CLASSES})
    with pytest.raises(UsageError, match="another order"):
        read_face_binary(ratings, parquet=path)
    write_parquet(path, [png(0)], facts={"emotion": [0]}, classes={"emotion": CLASSES})
    with pytest.raises(UsageError, match="1 pictures whose names do not tell their items, for 6 items"):
        read_face_binary(ratings, parquet=path)


@pytest.mark.shared
def test_the_release_has_the_published_counts(shared: Path) -> None:
    """Counts of arXiv 2505.20033 and of the file itself."""
    path = shared / "data" / "ratings" / "emonet_face_binary.csv"
    begin = time.perf_counter()
    labelled = read_face_binary(path)
    assert time.perf_counter() - begin < 1
    table = labelled.ratings.table
    assert (len(table), len(labelled.items), len(labelled.dimensions)) == (65_686, 19_999, 40)
    assert (len(labelled.ratings.raters), table["value"].sum()) == (7, 37_800)
    patterns = {(ratings, present): pairs for ratings, present, pairs in vote_patterns(labelled).iter_rows()}
    assert patterns == {(1, 0): 22_291, (1, 1): 3_037, (2, 1): 3_652, (3, 2): 1_943, (3, 3): 9_075}
    positive = triple_positives(labelled).group_by("dimension").len()
    counts = dict(positive.iter_rows())
    assert (counts["elation"], counts["helplessness"], counts["sexual_lust"]) == (450, 123, 1)
    pairs = contrast_pairs(labelled)
    assert len(pairs) == 20
    assert ("sexual_lust", "shame") in pairs
    assert labelled.items["target"].null_count() == 417
    found = {(protocol, value): n for protocol, value, n in table.group_by("protocol", "value").len().iter_rows()}
    assert (found["contrast", 0.0], found["contrast", 1.0]) == (18_499, 1_083)
    stages = table.filter(pl.col("protocol") == "target")["stage"].value_counts().drop_nulls()
    assert dict(stages.iter_rows()) == {1: 19_581, 2: 14_669, 3: 11_017}
