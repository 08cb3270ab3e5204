"""Emotion by emotion: a table of all, and the data from which the page draws the one that is chosen."""

from __future__ import annotations

import json
from html import escape
from typing import Any

from emonet.benchmark._results import HUMAN_CEILING, LOWER_IS_BETTER, Results
from emonet.benchmark.report._figure_types import CLASSES, group_color, vote_shares
from emonet.benchmark.report._page_parts import all_metrics, head, kind_class, mark_of, number_cell, table
from emonet.benchmark.report._plots import interval_plot, span_of, stacked_plot
from emonet.benchmark.report._tables import clear_best
from emonet.benchmark.report._view import (
    Cell,
    cells,
    definitions,
    dimension_groups,
    kinds_of,
    names,
    people_agreement,
    primary,
)
from emonet.benchmark.report._words import AGREEMENT_NAMES, interval, metric_name, number, plain

VOTE_CLASSES = {name: f"v{k}" for k, name in enumerate(CLASSES)}
"""Class of votes → CSS class."""


def emotions_section(results: Results) -> str:
    """The table of all emotions under the first definition and metric, and the place of the drawing of one."""
    definition = next(iter(definitions(results)), None)
    metric = primary(results, definition) if definition else None
    if definition is None or metric is None:
        return ""
    options = "".join(
        f'<optgroup label="{escape(group)}">'
        + "".join(f'<option value="{escape(key)}">{escape(names(results)[key])}</option>' for key in keys)
        + "</optgroup>"
        for group, keys in dimension_groups(results)
    )
    chosen = f'<p class="pick" hidden><label for="emotion">Emotion</label> <select id="emotion">{options}</select></p>'
    return f'{chosen}<div id="drill" aria-live="polite" hidden></div>{_overview(results, definition, metric)}'


def _overview(results: Results, definition: str, metric: str) -> str:
    """How people agree on each emotion, what one person and the best raters reach."""
    found = cells(results, definition, metric)
    shares = vote_shares(results)
    agreement = {key: people_agreement(results, key) for key in results.facts["dimensions"]}
    level = next((m for m in AGREEMENT_NAMES if any(m in of for of in agreement.values())), None)
    alphas = [of[level] for of in agreement.values() if level in of] if level else []
    span = span_of(alphas)
    rows = []
    for group, keys in dimension_groups(results):
        for key in keys:
            of = {rater: cell for (rater, dimension), cell in found.items() if dimension == key}
            people = of.get(HUMAN_CEILING)
            alpha = agreement[key].get(level) if level else None
            votes = [(VOTE_CLASSES[name], shares[key][name]) for name in CLASSES if name in shares.get(key, {})]
            made = [
                f'<th scope="row" data-key="{escape(key)}">{_dot(group)}{escape(names(results)[key])}</th>',
                f"<td>{escape(group.removesuffix(' Emotions'))}</td>",
                number_cell(alpha.value if alpha else None, _shown(alpha)),
                f'<td class="wide" data-sort="{_sort(alpha)}">{interval_plot(alpha, span) if alpha else ""}</td>',
                f'<td class="wide" data-sort="{_agreeing(votes)}">{stacked_plot(votes) if votes else ""}</td>',
                number_cell(people.value if people else None, _shown(people)),
                *_best(of, metric),
            ]
            rows.append(f"<tr>{''.join(made)}</tr>")
    heads = [
        head("Emotion"),
        head("Group"),
        head(AGREEMENT_NAMES.get(level or "", "Agreement"), right=True),
        head("Interval"),
    ]
    name = metric_name(metric)
    heads += [head("Votes"), head(f"People, {name}", right=True), head(f"Best rater, {name}")]
    text = f"All emotions, {name}, {definition} definition"
    return f"{_legend()}{table(text, heads, ''.join(rows), kind='emotions')}"


