"""A taxonomy of one's own: its file, its faults, and that it is used in place of the built-in one."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emonet.errors import UsageError
from emonet.taxonomy import Taxonomy, built_in, known_emotions, read_taxonomy, write_taxonomy
from emonet.taxonomy._inherited import make_emotions, slug
from emonet.taxonomy._lookup import index_of

SIX = {
    "version": "six-1",
    "source": "a test",
    "groups": ["Warm", "Cold"],
    "emotions": [
        {"name": "Anger", "group": "Cold", "words": ["anger", "angry"]},
        {"name": "Saudade", "group": "Warm", "words": ["saudade", "longing"]},
        {"name": "Schadenfreude", "group": "Cold"},
        {"name": "Fear", "group": "Cold", "words": ["fear", "afraid"]},
        {"name": "Cosiness", "group": "Warm", "words": ["cosiness", "cosy"], "spellings": ["Gemütlichkeit"]},
        {"key": "awe", "name": "Awe & Reverence", "group": "Warm", "words": ["awe"]},
    ],
}


@pytest.fixture
def six(tmp_path: Path) -> Path:
    """Six emotions in two groups."""
    path = tmp_path / "six.json"
    path.write_text(json.dumps(SIX, indent=1), encoding="utf-8")
    return path


def _run(code: str, path: Path | str) -> subprocess.CompletedProcess[str]:
    """A fresh interpreter with the variable set."""
    env = {**os.environ, "EMONET_TAXONOMY": str(path)}
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=env, check=False)


def test_a_file_of_six_emotions(six: Path) -> None:
    """Keys and words follow from names; a key of a built-in emotion brings its spellings along."""
    taxonomy = read_taxonomy(six)
    assert [e.key for e in taxonomy.emotions] == ["anger", "saudade", "schadenfreude", "fear", "cosiness", "awe"]
    assert taxonomy.emotions[2].words == ("schadenfreude",)
    assert taxonomy.emotions[0].coarse == {"ravdess": "angry", "emodb": "anger"}
    assert taxonomy.emotions[0].aliases["hq"] == "Cold|Anger"
    assert taxonomy.emotions[5].aliases["voice_checkpoint"] == "Awe"
    assert taxonomy.attributes == built_in().attributes


def test_the_variable_puts_it_in_use_everywhere(six: Path) -> None:
    """Constants and lookups, in this process and in those that it starts; models keep names that it lacks."""
    code = """
from concurrent.futures import ProcessPoolExecutor
from emonet.errors import UnknownNameError
from emonet.taxonomy import (EMOTIONS, GROUPS, VERSION, checkpoint_name, dimension_key, dimension_record,
                             display_name, known_emotions, resolve)


def count():
    import emonet.taxonomy
    return [e.key for e in emonet.taxonomy.EMOTIONS]

assert count() == [e.key for e in EMOTIONS] and len(EMOTIONS) == 6, EMOTIONS
assert GROUPS == ("Warm", "Cold") and VERSION == "six-1"
assert dimension_key("Gemütlichkeit") == "cosiness" and resolve("Warm|awe & reverence").key == "awe"
assert resolve("arousal").key == "arousal"
try:
    resolve("contempt")
except UnknownNameError as error:
    assert "Contempt" not in error.known
else:
    raise AssertionError
