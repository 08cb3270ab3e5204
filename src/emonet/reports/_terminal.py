"""Estimates in the terminal: bars under the seven groups, or one line each when there are many."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from emonet.estimation import Estimate, Estimates, place
from emonet.models import Card
from emonet.reports._sections import calibration_notes, extent, not_judged, scale_words, sections, subjects

_WIDTH = 28  # cells of a bar
_EIGHTHS = " ▏▎▍▌▋▊▉█"
_DETAILED = 3
_LINES = 40
_PLAIN = {"no_face": "yellow", "no_speech": "yellow", "too_short": "yellow", "unreadable": "red"}


def print_estimates(
    estimates: Estimates,
    console: Console | None = None,
    *,
    top: int = 5,
    detailed: int = _DETAILED,
    lines: int = _LINES,
) -> None:
    """Print up to `detailed` faces and voices as bars, and all rows as one line each when there is more to tell.

    The bars of a recording or of a face followed through a video are the mean over its rows. `top`: emotions named per
    line, and marked among the bars; `lines`: most lines.
    """
    console = console or Console()
    shown = subjects(estimates)
    drawn = [(Estimates(items).mean(), len(items)) for items in shown] if len(shown) <= detailed else []
    for item, count in drawn:
        span = extent(one for one, _ in drawn if one.model == item.model)
        console.print(detail(item, estimates.cards.get(item.model), top=top, span=span, count=count), "")
    single = {id(items[0]) for items in shown if len(items) == 1} if drawn else set()
    rest = [item for item in estimates if id(item) not in single]
    if rest:
        console.print(compact(rest[:lines], top=top))
    if len(rest) > lines:
        console.print(Text(f"... and {len(rest) - lines} more; write them all with --output", style="dim"))


def detail(
    estimate: Estimate, card: Card | None, *, top: int = 5, span: tuple[float, float], count: int = 1
) -> RenderableType:
    """Bars of one estimate under the groups; `count`: rows that it is the mean of."""
    low, high = span
    grouped = sections(estimate, card)
    known = any(bar.calibrated is not None for section in grouped for bar in section.bars)
    strongest = {ranked.key for ranked in estimate.top(top)}
    table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 1))
    for _ in range(4):
        table.add_column(no_wrap=True)
    for section in grouped:
        table.add_row(Text(section.title, style=f"bold {section.color}"))
        for bar in section.bars:
            ends = (bar.low, bar.high) if bar.ends else (low, high)
            name = Text(("~" if bar.weak else " ") + bar.name, style="bold" if bar.key in strongest else "")
            known_text = f"{bar.calibrated:4.0%}" if bar.calibrated is not None else bar.ends
            table.add_row(
                name, Text(_blocks(bar.value, *ends), style=section.color), Text(f"{bar.value:+.2f}"),
                Text(known_text, style="dim"),
            )  # fmt: skip
    unit = "windows" if estimate.modality == "voice" else "frames"
    over = f", mean of {count} {unit}" if count > 1 else ""
    title = Text(f"{estimate.source}{place(estimate.region)}{over}", style="bold", overflow="fold")
    parts: list[RenderableType] = [title, Text(_caption(estimate, known), style="dim"), table]
    if any(bar.weak for section in grouped for bar in section.bars):
        parts.append(Text("~ weaker evidence: learned from a teacher model, not from labels of this emotion", "dim"))
    if known and card:
        parts += [Text(f"%: {note}", style="dim") for note in calibration_notes(card)]
    missing = [name for name, _ in not_judged(card)] if card else []
    if missing:
        parts.append(Text(f"not judged by {estimate.model}: {', '.join(missing)}", style="dim"))
    return Group(*parts)


def compact(estimates: Sequence[Estimate], *, top: int = 5) -> RenderableType:
    """One line per estimate: the file, the place in it, and its strongest emotions or the reason for none."""
    table = Table(box=None, pad_edge=False, padding=(0, 1), header_style="dim")
    table.add_column("file", overflow="fold", max_width=44)
    table.add_column("where", no_wrap=True)
    table.add_column("strongest", overflow="fold")
    for item in estimates:
        if item.ok:
            found = ", ".join(f"{ranked.name} {ranked.value:+.2f}" for ranked in item.top(top))
            said = Text(found or "no emotion that the model can judge")
        else:
            said = Text(f"{item.status}: {item.message}", style=_PLAIN[item.status])
        table.add_row(Text(item.source), Text(place(item.region).strip()), said)
    return table


def _caption(estimate: Estimate, calibrated: bool) -> str:
    extra = "; %: calibrated probability" if calibrated else ""
    return f"{estimate.model} ({estimate.revision}), {scale_words(estimate)}{extra}"


def _blocks(value: float, low: float, high: float) -> str:
    """A bar of `_WIDTH` cells from zero to `value` on the scale `low`..`high`."""
    span = max(high, 0.0) - min(low, 0.0) or 1.0
    zero = round(-min(low, 0.0) / span * _WIDTH)
    if value < 0:
        length = min(zero, round(-value / span * _WIDTH))
        return " " * (zero - length) + "░" * length
    eighths = round(value / span * _WIDTH * 8)
    full, part = divmod(min(eighths, (_WIDTH - zero) * 8), 8)
    return " " * zero + "█" * full + (_EIGHTHS[part] if part else "")