def page_data(results: Results) -> str:
    """What the page's script draws from, as JSON that can stand within a script element."""
    dimensions = list(results.facts["dimensions"])
    group_of = {key: group for group, keys in dimension_groups(results) for key in keys}
    shares = vote_shares(results)
    chosen = [m for m in AGREEMENT_NAMES if m in set(results.agreement["metric"].to_list())]
    agreement = {key: people_agreement(results, key) for key in dimensions}
    data: dict[str, Any] = {
        "dimensions": [
            {
                "key": key,
                "name": names(results)[key],
                "group": group_of.get(key, ""),
                "color": group_color(group_of.get(key, "")),
                "agreement": [_numbers(agreement[key].get(m)) for m in chosen],
                "votes": [[VOTE_CLASSES[n], n, round(shares[key][n], 4)] for n in CLASSES if n in shares.get(key, {})],
            }
            for key in dimensions
        ],
        "agreement": [AGREEMENT_NAMES[m] for m in chosen],
        "metrics": [{"name": metric_name(m), "lower": m in LOWER_IS_BETTER} for m in all_metrics(results)],
        "definitions": list(definitions(results)),
        "ceiling": HUMAN_CEILING,
    }
    raters = [*dict.fromkeys(results.scores["rater"].to_list())]
    kinds = kinds_of(results)
    data["raters"] = [
        {"name": plain(rater), "kind": kind_class(kinds.get(rater, "")), "mark": mark_of(kinds.get(rater, ""))}
        for rater in raters
    ]
    data["people"] = raters.index(HUMAN_CEILING) if HUMAN_CEILING in raters else -1
    data["cells"] = {
        f"{d}/{m}": [[_numbers(found.get((rater, key))) for rater in raters] for key in dimensions]
        for d, definition in enumerate(definitions(results))
        for m, metric in enumerate(all_metrics(results))
        if (found := cells(results, definition, metric))
    }
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"))
    return text.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")


def _best(of: dict[str, Cell], metric: str) -> list[str]:
    """A cell with the best rater's value and name, and how many cannot be told from it by their intervals."""
    raters = {r: cell for r, cell in of.items() if r != HUMAN_CEILING and cell.value is not None}
    if not raters:
        return ['<td class="none">–</td>']
    sign = -1 if metric in LOWER_IS_BETTER else 1
    best = max(raters, key=lambda rater: sign * (raters[rater].value or 0.0))
    top = raters[best]
    level = sum(_overlap(top, cell) for cell in raters.values()) - 1
    more = "" if clear_best(raters, metric) == best or not level else f' <span class="soft">(+{level} level)</span>'
    shown = f"{escape(_shown(top))}<br>{escape(plain(best))}{more}"
    return [f'<td data-sort="{top.value:.5f}">{shown}</td>']


def _overlap(a: Cell, b: Cell) -> bool:
    if a.low is None or a.high is None or b.low is None or b.high is None:
        return False
    return a.low <= b.high and b.low <= a.high


def _numbers(cell: Cell | None) -> list[float | int | None] | None:
    if cell is None or cell.value is None:
        return None
    low, high = (None if end is None else round(end, 4) for end in (cell.low, cell.high))
    return [round(cell.value, 4), low, high, cell.n]


def _shown(cell: Cell | None) -> str:
    return "–" if cell is None else interval(cell.value, cell.low, cell.high)


def _sort(cell: Cell | None) -> str:
    return f"{cell.value:.5f}" if cell and cell.value is not None else "-9"


def _agreeing(votes: list[tuple[str, float]]) -> str:
    whole = {VOTE_CLASSES["all: present"], VOTE_CLASSES["all: absent"]}
    return number(sum(share for name, share in votes if name in whole), 4)


def _dot(group: str) -> str:
    return f'<span class="dot" style="--c:{group_color(group)}" aria-hidden="true"></span>'


def _legend() -> str:
    items = "".join(
        f'<li><span class="swatch {css}" aria-hidden="true"></span>{escape(name)}</li>'
        for name, css in VOTE_CLASSES.items()
    )
    return f'<ul class="legend">{items}</ul>'
