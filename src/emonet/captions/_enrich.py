"""Captions into the samples of a WebDataset shard: the same samples, with further fields in their JSON."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from emonet.errors import UsageError

if TYPE_CHECKING:
    from emonet.captions._records import Caption
    from emonet.datasets import Sample
    from emonet.estimation import Estimate

Describe = Callable[[Sequence[Path]], Sequence[Mapping[str, Any]]]
"""Files → the fields that each one's sample gets, in their order."""
_AT_ONCE = 64


@dataclass(slots=True)
class Enriched:
    """What became of a shard: samples in it, samples that got a caption, members that could not be taken along, and
    samples whose media could not be read, with the reason."""

    samples: int = 0
    captioned: int = 0
    left_out: int = 0
    problems: dict[str, str] = field(default_factory=dict)


def enrich_shard(
    address: str | Path, output: Path, describe: Describe, *, fields: Sequence[str], overwrite: bool = False
) -> Enriched:
    """Copy a shard to the tar `output` with the fields that `describe` gives for each sample's media.

    fields: the names that `describe` may give. A sample that has one already is refused with `UsageError`, unless
    `overwrite`, as is an output that exists. The tar appears when it is complete. Samples without media are kept as
    they are.
    """
    from emonet.datasets import read_samples, write_shards

    target = Path(output)
    if target.suffix != ".tar":
        raise UsageError(f"{target}: expected a name that ends in .tar.")
    if target.exists() and not overwrite:
        raise UsageError(f"{target} already exists; choose another name, or overwrite.")
    target.parent.mkdir(parents=True, exist_ok=True)
    tally = Enriched()
    staging = Path(tempfile.mkdtemp(prefix=".captions-", dir=target.parent))
    try:
        samples = _described(read_samples(address), staging / "media", describe, fields, overwrite, tally)
        written = write_shards(samples, staging / "out", per_shard=1 << 62, max_bytes=1 << 62, name="shard")
        os.replace(written[0].address, target)
    finally:
        shutil.rmtree(staging, ignore_errors=True)
    return tally


def region_fields(rows: Sequence[Estimate], caption: Callable[[Estimate], Caption]) -> dict[str, Any]:
    """Fields of one file: `procedural_caption` and `procedural_caption_details`.

    The caption is of the mean over the windows of a voice or the frames of a face; several subjects are told one after
    the other with their names. The details hold for each what was said and the model, and a caption per window where
    there are several. A file in which nothing was scored gets the details alone, with the reason.
    """
    from emonet.captions._regions import subjects
    from emonet.estimation import Estimates

    told: list[dict[str, Any]] = []
    for name, items in subjects(rows).items():
        mean = Estimates(items).mean()
        entry = {"subject": name, "model": mean.model, "revision": mean.revision, **caption(mean).as_json()}
        if len(items) > 1:
            entry["windows"] = [
                {"start_s": item.region.start_s, "end_s": item.region.end_s, "text": caption(item).text}
                for item in items
            ]
        told.append(entry)
    if not told:
        return {"procedural_caption_details": {"status": rows[0].status, "message": rows[0].message}}
    text = told[0]["text"] if len(told) == 1 else " ".join(f"[{entry['subject']}] {entry['text']}" for entry in told)
    return {"procedural_caption": text, "procedural_caption_details": {"status": "ok", "subjects": told}}


def _described(
    samples: Iterator[Sample],
    folder: Path,
    describe: Describe,
    fields: Sequence[str],
    overwrite: bool,
    tally: Enriched,
) -> Iterator[Sample]:
    """The samples with their captions, `_AT_ONCE` at a time; their media lie in `folder` meanwhile."""
    while group := list(islice(samples, _AT_ONCE)):
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        paths: dict[int, Path] = {}
        for i, sample in enumerate(group):
            taken = next((name for name in fields if name in sample.facts), None)
            if taken and not overwrite:
                raise UsageError(f"{sample.key} has the field {taken!r} already; overwrite to replace it.")
            if sample.media is None:
                tally.problems[sample.key] = sample.problem or "no media"
                continue
            paths[i] = folder / f"{i}.{sample.extension or 'bin'}"
            paths[i].write_bytes(sample.media)
        found = dict(zip(paths, describe(list(paths.values())), strict=True))
        for i, sample in enumerate(group):
            told = found.get(i, {})
            tally.samples += 1
            tally.captioned += any(isinstance(value, str) and value for value in told.values())
            for value in told.values():
                if isinstance(value, Mapping) and value.get("status") == "unreadable":
                    tally.problems[sample.key] = str(value.get("message", "cannot be read"))
            tally.left_out += len(sample.left_out)
            kept = {name: value for name, value in sample.facts.items() if name not in fields or i not in found}
            yield replace(sample, facts={**kept, **told})
