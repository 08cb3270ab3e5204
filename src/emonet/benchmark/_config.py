"""A benchmark run as a TOML file: which set, which raters, which figures.

[set]
kind = "rated"            # the reader; its other keys are that reader's arguments, paths relative to this file
...
[[rater]]                 # one table a rater, see `emonet.benchmark.raters`
...
[analysis]                # optional, see `Analysis`
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from emonet.benchmark._board import DEFINITIONS, Definition
from emonet.benchmark._score import Analysis
from emonet.datasets import LabelledSet
from emonet.datasets._described import check_kind, check_names, faults_of, read_described
from emonet.errors import UsageError


class _Record(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class AnalysisSettings(_Record):
    """The table [analysis]; see `emonet.benchmark.Analysis`."""

    definitions: tuple[Definition, ...] = DEFINITIONS
    gold: Literal["mean", "median"] = "mean"
    resamples: int = 1000
    seed: int = 42
    slices: tuple[str, ...] | None = None
    common_scale: tuple[float, float] | None = None

    def analysis(self) -> Analysis:
        """The same as the scoring functions take it."""
        return Analysis(**self.model_dump())


@dataclass(frozen=True, slots=True)
class Config:
    """`path`: the file. `set`: its table [set]. `raters`: the tables [[rater]], checked when they are built.
    `content`: the whole file, to be stored with the results."""

    path: Path
    set: Mapping[str, Any]
    raters: tuple[Mapping[str, Any], ...]
    analysis: Analysis
    content: Mapping[str, Any]


def read_config(path: Path) -> Config:
    """Read and check a config; `UsageError` names the place and, for a misspelt key, the nearest known one."""
    path = Path(path)
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UsageError(f"{path}: cannot be read ({error.strerror}); expected a benchmark's TOML file.") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"{path}: not valid TOML: {error}.") from error
    check_names(f"table of {path}", content, ("set", "rater", "analysis"))
    chosen = content.get("set")
    check_kind(chosen, path)
    assert isinstance(chosen, Mapping)
    raters = content.get("rater", [])
    if not isinstance(raters, list) or not all(isinstance(rater, Mapping) for rater in raters):
        raise UsageError(f"{path}: `rater` is not a list of tables; write one [[rater]] (two brackets) for each.")
    settings = content.get("analysis", {})
    check_names(f"key of [analysis] in {path}", settings, AnalysisSettings.model_fields)
    try:
        analysis = AnalysisSettings.model_validate(settings).analysis()
    except ValidationError as error:
        raise UsageError(f"{path}, [analysis]: {faults_of(error)}") from error
    return Config(path, chosen, tuple(raters), analysis, content)


def read_set(config: Config) -> LabelledSet:
    """Read the labelled set that the config names."""
    return read_described(config.set, config.path)
