"""A training of expert heads as a TOML file.

encoder = "laion/Empathic-Insight-Face-Small"   # name, folder or Hub id of the bundle whose encoder is used
name = "my-lab/experts"
licence = "CC-BY-4.0"
[options]                                        # optional, see `Options`
[[stage]]                                        # see `Stage`, in order
name = "weak"
losses = { mae = 1.0 }
[[stage.set]]                                    # one table a set: `kind` and its reader's arguments
kind = "rated"
folder = "big/"
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from emonet.datasets import read_described
from emonet.datasets._described import check_names, faults_of
from emonet.errors import UsageError
from emonet.training.experts._records import Options, Stage

_KEYS = ("encoder", "name", "licence", "options", "stage")


@dataclass(frozen=True, slots=True, eq=False)
class Recipe:
    """The arguments of `train_experts` but the output."""

    encoder: str
    name: str
    licence: str
    options: Options
    stages: tuple[Stage, ...]


def read_experts_recipe(path: Path) -> Recipe:
    """Read the file and the sets that it names; `UsageError` names the place and the nearest known key."""
    path = Path(path)
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UsageError(
            f"{path}: cannot be read ({error.strerror}). Pass a file such as those of recipes/."
        ) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"{path}: not valid TOML: {error}.") from error
    check_names(f"key of {path}", content, _KEYS)
    if not isinstance(content.get("encoder"), str):
        raise UsageError(f"{path}: `encoder` is absent; name the bundle whose encoder the heads read.")
    encoder = content["encoder"]
    beside = path.parent / encoder
    return Recipe(
        encoder=str(beside) if beside.is_dir() else encoder,
        name=str(content.get("name", "experts")),
        licence=str(content.get("licence", "")),
        options=_record(Options, content.get("options", {}), path, "[options]"),
        stages=tuple(_stage(table, path, number) for number, table in enumerate(content.get("stage", []), 1)),
    )


def _stage(table: Any, path: Path, number: int) -> Stage:
    place = f"[[stage]] {number}"
    if not isinstance(table, Mapping) or not isinstance(table.get("set"), list) or "name" not in table:
        raise UsageError(f"{path}: {place} needs a `name` and one [[stage.set]] or more.")
    sets = tuple(read_described(one, path, place=f"{place}, [[stage.set]]") for one in table["set"])
    settings = {key: value for key, value in table.items() if key != "set"}
    return _record(Stage, settings, path, place, sets=sets)


def _record(kind: type[Any], settings: Any, path: Path, place: str, **given: Any) -> Any:
    """A record of the table's values, each checked against its type."""
    import typing

    names = [one.name for one in fields(kind) if one.name not in given]
    check_names(f"key of {place} in {path}", settings, names)
    hints = typing.get_type_hints(kind)
    values = {}
    for key, value in settings.items():
        try:
            values[key] = TypeAdapter(hints[key]).validate_python(value)
        except ValidationError as error:
            raise UsageError(f"{path}, {place} {key}: {faults_of(error)}") from error
    return kind(**values, **given)
