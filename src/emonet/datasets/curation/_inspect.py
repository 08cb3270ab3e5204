"""What lies at an address: how many samples, of which kind, with which facts and rights. Media are not decoded."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

from emonet.datasets._samples import list_shards, read_samples
from emonet.datasets.curation._set import is_set, read_set, shard_paths


@dataclass(slots=True)
class FactSeen:
    """How often a fact is told, the kinds of its values, and some of them."""

    told: int = 0
    kinds: Counter[str] = field(default_factory=Counter)
    values: Counter[str] = field(default_factory=Counter)


@dataclass(slots=True)
class Inspection:
    """`shards`: name and kind of each. `samples`, `bytes`: counts over what was read. `cut`: True when `limit` ended
    the reading. The counters count samples by their value, "" for none."""

    shards: tuple[tuple[str, str], ...]
    samples: int = 0
    bytes: int = 0
    cut: bool = False
    extensions: Counter[str] = field(default_factory=Counter)
    modalities: Counter[str] = field(default_factory=Counter)
    licences: Counter[str] = field(default_factory=Counter)
    consents: Counter[str] = field(default_factory=Counter)
    sources: Counter[str] = field(default_factory=Counter)
    problems: Counter[str] = field(default_factory=Counter)
    facts: dict[str, FactSeen] = field(default_factory=dict)


_VALUES = 200
"""Different values of a fact that are counted."""


def inspect_dataset(
    address: str | Path, *, limit: int | None = None, progress: Callable[[str, int, int], None] | None = None
) -> Inspection:
    """Read every sample at `address` (a finished set, shards, a folder, a manifest) and count what it says.

    limit: at most so many samples of each shard. progress: called with a shard's name, shards done and shards in all.
    """
    addresses: list[str] = [str(address)]
    if is_set(address):
        facts, _ = read_set(Path(address))
        addresses = [str(Path(address) / name) for name in shard_paths(facts)]
    shards = list_shards(addresses) if addresses else ()
    found = Inspection(tuple((shard.name, shard.kind) for shard in shards))
    for done, shard in enumerate(shards):
        if progress is not None:
            progress(shard.name, done, len(shards))
        samples = read_samples(shard.address, kind=shard.kind)
        for sample in islice(samples, limit):
            found.samples += 1
            found.bytes += len(sample.media or b"")
            for counter, value in (
                (found.extensions, sample.extension), (found.modalities, sample.modality or ""),
                (found.licences, sample.licence), (found.consents, sample.consent), (found.sources, sample.source),
            ):  # fmt: skip
                counter[value] += 1
            if sample.problem or sample.media is None:
                found.problems[sample.problem or "holds no media"] += 1
            for name, value in sample.facts.items():
                _see(found.facts.setdefault(name, FactSeen()), value)
        if limit is not None and next(samples, None) is not None:
            found.cut = True
    return found


def _see(seen: FactSeen, value: Any) -> None:
    if value is None:
        return
    seen.told += 1
    seen.kinds[type(value).__name__] += 1
    text = str(value)[:60]
    if text in seen.values or len(seen.values) < _VALUES:
        seen.values[text] += 1
