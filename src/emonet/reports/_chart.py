"""A PNG of grouped bars, drawn with Pillow alone."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Sequence
from pathlib import Path

import PIL.Image
import PIL.ImageDraw
import PIL.ImageFont

from emonet.errors import UsageError
from emonet.estimation import Estimate, Estimates, place
from emonet.reports._sections import Bar, Section, extent, scale_words, sections

_SCALE = 2  # drawn at twice the size: sharp on dense screens and in print
_COLUMN, _MARGIN, _ROW, _NAME, _VALUE = 460, 28, 22, 172, 74  # units of 1/_SCALE pixel
_INK, _SOFT, _FAINT, _PAPER, _TRACK = "#1d2126", "#5d6670", "#aab2ba", "#ffffff", "#f1f3f5"
_MOST = 4


def draw_chart(estimates: Estimates, path: str | Path | None = None, *, title: str = "") -> PIL.Image.Image:
    """Bars under the seven groups, one column per region, at most four of them side by side.

    With more regions the chart shows the mean per model and says so. Returns an RGB picture; with `path` it is also
    written as PNG, whole or not at all. Raises `UsageError` when nothing was scored.
    """
    scored = [item for item in estimates if item.ok]
    if not scored:
        reasons = "; ".join(f"{item.source}: {item.message}" for item in list(estimates)[:3])
        raise UsageError(f"There is nothing to draw: no region was scored. {reasons}")
    columns = [(_heading(item), item) for item in scored]
    if len(scored) > _MOST:
        columns = _means(scored)[:_MOST]
    span = extent(item for _, item in columns)
    drawn = [(head, item, sections(item, estimates.cards.get(item.model))) for head, item in columns]
    height = 96 + max(_height(part) for _, _, part in drawn) + 62
    width = _MARGIN + len(drawn) * (_COLUMN + _MARGIN)
    picture = PIL.Image.new("RGB", (width * _SCALE, height * _SCALE), _PAPER)
    pen = _Pen(PIL.ImageDraw.Draw(picture))
    pen.text(_MARGIN, 22, title or _title(scored), 19, _INK, limit=width - 2 * _MARGIN)
    for i, (head, item, parts) in enumerate(drawn):
        x = _MARGIN + i * (_COLUMN + _MARGIN)
        pen.text(x, 56, head, 13, _INK, limit=_COLUMN)
        pen.text(x, 74, f"{item.model} · {scale_words(item)}", 11, _SOFT, limit=_COLUMN)
        _column(pen, x, 102, parts, span, strongest={ranked.key for ranked in item.top(3)})
    weak = any(bar.weak for _, _, parts in drawn for part in parts for bar in part.bars)
    foot = "Estimates of perceived intensity, not facts about what a person feels."
    marks = "Hollow bars: weaker evidence (learned from a teacher model). %: calibrated; see the card."
    pen.text(_MARGIN, height - 44, foot, 11, _SOFT, limit=width - 2 * _MARGIN)
    pen.text(_MARGIN, height - 28, marks if weak else marks.partition(". ")[2], 11, _SOFT, limit=width - 2 * _MARGIN)
    if path is not None:
        _save(picture, Path(path))
    return picture


class _Pen:
    """Draws in units that are scaled to pixels."""

    def __init__(self, draw: PIL.ImageDraw.ImageDraw) -> None:
        self._draw = draw
        self._fonts: dict[float, PIL.ImageFont.FreeTypeFont | PIL.ImageFont.ImageFont] = {}

    def text(
        self, x: float, y: float, text: str, size: float, color: str, *, limit: float = 1e9, anchor: str = "la"
    ) -> None:
        """One line, cut with an ellipsis at `limit` units."""
        font = self._fonts.setdefault(size, PIL.ImageFont.load_default(size * _SCALE))
        text = "".join(c if c.isprintable() else "�" for c in text)
        if self._draw.textlength(text, font) > limit * _SCALE:
            while text and self._draw.textlength(text + "...", font) > limit * _SCALE:
                text = text[:-1]
            text += "..."
        self._draw.text((x * _SCALE, y * _SCALE), text, color, font, anchor=anchor)

    def bar(self, x0: float, y0: float, x1: float, y1: float, color: str, *, hollow: bool = False) -> None:
        """A rounded bar."""
        box = tuple(round(value * _SCALE) for value in (min(x0, x1), y0, max(x0, x1), y1))
        if box[2] - box[0] < 2:
            return
        radius = min(3 * _SCALE, (box[2] - box[0]) // 2)
        fill, outline = (_mixed(color, 0.22), color) if hollow else (color, None)
        self._draw.rounded_rectangle(box, radius, fill, outline, _SCALE)

    def line(self, x: float, y0: float, y1: float, color: str) -> None:
        """A thin upright line."""
        self._draw.line([(x * _SCALE, y0 * _SCALE), (x * _SCALE, y1 * _SCALE)], color, _SCALE)


def _column(
    pen: _Pen, x: float, y: float, parts: Sequence[Section], span: tuple[float, float], *, strongest: set[str]
) -> None:
    for part in parts:
        pen.text(x, y + 2, part.title, 12.5, _mixed(part.color, 0.85, "#000000"), limit=_COLUMN)
        y += _ROW + 1
        top = y
        for bar in part.bars:
            _bar(pen, x, y, bar, part.color, span, strong=bar.key in strongest)
            y += _ROW
        low, high = (part.bars[0].low, part.bars[0].high) if part.bars[0].ends else span
        if not part.bars[0].ends:
            pen.line(_position(x, 0, low, high), top, y - 3, _FAINT)
        y += 10


def _bar(pen: _Pen, x: float, y: float, bar: Bar, color: str, span: tuple[float, float], *, strong: bool) -> None:
    low, high = (bar.low, bar.high) if bar.ends else span
    pen.text(x, y + 3, bar.name, 12, _INK if strong or bar.value > 0 else _SOFT, limit=_NAME - 8)
    pen.bar(x + _NAME, y + 2, x + _COLUMN - _VALUE, y + _ROW - 5, _TRACK)
    reached = _position(x, min(max(bar.value, low), high), low, high)
    shade = color if bar.value >= 0 else _mixed(color, 0.45)
    pen.bar(_position(x, min(max(0, low), high), low, high), y + 2, reached, y + _ROW - 5, shade, hollow=bar.weak)
    pen.text(x + _COLUMN - _VALUE + 38, y + 3, f"{bar.value:+.2f}", 12, _INK if strong else _SOFT, anchor="ra")
    if bar.calibrated is not None:
        pen.text(x + _COLUMN, y + 3, f"{bar.calibrated:.0%}", 11, _SOFT, anchor="ra")


def _position(x: float, value: float, low: float, high: float) -> float:
    return x + _NAME + (_COLUMN - _NAME - _VALUE) * (value - low) / max(high - low, 1e-6)


def _height(parts: Sequence[Section]) -> int:
    return sum(_ROW + 11 + _ROW * len(part.bars) for part in parts)


def _heading(item: Estimate) -> str:
    return f"{Path(item.source).name}{place(item.region)}"


def _title(scored: Sequence[Estimate]) -> str:
    best = Estimates([scored[0]]).top(3) if len(scored) == 1 else []
    if best:
        return "Strongest: " + ", ".join(ranked.name for ranked in best)
    files = len({item.source for item in scored})
    return f"Emotion estimates of {len(scored)} regions in {files} file{'s' if files > 1 else ''}"


def _means(scored: Sequence[Estimate]) -> list[tuple[str, Estimate]]:
    kinds = dict.fromkeys((item.modality, item.model, item.revision) for item in scored)
    columns = []
    for kind in kinds:
        items = [item for item in scored if (item.modality, item.model, item.revision) == kind]
        thing = "windows" if kind[0] == "voice" else "faces"
        columns.append((f"mean of {len(items)} {thing}", Estimates(items).mean()))
    return columns


def _mixed(color: str, share: float, other: str = "#ffffff") -> str:
    mixed = (round(int(color[i : i + 2], 16) * share + int(other[i : i + 2], 16) * (1 - share)) for i in (1, 3, 5))
    return "#" + "".join(f"{value:02x}" for value in mixed)


def _save(picture: PIL.Image.Image, path: Path) -> None:
    if path.suffix.lower() != ".png":
        raise UsageError(f"{path}: a chart is written as PNG; give a name that ends in .png.")
    if not path.parent.is_dir():
        raise UsageError(f"{path.parent} does not exist; make the folder first or choose another place.")
    handle, name = tempfile.mkstemp(prefix=f".{path.name[:80]}.", suffix=".png", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            picture.save(file, "PNG", optimize=True)
        Path(name).chmod(0o644)
        os.replace(name, path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
