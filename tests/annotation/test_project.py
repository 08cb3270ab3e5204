"""Projects made from folders: which items, which questions, which file on disk."""

from __future__ import annotations

import stat
from pathlib import Path

import PIL.Image
import pytest
from hypothesis import given
from hypothesis import strategies as st

from emonet.annotation._media_folder import read_items
from emonet.annotation._project import init_project, read_project_folder
from emonet.annotation.protocols import binary, hq, pairs, presence, questionnaire
from emonet.annotation.store import items as stored_items
from emonet.annotation.store import read_project, units
from emonet.errors import UsageError


def picture(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    PIL.Image.new("RGB", (8, 8), "#888").save(path)


@pytest.fixture
def portraits(tmp_path: Path) -> Path:
    """Four pictures, two in folders named after emotions, one in another, and what is no picture."""
    folder = tmp_path / "portraits"
    for name in ("anger/a.png", "Jealousy & Envy/b.jpg", "misc/c.png", "d.png"):
        picture(folder / name)
    (folder / "notes.txt").write_text("not a picture")
    picture(folder / ".thumbs" / "a.png")
    return folder


def manifest(folder: Path, text: str) -> Path:
    path = folder.parent / "manifest.csv"
    path.write_text(text, encoding="utf-8")
    return path


def test_folders_named_after_emotions_say_what_was_prompted(portraits: Path) -> None:
    """Any spelling of the taxonomy counts; other folders say nothing; hidden files and text are left out."""
    found = {item.key: item.dimensions for item in read_items(portraits)}
    assert found == {
        "Jealousy & Envy/b.jpg": ("jealousy_envy",),
        "anger/a.png": ("anger",),
        "d.png": (),
        "misc/c.png": (),
    }


def test_manifest_says_more_than_folders_can(portraits: Path) -> None:
    """Emotions, known answers, demographics and other facts come from its columns."""
    table = manifest(
        portraits,
        "file,emotion,gold,training,tolerance,sensitive,gender,demographic:lamp,prompt\n"
        'd.png,Fear; pride,,,,yes,woman,soft,"a face, afraid"\n'
        "anger/a.png,,1,,,,man,,\n"
        "misc/c.png,,anger=0;fear=1,yes,0.5,,,,\n",
    )
    plain, gold, practice = read_items(portraits, manifest=table)
    assert plain.dimensions == ("fear", "pride")
    assert plain.demographics == {"gender": "woman", "lamp": "soft"}
    assert plain.facts == {"prompt": "a face, afraid"}
    assert plain.sensitive
    assert gold.gold == {"anger": 1.0}
    assert not gold.training
    assert practice.gold == {"anger": 0.0, "fear": 1.0}
    assert (practice.training, practice.tolerance) == (True, 0.5)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("name,emotion\nd.png,fear\n", "expected one that names the file"),
        ("file\n", "no rows"),
        ("file\nd.png\nd.png\n", "2 times"),
        ("file\nmissing.png\n", "line 2: no file 'missing.png'"),
        ("file\n../outside.png\n", "no file '../outside.png'"),
        ("file,emotion\nd.png,angre\n", "line 2: Unknown"),
        ("file,gold\nd.png,1\n", "names 0 emotions"),
        ("file,gold\nanger/a.png,high\n", "gold is 'high'"),
        ("file,training\nd.png,maybe\n", "training is 'maybe'"),
    ],
)
def test_faults_of_a_manifest_are_named(portraits: Path, text: str, told: str) -> None:
    """Every fault says which line and what was expected."""
    picture(portraits.parent / "outside.png")
    with pytest.raises(UsageError, match=told.replace("(", r"\(")):
        read_items(portraits, manifest=manifest(portraits, text))


def test_a_folder_without_media_is_refused(tmp_path: Path) -> None:
    """What is missing is said, for pictures, recordings and a folder that is not there."""
    with pytest.raises(UsageError, match="no pictures or recordings"):
        read_items(tmp_path)
    with pytest.raises(UsageError, match="no recordings"):
        read_items(tmp_path, modality="voice")
    with pytest.raises(UsageError, match="is not a folder"):
        read_items(tmp_path / "nothing")


