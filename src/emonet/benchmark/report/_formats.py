"""Tables as Markdown and as LaTeX (booktabs), and the leaderboards as plain data for JSON."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from emonet.benchmark._results import HUMAN_CEILING, LOWER_IS_BETTER, Results
from emonet.benchmark.report._tables import Table, Text
from emonet.benchmark.report._view import Line, definitions, leaderboard, metrics
from emonet.benchmark.report._words import plain

JSON_FORMAT = 1
_LONG = 30  # rows that still fit on a page in the larger size
_LATEX_SIDES = {"left": "l", "right": "r", "wide": "p{6cm}"}
_LATEX: Mapping[str, str] = {
    "\\": r"\textbackslash{}",
    "{": r"\{",
    "}": r"\}",
    "$": r"\$",
    "&": r"\&",
    "#": r"\#",
    "%": r"\%",
    "_": r"\_",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    '"': r"\textquotedbl{}",
    "'": r"'",
    "−": r"$-$",
    "–": r"--",
    "…": r"\ldots{}",
    "×": r"$\times$",
    "†": r"\textdagger{}",
    "“": "``",
    "”": "''",
    "α": r"$\alpha$",
    "κ": r"$\kappa$",
    "ρ": r"$\rho$",
    "�": "?",
}
_MARKDOWN = re.compile(r"([\\`*_{}\[\]<>|#~!$])")


def as_markdown(table: Table) -> str:
    """A pipe table under its caption; headings over rows are set in bold."""
    lines = [f"{markdown_text(table.caption)}", ""]
    lines.append("| " + " | ".join(markdown_text(column) for column in table.columns) + " |")
    sides = (" ---: " if _side(table, k) == "right" else " --- " for k in range(len(table.columns)))
    lines.append("|" + "|".join(sides) + "|")
    for row in table.rows:
        if len(row) < len(table.columns):
            row = (Text(row[0].text, bold=True), *(Text("") for _ in table.columns[1:]))
        lines.append("| " + " | ".join(_markdown_cell(cell) for cell in row) + " |")
    return "\n".join(lines) + "\n"


def as_latex(table: Table) -> str:
    r"""`table` environments with `tabular`, a part each where columns are too many; needs `\usepackage{booktabs}`."""
    parts = list(_parts(table))
    out = [r"% Needs \usepackage{booktabs} and a font encoding with quotes: \usepackage[T1]{fontenc}."]
    for number, columns in enumerate(parts, 1):
        label = table.name if len(parts) == 1 else f"{table.name}-{number}"
        more = "" if len(parts) == 1 else f" Part {number} of {len(parts)}."
        out += [r"\begin{table}", r"\centering", r"\footnotesize" if len(table.rows) > _LONG else r"\small"]
        out += [rf"\caption{{{latex_text(table.caption + more)}}}", rf"\label{{tab:{_label(label)}}}"]
        out.append(r"\begin{tabular}{" + "".join(_LATEX_SIDES[_side(table, k)] for k in columns) + "}")
        out += [r"\toprule", _latex_row([Text(table.columns[k]) for k in columns]), r"\midrule"]
        for row in table.rows:
            if len(row) < len(table.columns):
                spread = rf"\multicolumn{{{len(columns)}}}{{l}}{{\textit{{{latex_text(row[0].text)}}}}} \\"
                out += ([r"\addlinespace"] if out[-1] != r"\midrule" else []) + [spread]
            else:
                out.append(_latex_row([row[k] for k in columns]))
        out += [r"\bottomrule", r"\end{tabular}", r"\end{table}", ""]
    return "\n".join(out)


def leaderboard_data(results: Results) -> dict[str, Any]:
    """Every leaderboard with the facts that are needed to read it; undefined figures are None."""
    kept = ("set", "modality", "items", "dimensions", "gold", "seed", "resamples", "common_scale", "version", "created")
    return {
        "format": JSON_FORMAT,
        **{key: results.facts.get(key) for key in (*kept, "licence", "source")},
        "human_ceiling": HUMAN_CEILING,
        "lower_is_better": sorted(LOWER_IS_BETTER),
        "leaderboards": {
            definition: {
                metric: [_record(line) for line in leaderboard(results, definition, metric)]
                for metric in metrics(results, definition)
            }
            for definition in definitions(results)
        },
    }


def markdown_text(text: str) -> str:
    """Text that Markdown shows as it is."""
    return _MARKDOWN.sub(r"\\\1", plain(text).replace("−", "-")).replace("&", "&amp;")


def latex_text(text: str) -> str:
    """Text that LaTeX sets as it is."""
    escaped = "".join(_LATEX.get(c, c) for c in plain(text))
    return f"{{[}}{escaped[1:]}" if escaped.startswith("[") else escaped  # not the option of a line break


def _markdown_cell(cell: Text) -> str:
    # Brackets of an interval are no link, and a table of figures is read as text, too.
    text = re.sub(r"\\\[(-?[\d.]+, -?[\d.]+)\\\]", r"[\1]", markdown_text(cell.text))
    return f"**{text}**" if cell.bold and text else text


def _latex_row(cells: Sequence[Text]) -> str:
    said = (rf"\textbf{{{latex_text(cell.text)}}}" if cell.bold else latex_text(cell.text) for cell in cells)
    return " & ".join(said) + r" \\"


def _parts(table: Table) -> Iterator[list[int]]:
    """Columns of each part: the fixed ones and some of the others."""
    free = list(range(table.fixed, len(table.columns)))
    for start in range(0, max(len(free), 1), table.part):
        yield [*range(table.fixed), *free[start : start + table.part]]


def _side(table: Table, column: int) -> str:
    """Figures stand to the right, words to the left, sentences in a box."""
    texts = [row[column].text for row in table.rows if len(row) == len(table.columns)]
    said = [text for text in texts if text not in ("", "–")]
    if column >= table.fixed and all(text[0] in "0123456789−<" for text in said):
        return "right"
    return "wide" if any(len(text) > 60 for text in said) else "left"


def _label(name: str) -> str:
    return re.sub(r"[^A-Za-z0-9:-]", "-", name)


def _record(line: Line) -> dict[str, Any]:
    return {
        "rater": line.rater,
        "kind": line.kind,
        "value": line.cell.value,
        "low": line.cell.low,
        "high": line.cell.high,
        "rank": line.rank,
        "rank_low": line.rank_low,
        "rank_high": line.rank_high,
        "ties": list(line.ties),
        "items": line.cell.n,
        "dimensions": line.dimensions,
        "note": line.cell.note or None,
    }
