"""One's own ratings: what is written reads back the same, and faults are named."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emonet.datasets import RATING_SCHEMA, LabelledSet, Rater, Ratings, read_rated, read_voice, write_rated
from emonet.errors import UnreadableMediaError, UsageError
from emonet.taxonomy import EMOTIONS

KEYS = [one.key for one in EMOTIONS]
texts = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=12)
names = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), min_size=1, max_size=8)
scales = st.tuples(st.floats(-100, 0), st.floats(0.5, 100))
times = st.datetimes(datetime(1990, 1, 1), datetime(2100, 1, 1)).map(lambda t: t.replace(tzinfo=UTC))


@st.composite
def sets(draw: st.DrawFn) -> LabelledSet:
    items = draw(st.lists(names, min_size=1, max_size=5, unique=True))
    scale = draw(scales)
    people = draw(st.lists(names, min_size=1, max_size=4, unique=True))
    kinds = st.sampled_from(["human", "bundle", "zero-shot", "multi-shot", "api", "baseline"])
    facts = st.dictionaries(texts, texts, max_size=3)
    raters = tuple(Rater(name, draw(kinds), draw(st.none() | scales), draw(facts)) for name in people)
    row = st.tuples(
        st.sampled_from(items),
        st.sampled_from(people),
        st.sampled_from(KEYS),
        st.floats(*scale),
        texts,
        st.none() | st.integers(1, 9),
        st.none() | times,
    )
    rows = draw(st.lists(row, max_size=6))
    asked = [(item, key) for item in items for key in KEYS[:3]]
    return LabelledSet(
        name=draw(names),
        modality=draw(st.sampled_from(["face", "voice"])),
        items=pl.DataFrame({"item": items, "age": range(len(items)), "speaker": [items[0]] * len(items)}),
        ratings=Ratings(pl.DataFrame(rows, schema=RATING_SCHEMA, orient="row"), raters),
        dimensions=tuple(draw(st.lists(st.sampled_from(KEYS), unique=True))),
        scale=scale,
        levels=draw(st.none() | st.just((0.0, 0.5, 1.0))),
        asked=draw(st.none() | st.just(pl.DataFrame(asked, schema=["item", "dimension"], orient="row"))),
        demographics=draw(st.sampled_from([(), ("age",)])),
        cluster=draw(st.sampled_from([None, "speaker"])),
        licence=draw(texts),
        source=draw(texts),
        notes=tuple(draw(st.lists(texts, max_size=2))),
    )


@settings(deadline=None, max_examples=60)
@given(sets())
def test_any_set_reads_back_the_same(labelled: LabelledSet) -> None:
    with tempfile.TemporaryDirectory() as folder:
        again = read_rated(write_rated(labelled, Path(folder) / "set"))
    assert again.items.equals(labelled.items)
    assert again.ratings.table.equals(labelled.ratings.table)
    assert again.ratings.raters == labelled.ratings.raters
    assert (again.asked is None) == (labelled.asked is None)
    if again.asked is not None and labelled.asked is not None:
        assert again.asked.equals(labelled.asked)
    for name in "name modality dimensions scale levels demographics cluster licence source notes".split():
        assert getattr(again, name) == getattr(labelled, name), name


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two items, two people, one model; tables as CSV."""
    home = tmp_path / "own"
    (home / "clips").mkdir(parents=True)
    (home / "clips" / "1.wav").write_bytes(b"RIFF....WAVE")
    (home / "items.csv").write_text("item,media,speaker\n001,clips/1.wav,s1\n002,clips/2.wav,s1\n")
    (home / "ratings.csv").write_text(
        "item,rater,dimension,value,time\n"
        "001,ann,Jealousy / Envy,2,2025-11-02T10:00:00Z\n"
        "001,bob,jealousy_envy,0,2025-11-02T11:00:00+01:00\n"
        "002,oracle,Hopelessness,0.7,\n"
    )
    (home / "set.toml").write_text(
        'modality = "voice"\nscale = [0, 2]\ncluster = "speaker"\n'
        '[[rater]]\nname = "oracle"\nkind = "api"\nscale = [0, 1]\n'
    )
    return home


def test_tables_of_ones_own_are_read(folder: Path) -> None:
    labelled = read_rated(folder)
    assert labelled.name == "own"
    assert labelled.items["item"].to_list() == ["001", "002"]
    assert labelled.dimensions == ("helplessness", "jealousy_envy")
    assert [(rater.name, rater.kind) for rater in labelled.ratings.raters] == [
        ("oracle", "api"),
        ("ann", "human"),
        ("bob", "human"),
    ]
    times = labelled.ratings.table["time"].to_list()
    assert times == [datetime(2025, 11, 2, 10, tzinfo=UTC), datetime(2025, 11, 2, 10, tzinfo=UTC), None]
    assert labelled.read_media is not None
    assert labelled.read_media("001") == b"RIFF....WAVE"
    with pytest.raises(UnreadableMediaError, match=r"2\.wav"):
        labelled.read_media("002")


def test_without_set_toml_scale_must_be_told_and_media_tell_the_modality(folder: Path) -> None:
    (folder / "set.toml").unlink()
    with pytest.raises(UsageError, match="the scale of the ratings is None"):
        read_rated(folder)
    labelled = read_rated(folder, scale=(0, 2))
    assert labelled.modality == "voice"
    assert {rater.kind for rater in labelled.ratings.raters} == {"human"}
    (folder / "items.csv").write_text("item\n001\n002\n")
    with pytest.raises(UsageError, match="faces or voices"):
        read_rated(folder, scale=(0, 2))
    assert read_rated(folder, scale=(0, 2), modality="face").read_media is None


