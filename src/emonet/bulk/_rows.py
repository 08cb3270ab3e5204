"""The table of a shard: one row a key, and in it, as a list, every face or window that was scored."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

from emonet.bulk._captions import Said, captions_of
from emonet.estimation import Estimate, Estimates, Estimator, dimension_columns
from emonet.models import Card
from emonet.taxonomy import VERSION

if TYPE_CHECKING:
    from emonet.bulk._feed import Fed
    from emonet.bulk._settings import Settings

ROW_COLUMNS = (
    "key", "status", "message", "modality", "model", "revision", "scale", "n_regions", "duration_s", "scored_s",
    "source", "licence", "consent",
)  # fmt: skip
"""Columns before the dimensions, with `caption` after them where captions were asked for. After the dimensions comes
`regions`, unless it was left out."""

_NUMBERS = {"n_regions": "int32", "duration_s": "float64", "scored_s": "float64"}
_PLACES = {
    "start_s": "float64", "end_s": "float64", "left": "float64", "top": "float64", "right": "float64",
    "bottom": "float64", "detector_score": "float32", "track": "int32", "window": "int32",
}  # fmt: skip
_ROW_GROUP = 2048


def score_columns(card: Card, settings: Settings) -> tuple[str, ...]:
    """Names of the columns with scores, in order."""
    return dimension_columns(card.dimensions, settings.values)


def make_row(
    fed: Fed, estimates: Estimates, card: Card, settings: Settings, *, duration_s: float | None,
    captions: Sequence[Said] = (),
) -> dict[str, Any]:  # fmt: skip
    """One row: the mean over all regions that were scored, or the reason why none was.

    A file that broke off keeps the scores of what came before, and its message says where it broke off. `duration_s`:
    length of the recording. `captions`: of each estimate.
    """
    scored = [item for item in estimates if item.ok]
    failed = [item for item in estimates if not item.ok]
    message = fed.refused or (failed[0].message if failed else "")
    row: dict[str, Any] = {
        "key": fed.sample.key,
        "status": "ok" if scored else ("unreadable" if fed.refused else failed[0].status),
        "message": message.replace(str(fed.path), f"{fed.sample.key}{fed.path.suffix}"),
        "modality": card.modality,
        "model": card.id,
        "revision": card.revision,
        "n_regions": len(scored),
        "duration_s": duration_s,
        "scored_s": _seconds(scored) if card.modality == "voice" else None,
        "source": fed.sample.source,
        "licence": fed.sample.licence,
        "consent": fed.sample.consent,
        "scale": None,
    }
    columns = score_columns(card, settings)
    if scored:
        whole = Estimates(scored).mean()
        mean = whole.to_row(values=settings.values, dimensions=card.dimensions)
        row |= {name: mean[name] for name in ("scale", *columns)}
    else:
        row |= dict.fromkeys(columns)
    if settings.captions:
        row["caption"] = captions_of(fed.sample.key, whole, settings)[0] if scored else None
    if settings.regions:
        row["regions"] = [_region(item, card, settings, columns) for item in scored]
        for region, said in zip(row["regions"], filter(None, captions), strict=False):
            region["caption"] = said[0]
    return row


def _seconds(scored: Sequence[Estimate]) -> float:
    """Length of all windows."""
    return sum((item.region.end_s or 0.0) - (item.region.start_s or 0.0) for item in scored)


def _region(item: Estimate, card: Card, settings: Settings, columns: Sequence[str]) -> dict[str, Any]:
    row = item.to_row(values=settings.values, dimensions=card.dimensions)
    return {name: row[name] for name in _PLACES} | {"scores": [row[name] for name in columns]}


class ScoreTable:
    """A Parquet file of rows as `make_row` gives them; equal rows give equal bytes. Use it in a `with` statement.

    The schema's metadata tells the model, what the columns hold and how regions were found; `emonet.dimensions` names
    the entries of `regions.scores`.
    """

    def __init__(self, path: Path, estimator: Estimator, settings: Settings) -> None:
        import pyarrow as pa
        import pyarrow.parquet as pq

        self._rows: list[dict[str, Any]] = []
        self._schema = _schema(estimator, settings)
        self._parquet = pq.ParquetWriter(path, self._schema, compression="zstd")
        self._table = pa.Table.from_pylist

    def __enter__(self) -> ScoreTable:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None:
            self._flush()
        self._parquet.close()

    def add(self, row: Mapping[str, Any]) -> None:
        """Add one row."""
        self._rows.append(dict(row))
        if len(self._rows) >= _ROW_GROUP:
            self._flush()

    def _flush(self) -> None:
        if self._rows:
            self._parquet.write_table(self._table(self._rows, schema=self._schema))
            self._rows = []


def _schema(estimator: Estimator, settings: Settings) -> Any:
    import pyarrow as pa

    import emonet

    card = estimator.card
    columns = score_columns(card, settings)
    fields = [pa.field(name, pa.type_for_alias(_NUMBERS.get(name, "string"))) for name in ROW_COLUMNS]
    if settings.captions:
        fields.append(pa.field("caption", pa.string()))
    fields += [pa.field(name, pa.float32()) for name in columns]
    if settings.regions:
        places = [pa.field(name, pa.type_for_alias(kind)) for name, kind in _PLACES.items()]
        if settings.captions:
            places.append(pa.field("caption", pa.string()))
        region = pa.struct([*places, pa.field("scores", pa.list_(pa.float32()))])
        fields.append(pa.field("regions", pa.list_(region)))
    about = {
        "version": emonet.__version__,
        "taxonomy_version": VERSION,
        "values": settings.values,
        "model": card.id,
        "revision": card.revision,
        "licence": card.licence,
        "precision": settings.precision,
        "rows": estimator.describe(),
        "dimensions": json.dumps(columns),
    }
    return pa.schema(fields, metadata={f"emonet.{key}": value for key, value in about.items()})
