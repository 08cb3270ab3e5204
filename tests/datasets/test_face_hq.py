"""EmoNet-Face HQ from generated files of its layout."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from emonet.datasets import gold, read_face_hq
from emonet.errors import UsageError
from emonet.taxonomy import EMOTIONS

Rows = list[dict[str, Any]]
Write = Callable[[Path, Rows], Path]


def test_people_and_models_are_read_with_zero_for_what_they_do_not_name(
    tmp_path: Path, hq_rows: Callable[..., Rows], write_hq: Write
) -> None:
    rows = hq_rows()
    labelled = read_face_hq(write_hq(tmp_path / "hq.csv", rows))
    assert len(labelled.items) == 6
    assert len(labelled.dimensions) == 40
    assert len(labelled.ratings.table) == len(rows) * 40
    items = list(labelled.items["item"])
    for row in rows:
        values = labelled.ratings.cube([row["image"]], labelled.dimensions, raters=[row["annotator"]])[0, 0]
        assert values == pytest.approx([row["annotations"].get(one.aliases["hq"], 0) for one in EMOTIONS])
    assert set(items) == {row["image"] for row in rows}


def test_kinds_follow_the_names_and_hume_answers_from_zero_to_one(
    tmp_path: Path, hq_rows: Callable[..., Rows], write_hq: Write
) -> None:
    labelled = read_face_hq(write_hq(tmp_path / "hq.csv", hq_rows()))
    kinds = {rater.name: rater.kind for rater in labelled.ratings.raters if rater.kind != "human"}
    assert kinds == {
        "Hume Face": "api",
        "Random Baseline": "baseline",
        "Empathic Insight Face Large": "bundle",
        "Gemini 2.5 Flash MS": "multi-shot",
        "GPT-4o ZS": "zero-shot",
    }
    scales = {rater.name: rater.scale for rater in labelled.ratings.raters}
    assert scales["Hume Face"] == (0.0, 1.0)
    assert scales["GPT-4o ZS"] is None
    assert [rater.name for rater in labelled.ratings.raters[:2]] == ["human-1", "human-2"]


def test_a_model_may_count_as_not_rating_what_it_never_names(
    tmp_path: Path, hq_rows: Callable[..., Rows], write_hq: Write
) -> None:
    labelled = read_face_hq(write_hq(tmp_path / "hq.csv", hq_rows()), never_named="unrated")
    hume = labelled.ratings.cube(list(labelled.items["item"]), labelled.dimensions, raters=["Hume Face"])[0]
    assert np.isnan(hume).all(axis=0).sum() == 9
    person = labelled.ratings.cube(list(labelled.items["item"]), labelled.dimensions, raters=["human-1"])[0]
    assert (np.isnan(person).all(axis=1) | ~np.isnan(person).any(axis=1)).all()


def test_rows_that_occur_twice_are_averaged_by_the_cube(
    tmp_path: Path, hq_rows: Callable[..., Rows], write_hq: Write
) -> None:
    rows = hq_rows(images=1)
    again = {**rows[-1], "annotations": {name: value + 1 for name, value in rows[-1]["annotations"].items()}}
    labelled = read_face_hq(write_hq(tmp_path / "hq.csv", [*rows, again]))
    one = read_face_hq(write_hq(tmp_path / "one.csv", rows))
    name, items = rows[-1]["annotator"], list(labelled.items["item"])
    twice = labelled.ratings.cube(items, labelled.dimensions, raters=[name])
    assert twice == pytest.approx(one.ratings.cube(items, one.dimensions, raters=[name]) + 0.5)


def test_extra_dimensions_are_kept_beside_the_emotions(
    tmp_path: Path, hq_rows: Callable[..., Rows], write_hq: Write
) -> None:
    rows = hq_rows(images=2)
    rows[-1]["annotations"] |= {"Extra Dimensions|Valence": -3, "Extra Dimensions|Glow Factor": 2}
    labelled = read_face_hq(write_hq(tmp_path / "hq.csv", rows))
    extra = labelled.ratings.table.filter(~pl.col("dimension").is_in(list(labelled.dimensions)))
    assert dict(extra.select("dimension", "value").iter_rows()) == {"valence": -3.0, "extra_glow_factor": 2.0}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"annotations": "{'Positive"}, "data row 3"),
        ({"annotations": {"Group|Angst": 3}}, "Angst"),
        ({"annotations": {"Negative High-Energy Emotions|Anger": 8}}, "whole number from 0 to 7"),
        ({"annotations": {"Negative High-Energy Emotions|Anger": 2.5}}, "2.5"),
        ({"human": "maybe"}, "'maybe'"),
        ({"annotator": "Hume Face"}, "a person in some rows and a model in others"),
    ],
)
def test_a_faulty_row_is_named(
    tmp_path: Path, hq_rows: Callable[..., Rows], write_hq: Write, change: dict[str, Any], message: str
) -> None:
    rows = hq_rows(images=1)
    rows[2] = {**rows[2], **change}
    with pytest.raises(UsageError, match=message) as caught:
        read_face_hq(write_hq(tmp_path / "hq.csv", rows))
    assert "hq.csv" in str(caught.value)


def test_an_unknown_model_needs_its_kind(tmp_path: Path, hq_rows: Callable[..., Rows], write_hq: Write) -> None:
    rows = [*hq_rows(images=1), {"image": "mj_data_0_U1.png", "annotator": "Oracle", "human": False, "annotations": {}}]
    path = write_hq(tmp_path / "hq.csv", rows)
    with pytest.raises(UsageError, match="kinds="):
        read_face_hq(path)
    assert read_face_hq(path, kinds={"Oracle": "baseline"}).ratings.raters[-1].kind == "baseline"


def test_another_table_is_refused_with_its_columns(tmp_path: Path) -> None:
    path = tmp_path / "other.csv"
    path.write_text("image,label\na,1\n")
    with pytest.raises(UsageError, match="no column 'annotator'; it has image, label"):
        read_face_hq(path)
    with pytest.raises(UsageError, match="cannot be read"):
        read_face_hq(tmp_path / "absent.csv")


def parquet_rows(rows: Rows, seed: int = 1) -> tuple[list[str], list[str]]:
    """Pictures in another order, and the label cell of each: people only."""
    order = np.random.default_rng(seed).permutation(sorted({row["image"] for row in rows}))
    cells = [
        str({row["annotator"]: row["annotations"] for row in rows if row["image"] == image and row["human"]})
        for image in order
    ]
    return [str(image) for image in order], cells


def test_shuffled_pictures_without_names_are_joined_by_what_people_said(
    tmp_path: Path,
    hq_rows: Callable[..., Rows],
    write_hq: Write,
    write_parquet: Callable[..., Path],
    png: Callable[[int], bytes],
) -> None:
    rows = hq_rows(images=9)
    order, cells = parquet_rows(rows)
    number = {image: k for k, image in enumerate(sorted(order))}
    facts = {
        "label": cells,
        "Ethnicity": ["any"] * 9,
        "Gender": ["any"] * 9,
        "Age": ["40"] * 9,
        "Prompt": ["a face"] * 9,
    }
    for part, rows_of in enumerate((slice(0, 4), slice(4, 9))):
        write_parquet(
            tmp_path / "data" / f"train-{part}.parquet",
            [png(number[image]) for image in order[rows_of]],
            facts={name: values[rows_of] for name, values in facts.items()},
        )
    labelled = read_face_hq(write_hq(tmp_path / "hq.csv", rows), parquet=tmp_path / "data")
    assert list(labelled.items["item"]) == order
    assert labelled.demographics == ("ethnicity", "gender", "age")
    assert labelled.items["Prompt"][0] == "a face"
    assert labelled.read_media is not None
    assert [labelled.read_media(image) for image in reversed(order)] == [
        png(number[image]) for image in reversed(order)
    ]


def test_two_pictures_with_the_same_ratings_cannot_be_told_apart(
    tmp_path: Path,
    hq_rows: Callable[..., Rows],
    write_hq: Write,
    write_parquet: Callable[..., Path],
    png: Callable[[int], bytes],
) -> None:
    rows = hq_rows(images=1)
    rows += [{**row, "image": "twin.png"} for row in rows]
    _, cells = parquet_rows(rows)
    path = write_parquet(tmp_path / "a.parquet", [png(0), png(1)], facts={"label": cells})
    with pytest.raises(UsageError, match="cannot be told apart"):
        read_face_hq(write_hq(tmp_path / "hq.csv", rows), parquet=path)


@pytest.mark.parametrize(("kept", "message"), [(2, "no picture for 1 of 3"), (3, "no item of")])
def test_pictures_of_another_release_are_refused(
    tmp_path: Path,
    hq_rows: Callable[..., Rows],
    write_hq: Write,
    write_parquet: Callable[..., Path],
    png: Callable[[int], bytes],
    kept: int,
    message: str,
) -> None:
    rows = hq_rows(images=3)
    _, cells = parquet_rows(rows)
    if kept == 3:
        cells[1] = cells[1].replace("human-", "human-").replace(": 1", ": 2").replace(": 3", ": 4")
    path = write_parquet(tmp_path / "a.parquet", [png(k) for k in range(kept)], facts={"label": cells[:kept]})
    with pytest.raises(UsageError, match=message):
        read_face_hq(write_hq(tmp_path / "hq.csv", rows), parquet=path)


def test_pictures_of_a_folder_are_found_by_name(
    tmp_path: Path, hq_rows: Callable[..., Rows], write_hq: Write, png: Callable[[int], bytes]
) -> None:
    rows = hq_rows(images=2)
    path = write_hq(tmp_path / "hq.csv", rows)
    (tmp_path / "images" / "part-1").mkdir(parents=True)
    (tmp_path / "images" / "part-1" / "mj_data_0_U1.png").write_bytes(png(0))
    with pytest.raises(UsageError, match=r"no file for 1 of 2 pictures.*mj_data_1_U1"):
        read_face_hq(path, images=tmp_path / "images")
    (tmp_path / "images" / "mj_data_1_U1.png").write_bytes(png(1))
    labelled = read_face_hq(path, images=tmp_path / "images")
    assert labelled.read_media is not None
    assert labelled.read_media("mj_data_1_U1.png") == png(1)


def test_the_reference_is_the_median_of_the_people(
    tmp_path: Path, hq_rows: Callable[..., Rows], write_hq: Write
) -> None:
    labelled = read_face_hq(write_hq(tmp_path / "hq.csv", hq_rows()))
    items = list(labelled.items["item"])
    people = [rater.name for rater in labelled.ratings.raters if rater.kind == "human"]
    votes = labelled.ratings.cube(items, labelled.dimensions, raters=people)
    assert gold(labelled) == pytest.approx(np.nanmedian(votes, axis=0))
    without = gold(labelled, "mean", leave_out=people[0])
    assert without == pytest.approx(np.nanmean(votes[1:], axis=0))
    alone = replace(labelled, items=pl.DataFrame({"item": ["nobody rated this"]}))
    assert np.isnan(gold(alone)).all()


@pytest.mark.slow
def test_a_table_of_the_full_size_is_read_in_seconds(tmp_path: Path, write_hq: Write) -> None:
    """44,763 rows of about eight emotions each."""
    generator = np.random.default_rng(0)
    names = [one.aliases["hq"] for one in EMOTIONS]
    cells = [
        {names[k]: int(generator.integers(1, 8)) for k in generator.choice(40, 8, replace=False)} for _ in range(300)
    ]
    rows = [
        {
            "image": f"{n % 2500}.png",
            "annotator": f"human-{1 + n // 2500}",
            "human": True,
            "annotations": cells[n % 300],
        }
        for n in range(44_763)
    ]
    path = write_hq(tmp_path / "hq.csv", rows)
    begin = time.perf_counter()
    labelled = read_face_hq(path)
    assert time.perf_counter() - begin < 8
    assert len(labelled.ratings.table) == 44_763 * 40
