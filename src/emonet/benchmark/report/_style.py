"""How figures look and how they reach the disk: sizes of journal columns, fonts that every machine has, fixed bytes."""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import emonet
from emonet.benchmark.report._files import write_bytes
from emonet.benchmark.report._words import Kind, kind_of, plain
from emonet.errors import require

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

SINGLE, DOUBLE = 3.4, 7.0
"""Widths in inches of one and of two columns of a journal's page."""
FORMATS = ("pdf", "svg", "png")
DPI = 300
INK, SOFT, FAINT, BAND = "#1d2126", "#5b6570", "#d5d9dd", "#e4e4e4"
TEXT, SMALL = 7.5, 7.0
ROW = 0.165
"""Height of a row of text in inches."""

_RC: Mapping[str, Any] = {
    "font.family": "DejaVu Sans",  # comes with matplotlib: the same glyphs and so the same bytes everywhere
    "font.size": TEXT,
    "axes.labelsize": TEXT,
    "axes.titlesize": 8.0,
    "xtick.labelsize": SMALL,
    "ytick.labelsize": SMALL,
    "legend.fontsize": SMALL,
    "text.color": INK,
    "text.parse_math": False,  # names may hold dollar signs
    "axes.edgecolor": SOFT,
    "axes.labelcolor": INK,
    "axes.linewidth": 0.6,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "xtick.color": SOFT,
    "ytick.color": SOFT,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "xtick.major.width": 0.6,
    "xtick.major.size": 2.5,
    "ytick.major.size": 0.0,
    "grid.color": FAINT,
    "grid.linewidth": 0.5,
    "hatch.linewidth": 0.6,
    "legend.frameon": False,
    "legend.handlelength": 1.6,
    "legend.columnspacing": 1.4,
    "figure.constrained_layout.h_pad": 0.03,
    "figure.constrained_layout.w_pad": 0.03,
    "pdf.fonttype": 42,
    "svg.hashsalt": "emonet",
    "savefig.dpi": DPI,
}


@dataclass(frozen=True, slots=True, eq=False)
class Drawn:
    """A figure and what its caption should say."""

    figure: Figure
    caption: str


@contextmanager
def style() -> Iterator[None]:
    """Draw and save within this: the package's settings, whatever the user's own are."""
    matplotlib = require("matplotlib", extra="benchmark", feature="Drawing the benchmark's figures")
    with matplotlib.rc_context():
        matplotlib.rcdefaults()
        matplotlib.rcParams.update(_RC)
        yield


def new_figure(width: float, height: float) -> Figure:
    """A page of inches without pyplot's global state."""
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), layout="constrained")


def save_figure(drawn: Drawn, stem: Path) -> list[Path]:
    """Write `stem` with each ending of `FORMATS`; the same figure gives the same bytes."""
    creator = f"emonet {emonet.__version__}"
    metadata: Mapping[str, dict[str, Any]] = {
        "pdf": {"Title": drawn.caption, "Creator": creator, "Producer": None, "CreationDate": None},
        "svg": {"Title": drawn.caption, "Creator": creator, "Date": None},
        "png": {"Title": drawn.caption, "Software": creator},
    }
    paths = []
    with style():
        for ending in FORMATS:
            buffer = io.BytesIO()
            drawn.figure.savefig(buffer, format=ending, metadata=metadata[ending])
            paths.append(stem.with_name(f"{stem.name}.{ending}"))
            write_bytes(paths[-1], buffer.getvalue())
    return paths


def small_png(path: Path, wide: int = 1440) -> bytes:
    """A figure's PNG for a screen: narrower and with 256 colours, a fifth of the SVG's size."""
    import PIL.Image

    with PIL.Image.open(path) as picture:
        high = round(picture.height * wide / picture.width)
        small = picture.convert("RGB").resize((wide, high), PIL.Image.Resampling.LANCZOS)
    buffer = io.BytesIO()
    small.quantize(256, PIL.Image.Quantize.MAXCOVERAGE, dither=PIL.Image.Dither.NONE).save(buffer, "PNG", optimize=True)
    return buffer.getvalue()


def shown(name: str, longest: int = 46) -> str:
    """A name that can be drawn: cut in its middle, because names differ at their ends as often as at their starts."""
    text = "".join(c if ord(c) in _glyphs() else "�" for c in plain(name))
    if len(text) <= longest:
        return text
    tail = (longest - 1) * 2 // 5
    return f"{text[: longest - 1 - tail].rstrip()}…{text[-tail:].lstrip()}"


def folded(name: str, line: int = 23) -> str:
    """A name on at most two lines of about so many characters, for narrow figures."""
    text = shown(name, 2 * line - 2)
    if len(text) <= line:
        return text
    spaces = [k for k, c in enumerate(text) if c == " " and max(k, len(text) - k) <= line + 3]
    middle = min(spaces, key=lambda k: abs(2 * k - len(text)), default=line)
    return f"{text[:middle].rstrip()}\n{text[middle:].lstrip()}"


def kind_handles(kinds: Sequence[str], *, markers: bool = False) -> list[Any]:
    """Entries of a legend, one a kind in order."""
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    known = [kind_of(name) for name in kinds]
    if markers:
        return [
            Line2D([], [], color=kind.color, marker=kind.marker, markersize=4, linewidth=1.1, label=kind.label)
            for kind in known
        ]
    return [Patch(**patch(kind), label=kind.label) for kind in known]


def patch(kind: Kind) -> dict[str, Any]:
    """Fill, hatch and edge of a bar or box of a kind."""
    return {"facecolor": kind.color, "hatch": kind.hatch, "edgecolor": "#ffffff", "linewidth": 0.0}


def bare(axes: Axes) -> None:
    """Neither frame nor ticks."""
    for spine in axes.spines.values():
        spine.set_visible(False)
    axes.tick_params(length=0, labelbottom=False, labelleft=False, bottom=False, left=False)


@lru_cache(maxsize=1)
def _glyphs() -> frozenset[int]:
    """Characters that the figures' font has."""
    from matplotlib import font_manager, ft2font

    path = font_manager.findfont("DejaVu Sans")
    return frozenset(ft2font.FT2Font(path).get_charmap())
