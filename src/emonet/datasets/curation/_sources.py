"""Samples of a recipe's sources, and of sets with ratings."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from emonet.datasets._records import LabelledSet
from emonet.datasets._samples import Sample, Shard, list_shards, read_samples
from emonet.datasets.curation._recipe import RatedSource, Source
from emonet.errors import UsageError

_OWN = ("source", "modality", "licence", "consent", "extension")
"""What a sample says apart from its facts; a source's `only` may ask for it too."""


@dataclass(frozen=True, slots=True, eq=False)
class Stream:
    """Samples that are read together. `key`: the same for the same content and settings, so that measures can be kept.
    `shard`: None for a set with ratings, which is then in `labelled`."""

    source: Source
    name: str
    key: str
    shard: Shard | None = None
    labelled: LabelledSet | None = None

    def samples(self) -> Iterator[Sample]:
        """The samples, with the source's licence and consent where they tell none, renamed facts, and only those that
        the source asks for."""
        if self.shard is not None:
            given = read_samples(
                self.shard.address, kind=self.shard.kind, licence=self.source.licence, consent=self.source.consent
            )
        else:
            assert self.labelled is not None
            given = rated_samples(self.labelled)
        for sample in given:
            facts = dict(sample.facts)
            facts.update({new: facts.pop(old) for new, old in self.source.facts.items() if old in facts})
            own = {name: getattr(sample, name) for name in _OWN}
            if all(str({**own, **facts}.get(name)) == wanted for name, wanted in self.source.only.items()):
                yield _told(sample, self.source, facts)


def streams_of(source: Source) -> tuple[Stream, ...]:
    """The streams of a source, in order. Raises `UsageError` when it has none."""
    if source.rated is not None:
        labelled = read_rated_source(source.rated)
        given = sorted(source.rated.arguments.items())
        states = [_state(path) for _, value in given for path in (value if isinstance(value, list) else [value])]
        facts = repr((source.rated.reader, given, states, len(labelled.items)))
        return (Stream(source, source.name, _digest(source, facts), labelled=labelled),)
    shards = [shard for shard in list_shards(source.input) if source.kind in (None, shard.kind)]
    if not shards:
        wanted = f" of kind {source.kind}" if source.kind else ""
        raise UsageError(f"source {source.name!r}: no shards{wanted} at {', '.join(source.input)}.")
    found: dict[str, str] = {}
    streams = []
    for shard in shards:
        place = shard.address.partition("#part=")[0]
        # The media of a manifest lie beside it.
        home = str(Path(place).parent) if shard.kind == "manifest" and "://" not in place else place
        if home not in found:
            found[home] = _state(home)
        key = _digest(source, f"{shard.address} {shard.kind} {shard.size} {found[home]}")
        streams.append(Stream(source, shard.name, key, shard))
    return tuple(streams)


def read_rated_source(rated: RatedSource) -> LabelledSet:
    """The set that `rated` names. Raises `UsageError` for arguments that its reader does not take."""
    import emonet.datasets as datasets

    reader = getattr(datasets, f"read_{rated.reader}")
    arguments: dict[str, Any] = dict(rated.arguments)
    try:
        labelled: LabelledSet = reader(**arguments)
    except TypeError as error:
        raise UsageError(f"rated = {{reader = {rated.reader!r}, ...}}: {error}; see read_{rated.reader}.") from error
    return labelled


def rated_samples(labelled: LabelledSet) -> Iterator[Sample]:
    """The items of a set as samples, in order: facts from `items`, media where the set has them."""
    facts = [name for name in labelled.items.columns if name not in ("item", "media")]
    for row in labelled.items.iter_rows(named=True):
        name = row["item"]
        media = labelled.read_media(name) if labelled.read_media is not None else None
        path = row.get("media") or name
        yield Sample(
            key=name,
            media=media,
            extension=Path(str(path)).suffix.lstrip(".").lower(),
            modality=labelled.modality,
            facts={fact: row[fact] for fact in facts if row[fact] is not None},
            licence=labelled.licence,
            consent="",
            source=labelled.source,
        )


def _told(sample: Sample, source: Source, facts: Mapping[str, Any]) -> Sample:
    from dataclasses import replace

    return replace(
        sample,
        facts=facts,
        licence=sample.licence or source.licence,
        consent=sample.consent or source.consent,
        source=sample.source or source.name,
    )


def _digest(source: Source, content: str) -> str:
    told = source.model_dump_json(exclude={"input", "rated"})
    return hashlib.blake2b(f"{told}\n{content}".encode(), digest_size=8).hexdigest()


def _state(place: object) -> str:
    """Size and time of the last change of a local file, or of every file under a folder; empty for anything else."""
    path = Path(str(place))
    if not isinstance(place, str | Path) or "://" in str(place) or not path.exists():
        return ""
    digest = hashlib.blake2b(digest_size=8)
    for file in sorted(path.rglob("*")) if path.is_dir() else [path]:
        facts = file.stat()
        digest.update(f"{file} {facts.st_size} {facts.st_mtime_ns}\n".encode())
    return digest.hexdigest()
