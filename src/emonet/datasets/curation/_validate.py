"""Whether a data set is fit to be handed on: complete, readable, licensed, consented, and without leaks."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import polars as pl

from emonet.datasets.curation._copies import picture_copies, sound_copies
from emonet.datasets.curation._recipe import Source
from emonet.datasets.curation._set import DATA, ITEMS, SET_FILE, SetFacts, file_facts, is_set, read_set, shard_paths
from emonet.datasets.curation._sources import streams_of
from emonet.datasets.curation._survey import Survey, survey
from emonet.errors import UsageError

Level = Literal["error", "warning"]
_NAMED = 5
"""Items named in one finding."""
SUBJECTS = ("speaker", "speaker_id", "subject", "identity", "actor", "person")
"""Columns that name who is seen or heard, if no others are given."""


@dataclass(frozen=True, slots=True)
class Finding:
    """`check`: which check. `level`: an error makes the set unfit. `count`: items concerned; `examples`: some."""

    check: str
    level: Level
    message: str
    count: int
    examples: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Validation:
    """`items`: how many were looked at. `checks`: what was looked for, whether something was found or not."""

    items: int
    checks: tuple[str, ...]
    findings: tuple[Finding, ...]

    @property
    def ok(self) -> bool:
        """No finding is an error."""
        return all(finding.level != "error" for finding in self.findings)


def validate_dataset(
    address: str | Path,
    *,
    subjects: Sequence[str] | None = None,
    copies: bool = True,
    progress: Callable[[str, int, int], None] | None = None,
) -> Validation:
    """Check a finished set, or any shards, folder or manifest.

    Every sample is read and decoded: keys must be different, media readable, licence and consent told. Between parts
    (column or fact `split`), no subject and no copy may be shared. Of a finished set, files must be those that were
    written and the table must name exactly the samples of the shards. subjects: columns that name who is seen or heard,
    by default those of `SUBJECTS` that are there. copies: also look for near-copies between parts.
    """
    folder = Path(address)
    held = is_set(address)
    findings: list[Finding] = []
    checks = ["keys", "media", "licence", "consent", "modality"]
    addresses: Sequence[str] = (str(address),)
    items: pl.DataFrame | None = None
    if held:
        facts, items = read_set(folder)
        checks = ["files", "table", *checks]
        findings += _files(folder, facts)
        addresses = _parts(folder, facts)
        if not addresses:
            return _without_media(facts, items, findings, subjects)
    with tempfile.TemporaryDirectory(prefix="emonet-validate-") as scratch:
        streams = streams_of(Source(name="set", input=tuple(addresses)))
        surveyed = survey(streams, Path(scratch), detector=None, broken="row", progress=progress)
    findings += _samples(surveyed.items)
    if items is not None:
        findings += _table(items, surveyed.items)
        told = items.select("item", *(name for name in items.columns if name not in surveyed.items.columns))
        surveyed = Survey(surveyed.items.join(told, on="item", how="left"), surveyed.pictures, surveyed.sounds)
    shared = surveyed.items
    if "split" not in shared.columns and "told_split" in shared.columns:
        shared = shared.with_columns(split="told_split")
    if "split" in shared.columns and shared["split"].n_unique() > 1:
        checks += ["subjects in several parts", *(["copies in several parts"] if copies else [])]
        findings += _subjects(shared, subjects)
        if copies:
            findings += _copies(shared, surveyed)
    return Validation(len(shared), tuple(checks), tuple(findings))


def _parts(folder: Path, facts: SetFacts) -> list[str]:
    """Addresses of the set's shards."""
    return [str(folder / name) for name in shard_paths(facts)]


def _without_media(
    facts: SetFacts, items: pl.DataFrame, findings: Sequence[Finding], subjects: Sequence[str] | None
) -> Validation:
    found = [*findings, *_told(items)]
    checks = ["files", "licence", "consent"]
    if items["split"].n_unique() > 1:
        checks.append("subjects in several parts")
        found += _subjects(items, subjects)
    return Validation(facts.items, tuple(checks), tuple(found))


