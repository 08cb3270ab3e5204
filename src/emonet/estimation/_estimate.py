"""What estimation answers with: one `Estimate` per face or window, gathered in `Estimates`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, overload

import numpy as np
from numpy.typing import NDArray

from emonet.errors import EstimationError, UnknownNameError, UsageError
from emonet.media import Region
from emonet.taxonomy import ATTRIBUTES, Modality, display_name, known_emotions

if TYPE_CHECKING:
    import polars

    from emonet.models import Card

Status = Literal["ok", "no_face", "no_speech", "too_short", "unreadable"]
Scale = Literal["relative", "raw", "softmax", "calibrated"]
Values = Literal["relative", "raw", "softmax", "calibrated", "all"]
Scores = NDArray[np.float32]

SCALES: tuple[Scale, ...] = ("relative", "raw", "softmax", "calibrated")
STATUSES: tuple[Status, ...] = ("ok", "no_face", "no_speech", "too_short", "unreadable")
_EMOTION_KEYS = frozenset(record.key for record in known_emotions())
_ORDER = {key: i for i, key in enumerate([e.key for e in known_emotions()] + [a.key for a in ATTRIBUTES])}
_NOTHING = np.empty(0, np.float32)

REGION_COLUMNS = (
    "source", "modality", "status", "message", "start_s", "end_s", "left", "top", "right", "bottom",
    "detector_score", "track", "window", "model", "revision", "scale",
)  # fmt: skip
"""Columns of every table before the dimensions."""


class Ranked(NamedTuple):
    """One emotion of a ranking. `value` is on the scale `scale`; `calibrated` is None where nothing is known."""

    key: str
    name: str
    value: float
    scale: Scale
    calibrated: float | None


@dataclass(frozen=True, slots=True, eq=False)
class Estimate:
    """Scores of one face or one stretch of voice, or the reason why there are none.

    `source`: the file as it was given. `dimensions`: d keys in the model's order. `raw`: the heads' outputs on the
    scale of the model's card, not clipped; `relative`: raw minus the model's score of neutral faces or voices;
    `softmax`: softmax of `relative` over the emotions; `calibrated`: probability 0..1 that it is present, in the sense
    that the card's calibration states. All float32 [d], NaN where the model cannot tell. `embedding`: float32 [e] when
    asked for.
    `modality` is None and `model` empty when the file's kind could not be told, so that no model was chosen.
    """

    source: str
    modality: Modality | None
    region: Region
    status: Status
    message: str = ""
    model: str = ""
    revision: str = ""
    dimensions: tuple[str, ...] = ()
    raw: Scores = field(default_factory=lambda: _NOTHING)
    relative: Scores = field(default_factory=lambda: _NOTHING)
    softmax: Scores = field(default_factory=lambda: _NOTHING)
    calibrated: Scores = field(default_factory=lambda: _NOTHING)
    embedding: Scores | None = None

    @property
    def ok(self) -> bool:
        """Whether there are scores."""
        return self.status == "ok"

    @property
    def ranked_by(self) -> Scale:
        """The scale on which emotions may be compared: `relative`, or `raw` when the model has no neutral scores."""
        return "relative" if np.isfinite(self.relative).any() else "raw"

    def scores(self, scale: Scale | None = None) -> dict[str, float]:
        """Key → value of every dimension that has one, on `scale` (default: `ranked_by`)."""
        values = self._values(scale or self.ranked_by)
        return {key: float(value) for key, value in zip(self.dimensions, values, strict=True) if np.isfinite(value)}

    def top(self, n: int = 5, *, by: Scale | None = None) -> list[Ranked]:
        """The `n` strongest emotions, strongest first; attributes and dimensions without a value are left out.

        `by` is the scale, `relative` unless the model has no neutral scores: raw scores of two emotions are not
        comparable, since a neutral face already scores high on some.
        """
        scale = by or self.ranked_by
        probabilities = self.scores("calibrated")
        ranked = sorted(
            ((value, key) for key, value in self.scores(scale).items() if key in _EMOTION_KEYS),
            key=lambda pair: (-pair[0], pair[1]),
        )
        return [
            Ranked(key, display_name(key), value, scale, probabilities.get(key)) for value, key in ranked[: max(n, 0)]
        ]

    def to_row(self, *, values: Values = "relative", dimensions: Sequence[str] | None = None) -> dict[str, Any]:
        """One row of the tables as plain Python values: `REGION_COLUMNS`, then the dimensions; None where unknown.

        `values` "relative" falls back to raw scores for a model without neutral scores; the column `scale` says so.
        """
        region = self.region
        left, top, right, bottom = region.box or (None, None, None, None)
        scale = self.ranked_by if values == "relative" else values
        row: dict[str, Any] = {
            "source": _text(self.source),
            "modality": self.modality,
            "status": self.status,
            "message": _text(self.message),
            "start_s": region.start_s,
            "end_s": region.end_s,
            "left": left,
            "top": top,
            "right": right,
            "bottom": bottom,
            "detector_score": region.score,
            "track": region.track,
            "window": region.window,
            "model": self.model or None,
            "revision": self.revision or None,
            "scale": scale if self.ok else None,
        }
        keys = self.dimensions if dimensions is None else dimensions
        for column in _scales(values):
            known = self.scores(self.ranked_by if values == "relative" else column)
            suffix = f".{column}" if values == "all" else ""
            row.update((f"{key}{suffix}", known.get(key)) for key in keys)
        return row

    def plot(self, path: str | Path | None = None) -> Any:
        """Draw the scores as bars; see `Estimates.plot`."""
        return Estimates([self]).plot(path)

    def __repr__(self) -> str:
        if not self.ok:
            return f"<Estimate {self.source}: {self.status}, {self.message}>"
        return f"<Estimate {self.source}{place(self.region)}: {_brief(self.top(3))}>"

    def _values(self, scale: Scale) -> Scores:
        if scale not in SCALES:
            raise UnknownNameError("scale", scale, SCALES)
        values: Scores = getattr(self, scale)
        return values


class Estimates(Sequence[Estimate]):
    """Every estimate of one or more files, in the order of the files and of the regions in them.

    `cards`: the card of each model that took part, by its id: what it was measured to be worth.
    """

    __slots__ = ("_items", "cards")

    def __init__(self, items: Iterable[Estimate], cards: Mapping[str, Card] | None = None) -> None:
        self._items = tuple(items)
        self.cards: dict[str, Card] = dict(cards or {})

    @overload
    def __getitem__(self, index: int) -> Estimate: ...
    @overload
    def __getitem__(self, index: slice) -> Estimates: ...
    def __getitem__(self, index: int | slice) -> Estimate | Estimates:
        if isinstance(index, slice):
            return Estimates(self._items[index], self.cards)
        return self._items[index]

    def __len__(self) -> int:
        return len(self._items)

    def __iter__(self) -> Iterator[Estimate]:
        return iter(self._items)

    def __repr__(self) -> str:
        lines = [repr(item) for item in self._items[:10]]
        if len(self) > 10:
            lines.append(f"... and {len(self) - 10} more")
        return "\n".join([f"<Estimates: {len(self)}>", *lines])

    @property
    def dimensions(self) -> tuple[str, ...]:
        """Union of the models' dimensions: the emotions in the taxonomy's order, then the attributes."""
        return union_dimensions(item.dimensions for item in self._items)

    def mean(self) -> Estimate:
        """One estimate over all scored regions of one model: voice windows weigh by their length, faces equally.

        Raises `UsageError` when faces and voices (or two models) are mixed and `EstimationError` when nothing was
        scored.
        """
        scored = [item for item in self._items if item.ok]
        if not scored:
            first = self._items[0] if self._items else Estimate("", None, Region(), "unreadable", "no input")
            raise EstimationError(first.source, first.status, first.message)
        if len({(item.modality, item.model, item.revision) for item in scored}) > 1:
            raise UsageError("A mean over several models means nothing; select the items of one model first.")
        weights = np.array([_weight(item.region) for item in scored], np.float64)  # [r]
        weights /= weights.sum()

        def average(scale: Scale) -> Scores:
            return _mean(np.stack([item._values(scale) for item in scored]), weights)

        region = scored[0].region if len(scored) == 1 else _span(scored)
        return replace(
            scored[0],
            region=region,
            embedding=None,
            raw=average("raw"),
            relative=average("relative"),
            softmax=average("softmax"),
            calibrated=average("calibrated"),
        )

    def top(self, n: int = 5, *, by: Scale | None = None) -> list[Ranked]:
        """The `n` strongest emotions of `mean()`; empty when nothing was scored."""
        return self.mean().top(n, by=by) if any(item.ok for item in self._items) else []

    def to_frame(self, values: Values = "relative") -> polars.DataFrame:
        """One row per estimate: `REGION_COLUMNS`, then one column per dimension named by its key.

        `values` chooses the scale; `all` gives four columns per dimension, `<key>.relative`, `.raw`, `.softmax`
        and `.calibrated`. A dimension that the model cannot judge is null.
        """
        import polars as pl

        schema: dict[str, Any] = dict.fromkeys(REGION_COLUMNS, pl.String)
        schema |= dict.fromkeys(("start_s", "end_s", "left", "top", "right", "bottom"), pl.Float64)
        schema |= {"detector_score": pl.Float32, "track": pl.Int32, "window": pl.Int32}
        dimensions = self.dimensions
        schema |= dict.fromkeys(dimension_columns(dimensions, values), pl.Float32)
        rows = [item.to_row(values=values, dimensions=dimensions) for item in self._items]
        return pl.DataFrame(rows, schema=schema, orient="row")

    def plot(self, path: str | Path | None = None) -> Any:
        """Draw grouped bars, one column per region (at most four); write a PNG to `path` when given.

        Returns the `PIL.Image.Image`.
        """
        from emonet.reports import draw_chart

        return draw_chart(self, path)


def union_dimensions(dimensions: Iterable[Sequence[str]]) -> tuple[str, ...]:
    """Every key that occurs: the emotions in the taxonomy's order, then the attributes."""
    keys = {key for some in set(map(tuple, dimensions)) for key in some}
    return tuple(sorted(keys, key=lambda key: (_ORDER.get(key, len(_ORDER)), key)))