def test_one_call_makes_a_working_project(portraits: Path) -> None:
    """The folder beside the media holds project.toml and a database with items and units."""
    made = init_project(portraits, binary(), emotions=["fear"])
    assert made.project == read_project_folder(made.project.folder)
    assert made.project.folder == portraits.with_name("portraits-annotation")
    assert made.project.media == portraits
    with made.project.open() as store:
        assert read_project(store).protocol == binary()
        asked = {(unit.items[0], unit.dimensions[0]) for unit in units(store) if unit.role == "target"}
        assert len(stored_items(store)) == made.items == 4
        assert len(units(store)) == made.units
    assert asked == {
        ("anger/a.png", "anger"),
        ("Jealousy & Envy/b.jpg", "jealousy_envy"),
        ("d.png", "fear"),
        ("misc/c.png", "fear"),
    }


def test_the_lead_is_told_when_everything_is_asked_about_everything(portraits: Path) -> None:
    """Items that name no emotion are asked about all 40, which a remark says, as it does of missing known answers."""
    made = init_project(portraits, presence(modality="face"))
    assert any("2 of 4 items name no emotion" in remark for remark in made.remarks)
    assert any("known answer" in remark for remark in made.remarks)
    assert made.units == 2 * 40 + 2


@pytest.mark.parametrize(("protocol", "count"), [(hq(), 4), (questionnaire(), 1)])
def test_other_protocols_ask_their_own_way(portraits: Path, protocol: object, count: int) -> None:
    """Sliders ask once an item, a questionnaire once."""
    assert init_project(portraits, protocol).units == count  # type: ignore[arg-type]


def test_comparisons_by_chosen_emotions_take_all_items(portraits: Path) -> None:
    """Folders sort items into pools; emotions that are chosen are asked of everything, whatever it was made for."""
    made = init_project(portraits, pairs(dimensions=["anger"]), emotions=["anger"])
    with made.project.open() as store:
        shown = {item for unit in units(store) for item in unit.items}
        assert len(shown) == 4
        assert {unit.dimensions for unit in units(store)} == {("anger",)}


def test_a_project_is_not_made_twice(portraits: Path) -> None:
    """The second time is refused and changes nothing; so is a project in the media's own folder."""
    made = init_project(portraits, binary())
    before = (made.project.folder / "project.toml").read_bytes()
    with pytest.raises(UsageError, match="already holds a project"):
        init_project(portraits, binary())
    assert (made.project.folder / "project.toml").read_bytes() == before
    with pytest.raises(UsageError, match="is the media's folder"):
        init_project(portraits, binary(), folder=portraits)


def test_the_file_is_for_its_owner_alone(portraits: Path) -> None:
    """project.toml may hold a database password."""
    made = init_project(portraits, binary())
    assert stat.S_IMODE((made.project.folder / "project.toml").stat().st_mode) == 0o600


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("name = 3", "name is 3; expected str"),
        ("colour = 'red'", "unknown setting colour"),
        ("serve = 1", r"expected a table \[serve\]"),
        ("[serve]\nport = true", "port is True; expected int"),
        ("name = ", "cannot be read"),
    ],
)
def test_faults_of_project_toml_are_named(tmp_path: Path, text: str, told: str) -> None:
    """A setting that does not fit is named with its file."""
    (tmp_path / "project.toml").write_text(text)
    with pytest.raises(UsageError, match=told):
        read_project_folder(tmp_path)


def test_a_folder_without_project_says_how_to_make_one(tmp_path: Path) -> None:
    """The message holds the command."""
    with pytest.raises(UsageError, match="emonet annotate init"):
        read_project_folder(tmp_path)


@given(st.text(st.characters(codec="utf-8", exclude_categories=["Cs"]), max_size=30))
def test_any_title_survives_the_file(name: str) -> None:
    """TOML's quoting holds for every character."""
    import tomllib

    from emonet.annotation._project import _quoted

    assert tomllib.loads(f"name = {_quoted(name)}")["name"] == name
