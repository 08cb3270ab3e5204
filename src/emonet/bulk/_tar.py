"""Enriched shards: WebDataset tars that hold each sample's media, its facts and its scores.

One `<key>.<extension>` with the media and one `<key>.json` a sample; the JSON has the sample's own facts, licence,
consent and source, and the row of the score table under "emonet". Equal samples give equal bytes.
"""

from __future__ import annotations

import io
import json
import math
import tarfile
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

from emonet.datasets import Sample

_OWN = ("source", "licence", "consent")


class SampleTar:
    """A tar that samples are added to. Use it in a `with` statement.

    In the PAX format, for names of any length in UTF-8.
    """

    def __init__(self, path: Path) -> None:
        self._tar = tarfile.open(path, "w", format=tarfile.PAX_FORMAT)  # noqa: SIM115

    def __enter__(self) -> SampleTar:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._tar.close()

    def add(self, sample: Sample, media: Path, row: Mapping[str, Any]) -> None:
        """Add one sample, its media from a file, with its row."""
        facts = {**sample.facts, **{name: getattr(sample, name) for name in _OWN}, "emonet": _plain(row)}
        with media.open("rb") as file:
            self._add(f"{sample.key}.{sample.extension}", file, media.stat().st_size)
        text = json.dumps(facts, ensure_ascii=False, allow_nan=False, sort_keys=True).encode("utf-8", "replace")
        self._add(f"{sample.key}.json", io.BytesIO(text), len(text))

    def _add(self, name: str, content: Any, size: int) -> None:
        member = tarfile.TarInfo(name)
        member.size, member.mode = size, 0o644
        self._tar.addfile(member, content)


def _plain(value: Any) -> Any:
    """JSON has no NaN; an unknown score is null."""
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
