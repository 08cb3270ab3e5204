"""A labelled set as a table of a TOML file: `kind` names the reader, the other keys are its arguments."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, get_type_hints

from pydantic import TypeAdapter, ValidationError

from emonet.datasets._records import LabelledSet
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
"""`kind` of a set → its reader in `emonet.datasets`."""
Reader = Callable[..., LabelledSet]


def read_described(table: Mapping[str, Any], path: Path, *, place: str = "[set]") -> LabelledSet:
    """Read the set that a table of the file `path` describes; relative paths are from the file's folder.

    `place`: where the table stands, for messages. Raises `UsageError` for an unknown kind and for a missing or misspelt
    key, naming the nearest known one.
    """
    from emonet import datasets

    check_kind(table, path, place=place)
    reader: Reader = getattr(datasets, SET_KINDS[str(table["kind"])])
    settings = {key: value for key, value in table.items() if key != "kind"}
    return reader(**reader_arguments(reader, settings, path, place=place))


def check_kind(table: Any, path: Path, *, place: str = "[set]") -> None:
    """Raise `UsageError` unless `table` names a kind of set."""
    if not isinstance(table, Mapping) or "kind" not in table:
        raise UsageError(f"{path}: no table {place} with a `kind`; expected one of {', '.join(SET_KINDS)}.")
    if table["kind"] not in SET_KINDS:
        raise UnknownNameError("kind of set", str(table["kind"]), SET_KINDS)


def reader_arguments(
    reader: Reader, settings: Mapping[str, Any], path: Path, *, place: str = "[set]"
) -> dict[str, Any]:
    """Keys of a table as the reader's arguments, checked against their types."""
    parameters, hints = inspect.signature(reader).parameters, get_type_hints(reader)
    check_names(f"key of {place} in {path}", settings, parameters)
    out = {}
    for key, value in settings.items():
        try:
            out[key] = _placed(TypeAdapter(hints[key]).validate_python(value), path.parent)
        except ValidationError as error:
            raise UsageError(f"{path}, {place} {key}: {faults_of(error)}") from error
    needed = [name for name, one in parameters.items() if one.default is one.empty and name not in settings]
    if needed:
        raise UsageError(f"{path}: {place} lacks {', '.join(needed)}; it has {', '.join(settings) or 'nothing'}.")
    return out


def check_names(kind: str, table: Any, names: Sequence[str] | Mapping[str, Any]) -> None:
    """Raise `UnknownNameError` for the first key of a table that is not among `names`."""
    if not isinstance(table, Mapping):
        raise UsageError(f"{kind}: found {table!r}, expected a table.")
    for name in table:
        if name not in names:
            raise UnknownNameError(kind, name, names)


def faults_of(error: ValidationError) -> str:
    """What pydantic found, one clause a fault."""
    faults = ("".join(f"{part}: " for part in fault["loc"]) + fault["msg"] for fault in error.errors())
    return "; ".join(faults) + "."


def _placed(value: Any, folder: Path) -> Any:
    """Relative paths in a value, also in lists and tables, from `folder`."""
    if isinstance(value, Path):
        return value if value.is_absolute() else folder / value
    if isinstance(value, Mapping):
        return {key: _placed(one, folder) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(_placed(one, folder) for one in value)
    return value
