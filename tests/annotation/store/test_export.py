"""What is exported is read back by the package's own readers, value for value."""

from __future__ import annotations

import json
from pathlib import Path

import polars as pl
import pytest
from small_projects import NOW, MakeStore, answer, client_id, faces, yes_or_no

from emonet.annotation.protocols import protocol
from emonet.annotation.store import (
    Store,
    Submission,
    add_person,
    export,
    submit,
    take,
    to_labelled,
    to_ratings,
    undo,
    valid_judgements,
)
from emonet.datasets import read_face_binary, read_face_hq, read_rated
from emonet.errors import UnknownNameError, UsageError


def _rated_yes_or_no(store: Store, people: int = 4) -> None:
    """Target of even faces: yes; contrast: no."""
    raters = [add_person(store, name="Somebody Real", login=f"p{k}@x.org").id for k in range(people)]
    busy = True
    while busy:
        busy = False
        for person in raters:
            for one in take(store, person, count=2, now=NOW):
                busy = True
                shown = one.unit.role == "target" and int(one.unit.items[0][-4:]) % 2 == 0
                answer(store, one, person, float(shown))


def test_laions_binary_table_is_read_back(make_store: MakeStore, tmp_path: Path) -> None:
    """Every judgement, its emotion spelled as in the release."""
    practice = faces(1, start=90, gold={"anger": 1.0}, training=True)
    store = make_store(yes_or_no(contrast=True, training=1), (*faces(6), *practice))
    _rated_yes_or_no(store)
    (path,) = export(store, tmp_path, ["binary.csv"])
    assert path.read_text().splitlines()[0] == "path,annotator,value,emotion"
    columns = ["item", "rater", "dimension", "value"]
    read, own = read_face_binary(path).ratings.table, to_ratings(store).table
    assert len(own) == 3 * 3 + 3 + 6
    assert read.select(columns).sort(columns).equals(own.select(columns).sort(columns))


def test_laions_slider_table_is_read_back(make_store: MakeStore, tmp_path: Path) -> None:
    """A slider that was set to 0 and one that was left alone both read as 0; an empty sheet stays a judgement."""
    store = make_store(protocol("hq", raters=2, training=0, gold_every=0), faces(3))
    sheets = [{"anger": 7.0, "jealousy_envy": 0.0}, {}, {"astonishment_surprise": 3.0}]
    for person in (add_person(store).id, add_person(store).id):
        for one, values in zip(take(store, person, count=3, now=NOW), sheets, strict=True):
            submit(store, Submission(client_id(), one.unit_id, person, values), now=NOW)
    (path,) = export(store, tmp_path, ["hq.csv"])
    columns = ["item", "rater", "dimension", "value", "protocol"]
    read, own = read_face_hq(path).ratings.table, to_ratings(store).table
    assert len(own) == 3 * 2 * 40
    assert read.select(columns).sort(columns).equals(own.select(columns).sort(columns))
    assert "Negative Low-Energy Emotions|Jealousy & Envy': 0" in path.read_text()


def test_the_rated_folder_is_read_back(make_store: MakeStore, tmp_path: Path) -> None:
    """With demographics, media, stages and times, as the benchmark takes it."""
    media = tmp_path / "media"
    (media / "faces").mkdir(parents=True)
    for item in faces(4):
        (media / item.media).write_bytes(item.key.encode())
    store = make_store(yes_or_no(contrast=True), faces(4, facts={"generator": "one", "item": "odd"}))
    _rated_yes_or_no(store)
    export(store, tmp_path / "out", ["parquet"], media=media)
    read, own = read_rated(tmp_path / "out" / "rated"), to_labelled(store, media=media)
    columns = list(own.ratings.table.columns)
    assert read.ratings.table.sort(columns).equals(own.ratings.table.sort(columns))
    assert (read.modality, read.scale, read.levels) == ("face", (0.0, 1.0), (0.0, 1.0))
    assert read.demographics == ("age",)
    assert read.items["fact_item"].to_list() == ["odd"] * 4
    assert read.items["target"].to_list() == ["anger"] * 4
    assert read.items["contrast"].to_list() == ["contentment"] * 4
    assert read.read_media is not None
    assert read.read_media("face-0002") == b"face-0002"