# What a model scores is named all the same.
assert display_name("jealousy_envy") == "Jealousy & Envy" and dimension_record("contempt").key == "contempt"
assert checkpoint_name("jealousy_envy", "face") == "jealousy_&_envy"
# The file's six, then the built-in ones but for anger, fear and awe, whose keys it has.
assert len(known_emotions()) == 6 + 40 - 3
"""
    done = _run(code + "print('fine')", six)
    assert (done.returncode, done.stdout) == (0, "fine\n"), done.stderr
    worker = "import subprocess, sys\nprint(subprocess.run([sys.executable, '-c', 'import emonet.taxonomy as t; print(len(t.EMOTIONS))'], capture_output=True, text=True).stdout)"  # noqa: E501
    assert _run(worker, six).stdout.split() == ["6"]


def test_without_the_variable_it_is_the_built_in_one() -> None:
    """An empty value counts as none."""
    assert _run(
        "import emonet.taxonomy as t; print(len(t.EMOTIONS), t.EMOTIONS == t.built_in().emotions)", " "
    ).stdout == ("40 True\n")
    assert len(known_emotions()) == len(built_in().emotions)


def test_a_wrong_file_is_an_error_of_use_not_of_import(tmp_path: Path) -> None:
    """Importing works; the first use names file, variable and remedy."""
    code = "import emonet.taxonomy as t\nprint('imported')\nt.EMOTIONS"
    done = _run(code, tmp_path / "gone.json")
    assert done.stdout == "imported\n"
    assert "gone.json (named by the environment variable EMONET_TAXONOMY): no such file" in done.stderr


def _with(**changed: object) -> str:
    return json.dumps({**SIX, **changed}, indent=1)


def _emotion(**fields: object) -> str:
    """A file whose second emotion, which begins in line 7, has other fields."""
    first = {"name": "Anger", "group": "Cold"}
    lines = ['{"groups": ["Warm", "Cold"],', "", "", '"emotions": [', json.dumps(first) + ",", ""]
    return "\n".join([*lines, json.dumps({"name": "Fear", "group": "Cold", **fields}), "]}"])


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", r"line 1: not JSON"),
        ("[1]", r"line 1: a list or single value \(list\)"),
        ('{\n"groups": ["a"],\n"emotions": [,]}', r"line 3: not JSON: .* column 14"),
        ("[" * 100_000, r"not JSON|too deep"),
        (_with(colour=1), r"line 1: unknown field 'colour'\. A taxonomy has: format"),
        (_with(format="emonet-taxonomy-9"), r"reads 'emonet-taxonomy-1'; update emonet"),
        (_with(groups=[]), r"`groups` is \[\]"),
        (_with(groups=["Warm", "Cold", "Warm"]), r"'Warm' stands twice"),
        (_with(groups=["Warm", "Cold", "a|b"]), r"contains '\|'"),
        (_with(emotions=[]), r"`emotions` is \[\]"),
        (_with(emotions=["Anger"]), r"emotion 1 is 'Anger'"),
        (_with(version=1), r"`version` is 1\. Expected a text"),
        (_with(emotion_levels={"x": "a"}), r"the level 'x'"),
        (_with(attributes=3), r"`attributes` is 3"),
        (_with(attributes=[{"key": "a"}]), r"An attribute has: key, name"),
        (_emotion(name=""), r"line 7: `name` is ''"),
        (_emotion(group="Lukewarm"), r"line 7: 'Fear' is in the group 'Lukewarm'\. The file's groups are: Warm, Cold"),
        (_emotion(name="Anger"), r"line 7: the key 'anger' is that of line 5 too"),
        (
            _emotion(name="Arousal"),
            r"line 7: the spelling 'Arousal' names both the emotion arousal and the attribute arousal",
        ),
        (_emotion(name="A|B"), r"line 7: the name 'A\|B'"),
        (_emotion(key="Not A Key"), r"line 7: the key 'Not A Key'"),
        (_emotion(name="&!"), r"line 7: the key ''"),
        (_emotion(words="fear"), r"line 7: `words` is 'fear'"),
        (_emotion(words=["a", ""]), r"line 7: `words`"),
        (_emotion(aliases=["a"]), r"line 7: `aliases`"),
        (_emotion(wrods=[]), r"line 7: unknown field 'wrods'"),
        (
            _emotion(spellings=["Anger"]),
            r"line 7: the spelling 'Anger' names both the emotion anger and the emotion fear",
        ),
    ],
)
def test_a_fault_is_named_with_its_line_and_remedy(tmp_path: Path, text: str, said: str) -> None:
    """One message for each way to be wrong."""
    path = tmp_path / "t.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(UsageError, match=re.escape(str(path)) + ".*(" + said + ")"):
        read_taxonomy(path)


def test_files_that_are_no_text(tmp_path: Path) -> None:
    """Bytes, a folder, far too much."""
    (tmp_path / "a.json").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(UsageError, match="not UTF-8"):
        read_taxonomy(tmp_path / "a.json")
    with pytest.raises(UsageError, match="cannot be read"):
        read_taxonomy(tmp_path)
    with (tmp_path / "b.json").open("wb") as file:
        file.truncate(17 * 2**20)
    with pytest.raises(UsageError, match="A taxonomy file has at most"):
        read_taxonomy(tmp_path / "b.json")


def test_an_inherited_spelling_gives_way_to_an_own_name(tmp_path: Path) -> None:
    """The built-in Helplessness is called Hopelessness in one release; a file may have both."""
    items = [{"key": slug(n), "name": n, "group": "g", "words": (n,)} for n in ("Helplessness", "Hopelessness")]
    both = make_emotions(items)
    assert "Hopelessness" not in {*both[0].aliases.values(), *both[0].spellings}
    base = built_in()
    index_of(Taxonomy("1", "", ("g",), both, base.attributes, base.emotion_levels), "face")


_names = st.lists(
    st.from_regex(r"[A-Z][a-z]{2,9}( (&|/) [A-Z][a-z]{2,9})?", fullmatch=True), min_size=1, max_size=8, unique_by=slug
)


@given(_names, st.data())
def test_written_and_read_a_taxonomy_is_the_same(tmp_path_factory: pytest.TempPathFactory, names, data) -> None:
    """Whatever it inherits or states itself."""
    base = built_in()
    items = [
        {
            "key": slug(name),
            "name": name,
            "group": data.draw(st.sampled_from(["One", "Two"])),
            "words": tuple(data.draw(st.lists(st.text("abcé '-", min_size=1).filter(str.strip), max_size=3))),
            **({"hume": ("Label",)} if data.draw(st.booleans()) else {}),
        }
        for name in names
    ]
    made = Taxonomy("1", "s", ("One", "Two"), make_emotions(items), base.attributes[:3], base.emotion_levels)
    path = tmp_path_factory.getbasetemp() / "round.json"
    write_taxonomy(made, path)
    assert read_taxonomy(path) == made


def test_the_built_in_one_can_be_written_and_read(tmp_path: Path) -> None:
    """As a beginning for one's own."""
    write_taxonomy(built_in(), tmp_path / "t.json")
    assert read_taxonomy(tmp_path / "t.json") == built_in()
