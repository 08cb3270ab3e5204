"""The leaderboards of the page: one table a definition and metric, and all metrics side by side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape

from emonet.benchmark._results import HUMAN_CEILING, LOWER_IS_BETTER, Results
from emonet.benchmark.report._page_parts import Board, boards, head, kind_class, kind_mark, number_cell, table
from emonet.benchmark.report._plots import Span, interval_plot, rank_plot, span_of, ties_cell
from emonet.benchmark.report._tables import rank_text
from emonet.benchmark.report._view import Line, ceiling_of, leaderboard, metrics, separated
from emonet.benchmark.report._words import (
    DEFINITION_NOTES,
    METRIC_NOTES,
    direction,
    interval,
    kind_of,
    metric_name,
    number,
    plain,
)


def board_panels(results: Results) -> str:
    """Every definition's and metric's leaderboard; the page shows one at a time."""
    return "".join(_panel(results, board) for board in boards(results))


def metric_panels(results: Results) -> str:
    """All metrics of a definition side by side."""
    out = []
    for number_, definition in enumerate(dict.fromkeys(board.definition for board in boards(results))):
        chosen = metrics(results, definition)
        found = {metric: leaderboard(results, definition, metric) for metric in chosen}
        out.append(f'<div data-d="{number_}">{_metrics(results, found, definition)}</div>')
    return "".join(out)


def _panel(results: Results, board: Board) -> str:
    where = f'data-d="{board.definition_number}" data-m="{board.metric_number}"'
    name, about = metric_name(board.metric), METRIC_NOTES.get(board.metric, "")
    if board.metric not in metrics(results, board.definition):
        return f'<p {where} class="note">{escape(name)} is not part of the {escape(board.definition)} definition.</p>'
    lines = leaderboard(results, board.definition, board.metric)
    span = span_of((line.cell for line in lines), ceiling_of(lines))
    letters = list(dict.fromkeys(letter for line in lines for letter in line.ties))
    places = sum(line.rank is not None for line in lines)
    best = separated(lines)
    rows = "".join(_row(line, span, letters, places, line.rater == best) for line in lines)
    heads = [
        head("Rater"),
        head("Rank", sort="ascending", right=True),
        head(name, right=True),
        head("Interval", title=_axis(span)),
    ]
    heads += [head("Places"), head("Ties"), head("Kind"), head("Emotions", right=True), head("Items", right=True)]
    about = f"{name}: {about}; {direction(board.metric)}. {DEFINITION_NOTES.get(board.definition, '')}"
    caption = f"{name}, {board.definition} definition"
    shown = table(caption, heads, rows, kind="board")
    return f'<div {where}><p class="soft">{escape(about)}</p>{shown}{_notes(lines)}</div>'


def _row(line: Line, span: Span, letters: Sequence[str], places: int, best: bool) -> str:
    cell = line.cell
    value = escape(interval(cell.value, cell.low, cell.high, 3))
    ceiling = " ceiling" if line.rater == HUMAN_CEILING else ""
    mark = '<sup class="mark">*</sup>' if cell.note else ""
    ranks = rank_plot(line.rank, line.rank_low, line.rank_high, places)
    cells = [
        f'<th scope="row">{kind_mark(line.kind)}{escape(plain(line.rater))}{mark}</th>',
        number_cell(line.rank, rank_text(line)),
        number_cell(cell.value, f"<strong>{value}</strong>" if best else value, ready=True),
        f'<td class="wide" data-sort="{cell.value or 0:.5f}">{interval_plot(cell, span)}</td>',
        f'<td class="wide" data-sort="{line.rank or 0:g}">{ranks}</td>',
        ties_cell(line.ties, letters),
        f"<td>{escape(kind_of(line.kind).label)}</td>",
        number_cell(line.dimensions, number(line.dimensions, 0)),
        number_cell(cell.n, number(cell.n, 0)),
    ]
    return f'<tr class="{kind_class(line.kind)}{ceiling}">{"".join(cells)}</tr>'


def _axis(span: Span) -> str:
    return f"axis from {number(span.low)} to {number(span.high)}; the band is the human ceiling"


def _notes(lines: Sequence[Line]) -> str:
    """What to know about single figures, each note once with those whom it concerns."""
    about: dict[str, list[str]] = {}
    for line in lines:
        if line.cell.note:
            about.setdefault(line.cell.note, []).append(plain(line.rater))
    if not about:
        return ""
    said = "".join(f"<li><strong>{escape(', '.join(who))}</strong>: {escape(note)}</li>" for note, who in about.items())
    return f'<details class="notes" open><summary>Notes (*)</summary><ul>{said}</ul></details>'


def _metrics(results: Results, found: Mapping[str, Sequence[Line]], definition: str) -> str:
    spans = {metric: span_of((line.cell for line in lines), ceiling_of(lines)) for metric, lines in found.items()}
    cells = {metric: {line.rater: line for line in lines} for metric, lines in found.items()}
    kinds = {line.rater: line.kind for lines in found.values() for line in lines}
    best = {metric: separated(lines) for metric, lines in found.items()}
    heads = [head("Rater")]
    heads += [head(metric_name(m), title="lower is better" if m in LOWER_IS_BETTER else "", right=True) for m in found]
    rows = []
    for rater, kind in kinds.items():
        made = [_metric_cell(cells[m].get(rater), spans[m], best[m] == rater) for m in found]
        name = f'<th scope="row">{kind_mark(kind)}{escape(plain(rater))}</th>'
        rows.append(f'<tr class="{kind_class(kind)}">{name}{"".join(made)}</tr>')
    return table(f"All metrics, {definition} definition", heads, "".join(rows), kind="board metrics")


def _metric_cell(line: Line | None, span: Span, best: bool) -> str:
    if line is None or line.cell.value is None:
        return '<td class="none">–</td>'
    value = number(line.cell.value, 3)
    ends = f"[{number(line.cell.low, 3)}, {number(line.cell.high, 3)}]" if line.cell.low is not None else ""
    shown = f"<strong>{value}</strong>" if best else value
    plot = interval_plot(line.cell, span)
    return f'<td class="num" data-sort="{line.cell.value:.5f}">{shown} <span class="soft">{ends}</span>{plot}</td>'
