"""The card of a finished data set: what it holds and how it was made, from what can be measured on it.

A card is a Markdown page with the front matter of the Hugging Face Hub. Every figure in it is computed here from the
set's own files; what cannot be measured is said to be unknown.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import polars as pl

from emonet.datasets.curation._balance import balance_of
from emonet.datasets.curation._card_agreement import agreement_rows
from emonet.datasets.curation._card_figures import Drawn, draw_figures, figure_name
from emonet.datasets.curation._card_front import front_matter
from emonet.datasets.curation._categories import count_categories
from emonet.datasets.curation._set import (
    DATA,
    RATINGS,
    REPORT,
    SetFacts,
    read_set,
    shard_paths,
    write_bytes,
    write_text,
)
from emonet.datasets.curation._validate import SUBJECTS, Validation
from emonet.errors import UsageError
from emonet.taxonomy import EMOTIONS, Modality, display_name

CARD, FIGURES = "README.md", "card"
DEMOGRAPHICS = ("gender", "sex", "age", "age_group", "ethnicity", "race", "language", "accent")
_CELLS = 30
"""Rows of a table of values; the rest is summed up."""
_MEASURED = {
    "duration_s": ("length", "s"), "speech_s": ("speech in it", "s"), "rms_db": ("level", "dB of full scale"),
    "snr_db": ("speech over pauses", "dB"), "clipped": ("clipped", "share of samples"), "width": ("width", "px"),
    "height": ("height", "px"), "face_px": ("largest face", "px"), "sharpness": ("sharpness", ""),
}  # fmt: skip


def write_card(
    folder: Path,
    *,
    validation: Validation | None = None,
    demographics: Sequence[str] | None = None,
    subjects: Sequence[str] | None = None,
    figures: bool = True,
    seed: int = 0,
) -> Path:
    """Write `README.md` and the figures in `card/` of a finished set; the path of the card.

    validation: what `validate_dataset` found, to be told in the card; without it the card says that it was not run.
    demographics, subjects: columns of the items, by default those with usual names that are there. figures: needs
    matplotlib. seed: of the resampling behind the intervals. The same set gives the same bytes.
    """
    folder = Path(folder)
    facts, items = read_set(folder)
    people = _known(items, SUBJECTS if subjects is None else subjects, strict=subjects is not None)
    described = _known(items, DEMOGRAPHICS if demographics is None else demographics, strict=demographics is not None)
    drawn = draw_figures(items, facts.modality, described) if figures else {}
    for name, figure in drawn.items():
        write_bytes(folder / FIGURES / figure_name(name), figure.png)
    report = json.loads((folder / REPORT).read_text(encoding="utf-8"))
    ratings = pl.read_parquet(folder / RATINGS, glob=False) if (folder / RATINGS).is_file() else None
    parts = [
        front_matter(facts), f"# {facts.name}\n",
        _opening(facts, items, people),
        _made(report), _splits(items, report, people), _labels(items, facts.modality, drawn),
        _measures(items, drawn), _people(items, people, described, drawn),
        _agreement(facts, ratings, seed), _rights(items, facts), _checks(validation), _files(facts),
        _limits(facts, items),
    ]  # fmt: skip
    write_text(folder / CARD, "\n".join(part for part in parts if part))
    return folder / CARD


def _opening(facts: SetFacts, items: pl.DataFrame, people: Sequence[str]) -> str:
    what = "recordings" if facts.modality == "voice" else "pictures"
    said = [f"{len(items):,} {what}"]
    if "duration_s" in items.columns and items["duration_s"].null_count() < len(items):
        said.append(f"{float(items['duration_s'].sum()) / 3600:,.2f} hours")
    if people:
        said.append(f"{items[people[0]].n_unique():,} values of {people[0]}")
    if "label" in items.columns:
        counts = count_categories(items, "label")
        emotions = {one.key for one in EMOTIONS}
        held = counts.filter((pl.col("n") > 0) & pl.col("category").is_in(list(emotions)))
        said.append(f"{len(held)} of the 40 emotions")
    text = f"{facts.description}\n\n" if facts.description else ""
    return (
        f"{text}{', '.join(said)}. Made by emonet {facts.emonet} with seed {facts.seed}. Labels say what people "
        "perceived or what was to be shown, not what somebody felt. Every figure on this page was measured on the "
        "files of this set.\n"
    )


def _made(report: Mapping[str, Any]) -> str:
    rows = []
    for step in report["steps"]:
        why = "; ".join(f"{reason} {n:,}" for reason, n in step["reasons"].items()) or "none"
        rows.append([step["name"], step["rule"], f"{step['entered']:,}", f"{step['kept']:,}", why])
    if not rows:
        return ""
    table = _table(["rule", "says", "items before", "after", "dropped because"], rows)
    return (
        f"## How it was made\n\n{table}\nEvery dropped item with its reason is in `dropped.parquet`, the facts behind "
        "each rule in `report.json`.\n"
    )


def _splits(items: pl.DataFrame, report: Mapping[str, Any], people: Sequence[str]) -> str:
    split = report.get("split")
    if not split:
        return ""
    rows = []
    for part, members in sorted(items.partition_by("split", as_dict=True).items()):
        name = str(part[0])
        row = [name, f"{len(members):,}", f"{split['shares'][name]:.1%}", f"{split['groups'][name]:,}"]
        row += [f"{members[column].n_unique():,}" for column in people]
        if "duration_s" in members.columns:
            row.append(f"{float(members['duration_s'].sum()) / 3600:,.2f}")
        rows.append(row)
    heads = ["part", "items", "share", "groups", *people, *(["hours"] if "duration_s" in items.columns else [])]
    return (
        f"## Parts\n\n{_table(heads, rows)}\nItems of a group are in one part. On average over the strata, a part's "
        f"share of a stratum differs from its share of all items by at most {split['unevenness']:.3f}.\n"
    )


def _labels(items: pl.DataFrame, modality: Modality, drawn: Mapping[str, Drawn]) -> str:
    if "label" not in items.columns:
        return "## Labels\n\nThe items have no column `label`.\n"
    counts = count_categories(items, "label")
    known = {one.key for one in EMOTIONS}
    held = counts.filter(pl.col("n") > 0).sort(["n", "category"], descending=[True, False])
    rows = [
        [display_name(name, modality) if name in known else _plain(name), f"{n:,}"]
        for name, n in held.head(60).iter_rows()
    ]
    lacking = [display_name(name, modality) for name, n in counts.iter_rows() if n == 0 and name in known]
    some = held["category"].is_in(list(known)).any()
    absent = f"\nNot in this set: {', '.join(lacking)}.\n" if lacking and some else ""
    more = f"\n{len(held) - 60} further labels.\n" if len(held) > 60 else ""
    return f"## Labels\n\n{_shown(drawn, 'labels')}{_table(['label', 'items'], rows)}{more}{absent}"


def _measures(items: pl.DataFrame, drawn: Mapping[str, Drawn]) -> str:
    rows = []
    for column, (name, unit) in _MEASURED.items():
        if column not in items.columns or items[column].null_count() == len(items):
            continue
        values = items[column].drop_nulls()
        cells = [_number(values.quantile(q, "linear")) for q in (0.0, 0.05, 0.5, 0.95, 1.0)]
        rows.append([f"{name} ({unit})" if unit else name, *cells, f"{items[column].null_count():,}"])
    if not rows:
        return ""
    pictures = "".join(_shown(drawn, name) for name in drawn if name.startswith("measure-"))
    table = _table(["measure", "smallest", "5 %", "median", "95 %", "largest", "unknown"], rows)
    return f"## Measures\n\n{table}\n{pictures}"


def _people(items: pl.DataFrame, people: Sequence[str], described: Sequence[str], drawn: Mapping[str, Drawn]) -> str:
    if not people and not described:
        return (
            "## Who is in it\n\nNo column tells who is seen or heard, nor their age, gender, origin or language: "
            "whether the set is balanced is unknown.\n"
        )
    out = ["## Who is in it\n"]
    for column in people:
        n = items[column].drop_nulls().value_counts(name="n")["n"]
        if len(n):
            out.append(
                f"{len(n):,} values of `{column}` with {n.to_numpy().min():,} to {n.to_numpy().max():,} items each "
                f"(median {_number(_float(n.median()))}); "
                f"{items[column].null_count():,} items have none.\n"
            )
    for column in described:
        balance = balance_of(items, [column])
        cells = balance.cells
        rows = [
            [_plain(str(value)) if value is not None else "unknown", f"{n:,}", f"{n / len(items):.1%}"]
            for value, n in cells.head(_CELLS).iter_rows()
        ]
        more = f"\n{len(cells) - _CELLS} further values.\n" if len(cells) > _CELLS else ""
        even = "one value only" if len(cells) == 1 else (
            f"evenness {balance.evenness:.3f} (entropy over its maximum), largest over smallest {balance.ratio:.1f}"
        )  # fmt: skip
        out.append(f"### {column}\n\n{even[0].upper() + even[1:]}.\n\n{_table([column, 'items', 'share'], rows)}{more}")
        out.append(_shown(drawn, f"people-{column}"))
    return "\n".join(out)


def _agreement(facts: SetFacts, ratings: pl.DataFrame | None, seed: int) -> str:
    if ratings is None or ratings.is_empty():
        return ""
    rows = agreement_rows(ratings, seed=seed)
    chosen = facts.recipe.get("agreement") or facts.recipe.get("threshold")
    warning = (
        "\nThe items were chosen by what people said about them, so that agreement on what is left is higher than it "
        "was on the source and says nothing about how hard the task is.\n" if chosen else ""
    )  # fmt: skip
    return f"## Agreement\n\n{_table(['figure', 'value', '95 % interval', 'from'], rows)}{warning}"


def _rights(items: pl.DataFrame, facts: SetFacts) -> str:
    counts = (
        items.group_by("source", "licence", "consent").agg(n=pl.len()).sort("n", "source", descending=[True, False])
    )
    rows = [
        [
            _plain(source or "") or "not told",
            *(_plain(one or "") or "**not told**" for one in (licence, consent)),
            f"{n:,}",
        ]
        for source, licence, consent, n in counts.head(_CELLS).iter_rows()
    ]
    more = f"\n{len(counts) - _CELLS} further combinations.\n" if len(counts) > _CELLS else ""
    table = _table(["source", "licence", "consent", "items"], rows)
    return f"## Licence and consent\n\nThe set as a whole: {_plain(facts.licence) or '**not told**'}.\n\n{table}{more}"


def _checks(validation: Validation | None) -> str:
    if validation is None:
        return "## Checks\n\n`emonet dataset validate` was not run for this card.\n"
    lines = [f"## Checks\n\nLooked at {validation.items:,} items for: {', '.join(validation.checks)}.\n"]
    lines += [f"- **{finding.level}**, {finding.check}: {_plain(finding.message)}" for finding in validation.findings]
    if not validation.findings:
        lines.append("Nothing was found.")
    return "\n".join(lines) + "\n"


def _files(facts: SetFacts) -> str:
    shards = shard_paths(facts)
    total = sum(file.bytes for file in facts.files)
    return (
        f"## Files\n\n{len(shards)} shards in `{DATA}/`, {total / 1e6:,.1f} MB in all; `dataset.json` has the SHA-256 "
        "of each. `items.parquet` has one row per item, with all facts and measures.\n"
    )


def _limits(facts: SetFacts, items: pl.DataFrame) -> str:
    lines = ["- Labels are perceived or intended emotion. They are no evidence of what a person felt."]
    if "label" in items.columns:
        lines.append("- What was not labelled is not known to be absent, unless people were asked.")
    if facts.modality == "voice":
        lines.append("- Speech over pauses is unknown for clips without a pause; speed or pitch changes hide copies.")
    else:
        lines.append("- Copies that were cropped by more than a few per cent, turned or mirrored are not all found.")
    lines.append("- Not for decisions about people: hiring, credit, insurance, policing, borders, education, work.")
    return "## Limits\n\n" + "\n".join(lines) + "\n"


def _known(items: pl.DataFrame, columns: Sequence[str], *, strict: bool) -> list[str]:
    if strict and (strange := [name for name in columns if name not in items.columns]):
        raise UsageError(f"no column {strange[0]!r} in the items; they have {', '.join(items.columns)}.")
    return [name for name in columns if name in items.columns and items[name].null_count() < len(items)]


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [_line(heads), "|" + " --- |" * len(heads), *(_line(row) for row in rows)]
    return "\n".join(lines) + "\n"


def _line(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in cells) + " |"


def _plain(text: str) -> str:
    """A foreign text without what Markdown or HTML would take for its own."""
    return "".join(f"\\{c}" if c in "\\`*_[]<>#" else c for c in text)[:200]


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:,.4g}"


def _float(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) else None


def _shown(drawn: Mapping[str, Drawn], name: str) -> str:
    return f"![{drawn[name].caption}]({FIGURES}/{figure_name(name)})\n\n" if name in drawn else ""
