"""Write samples as shards: WebDataset tars, Parquet files with encoded media, or a folder with its manifest."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, Literal, Protocol

from emonet.datasets._facts import RESERVED
from emonet.datasets._samples import Sample, Shard, ShardKind
from emonet.errors import UnknownNameError, UsageError

WriteKind = Literal["webdataset", "parquet", "folder"]
_ENDING = {"webdataset": "tar", "parquet": "parquet"}


class _Writer(Protocol):
    """Writes one shard."""

    def add(self, sample: Sample, facts: str) -> None:
        """Add a sample; `facts`: its own as JSON text with sorted names."""

    def close(self) -> None:
        """Finish the file."""


def write_shards(
    samples: Iterable[Sample],
    folder: str | os.PathLike[str],
    *,
    kind: WriteKind = "webdataset",
    per_shard: int = 1000,
    max_bytes: int = 1 << 30,
    name: str = "shard",
    overwrite: bool = False,
) -> tuple[Shard, ...]:
    """Write samples in their order; the shards: `folder/shard-000000.tar` (or `.parquet`), ... or the folder.

    A tar or Parquet file ends after `per_shard` samples or before its media exceed `max_bytes`. `read_samples` gives
    the same samples back, but for `left_out`; equal samples give equal bytes. Files appear when all of them are
    written, `folder/shard.json` with their counts and SHA-256 last. A "folder" holds every file under its key and
    `manifest.jsonl`; it must be empty before. overwrite: replace tars or Parquet files of the same name.

    Raises `UsageError` for a key that comes twice, for facts that are no JSON or are named like a sample's fields, for
    files that are already there, and for no samples at all.
    """
    target = Path(folder)
    if kind not in ("webdataset", "parquet", "folder"):
        raise UnknownNameError("kind of shard", kind, ("webdataset", "parquet", "folder"))
    if per_shard < 1 or max_bytes < 1 or not name or "/" in name or name.startswith("."):
        raise UsageError(f"per_shard {per_shard}, max_bytes {max_bytes}, name {name!r}; expected 1 or more and a name.")
    held = _held(target, kind, name)
    if held and not (overwrite and kind != "folder"):
        remedy = "choose an empty folder" if kind == "folder" else "choose another name or folder, or overwrite"
        raise UsageError(f"{target} already holds {held[0].name}; {remedy}.")
    home = target.parent if kind == "folder" else target
    home.mkdir(parents=True, exist_ok=True)
    staging = Path(tempfile.mkdtemp(prefix=".shards-", dir=home))
    try:
        if kind == "folder":
            return (_write_folder(samples, staging, target),)
        counts = _write(samples, staging, kind, per_shard, max_bytes, name)
        index = {"kind": kind, "samples": sum(counts.values()), "shards": _described(staging, counts)}
        _move(staging, target, held, name, index)
        return tuple(
            Shard(str(target / file), kind, (target / file).stat().st_size, Path(file).stem) for file in counts
        )
    finally:
        shutil.rmtree(staging, ignore_errors=True)


def facts_text(sample: Sample) -> str:
    """A sample's facts as JSON, names sorted. Raises `UsageError` for what JSON cannot hold and for reserved names."""
    if taken := sorted(RESERVED & set(sample.facts)):
        raise UsageError(f"{sample.key}: the facts hold {taken[0]!r}, which is a field of the sample; rename the fact.")
    try:
        return json.dumps(dict(sample.facts), ensure_ascii=False, allow_nan=False, sort_keys=True)
    except (TypeError, ValueError) as error:
        raise UsageError(f"{sample.key}: the facts are no JSON values ({error}).") from error


def _write(
    samples: Iterable[Sample], staging: Path, kind: WriteKind, per_shard: int, max_bytes: int, name: str
) -> dict[str, int]:
    """Files with the number of samples in each."""
    counts: dict[str, int] = {}
    writer: _Writer | None = None
    file, size, keys = "", 0, set[str]()
    try:
        for sample in samples:
            length = len(sample.media or b"")
            if writer is None or len(keys) >= per_shard or size + length > max_bytes:
                if writer is not None:
                    writer.close()
                file = f"{name}-{len(counts):06d}.{_ENDING[kind]}"
                writer, size, keys = _maker(kind)(staging / file, sample), 0, set()
            if sample.key in keys:
                raise UsageError(f"The key {sample.key!r} comes twice in one shard; expected each key once.")
            keys.add(sample.key)
            size += length
            writer.add(sample, facts_text(sample))
            counts[file] = len(keys)
    finally:
        if writer is not None:
            writer.close()
    if not counts:
        raise UsageError("There are no samples to write.")
    return counts


def _maker(kind: ShardKind) -> Callable[[Path, Sample], _Writer]:
    if kind == "parquet":
        from emonet.datasets._parquet_writer import ParquetWriter

        return ParquetWriter
    from emonet.datasets._tar_writer import TarWriter

    return lambda path, _: TarWriter(path)


def _write_folder(samples: Iterable[Sample], staging: Path, target: Path) -> Shard:
    from emonet.datasets._folder_writer import FolderWriter

    writer = FolderWriter(staging)
    try:
        for sample in samples:
            writer.add(sample, facts_text(sample))
    finally:
        writer.close()
    if not writer.count:
        raise UsageError("There are no samples to write.")
    staging.chmod(0o755)
    os.replace(staging, target)
    return Shard(str(target / "manifest.jsonl"), "manifest", writer.count, target.absolute().name)


def _held(target: Path, kind: WriteKind, name: str) -> list[Path]:
    """What is in the way."""
    if target.exists() and not target.is_dir():
        raise UsageError(f"{target} is a file; expected a folder.")
    if not target.is_dir():
        return []
    if kind == "folder":
        return sorted(target.iterdir())[:1]
    files = sorted(one for one in target.iterdir() if one.suffix in (".tar", ".parquet", ".json"))
    return [one for one in files if one.name == f"{name}.json" or _numbered(one, name)]


def _numbered(path: Path, name: str) -> bool:
    number = path.stem.removeprefix(f"{name}-")
    return path.suffix != ".json" and number != path.stem and number.isdigit()


def _described(staging: Path, counts: dict[str, int]) -> list[dict[str, Any]]:
    out = []
    for file, count in counts.items():
        with (staging / file).open("rb") as content:
            digest = hashlib.file_digest(content, "sha256").hexdigest()
        out.append({"file": file, "samples": count, "bytes": (staging / file).stat().st_size, "sha256": digest})
    return out


def _move(staging: Path, target: Path, held: list[Path], name: str, index: dict[str, Any]) -> None:
    """Put the files in place. Without its index the folder is known to be incomplete: that goes first, comes last."""
    (staging / f"{name}.json").write_text(json.dumps(index, indent=1), encoding="utf-8")
    for path in sorted(held, key=lambda one: one.name != f"{name}.json"):
        path.unlink()
    for shard in index["shards"]:
        os.replace(staging / shard["file"], target / shard["file"])
    os.replace(staging / f"{name}.json", target / f"{name}.json")
