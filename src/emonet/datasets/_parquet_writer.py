"""Parquet files of samples, in row groups that fit into memory, which the Hub's viewer can show."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from emonet.datasets._facts import KEY
from emonet.datasets._parquet_samples import OWN
from emonet.datasets._samples import Sample
from emonet.datasets._tar_writer import member_name

_ROWS, _BYTES = 256, 32 << 20  # of a row group
_COLUMN = {"face": "image", "voice": "audio", None: "media"}


class ParquetWriter:
    """One file. Columns: `__key__`, the media as bytes and path (named `image`, `audio` or `media` by the first
    sample), licence, consent, source, and the facts as JSON text."""

    def __init__(self, path: Path, first: Sample) -> None:
        import pyarrow
        import pyarrow.parquet

        self._column = _COLUMN[first.modality]
        media = pyarrow.struct([("bytes", pyarrow.binary()), ("path", pyarrow.string())])
        texts = [(name, pyarrow.string()) for name in ("licence", "consent", "source", "facts")]
        shown = {"face": {"_type": "Image"}, "voice": {"_type": "Audio"}, None: None}[first.modality]
        features: dict[str, Any] = {name: {"dtype": "string", "_type": "Value"} for name in [KEY, *dict(texts)]}
        notes = {OWN: b"1"}
        if shown:
            notes[b"huggingface"] = json.dumps({"info": {"features": {self._column: shown, **features}}}).encode()
        self._schema = pyarrow.schema([(KEY, pyarrow.string()), (self._column, media), *texts], notes)
        self._file = pyarrow.parquet.ParquetWriter(
            path,
            self._schema,
            compression=dict.fromkeys(features, "zstd") | {f"{self._column}.{part}": "none" for part in ("bytes",)},
            use_dictionary=["licence", "consent", "source"],
            # Media have no smallest value that anybody asks for.
            write_statistics=[KEY],
        )
        self._rows: list[dict[str, Any]] = []
        self._size = 0

    def add(self, sample: Sample, facts: str) -> None:
        path = f"{member_name(sample.key)}.{sample.extension}" if sample.extension else None
        self._rows.append(
            {
                KEY: sample.key,
                self._column: {"bytes": sample.media, "path": path},
                "licence": sample.licence,
                "consent": sample.consent,
                "source": sample.source,
                "facts": facts,
            }
        )
        self._size += len(sample.media or b"")
        if len(self._rows) >= _ROWS or self._size >= _BYTES:
            self._flush()

    def close(self) -> None:
        self._flush()
        self._file.close()

    def _flush(self) -> None:
        import pyarrow

        if self._rows:
            self._file.write_table(pyarrow.Table.from_pylist(self._rows, self._schema))
        self._rows, self._size = [], 0