def dimension_columns(dimensions: Sequence[str], values: Values) -> tuple[str, ...]:
    """Names of the columns that `to_row` fills for `dimensions`, in its order."""
    return tuple(f"{key}.{scale}" if values == "all" else key for scale in _scales(values) for key in dimensions)


def place(region: Region) -> str:
    """Where in the file, for people: " 0:05.0-0:12.3", " at 0:03.5, face 2", or nothing for a whole file."""
    parts = []
    if region.start_s is not None:
        parts.append(clock(region.start_s) + (f"-{clock(region.end_s)}" if region.end_s is not None else ""))
    if region.track is not None:
        parts.append(f"face {region.track + 1}")
    elif region.box is not None:
        parts.append(f"face at {region.box[0]:.0f},{region.box[1]:.0f}")
    return f" {', '.join(parts)}" if parts else ""


def clock(seconds: float) -> str:
    """75.3 → "1:15.3"."""
    tenths = round(seconds * 10)
    minutes, rest = divmod(tenths, 600)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest / 10:04.1f}" if hours else f"{minutes}:{rest / 10:04.1f}"


def _scales(values: Values) -> tuple[Scale, ...]:
    if values == "all":
        return SCALES
    if values not in SCALES:
        raise UnknownNameError("kind of values", values, (*SCALES, "all"))
    return (values,)


