"""Enriched shards: WebDataset tars with each sample's media and facts, and its scores among these."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Any

from emonet.datasets import Sample
from emonet.datasets._shard_writer import facts_text
from emonet.datasets._tar_writer import TarWriter

FACT = "emonet"
"""The fact that holds a sample's row of the score table; an older one is replaced."""


class SampleTar:
    """A tar that samples are added to; equal samples give equal bytes. Use it in a `with` statement."""

    def __init__(self, path: Path) -> None:
        self._tar = TarWriter(path)

    def __enter__(self) -> SampleTar:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._tar.close()

    def add(self, sample: Sample, media: Path, row: Mapping[str, Any]) -> None:
        """Add one sample with its row; its media are in the file `media`, unless the sample has them or lacks any."""
        content = sample.media if sample.media is not None or sample.problem else media.read_bytes()
        whole = replace(sample, media=content, facts={**sample.facts, FACT: _plain(row)})
        self._tar.add(whole, facts_text(whole))


def _plain(value: Any) -> Any:
    """JSON has no NaN; an unknown score is null."""
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
