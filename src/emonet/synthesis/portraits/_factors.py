"""What portraits vary in: factors and their levels, the package's or one's own."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from emonet.errors import UsageError
from emonet.taxonomy import EMOTIONS, dimension_key


@dataclass(frozen=True, slots=True)
class Level:
    """`name`: in designs and tables; `words`: in prompts."""

    name: str
    words: str


@dataclass(frozen=True, slots=True)
class Factor:
    """One thing that varies. Levels have different names."""

    name: str
    levels: tuple[Level, ...]

    def words(self, level: str) -> str:
        """How a level is said in a prompt."""
        return next((one.words for one in self.levels if one.name == level), level)


def read_factors(path: str | Path | None = None) -> tuple[Factor, ...]:
    """The factors of a TOML file, or of the package: 14 ethnicities, 7 ages, 3 genders (as published), the taxonomy's
    emotions, 3 intensities, camera, light, background and framing.

    The first two are those whose balance with every other factor is guaranteed. Raises `UsageError` naming the file
    and what is wrong in it.
    """
    if path is None:
        return _built_in()
    try:
        content = tomllib.loads(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        raise UsageError(f"{path}: cannot be read ({error.strerror}); expected a TOML file of [[factor]]s.") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"{path}: not valid TOML: {error}.") from error
    return _factors(content, str(path))


@lru_cache(maxsize=1)
def _built_in() -> tuple[Factor, ...]:
    text = files(__package__).joinpath("factors.toml").read_text(encoding="utf-8")
    return _factors(tomllib.loads(text), "factors.toml")


def _factors(content: Any, where: str) -> tuple[Factor, ...]:
    tables = content.get("factor")
    if not isinstance(tables, list) or len(tables) < 2 or not all(isinstance(one, dict) for one in tables):
        raise UsageError(f"{where}: expected two [[factor]] tables or more, each with `name` and `levels`.")
    found = tuple(_factor(table, where) for table in tables)
    names = [factor.name for factor in found]
    if len(set(names)) < len(names):
        raise UsageError(f"{where}: two factors are called {max(names, key=names.count)!r}.")
    if "emotion" not in names:
        raise UsageError(f"{where}: a factor `emotion` is missing; without `levels` it has all of the taxonomy.")
    return found


def _factor(table: dict[str, Any], where: str) -> Factor:
    name = table.get("name")
    if not isinstance(name, str) or not name.isidentifier():
        raise UsageError(f"{where}: a factor's name is {name!r}; expected a word such as 'age'.")
    given = table.get("levels")
    if name == "emotion":
        keys = [emotion.key for emotion in EMOTIONS] if given is None else [dimension_key(str(one)) for one in given]
        levels = tuple(Level(key, key) for key in keys)
    else:
        levels = tuple(_level(one, f"{where}, factor {name}") for one in (given or ()))
    if not levels or len({level.name for level in levels}) < len(levels):
        raise UsageError(f"{where}: the factor {name!r} needs levels, each with a name of its own.")
    return Factor(name, levels)


def _level(value: Any, where: str) -> Level:
    if isinstance(value, str | int):
        return Level(str(value), str(value))
    if isinstance(value, dict) and isinstance(value.get("name"), str):
        return Level(value["name"], str(value.get("words", value["name"])))
    raise UsageError(f"{where}: a level is {value!r}; expected a text, or a table of `name` and `words`.")