def _files(folder: Path, facts: SetFacts) -> Iterator[Finding]:
    lost, altered = [], []
    for file in facts.files:
        path = folder / file.path
        if not path.is_file():
            lost.append(file.path)
        elif file_facts(folder, path, split=file.split) != file:
            altered.append(file.path)
    yield from _finding("files", "error", lost, "{n} files that " + SET_FILE + " names are missing")
    yield from _finding("files", "error", altered, "{n} files are not the ones that were written (size or SHA-256)")
    known = {file.path for file in facts.files}
    data = folder / DATA
    strange = [
        path.relative_to(folder).as_posix() for path in sorted(data.rglob("*")) if path.is_file()
    ] if data.is_dir() else []  # fmt: skip
    yield from _finding(
        "files", "error", [name for name in strange if name not in known], "{n} files in data/ that no list names"
    )


def _samples(items: pl.DataFrame) -> Iterator[Finding]:
    again = items.filter(pl.col("key").is_duplicated())["item"].to_list()
    yield from _finding("keys", "error", again, "{n} samples share their key with another")
    broken = items.filter(pl.col("unreadable").is_not_null())
    shown = [f"{item} ({why})" for item, why in broken.select("item", "unreadable").iter_rows()]
    yield from _finding("media", "error", shown, "{n} samples cannot be decoded")
    strange = items.filter(~pl.col("modality").is_in(["face", "voice"]).fill_null(False))["item"].to_list()
    yield from _finding("modality", "warning", strange, "{n} samples say neither face nor voice as their modality")
    yield from _told(items)


def _told(items: pl.DataFrame) -> Iterator[Finding]:
    for column, level, what in (
        ("licence", "error", "{n} samples tell no licence"),
        ("consent", "error", "{n} samples tell no consent (on what ground the person's face or voice may be used)"),
    ):
        lost = items.filter(pl.col(column).fill_null("").str.strip_chars() == "")["item"].to_list()
        yield from _finding(column, "error" if level == "error" else "warning", lost, what)


def _table(items: pl.DataFrame, found: pl.DataFrame) -> Iterator[Finding]:
    ours, theirs = set(items["item"]), set(found["item"])
    yield from _finding("table", "error", sorted(ours - theirs), "{n} items of " + ITEMS + " are in no shard")
    yield from _finding("table", "error", sorted(theirs - ours), "{n} samples of the shards are not in " + ITEMS)


def _subjects(items: pl.DataFrame, subjects: Sequence[str] | None) -> Iterator[Finding]:
    if subjects is not None and (strange := [name for name in subjects if name not in items.columns]):
        raise UsageError(f"no column {strange[0]!r} that could name subjects; there are {', '.join(items.columns)}.")
    named = [name for name in (SUBJECTS if subjects is None else subjects) if name in items.columns]
    if not named:
        yield Finding(
            "subjects in several parts", "warning", "no column names who is seen or heard, so that leaks of persons "
            f"between parts cannot be ruled out (looked for {', '.join(SUBJECTS)})", len(items),
        )  # fmt: skip
    for column in named:
        parts = items.drop_nulls(column).group_by(column).agg(n=pl.col("split").n_unique(), held=pl.len())
        shared = parts.filter(pl.col("n") > 1).sort(column)
        names = [str(name) for name in shared[column]]
        yield from _finding(
            "subjects in several parts", "error", names, "{n} values of " + column + " are in several parts"
        )
        if lost := items[column].null_count():
            yield Finding("subjects in several parts", "warning", f"{lost} items have no {column}", lost)


def _copies(items: pl.DataFrame, surveyed: Survey) -> Iterator[Finding]:
    part = dict(items.select("item", "split").iter_rows())
    pairs = pl.concat(
        [
            picture_copies(list(surveyed.pictures), list(surveyed.pictures.values())),
            sound_copies(list(surveyed.sounds), list(surveyed.sounds.values())),
        ]
    )
    across = [f"{a} and {b}" for a, b in pairs.select("first", "second").iter_rows() if part[a] != part[b]]
    yield from _finding("copies in several parts", "error", across, "{n} pairs of copies lie in different parts")


def _finding(check: str, level: Level, names: Sequence[Any], message: str) -> Iterator[Finding]:
    if names:
        shown = tuple(str(name) for name in names[:_NAMED])
        yield Finding(check, level, message.replace("{n}", f"{len(names):,}"), len(names), shown)
