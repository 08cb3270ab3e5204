"""Limits on what was measured."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import polars as pl

from emonet.datasets.curation._report import Selection, keep_where
from emonet.errors import UnknownNameError, UsageError

Unknown = Literal["keep", "drop"]


@dataclass(frozen=True, slots=True)
class SoundLimits:
    """Recordings outside a limit are dropped; None is no limit. `unknown`: what happens to a recording on which a
    figure could not be measured (a clip without a pause has no `snr_db`)."""

    min_duration_s: float | None = 0.3
    max_duration_s: float | None = None
    min_rms_db: float | None = -60.0
    max_clipped: float | None = 0.01
    min_speech_s: float | None = None
    min_snr_db: float | None = None
    unknown: Unknown = "keep"


@dataclass(frozen=True, slots=True)
class PictureLimits:
    """Pictures outside a limit are dropped; None is no limit. `unknown`: what happens to a picture without a face
    when only the size of its face is limited."""

    min_side_px: float | None = None
    min_faces: int | None = None
    max_faces: int | None = None
    min_face_px: float | None = None
    min_sharpness: float | None = None
    unknown: Unknown = "keep"


_SOUND = {
    "min_duration_s": ("too short", "duration_s", "s"),
    "max_duration_s": ("too long", "duration_s", "s"),
    "min_rms_db": ("too quiet", "rms_db", "dB"),
    "max_clipped": ("clipped", "clipped", "of the samples"),
    "min_speech_s": ("too little speech", "speech_s", "s"),
    "min_snr_db": ("too noisy", "snr_db", "dB"),
}
_PICTURE = {
    "min_side_px": ("too small", "_side", "px"),
    "min_faces": ("too few faces", "faces", "faces"),
    "max_faces": ("too many faces", "faces", "faces"),
    "min_face_px": ("face too small", "face_px", "px"),
    "min_sharpness": ("blurred", "sharpness", ""),
}


def filter_quality(items: pl.DataFrame, limits: SoundLimits | PictureLimits) -> Selection:
    """Drop the items whose measures (columns as in `SoundMeasures` or `PictureMeasures`) lie outside the limits.

    A row without any measure could not be decoded, and goes for that reason whatever the limits. Raises `UsageError`
    when a limited column is missing.
    """
    if limits.unknown not in ("keep", "drop"):
        raise UnknownNameError("way with unknown figures", limits.unknown, ("keep", "drop"))
    known = _SOUND if isinstance(limits, SoundLimits) else _PICTURE
    if not isinstance(limits, SoundLimits) and {"width", "height"} <= set(items.columns):
        items = items.with_columns(_side=pl.min_horizontal("width", "height"))
    reasons: list[tuple[str, pl.Expr, pl.Expr | None]] = []
    if "unreadable" in items.columns:
        reasons.append(("cannot be read", pl.col("unreadable").fill_null("") != "", pl.col("unreadable")))
    said = []
    for name, (reason, column, unit) in known.items():
        limit = getattr(limits, name)
        if limit is None:
            continue
        if column not in items.columns:
            raise UsageError(
                f"{name} is {limit}, but the items have no {column.strip('_')!r}; measure them, or lift the limit."
            )
        value = pl.col(column)
        outside = value < limit if name.startswith("min_") else value > limit
        reasons.append((reason, outside, pl.format("{} {}", value.round(4), pl.lit(unit))))
        said.append(
            f"{column.strip('_')} {'at least' if name.startswith('min_') else 'at most'} {limit:g} {unit}".strip()
        )
        if limits.unknown == "drop":
            reasons.append((f"{column.strip('_')} unknown", value.is_null(), None))
    rule = ("; ".join(said) or "Readable") + f". Unknown figures: {limits.unknown}."
    chosen = keep_where(items, reasons, name="quality", rule=rule[0].upper() + rule[1:], facts=_unknown(items, known))
    return Selection(chosen.items.drop("_side", strict=False), chosen.step)


def _unknown(items: pl.DataFrame, known: Mapping[str, tuple[str, str, str]]) -> dict[str, int]:
    """How many items have no value in a measured column."""
    columns = dict.fromkeys(column for _, column, _ in known.values() if column in items.columns)
    return {f"without {name}": lost for name in columns if (lost := items[name].null_count())}