@pytest.mark.parametrize(
    ("file", "old", "new", "message"),
    [
        ("ratings.csv", "ann,Jealousy / Envy,2", "ann,Jealousy / Envy,3", "ratings.csv, data row 1: 'ann' gave 3"),
        ("ratings.csv", "bob,jealousy_envy,0", "bob,jealousy_envy,many", "data row 2: the column 'value' holds 'many'"),
        ("ratings.csv", "bob,jealousy_envy,0", "bob,jealousy_envy,nan", "data row 2: the column 'value' holds 'nan'"),
        ("ratings.csv", "bob,jealousy_envy", "bob,jelaousy", "data row 2: unknown emotion 'jelaousy'"),
        ("ratings.csv", "bob,jealousy_envy", ",jealousy_envy", "data row 2: the column 'rater' holds None"),
        ("ratings.csv", "11:00:00+01:00", "eleven", "data row 2: the column 'time' holds '2025-11-02Televen'"),
        ("ratings.csv", "\n002,", "\n003,", "data row 3: the item '003' is not in items.csv"),
        ("ratings.csv", ",value,", ",score,", "no column 'value'"),
        ("items.csv", "\n002,", "\n001,", "items.csv, data row 2: holds '001'"),
        ("set.toml", 'cluster = "speaker"', 'cluster = "voice"', "cluster names the column 'voice'"),
        ("set.toml", 'modality = "voice"', 'modality = "text"', "modality: Input should be 'face' or 'voice'"),
        ("set.toml", "scale = [0, 2]", "scale = [2, 0]", "expected its two ends"),
        ("set.toml", "cluster", "clutser", "clutser: Extra inputs are not permitted"),
        ("set.toml", 'kind = "api"', 'kind = "oracle"', "rater.0.kind"),
        ("set.toml", "scale = [0, 2]", "scale = [0, 2", "no TOML that can be read"),
        ("set.toml", "[[rater]]", '[[rater]]\nname = "oracle"\n[[rater]]', "two tables"),
    ],
)
def test_faults_are_named_with_file_and_row(folder: Path, file: str, old: str, new: str, message: str) -> None:
    text = (folder / file).read_text()
    assert old in text
    (folder / file).write_text(text.replace(old, new))
    with pytest.raises(UsageError) as caught:
        read_rated(folder)
    assert message in str(caught.value)


def test_missing_or_double_tables_are_refused(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="is no folder"):
        read_rated(tmp_path / "absent")
    (folder / "items.parquet").write_bytes(b"")
    with pytest.raises(UsageError, match=r"both items\.parquet and items\.csv"):
        read_rated(folder)
    (folder / "items.csv").unlink()
    with pytest.raises(UsageError, match=r"items\.parquet: cannot be read"):
        read_rated(folder)
    (folder / "items.parquet").unlink()
    with pytest.raises(UsageError, match=r"neither items\.parquet nor items\.csv"):
        read_rated(folder)


def test_media_inside_the_folder_are_kept_relative(folder: Path, tmp_path: Path) -> None:
    labelled = read_rated(folder)
    with pytest.raises(UsageError, match=r"already holds items\.csv"):
        write_rated(labelled, folder)
    for name in ("items.csv", "ratings.csv"):
        (folder / name).unlink()
    write_rated(labelled, folder)
    assert pl.read_parquet(folder / "items.parquet")["media"].to_list() == ["clips/1.wav", "clips/2.wav"]
    elsewhere = write_rated(labelled, tmp_path / "elsewhere")
    again = read_rated(elsewhere)
    assert again.read_media is not None
    assert again.read_media("001") == b"RIFF....WAVE"


def test_a_set_can_be_handed_on_with_its_media(tmp_path: Path, write_parquet: Callable[..., Path]) -> None:
    labels = [f"[{{'human-{k}': {{'Shame': {k}}}}}]" for k in range(3)]
    clips = [b"ID3one", b"OggStwo", b"three"]
    source = write_parquet(tmp_path / "a.parquet", clips, column="audioId", facts={"label": labels})
    labelled = read_voice(source)
    home = write_rated(labelled, tmp_path / "set", media=True)
    (home / "media" / "note.txt").write_text("kept")
    again = read_rated(write_rated(labelled, home, media=True))
    assert (home / "media" / "note.txt").read_text() == "kept"
    source.unlink()
    assert again.read_media is not None
    assert [again.read_media(item) for item in again.items["item"]] == clips
    assert [Path(name).name for name in again.items["media"]] == ["000000.mp3", "000001.ogg", "000002"]
    assert again.ratings.table.equals(labelled.ratings.table)
    assert not list(home.glob(".set-*"))


def test_what_cannot_be_written_is_refused(tmp_path: Path, folder: Path) -> None:
    labelled = read_rated(folder)
    bare: dict[str, Any] = {name: getattr(labelled, name) for name in LabelledSet.__dataclass_fields__}
    with pytest.raises(UsageError, match="without its media"):
        write_rated(LabelledSet(**{**bare, "read_media": None}), tmp_path / "set", media=True)
    (tmp_path / "file").touch()
    with pytest.raises(UsageError, match="is a file"):
        write_rated(labelled, tmp_path / "file")
