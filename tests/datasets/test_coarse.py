"""Corpora with one class per item, speaker-disjoint folds, and EmoBox's layout."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st

from emonet.datasets import LabelledSet, folds, read_coarse, read_emobox, write_emobox
from emonet.datasets._coarse import labelled_by_class
from emonet.errors import UnknownNameError, UsageError

MANIFEST = """path,modality,source,licence,label,emonet40,split,subject,language,duration_s,extra
voices/1.wav,voice,acted,CC0,angry,Anger,train,s1,en,1.0,
voices/2.wav,voice,acted,CC0,neutral,,train,s1,en,1.5,
voices/3.wav,voice,acted,CC0,desire,Sexual Lust;Longing,test,s2,en,2.0,
voices/4.wav,voice,acted,CC0,boredom,,test,s2,en,2.5,
voices/5.wav,voice,scored,CC0,Awe,Awe,test,,en,2.5,"{""label_origin"": ""model (highest head)""}"
faces/1.png,face,posed,MIT,happy,Elation,train,p1,,,
"""


@pytest.fixture
def manifest(tmp_path: Path) -> Path:
    path = tmp_path / "manifest.csv"
    path.write_text(MANIFEST)
    (tmp_path / "voices").mkdir()
    for k in range(1, 6):
        soundfile.write(tmp_path / "voices" / f"{k}.wav", np.zeros(8000, np.float32), 16_000)
    return path


def test_the_label_is_the_one_rater(manifest: Path) -> None:
    labelled = read_coarse(manifest, source="acted")
    assert [(rater.name, rater.kind) for rater in labelled.ratings.raters] == [("label", "human")]
    assert labelled.dimensions == ("longing", "sexual_lust", "anger")
    cube = labelled.ratings.cube(list(labelled.items["item"]), labelled.dimensions)[0]
    expected = [[0, 0, 1], [0, 0, 0], [1, 1, 0], [np.nan] * 3]  # boredom has no near emotion, so nothing is said
    assert cube == pytest.approx(np.array(expected), nan_ok=True)
    assert labelled.items["label"].to_list() == ["angry", "neutral", "desire", "boredom"]
    assert labelled.cluster == "subject"
    assert labelled.items["duration_s"].to_list() == [1, 1.5, 2, 2.5]
    assert labelled.licence == "CC0"
    assert labelled.read_media is not None
    assert labelled.read_media("voices/1.wav")[:4] == b"RIFF"


def test_splits_and_modalities_are_told_apart(manifest: Path) -> None:
    assert read_coarse(manifest, source="acted", split="train", labels={"angry": "Anger"}).items.height == 2
    assert read_coarse(manifest, source="posed").modality == "face"
    with pytest.raises(UsageError, match="several sources: acted, posed, scored"):
        read_coarse(manifest)
    with pytest.raises(UnknownNameError, match="Did you mean 'acted'"):
        read_coarse(manifest, source="actd")


def test_labels_of_a_model_are_no_ground_truth_unless_asked_for(manifest: Path) -> None:
    with pytest.raises(UsageError, match="labelled_by"):
        read_coarse(manifest, source="scored")
    assert read_coarse(manifest, source="scored", labelled_by="bundle").ratings.raters[0].kind == "bundle"


def test_without_a_column_of_emotions_the_class_names_decide(tmp_path: Path) -> None:
    path = tmp_path / "own.csv"
    path.write_text("file,class\na.wav,happy\nb.wav,Neutral\nc.wav,surprised\n")
    labelled = read_coarse(path, modality="voice")
    assert labelled.dimensions == ("elation", "astonishment_surprise")
    with pytest.raises(UsageError, match="modality unknown"):
        read_coarse(path)
    path.write_text("file,class\na.wav,happy\nb.wav,boredom\n")
    with pytest.raises(UsageError, match=r'labels=\{"boredom": "Anger"\}'):
        read_coarse(path, modality="voice")
    mapped = read_coarse(path, modality="voice", labels={"happy": "Amusement;Elation", "boredom": ""})
    assert mapped.dimensions == ("amusement", "elation")
    with pytest.raises(UnknownNameError, match="boredom"):
        read_coarse(path, modality="voice", labels={"happy": "Amusement"})


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("acted,CC0,angry,Anger", "acted,CC0,angry,Angr", "data row 1: in 'emonet40'"),
        ("voices/2.wav", "voices/1.wav", "data row 2: 'voices/1.wav' occurs twice"),
        ("acted,CC0,neutral,", "acted,CC0,angry,Fear", "data row 2: the class 'angry' stands for other emotions"),
        ("en,1.0", "en,long", "the column 'duration_s' holds 'long'"),
    ],
)
def test_a_faulty_row_is_named(manifest: Path, old: str, new: str, message: str) -> None:
    manifest.write_text(MANIFEST.replace(old, new))
    with pytest.raises(UsageError, match=message):
        read_coarse(manifest, source="acted")


def made(subjects: list[str | None]) -> LabelledSet:
    items = pl.DataFrame(
        {
            "item": [f"i{k}" for k in range(len(subjects))],
            "label": [("angry", "sad")[k % 2] for k in range(len(subjects))],
            "subject": pl.Series(subjects, dtype=pl.String),
        }
    )
    emotions: dict[str, tuple[str, ...] | None] = {"angry": ("anger",), "sad": ("sadness",)}
    return labelled_by_class(
        items=items, emotions=emotions, name="made", modality="voice", labelled_by="human", licence="", source="made"
    )


@given(st.lists(st.integers(0, 12), min_size=2, max_size=60), st.integers(0, 3), st.integers(2, 5))
def test_no_subject_is_in_two_folds_and_folds_are_even(subjects: list[int], seed: int, k: int) -> None:
    labelled = made([f"s{one}" for one in subjects])
    if k > len(set(subjects)):
        with pytest.raises(UsageError, match="expected from 2 to"):
            folds(labelled, k=k, seed=seed)
        return
    folded = folds(labelled, k=k, seed=seed)
    assert folded["item"].to_list() == labelled.items["item"].to_list()
    of_subject = folded.join(labelled.items, on="item").group_by("subject").agg(pl.col("fold").n_unique())
    assert (of_subject["fold"] == 1).all()
    sizes = folded["fold"].value_counts()["count"]
    assert len(sizes) == k
    assert sizes.max() - sizes.min() <= max(subjects.count(one) for one in set(subjects))
    assert folded.equals(folds(labelled, k=k, seed=seed))


def test_folds_need_a_group_for_every_item() -> None:
    with pytest.raises(UsageError, match="1 items have no subject, the first 'i1'"):
        folds(made(["s1", None, "s2"]), k=2)
    with pytest.raises(UsageError, match="no column 'speaker'"):
        folds(made(["s1", "s2"]), by="speaker", k=2)
    assert folds(made(["s1", None, "s2"]), by=None, k=3)["fold"].n_unique() == 3


def test_emobox_files_are_read_back(manifest: Path, tmp_path: Path) -> None:
    labelled = read_coarse(manifest, source="acted")
    folded = folds(labelled, k=2)
    home = write_emobox(labelled, folded, tmp_path / "data")
    assert sorted(path.relative_to(home).as_posix() for path in home.rglob("*") if path.is_file()) == [
        "acted.jsonl",
        "fold_1/acted_test_fold_1.jsonl",
        "fold_1/acted_train_fold_1.jsonl",
        "fold_2/acted_test_fold_2.jsonl",
        "fold_2/acted_train_fold_2.jsonl",
        "label_map.json",
    ]
    line = json.loads((home / "acted.jsonl").read_text().splitlines()[0])
    assert line == {
        "key": "voices/1.wav",
        "dataset": "acted",
        "wav": str(tmp_path / "voices" / "1.wav"),
        "type": "raw",
        "sample_rate": 16_000,
        "num_frame": 8000,
        "task": "category",
        "length": 0.5,
        "emo": "angry",
        "channel": 1,
    }
    again, folded_again = read_emobox(home, labels={"angry": "Anger", "desire": "Sexual Lust;Longing", "boredom": ""})
    assert folded_again.equals(folded)
    assert again.dimensions == labelled.dimensions
    columns = ["item", "label", "media"]
    assert again.items.select(columns).equals(labelled.items.select(columns))
    assert again.ratings.table.sort("item", "dimension").equals(labelled.ratings.table.sort("item", "dimension"))


def test_emobox_labels_go_through_its_map(tmp_path: Path) -> None:
    home = tmp_path / "data" / "cafe"
    (home / "fold_1").mkdir(parents=True)
    line = {"key": "cafe-1\u2028x", "dataset": "cafe", "wav": "downloads/cafe/1.wav", "length": 3.5, "emo": "j"}
    (home / "fold_1" / "cafe_test_fold_1.jsonl").write_text(json.dumps(line, ensure_ascii=False) + "\n")
    (home / "label_map.json").write_text('{"j": "Happy"}')
    labelled, folded = read_emobox(home)
    assert labelled.items.row(0) == ("cafe-1\u2028x", "Happy", str(tmp_path / "downloads/cafe/1.wav"), 3.5)
    assert labelled.dimensions == ("elation",)
    assert folded["fold"].to_list() == [1]


@pytest.mark.parametrize(
    ("content", "message"),
    [("{", "line 1: no JSON"), ("[1]", "line 1: is no object"), ('{"key": "a"}', "line 1: lacks wav, emo")],
)
def test_faulty_emobox_lines_are_named(tmp_path: Path, content: str, message: str) -> None:
    home = tmp_path / "corpus"
    home.mkdir()
    with pytest.raises(UsageError, match="expected EmoBox's layout"):
        read_emobox(home)
    (home / "corpus.jsonl").write_text(content)
    with pytest.raises(UsageError, match=message):
        read_emobox(home)


@pytest.mark.shared
@pytest.mark.parametrize(
    ("source", "items", "speakers"), [("ravdess", 1184, 20), ("nemo", 1576, 9), ("emogator", 5936, 199)]
)
def test_shared_corpora_fold_by_speaker(shared: Path, source: str, items: int, speakers: int) -> None:
    labelled = read_coarse(shared / "data" / "manifest.csv", source=source)
    assert (len(labelled.items), labelled.items["subject"].n_unique()) == (items, speakers)
    folded = folds(labelled).join(labelled.items, on="item").group_by("subject").agg(pl.col("fold").n_unique())
    assert (folded["fold"] == 1).all()