def _text(text: str) -> str:
    """File names that are not UTF-8 come from the system with lone surrogates, which no table can hold."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def _weight(region: Region) -> float:
    if region.window is None or region.start_s is None or region.end_s is None:
        return 1.0
    return max(region.end_s - region.start_s, 1e-3)


def _mean(values: NDArray[np.float32], weights: NDArray[np.float64]) -> Scores:
    """Weighted mean over regions of float32 [r, d], leaving NaN out; NaN where no region has a value."""
    known = np.isfinite(values)
    share = (known * weights[:, None]).sum(axis=0)
    total = (np.where(known, values, 0) * weights[:, None]).sum(axis=0)
    out = np.full(values.shape[1], np.nan, np.float32)
    out[share > 0] = (total[share > 0] / share[share > 0]).astype(np.float32)
    return out


def _span(items: Sequence[Estimate]) -> Region:
    """The stretch of time that the items cover when they are of one file."""
    starts = [item.region.start_s for item in items if item.region.start_s is not None]
    ends = [item.region.end_s for item in items if item.region.end_s is not None]
    if len({item.source for item in items}) > 1 or not starts:
        return Region()
    return Region(start_s=min(starts), end_s=max(ends) if ends else max(starts))


def _brief(ranked: Sequence[Ranked]) -> str:
    return ", ".join(f"{item.name} {item.value:+.2f}" for item in ranked) or "no emotion that the model can judge"
