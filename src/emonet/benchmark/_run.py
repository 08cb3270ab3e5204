"""A config to results: every rater rates the set, everything is scored, results and report are written.

Raters keep each answer in `<output>/cache` as soon as they have it, so that an interrupted run loses none.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from emonet.benchmark._config import Config, read_config, read_set
from emonet.benchmark._measure import silent
from emonet.benchmark._results import Results, empty, read_results, write_results
from emonet.benchmark._score import score_raters
from emonet.datasets import RATING_SCHEMA, LabelledSet, Ratings
from emonet.errors import UnknownNameError, UsageError

if TYPE_CHECKING:
    from emonet.benchmark.raters import RaterRunner

CACHE = "cache"
Progress = Callable[[str], None]


def run_benchmark(
    config: Path | Config,
    *,
    output: Path | None = None,
    resume: bool = True,
    limit: int | None = None,
    report: bool = True,
    progress: Progress = silent,
) -> Path:
    """Let all raters of a config rate its set; the folder of the results.

    `output`: by default the config's name without ending, beside it. `resume`: answers in `<output>/cache` are taken
    over, else they are set aside under another name, since they may have cost money. `limit`: only the first so many
    items. `report`: also draw figures and report. Interrupted, the cache stays and no results are written.
    """
    chosen = config if isinstance(config, Config) else read_config(config)
    folder = output_folder(chosen.path) if output is None else Path(output)
    if folder.exists() and not folder.is_dir():
        raise UsageError(f"{folder} is a file; expected a folder for the results.")
    runners = _runners(chosen, folder / CACHE)
    progress(f"reading the set of {chosen.path.name}")
    labelled = limited(read_set(chosen), limit)
    if not resume:
        _set_aside(folder / CACHE)
    ratings, replies, notes = _rate(labelled, runners, progress)
    results = score_raters(
        labelled,
        ratings,
        replies=replies,
        analysis=chosen.analysis,
        config=_stored(chosen.content),
        notes=notes,
        progress=progress,
    )
    write_results(results, folder)
    if report:
        progress("figures and report")
        draw_report(folder, results, read_media=labelled.read_media)
    return folder


def draw_report(
    folder: Path, results: Results | None = None, *, read_media: Callable[[str], bytes] | None = None
) -> Path:
    """Draw the figures and the report of a results folder (again); the path of the page.

    `read_media`: an item's encoded file, for thumbnails and recordings on the page; none without.
    """
    from emonet.benchmark.report import write_report

    return write_report(results or read_results(folder), Path(folder), read_media=read_media)


def output_folder(config: Path) -> Path:
    """Where a config's results go unless told otherwise."""
    return Path(config).with_suffix("")


def limited(labelled: LabelledSet, limit: int | None) -> LabelledSet:
    """The set with its first `limit` items; what was said of the others is left out."""
    if limit is None or limit >= labelled.items.height:
        return labelled
    if limit < 1:
        raise UsageError(f"limit is {limit}; expected at least 1 item.")
    items = labelled.items.head(limit)
    here = pl.col("item").is_in(items["item"].to_list())
    return replace(
        labelled,
        items=items,
        ratings=Ratings(labelled.ratings.table.filter(here), labelled.ratings.raters),
        asked=None if labelled.asked is None else labelled.asked.filter(here),
        notes=(*labelled.notes, f"Only the first {limit} items were used, as asked for."),
    )


def _stored(content: Mapping[str, Any]) -> Mapping[str, Any]:
    """The config as it stands in the results, which are handed on: addresses of services without any credentials."""
    from emonet.services._records import public_address

    raters = [
        {key: public_address(value) if key == "base_url" else value for key, value in rater.items()}
        for rater in content.get("rater", [])
    ]
    return {**content, "rater": raters}


def _set_aside(cache: Path) -> None:
    """Rename the cache to the first free `cache-1`, `cache-2`, ..."""
    if cache.exists():
        number = next(n for n in count(1) if not cache.with_name(f"{cache.name}-{n}").exists())
        cache.rename(cache.with_name(f"{cache.name}-{number}"))


def _runners(config: Config, cache: Path) -> list[RaterRunner]:
    """The raters of the config, all checked before the first one is asked anything."""
    from emonet.benchmark.raters import build_rater

    runners: list[RaterRunner] = []
    for number, settings in enumerate(config.raters, 1):
        try:
            runners.append(build_rater(_placed(settings, config.path.parent), cache=cache))
        except UnknownNameError:
            raise
        except UsageError as error:
            raise UsageError(f"{config.path}, [[rater]] {number}: {error}") from error
    names = [runner.rater.name for runner in runners]
    if double := sorted({name for name in names if names.count(name) > 1}):
        raise UsageError(f"{config.path}: several raters are named {', '.join(double)}. Give each its own `name`.")
    return runners


def _rate(
    labelled: LabelledSet, runners: Sequence[RaterRunner], progress: Progress
) -> tuple[Ratings, pl.DataFrame, list[str]]:
    """(ratings of all raters, their replies, what to note)."""
    ratings, replies = [pl.DataFrame(schema=RATING_SCHEMA)], [empty("replies")]
    notes: list[str] = []
    for number, runner in enumerate(runners, 1):
        progress(f"rater {number} of {len(runners)}: {runner.rater.name}")
        rated = runner.rate(labelled, progress=progress)
        ratings.append(rated.ratings)
        replies.append(rated.replies)
        notes += rated.notes
    return Ratings(pl.concat(ratings), tuple(runner.rater for runner in runners)), pl.concat(replies), notes


def _placed(settings: Mapping[str, Any], folder: Path) -> Mapping[str, Any]:
    """A bundle beside the config is meant by its path from there, other models by their names."""
    model = settings.get("model")
    if settings.get("type") == "bundle" and isinstance(model, str) and (folder / model).is_dir():
        return {**settings, "model": str(folder / model)}
    return settings
