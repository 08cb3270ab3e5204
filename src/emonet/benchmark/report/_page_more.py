"""The page's other sections: kinds of raters, requests, published results, facts of the run."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from html import escape

import polars as pl

from emonet.benchmark._results import Results
from emonet.benchmark.report._beside import published_rows
from emonet.benchmark.report._page_parts import all_metrics, head, kind_class, kind_mark, number_cell, table
from emonet.benchmark.report._plots import interval_plot, span_of
from emonet.benchmark.report._replies import ReplyRow, reply_rows
from emonet.benchmark.report._tables import Table, annotators_table, kinds_table
from emonet.benchmark.report._view import definitions
from emonet.benchmark.report._words import interval, kind_of, metric_name, number, plain


def kinds_section(results: Results, pictures: Mapping[str, tuple[str, bytes]]) -> str:
    """Pictures (name that ends in "/definition" → caption, PNG) and the tables beside them, a definition at a time."""
    out = []
    for number_, definition in enumerate(definitions(results)):
        drawn = [_picture(*found) for name, found in pictures.items() if name.endswith(f"/{definition}")]
        made = [kinds_table(results, definition), annotators_table(results, definition)]
        titles = ("Kinds of raters compared", "Could a rater be one of the people?")
        tables = [_folded(title, one) for title, one in zip(titles, made, strict=True) if one.rows]
        if drawn or tables:
            out.append(f'<div data-d="{number_}">{"".join(drawn)}{"".join(tables)}</div>')
    return "".join(out)


def replies_section(results: Results) -> str:
    """What became of the requests; nothing when no rater was asked over a service."""
    rows = reply_rows(results)
    if not rows:
        return ""
    titles = ("Rater", "Requests", "Answered", "Refused", "Unreadable", "Failed", "Tries", "Median s", "Tokens", "Cost")
    made = "".join(_reply(row) for row in rows)
    told = [
        f"<li><strong>{escape(plain(row.rater))}</strong>: "
        + "; ".join(f"{escape(plain(text)[:200])} ({count})" for text, count in row.messages)
        + "</li>"
        for row in rows
        if row.messages
    ]
    why = f"<details><summary>What was said instead of an answer</summary><ul>{''.join(told)}</ul></details>"
    return table("Requests to raters", [head(title, right=title != "Rater") for title in titles], made) + (
        why if told else ""
    )


def published_section(results: Results, published: pl.DataFrame) -> str:
    """Others' values among one's own, told apart by a badge, a hollow marker and their source."""
    out = []
    for number_, metric in enumerate(all_metrics(results)):
        rows = published_rows(results, published, metric)
        if not rows:
            continue
        span = span_of(row.cell for row in rows)
        made = []
        for row in rows:
            badge = '<span class="badge">published</span>' if row.source else "this run"
            cells = [
                f'<th scope="row">{kind_mark(row.kind)}{escape(plain(row.rater))}</th>',
                f"<td>{badge}</td>",
                number_cell(row.cell.value, interval(row.cell.value, row.cell.low, row.cell.high, 3)),
                f'<td class="wide" data-sort="{row.cell.value or 0:.5f}">{interval_plot(row.cell, span)}</td>',
                f"<td>{escape(kind_of(row.kind).label)}</td>",
                f'<td class="source">{escape(plain(row.source))}</td>',
            ]
            theirs = " theirs" if row.source else ""
            made.append(f'<tr class="{kind_class(row.kind)}{theirs}">{"".join(cells)}</tr>')
        titles = ("Rater", "From", metric_name(metric), "Interval", "Kind", "Source")
        heads = [head(title, right=title == metric_name(metric)) for title in titles]
        caption = f"{metric_name(metric)}: this run and published results"
        out.append(f'<div data-m="{number_}">{table(caption, heads, "".join(made), kind="published")}</div>')
    return "".join(out)


def run_section(results: Results) -> str:
    """Licence, source, notes, how raters were run, and the config as it was."""
    facts = results.facts
    told = [("Licence", facts.get("licence")), ("Source", facts.get("source")), ("Reference", facts.get("gold"))]
    told += [("Seed", facts.get("seed")), ("Resamples", facts.get("resamples")), ("Clusters", facts.get("cluster"))]
    listed = "".join(f"<dt>{name}</dt><dd>{escape(plain(str(value)))}</dd>" for name, value in told if value)
    notes = "".join(f"<li>{escape(plain(str(note)))}</li>" for note in facts.get("notes", ()))
    raters = "".join(_rater(record) for record in facts["raters"] if record.get("facts"))
    config = escape(json.dumps(facts.get("config") or {}, ensure_ascii=False, indent=1, default=str))
    return (
        f"<dl>{listed}</dl>"
        + (f"<ul>{notes}</ul>" if notes else "")
        + (f"<details><summary>How raters were run</summary><ul>{raters}</ul></details>" if raters else "")
        + f'<details><summary>Config</summary><pre tabindex="0">{config}</pre></details>'
    )


def _rater(record: Mapping[str, object]) -> str:
    facts = record["facts"]
    said = "; ".join(f"{key}: {value}" for key, value in facts.items()) if isinstance(facts, Mapping) else ""
    return f"<li><strong>{escape(plain(str(record['name'])))}</strong>: {escape(plain(said))}</li>"


def _reply(row: ReplyRow) -> str:
    values = (
        row.requests,
        row.ok,
        row.refused,
        row.malformed,
        row.failed,
        row.attempts,
        row.seconds,
        row.tokens,
        row.cost,
    )
    cells = [number_cell(value, text) for value, text in zip(values, row.texts()[1:], strict=True)]
    share = row.refused / row.requests if row.requests else 0.0
    cells[2] = number_cell(
        row.refused, f'{row.refused} <span class="soft">({number(100 * share, 1)} %)</span>', ready=True
    )
    return f'<tr><th scope="row">{escape(plain(row.rater))}</th>{"".join(cells)}</tr>'


def _folded(title: str, made: Table) -> str:
    rows = ""
    for first, *others in made.rows:
        cells = "".join(f"<td>{escape(plain(cell.text))}</td>" for cell in others)
        rows += f'<tr><th scope="row">{escape(plain(first.text))}</th>{cells}</tr>'
    body = table(title, [head(column) for column in made.columns], rows)
    return f'<details><summary>{escape(title)}</summary><p class="soft">{escape(made.caption)}</p>{body}</details>'


def _picture(caption: str, content: bytes) -> str:
    uri = f"data:image/png;base64,{base64.b64encode(content).decode()}"
    text = escape(caption)
    return (
        f'<figure><div class="scroll paper" tabindex="0" role="region" aria-label="Figure"><img src="{uri}" '
        f'alt="{text}"></div><figcaption class="soft">{text}</figcaption></figure>'
    )
