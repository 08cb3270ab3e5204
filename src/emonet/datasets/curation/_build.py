"""From a recipe to a finished data set: survey, decide, write."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

import polars as pl

from emonet.datasets._facts import RESERVED
from emonet.datasets._records import LabelledSet
from emonet.datasets._samples import Sample
from emonet.datasets._shard_writer import write_shards
from emonet.datasets.curation._decide import Decision, decide
from emonet.datasets.curation._recipe import Recipe, read_recipe
from emonet.datasets.curation._set import (
    DATA,
    DROPPED,
    FORMAT,
    ITEMS,
    PAIRS,
    RATINGS,
    REPORT,
    SET_FILE,
    SetFacts,
    ShardFacts,
    as_json,
    file_facts,
    write_table,
    write_text,
)
from emonet.datasets.curation._sources import Stream, streams_of
from emonet.datasets.curation._survey import survey
from emonet.errors import UsageError

Progress = Callable[[str, int, int], None]
"""Called with what is being worked on, how much is done, and how much there is."""
SURVEY = ".survey"
"""Folder of the measures inside a set: they are kept, so that other limits need no second decoding."""
_TRAVELS = ("label", "split")
"""Columns that the curation decided and that go with every written sample."""


def build_dataset(
    recipe: Recipe | Path, folder: Path, *, workers: int = 1, progress: Progress | None = None
) -> Decision:
    """Make the data set of a recipe in `folder`; what was kept, and why the rest was not.

    The same recipe on the same sources gives the same bytes. Interrupted, the folder holds no finished set; the next
    call goes on with the measures that are there. A finished set in `folder` is replaced. workers: processes that
    decode. Raises `UsageError` for a recipe that cannot be followed.
    """
    recipe = recipe if isinstance(recipe, Recipe) else read_recipe(recipe)
    folder = Path(folder)
    if folder.exists() and not folder.is_dir():
        raise UsageError(f"{folder} is a file; expected a folder for the data set.")
    streams = [stream for source in recipe.source for stream in streams_of(source)]
    rated = {stream.name: stream.labelled for stream in streams if stream.labelled is not None}
    surveyed = survey(
        streams,
        folder / SURVEY,
        media=recipe.media,
        detector=None if recipe.detector == "none" else recipe.detector,
        workers=workers,
        progress=progress,
    )
    decision = decide(recipe, surveyed, rated)
    (folder / SET_FILE).unlink(missing_ok=True)
    shards = _shards(recipe, decision, streams, folder, progress) if recipe.media else []
    if not recipe.media:
        shutil.rmtree(folder / DATA, ignore_errors=True)
    tables = _tables(decision, rated)
    for name, table in tables.items():
        write_table(folder / name, table)
    for name in {RATINGS} - set(tables):
        (folder / name).unlink(missing_ok=True)
    write_text(folder / REPORT, as_json(_report(decision)))
    files = [*shards, *(file_facts(folder, folder / name) for name in sorted([*tables, REPORT]))]
    facts = _facts(recipe, decision, files)
    write_text(folder / SET_FILE, as_json(facts.model_dump(mode="json")))
    return decision


def _shards(
    recipe: Recipe, decision: Decision, streams: Sequence[Stream], folder: Path, progress: Progress | None
) -> list[ShardFacts]:
    """Write the samples that are left, part by part; the old shards go when the new ones are complete."""
    beside = folder / f".{DATA}"
    shutil.rmtree(beside, ignore_errors=True)
    files = []
    parts = decision.items["split"].unique().sort().to_list()
    for done, part in enumerate(parts):
        if progress is not None:
            progress(f"writing {part}", done, len(parts))
        members = decision.items.filter(pl.col("split") == part)
        samples = _samples(members, streams)
        write_shards(samples, beside / part, kind=recipe.output.kind, per_shard=recipe.output.per_shard, name=part)
    if progress is not None:
        progress("", len(parts), len(parts))
    shutil.rmtree(folder / DATA, ignore_errors=True)
    beside.rename(folder / DATA)
    for part in parts:
        held = sorted(path for path in (folder / DATA / part).rglob("*") if path.is_file())
        files += [file_facts(folder, path, split=part) for path in held]
    return files


def _samples(members: pl.DataFrame, streams: Sequence[Stream]) -> Iterator[Sample]:
    """The samples of `members`, in the order of the sources, under their final names."""
    travels = [name for name in _TRAVELS if name in members.columns]
    for stream in streams:
        mine = members.filter(pl.col("stream") == stream.name)
        wanted: dict[str, dict[str, Any]] = {row["key"]: row for row in mine.select("item", "key", *travels).to_dicts()}
        if not wanted:
            continue
        for sample in stream.samples():
            row = wanted.pop(sample.key, None)
            if row is not None:
                told = {f"told_{name}" if name in RESERVED else name: value for name, value in sample.facts.items()}
                facts = {**told, **{name: row[name] for name in travels if row[name] is not None}}
                yield replace(sample, key=row["item"], facts=facts)
        if wanted:
            raise UsageError(
                f"{stream.name}: the sample {next(iter(wanted))!r} was there when it was measured and is gone now; "
                "leave the sources alone while a set is built, and build it again."
            )


def _tables(decision: Decision, rated: Mapping[str, LabelledSet]) -> dict[str, pl.DataFrame]:
    tables = {ITEMS: decision.items, DROPPED: decision.report.dropped(), PAIRS: decision.copies}
    kept = []
    for name, labelled in rated.items():
        mine = decision.items.filter(pl.col("stream") == name).select("item", "key")
        rows = labelled.ratings.table.rename({"item": "key"}).join(mine, on="key", maintain_order="left")
        people = [rater.name for rater in labelled.ratings.raters if rater.kind == "human"]
        columns = labelled.ratings.table.columns
        kept.append(rows.filter(pl.col("rater").is_in(people)).select(*columns, pl.lit(name).alias("stream")))
    if kept:
        tables[RATINGS] = pl.concat(kept)
    return tables


def _report(decision: Decision) -> dict[str, Any]:
    split = decision.split
    told = None if split is None else {
        "shares": dict(split.shares), "groups": dict(split.groups), "unevenness": split.unevenness
    }  # fmt: skip
    return {**decision.report.to_dict(), "split": told}


def _facts(recipe: Recipe, decision: Decision, files: Sequence[ShardFacts]) -> SetFacts:
    counts = dict(decision.items["split"].value_counts(name="n").iter_rows())
    parts = list(counts) if recipe.split is None else list(recipe.split.shares)
    licences = sorted(set(decision.items["licence"].drop_nulls()) - {""})
    return SetFacts(
        format=FORMAT,
        name=recipe.name,
        modality=recipe.modality,
        licence=recipe.licence or "; ".join(licences),
        description=recipe.description,
        emonet=version("emonet"),
        seed=recipe.seed,
        items=len(decision.items),
        splits={part: counts[part] for part in parts},
        files=tuple(files),
        # Where the sources lay is the maker's business; what they are called and told is the reader's.
        recipe=recipe.model_dump(mode="json", exclude={"source": {"__all__": {"input", "rated"}}}),
    )
