"""A config to a results folder, with real raters that need no service."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest

from emonet.benchmark import HUMAN_CEILING, limited, output_folder, read_results, run_benchmark
from emonet.datasets import Ratings, write_rated
from emonet.errors import UnknownNameError, UsageError
from made_ratings import made_raters, made_set

_CONFIG = """
[set]
kind = "rated"
folder = "ratings"

[[rater]]
type = "baseline"
name = "dice"
rule = "random"

[[rater]]
type = "baseline"
name = "threes"
rule = "constant"
value = 3

[analysis]
resamples = 100
seed = 7
"""


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """The made set on disk, with the made raters as models that came with it, and a config beside it."""
    made, models = made_set(), made_raters()
    both = Ratings(made.ratings.table.vstack(models.table), (*made.ratings.raters, *models.raters))
    write_rated(replace(made, ratings=both), tmp_path / "ratings")
    (tmp_path / "run.toml").write_text(_CONFIG)
    return tmp_path / "run.toml"


def test_a_config_becomes_results(config: Path) -> None:
    """Models of the set, raters of the config, null raters and the ceiling are all scored, with what was asked."""
    said: list[str] = []
    folder = run_benchmark(config, report=False, progress=said.append)
    assert folder == output_folder(config) == config.with_suffix("")
    results = read_results(folder)
    ranked = set(results.ranks.filter(pl.col("definition") == "strict")["rater"])
    assert {"good", "poor", "dice", "threes", "null: random", HUMAN_CEILING} <= ranked
    assert results.facts["seed"] == 7
    assert results.facts["config"]["rater"][0]["name"] == "dice"
    assert results.facts["items"] == 60
    assert results.replies.is_empty()  # rules send no requests
    assert set(results.ratings["rater"]) >= {"human-1", "good", "dice"}
    assert any("rater 1 of 2: dice" in line for line in said)
    assert not results.differences.is_empty()


def test_running_again_gives_the_same(config: Path) -> None:
    """The same config and seed: the same scores."""
    first = read_results(run_benchmark(config, output=config.parent / "a", report=False))
    second = read_results(run_benchmark(config, output=config.parent / "b", report=False))
    assert first.scores.equals(second.scores)
    assert first.ranks.equals(second.ranks)


def test_the_limit_takes_the_first_items(config: Path) -> None:
    """A trial run over ten items says so in its notes."""
    results = read_results(run_benchmark(config, limit=10, report=False))
    assert results.facts["items"] == results.items.height == 10
    assert set(results.ratings["item"]) == set(results.items["item"])
    assert any("first 10 items" in note for note in results.facts["notes"])
    made = made_set()
    assert limited(made, None) is made
    with pytest.raises(UsageError, match="at least 1"):
        limited(made, 0)


@pytest.mark.parametrize(
    ("change", "error", "said"),
    [
        (lambda text: text.replace('"threes"', '"dice"'), UsageError, "several raters are named dice"),
        (lambda text: text.replace('"dice"', '"human-1"'), UsageError, "human-1"),
        (lambda text: text.replace('"random"', '"rondom"'), UsageError, "rater.. 1"),
        (lambda text: text.replace('"baseline"', '"baselin"'), UnknownNameError, "'baseline'"),
        (lambda text: text.replace("folder =", "folders ="), UnknownNameError, "'folder'"),
    ],
)
def test_slips_are_named(config: Path, change: Callable[[str], str], error: type[Exception], said: str) -> None:
    """Two raters of one name, a rater named like a person, misspelt settings: nothing is written."""
    config.write_text(change(_CONFIG))
    with pytest.raises(error, match=said):
        run_benchmark(config, report=False)
    assert not (output_folder(config) / "run.json").exists()


def test_an_output_that_is_a_file_is_refused(config: Path) -> None:
    """A file is never replaced by a folder."""
    (config.parent / "out").write_text("mine")
    with pytest.raises(UsageError, match="is a file"):
        run_benchmark(config, output=config.parent / "out", report=False)
