"""Figures of a data set's card: labels, measures, demographics."""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

import polars as pl

from emonet.datasets.curation._categories import EVERY, count_categories
from emonet.errors import require
from emonet.taxonomy import Modality, display_name

if TYPE_CHECKING:
    from matplotlib.figure import Figure

INK, SOFT, FAINT, BAR = "#1d2126", "#5b6570", "#d5d9dd", "#3b6ea5"
_WIDE = 7.0  # inches
_ROW = 0.17
_MOST = 45
"""Bars of one figure."""
_SHOWN = {
    "duration_s": "length in seconds", "snr_db": "speech over pauses in dB", "rms_db": "level in dB of full scale",
    "face_px": "shorter side of the largest face in pixels", "sharpness": "sharpness of the largest face",
    "width": "width in pixels",
}  # fmt: skip
_RC: Mapping[str, Any] = {
    "font.family": "DejaVu Sans",  # comes with matplotlib: the same picture everywhere
    "font.size": 8,
    "text.color": INK,
    "text.parse_math": False,  # names may hold dollar signs
    "axes.edgecolor": SOFT,
    "axes.labelcolor": INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "xtick.color": SOFT,
    "ytick.color": SOFT,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "grid.color": FAINT,
    "savefig.dpi": 150,
}


@dataclass(frozen=True, slots=True, eq=False)
class Drawn:
    """A figure as PNG and the text that says what it shows."""

    png: bytes
    caption: str


def figure_name(name: str) -> str:
    """File name of a figure."""
    return f"{name}.png"


def draw_figures(items: pl.DataFrame, modality: Modality, demographics: Sequence[str]) -> dict[str, Drawn]:
    """Name → figure of everything that the items allow to draw. Raises `MissingExtraError` without matplotlib."""
    out: dict[str, Drawn] = {}
    with _style():
        if "label" in items.columns:
            counts = count_categories(items, "label", EVERY)
            held = counts.filter(pl.col("n") > 0).sort(["n", "category"], descending=[True, False]).head(_MOST)
            if len(held):
                names = [display_name(name, modality) if name in EVERY else name for name in held["category"]]
                out["labels"] = _bars(names, held["n"].to_list(), "Items with each label.")
        for column, label in _SHOWN.items():
            if column not in items.columns:
                continue
            values = items[column].cast(pl.Float64)
            values = values.filter(values.is_finite().fill_null(False))
            if len(values) > 1:
                out[f"measure-{column}"] = _histogram(values, label, len(items) - len(values))
        for column in demographics:
            told = items[column].cast(pl.String).fill_null("unknown")
            cells = told.value_counts(name="n").sort(["n", column], descending=[True, False])
            if 1 < len(cells) <= _MOST:
                out[f"people-{column}"] = _bars(cells[column].to_list(), cells["n"].to_list(), f"Items by {column}.")
    return out


def _bars(names: Sequence[str], counts: Sequence[int], caption: str) -> Drawn:
    figure = _page(0.5 + _ROW * len(names))
    axes = figure.add_subplot()
    axes.barh(range(len(names)), counts, color=BAR, height=0.72)
    axes.set_yticks(range(len(names)), [name if len(name) < 50 else f"{name[:48]}…" for name in names])
    axes.set_ylim(len(names) - 0.4, -0.6)
    axes.set_xlabel("items")
    axes.tick_params(axis="y", length=0)
    for place, count in enumerate(counts):
        axes.annotate(f"{count:,}", (count, place), xytext=(3, 0), textcoords="offset points", va="center", color=SOFT)
    axes.set_xlim(0, max(counts) * 1.1)
    return _saved(figure, caption)


def _histogram(values: pl.Series, label: str, unknown: int) -> Drawn:
    figure = _page(1.9)
    axes = figure.add_subplot()
    axes.hist(values.to_numpy(), bins=40, color=BAR)
    axes.set_xlabel(label)
    axes.set_ylabel("items")
    axes.grid(axis="y")
    median = float(values.median())  # type: ignore[arg-type]
    axes.axvline(median, color=INK, linewidth=1, linestyle="--")
    lost = f"; unknown for {unknown:,}" if unknown else ""
    caption = f"Distribution of {label} over {len(values):,} items; the dashed line is the median, {median:.3g}{lost}."
    return _saved(figure, caption)


def _page(height: float) -> Figure:
    from matplotlib.figure import Figure

    return Figure(figsize=(_WIDE, height), layout="constrained")


def _saved(figure: Figure, caption: str) -> Drawn:
    out = io.BytesIO()
    figure.savefig(out, format="png", metadata={"Title": caption, "Software": f"emonet {version('emonet')}"})
    return Drawn(out.getvalue(), caption)


@contextmanager
def _style() -> Iterator[None]:
    """The package's settings, whatever the user's own are."""
    matplotlib = require("matplotlib", extra="datasets", feature="Drawing the figures of a data set's card")
    with matplotlib.rc_context():
        matplotlib.rcdefaults()
        matplotlib.rcParams.update(_RC)
        yield
