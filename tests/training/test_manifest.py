"""The list of labelled media."""

from __future__ import annotations

import csv
import json
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emonet.errors import UsageError
from emonet.taxonomy import EMOTIONS
from emonet.training._manifest import COLUMNS, read_manifest

HEAD = (*COLUMNS, "rms_db", "extra")
GOOD = {
    "path": "voices/a.wav",
    "modality": "voice",
    "source": "s",
    "licence": "l",
    "label": "angry",
    "emonet40": "Anger",
    "split": "train",
    "subject": "1",
    "language": "en",
    "duration_s": "1.5",
    "rms_db": "-20",
    "extra": '{"gender": "f"}',
}


def write(folder: Path, *rows: dict[str, str], head: tuple[str, ...] = HEAD) -> Path:
    with (folder / "manifest.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, head, extrasaction="ignore")
        writer.writeheader()
        writer.writerows(rows)
    return folder


text = st.text(st.characters(codec="utf-8", exclude_characters="\0\r\n", exclude_categories=["Cs", "Cc"]), max_size=20)
rows = st.fixed_dictionaries(
    {
        "source": text,
        "label": text,
        "subject": text,
        "split": st.sampled_from(["train", "test"]),
        "modality": st.sampled_from(["face", "voice"]),
        "emotions": st.lists(st.integers(0, len(EMOTIONS) - 1), max_size=3, unique=True),
        "extra": st.dictionaries(text, st.one_of(text, st.integers(), st.booleans()), max_size=3),
    }
)


@settings(max_examples=40, deadline=None)
@given(st.lists(rows, max_size=6))
def test_every_written_row_is_read_back(listed: list[dict]) -> None:
    """Whatever text a source uses, a written row comes back as written, and only of the modality asked for."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write(
            folder,
            *(
                GOOD
                | {"path": f"m/{i}.x", **{k: row[k] for k in ("source", "label", "subject", "split", "modality")}}
                | {"emonet40": ";".join(EMOTIONS[e].name for e in row["emotions"]), "extra": json.dumps(row["extra"])}
                for i, row in enumerate(listed)
            ),
        )
        for modality in ("face", "voice"):
            expected = [(i, row) for i, row in enumerate(listed) if row["modality"] == modality]
            items = read_manifest(folder, modality)
            assert [item.path for item in items] == [folder / f"m/{i}.x" for i, _ in expected]
            for item, (_, row) in zip(items, expected, strict=True):
                assert item.emotions == tuple(EMOTIONS[e].key for e in row["emotions"])
                assert (item.source, item.label, item.subject) == tuple(
                    row[k].strip() for k in ("source", "label", "subject")
                )
                assert item.extra == row["extra"]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"emonet40": "Angr"}, "Did you mean 'Anger'"),
        ({"split": "dev"}, "train or test"),
        ({"modality": "text"}, "face or voice"),
        ({"path": "../a.wav"}, "below the manifest"),
        ({"path": "/a.wav"}, "below the manifest"),
        ({"path": ""}, "below the manifest"),
        ({"duration_s": "nan"}, "seconds above 0"),
        ({"duration_s": "long"}, "long"),
        ({"extra": "[1]"}, "JSON object"),
        ({"extra": "{"}, "line 2"),
    ],
)
def test_a_wrong_row_is_named(tmp_path: Path, change: dict[str, str], said: str) -> None:
    """A wrong cell stops the reading with the line and what was expected."""
    with pytest.raises(UsageError, match="line 2") as caught:
        read_manifest(write(tmp_path, GOOD | change), "voice")
    assert said in str(caught.value)


def test_a_file_listed_twice_is_refused(tmp_path: Path) -> None:
    """A clip listed twice could stand in training and test at once."""
    with pytest.raises(UsageError, match="twice"):
        read_manifest(write(tmp_path, GOOD, GOOD | {"split": "test"}), "voice")


def test_absent_file_and_column_are_named(tmp_path: Path) -> None:
    """Without the list, or a column of it, the message says what to pass."""
    with pytest.raises(UsageError, match="--data"):
        read_manifest(tmp_path, "voice")
    with pytest.raises(UsageError, match="subject"):
        read_manifest(write(tmp_path, GOOD, head=tuple(c for c in HEAD if c != "subject")), "voice")


@pytest.mark.shared
def test_the_real_list(shared: Path) -> None:
    """The real list reads whole, and no speaker of the labelled corpora is in both splits."""
    items = read_manifest(shared / "data", "voice")
    assert len(items) == 9332
    for source in ("emogator", "ravdess", "nemo"):
        train = {item.subject for item in items if item.source == source and item.split == "train"}
        test = {item.subject for item in items if item.source == source and item.split == "test"}
        assert train
        assert test
        assert not train & test