def test_the_record_holds_every_event_and_no_name(make_store: MakeStore, tmp_path: Path) -> None:
    """Also what was undone; people are blinded."""
    store = make_store(yes_or_no(contrast=True), faces(2))
    _rated_yes_or_no(store)
    out = tmp_path / "out"
    written = export(store, out)
    lines = [json.loads(line) for line in (out / "events.jsonl").read_text().splitlines()]
    assert len(lines) == len(valid_judgements(store))
    assert {line["person"] for line in lines} <= {f"rater-{number}" for number in range(1, 5)}
    for path in out.rglob("*"):
        if path.is_file():
            assert b"Somebody Real" not in path.read_bytes()
            assert b"x.org" not in path.read_bytes()
    assert {path.name for path in written} == {
        "rated", "ratings.csv", "items.csv", "units.csv", "binary.csv", "events.jsonl",
    }  # fmt: skip


def test_what_was_taken_back_is_in_the_record_alone(make_store: MakeStore, tmp_path: Path) -> None:
    """Ratings hold what stands."""
    store = make_store(yes_or_no(), faces(2))
    person = add_person(store).id
    first, second = take(store, person, count=2, now=NOW)
    answer(store, first, person)
    undo(store, person, answer(store, second, person).event_id, client_id(), now=NOW)
    export(store, tmp_path, ["csv", "jsonl"])
    assert pl.read_csv(tmp_path / "ratings.csv").height == 1
    assert len((tmp_path / "events.jsonl").read_text().splitlines()) == 3
    assert pl.read_csv(tmp_path / "units.csv")["answers"].to_list() == [1, 0]


def test_pairs_become_rows_of_items(make_store: MakeStore) -> None:
    """1 for the item taken, 0 for the other."""
    store = make_store(protocol("pairs", dimensions=("anger",), training=0, gold_every=0), faces(4))
    person = add_person(store).id
    (one,) = take(store, person, count=1, now=NOW)
    left, right = one.unit.items
    submit(store, Submission(client_id(), one.unit_id, person, {left: 1.0, right: 0.0}), now=NOW)
    rows = to_ratings(store).table.select("item", "dimension", "value").rows()
    assert sorted(rows) == sorted([(left, "anger", 1.0), (right, "anger", 0.0)])


def test_a_questionnaire_is_a_table_of_answers(make_store: MakeStore, tmp_path: Path) -> None:
    """One row a person."""
    asked = protocol("questionnaire", raters=3)
    store = make_store(asked, ())
    person = add_person(store).id
    form = {field.name: "yes" if field.kind == "checkbox" else (field.options or ("ä, b",))[0] for field in asked.form}
    (one,) = take(store, person, now=NOW)
    submit(store, Submission(client_id(), one.unit_id, person, form=form), now=NOW)
    export(store, tmp_path)
    table = pl.read_csv(tmp_path / "forms.csv")
    assert table.select("rater", *form).rows() == [("rater-1", *form.values())]


@pytest.mark.parametrize(("name", "told"), [("hq.csv", "sliders"), ("binary.csv", None)])
def test_layouts_that_do_not_fit_are_refused(
    make_store: MakeStore, tmp_path: Path, name: str, told: str | None
) -> None:
    """Before anything is written."""
    store = make_store(yes_or_no(), faces(1))
    with pytest.raises(UsageError, match="sliders"):
        export(store, tmp_path, ["csv", "hq.csv"])
    assert list(tmp_path.glob("*.csv")) == []
    with pytest.raises(UnknownNameError, match=r"binary\.csv"):
        export(store, tmp_path, ["binary"])
