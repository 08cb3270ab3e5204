"""A run's TOML file: what is accepted, and how a slip of the pen is answered."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import pytest

from emonet.benchmark._config import read_config
from emonet.datasets import LabelledSet
from emonet.datasets._described import reader_arguments
from emonet.errors import UnknownNameError, UsageError
from made_ratings import made_set

_GOOD = """
[set]
kind = "rated"
folder = "ratings"

[[rater]]
type = "bundle"
name = "EmoNet face"
model = "face"

[analysis]
definitions = ["strict"]
seed = 7
slices = ["age"]
common_scale = [0, 7]
"""


def _read(folder: Path, text: str) -> None:
    (folder / "run.toml").write_text(text)
    read_config(folder / "run.toml")


def test_a_config_is_read(tmp_path: Path) -> None:
    """Tables become records; what is left out has its default."""
    (tmp_path / "run.toml").write_text(_GOOD)
    config = read_config(tmp_path / "run.toml")
    assert config.set["kind"] == "rated"
    assert [rater["model"] for rater in config.raters] == ["face"]
    assert config.analysis.definitions == ("strict",)
    assert (config.analysis.seed, config.analysis.resamples) == (7, 1000)
    assert config.analysis.slices == ("age",)
    assert config.analysis.common_scale == (0.0, 7.0)
    assert config.content["analysis"]["seed"] == 7


@pytest.mark.parametrize(
    ("old", "new", "nearest"),
    [
        ("[analysis]", "[analisys]", "analysis"),
        ("seed = 7", "sead = 7", "seed"),
        ('kind = "rated"', 'kind = "ratet"', "rated"),
        ("[[rater]]", "[[raters]]", "rater"),
    ],
)
def test_a_misspelt_key_gets_the_nearest(tmp_path: Path, old: str, new: str, nearest: str) -> None:
    """Unknown tables, keys and kinds are errors that name the nearest known one."""
    with pytest.raises(UnknownNameError, match=f"Did you mean '{nearest}'"):
        _read(tmp_path, _GOOD.replace(old, new))


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('kind = "rated"\n', "", "no table .set. with a `kind`"),
        ("[[rater]]", "[rater]", "two brackets"),
        ("seed = 7", 'seed = "seven"', "seed: "),
        ('["strict"]', '["loose"]', "strict"),
        ("seed = 7", "seed = ", "not valid TOML"),
        ("seed = 7", "seed = 7\nresamples = 3", "at least 100"),
    ],
)
def test_wrong_values_are_named(tmp_path: Path, old: str, new: str, said: str) -> None:
    """The message names file, key and what was expected."""
    with pytest.raises(UsageError, match=said):
        _read(tmp_path, _GOOD.replace(old, new))


def test_an_absent_file_is_named(tmp_path: Path) -> None:
    """No config, no run."""
    with pytest.raises(UsageError, match="expected a benchmark's TOML file"):
        read_config(tmp_path / "none.toml")


def _reader(
    ratings: Path, *, media: Path | Sequence[Path] | None = None, how: Literal["zero", "unrated"] = "zero", n: int = 1
) -> LabelledSet:
    return made_set()


def test_set_keys_are_the_readers_arguments(tmp_path: Path) -> None:
    """Values get the reader's types and relative paths start from the config's folder."""
    absolute = str(tmp_path / "x")
    settings = {"ratings": "a/b.csv", "media": ["m", absolute], "how": "unrated", "n": 2}
    assert reader_arguments(_reader, settings, tmp_path / "run.toml") == {
        "ratings": tmp_path / "a" / "b.csv",
        "media": [tmp_path / "m", tmp_path / "x"],
        "how": "unrated",
        "n": 2,
    }
    assert reader_arguments(_reader, {"ratings": "r", "media": "m"}, tmp_path / "run.toml")["media"] == tmp_path / "m"


def test_set_keys_are_checked(tmp_path: Path) -> None:
    """Misspelt, missing and ill-typed arguments of the reader."""
    path = tmp_path / "run.toml"
    with pytest.raises(UnknownNameError, match="'ratings'"):
        reader_arguments(_reader, {"rating": "x"}, path)
    with pytest.raises(UsageError, match="lacks ratings"):
        reader_arguments(_reader, {"n": 2}, path)
    with pytest.raises(UsageError, match="how"):
        reader_arguments(_reader, {"ratings": "x", "how": "never"}, path)


def test_the_example_is_valid(tmp_path: Path) -> None:
    """The config that the documents name is read, its set's keys fit the reader and its raters can be built."""
    from emonet import datasets
    from emonet.benchmark.raters import build_rater
    from emonet.datasets import SET_KINDS

    config = read_config(Path(__file__).resolve().parents[2] / "examples" / "benchmark.toml")
    settings = {key: value for key, value in config.set.items() if key != "kind"}
    reader = getattr(datasets, SET_KINDS[config.set["kind"]])
    assert reader_arguments(reader, settings, config.path)["ratings"] == config.path.parent / "data" / "hq.csv"
    assert [build_rater(rater, cache=tmp_path).rater.name for rater in config.raters] == [
        "EmoNet face",
        "made-1, asked",
    ]


def test_every_kind_of_set_has_a_reader() -> None:
    """The names that a config may give lead to functions of the data sets' package."""
    from emonet import datasets
    from emonet.datasets import SET_KINDS

    assert all(name in datasets.__all__ for name in SET_KINDS.values())
