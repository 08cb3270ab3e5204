"""A benchmark run as a TOML file: which set, which raters, which figures.

[set]
kind = "rated"            # the reader; its other keys are that reader's arguments, paths relative to this file
...
[[rater]]                 # one table a rater, see `emonet.benchmark.raters`
...
[analysis]                # optional, see `Analysis`
"""

from __future__ import annotations

import inspect
import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_type_hints

from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from emonet.benchmark._board import DEFINITIONS, Definition
from emonet.benchmark._score import Analysis
from emonet.datasets import LabelledSet
from emonet.errors import UnknownNameError, UsageError

SET_KINDS: Mapping[str, str] = {
    "face-hq": "read_face_hq",
    "face-binary": "read_face_binary",
    "voice": "read_voice",
    "rated": "read_rated",
    "coarse": "read_coarse",
    "mdns": "read_mdns",
    "ferplus": "read_ferplus",
    "cremad": "read_cremad",
    "emolia-bench": "read_emolia_bench",
}
"""`kind` of a set → its reader in `emonet.datasets`, whose arguments the other keys of [set] are."""
Reader = Callable[..., LabelledSet]


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
    _known(f"table of {path}", content, ("set", "rater", "analysis"))
    chosen = content.get("set")
    if not isinstance(chosen, Mapping) or "kind" not in chosen:
        raise UsageError(f"{path}: no table [set] with a `kind`; expected one of {', '.join(SET_KINDS)}.")
    if chosen["kind"] not in SET_KINDS:
        raise UnknownNameError("kind of set", str(chosen["kind"]), SET_KINDS)
    raters = content.get("rater", [])
    if not isinstance(raters, list) or not all(isinstance(rater, Mapping) for rater in raters):
        raise UsageError(f"{path}: `rater` is not a list of tables; write one [[rater]] (two brackets) for each.")
    settings = content.get("analysis", {})
    _known(f"key of [analysis] in {path}", settings, AnalysisSettings.model_fields)
    try:
        analysis = AnalysisSettings.model_validate(settings).analysis()
    except ValidationError as error:
        raise UsageError(f"{path}, [analysis]: {_said(error)}") from error
    return Config(path, chosen, tuple(raters), analysis, content)


def read_set(config: Config) -> LabelledSet:
    """Read the labelled set that the config names."""
    from emonet import datasets

    reader: Reader = getattr(datasets, SET_KINDS[str(config.set["kind"])])
    settings = {key: value for key, value in config.set.items() if key != "kind"}
    return reader(**arguments(reader, settings, config.path))


def arguments(reader: Reader, settings: Mapping[str, Any], path: Path) -> dict[str, Any]:
    """The keys of [set] as the reader's arguments: checked against their types, paths relative to the config's folder.

    Raises `UsageError` for a missing or misspelt key and for a value of another type.
    """
    parameters, hints = inspect.signature(reader).parameters, get_type_hints(reader)
    _known(f"key of [set] in {path}", settings, parameters)
    out = {}
    for key, value in settings.items():
        try:
            out[key] = _placed(TypeAdapter(hints[key]).validate_python(value), path.parent)
        except ValidationError as error:
            raise UsageError(f"{path}, [set] {key}: {_said(error)}") from error
    needed = [name for name, one in parameters.items() if one.default is one.empty and name not in settings]
    if needed:
        raise UsageError(f"{path}: [set] lacks {', '.join(needed)}; it has {', '.join(settings) or 'nothing'}.")
    return out


def _placed(value: Any, folder: Path) -> Any:
    """Relative paths in a value, also in lists and tables, from `folder`."""
    if isinstance(value, Path):
        return value if value.is_absolute() else folder / value
    if isinstance(value, Mapping):
        return {key: _placed(one, folder) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(_placed(one, folder) for one in value)
    return value


def _known(kind: str, table: Any, names: Sequence[str] | Mapping[str, Any]) -> None:
    if not isinstance(table, Mapping):
        raise UsageError(f"{kind}: found {table!r}, expected a table.")
    for name in table:
        if name not in names:
            raise UnknownNameError(kind, name, names)


def _said(error: ValidationError) -> str:
    """What pydantic found, one clause a fault."""
    faults = ("".join(f"{part}: " for part in fault["loc"]) + fault["msg"] for fault in error.errors())
    return "; ".join(faults) + "."
