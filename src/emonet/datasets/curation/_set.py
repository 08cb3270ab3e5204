"""A finished data set on disk.

dataset.json      what it is, how it was made, its files with their hashes; written last, a set without it is unfinished
items.parquet     one row per item: item, split, label, licence, consent, source, facts, measures
ratings.parquet   people's judgements on the items that are left, where the sources have them
dropped.parquet   what went: step, item, reason, detail
report.json       the rules with their counts
copies.parquet    pairs of copies that were found
data/<split>/     shards
README.md, card/  the card and its figures
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import polars as pl
from pydantic import BaseModel, ConfigDict, ValidationError

from emonet.errors import UsageError
from emonet.taxonomy import Modality

SET_FILE, ITEMS, RATINGS, DROPPED, REPORT, PAIRS, DATA = (
    "dataset.json", "items.parquet", "ratings.parquet", "dropped.parquet", "report.json", "copies.parquet", "data",
)  # fmt: skip
FORMAT = 1
WHOLE = "all"
"""Name of the one part of a set that was not split."""


class ShardFacts(BaseModel):
    """`path`: from the set's folder, with forward slashes. `split`: "" for files that belong to no part."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    path: str
    split: str = ""
    bytes: int
    sha256: str


class SetFacts(BaseModel):
    """What `dataset.json` holds. `splits`: items in each part. `recipe`: what the set was made by."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    format: int = FORMAT
    name: str
    modality: Modality
    licence: str
    description: str = ""
    emonet: str
    seed: int
    items: int
    splits: Mapping[str, int]
    files: tuple[ShardFacts, ...]
    recipe: Mapping[str, Any] = {}


def read_set(folder: Path) -> tuple[SetFacts, pl.DataFrame]:
    """Facts and items of a finished set. Raises `UsageError` for a folder that holds none."""
    path = Path(folder) / SET_FILE
    try:
        facts = SetFacts.model_validate_json(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise UsageError(
            f"{folder} holds no {SET_FILE}; expected a data set that `emonet dataset build` finished."
        ) from error
    except (OSError, UnicodeDecodeError, ValidationError) as error:
        raise UsageError(f"{path}: not what `emonet dataset build` writes ({error}). Build the set again.") from error
    if facts.format != FORMAT:
        raise UsageError(f"{path} has format {facts.format}; this version reads {FORMAT}. Build the set again.")
    try:
        return facts, pl.read_parquet(Path(folder) / ITEMS, glob=False)
    except (OSError, pl.exceptions.PolarsError) as error:
        raise UsageError(f"{folder}/{ITEMS}: cannot be read ({error}). Build the set again.") from error


def shard_paths(facts: SetFacts) -> list[str]:
    """Paths of the shards from the set's folder, in order."""
    return [file.path for file in facts.files if file.path.startswith(f"{DATA}/") and not file.path.endswith(".json")]


def is_set(folder: str | Path) -> bool:
    """Whether a local folder holds a finished set."""
    return "://" not in str(folder) and (Path(folder) / SET_FILE).is_file()


def file_facts(folder: Path, path: Path, *, split: str = "") -> ShardFacts:
    """Size and hash of a file inside the set."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(2**20):
            digest.update(block)
    name = path.relative_to(folder).as_posix()
    return ShardFacts(path=name, split=split, bytes=path.stat().st_size, sha256=digest.hexdigest())


def write_text(path: Path, text: str) -> None:
    """Write a text file whole or not at all."""
    write_bytes(path, text.encode("utf-8"))


def write_bytes(path: Path, content: bytes) -> None:
    """Write a file whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        beside.write_bytes(content)
        os.replace(beside, path)
    finally:
        beside.unlink(missing_ok=True)


def write_table(path: Path, table: pl.DataFrame) -> None:
    """Write a Parquet file, or CSV by its name, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        table.write_csv(beside) if path.suffix == ".csv" else table.write_parquet(beside)
        os.replace(beside, path)
    finally:
        beside.unlink(missing_ok=True)


def as_json(value: Any) -> str:
    """JSON with numbers that every reader takes: what is not finite becomes null."""
    return json.dumps(_finite(value), ensure_ascii=False, indent=1, allow_nan=False) + "\n"


def _finite(value: Any) -> Any:
    if isinstance(value, float):
        return value if abs(value) < float("inf") else None  # NaN compares as False
    if isinstance(value, Mapping):
        return {str(name): _finite(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(one) for one in value]
    return value
