"""`emonet benchmark`: run raters on a labelled set, show, compare and draw the results; transfer to few classes."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Literal

from cyclopts import App
from rich.console import Console
from rich.table import Table
from rich.text import Text

from emonet.errors import UsageError

if TYPE_CHECKING:
    import polars as pl

    from emonet.benchmark import Comparison, Results, Transfer

app = App(name="benchmark", help="Every kind of rater compared with people on a labelled set, with intervals.")


@app.command
def run(
    config: Path, *, output: Path | None = None, resume: bool = True, limit: int | None = None, report: bool = True
) -> int:
    """Let every rater of a config rate the set, and write the results and their report.

    Parameters
    ----------
    config
        TOML file with the tables [set], [[rater]] and [analysis]; see examples/benchmark.toml.
    output
        Folder of the results, by default the config's name beside it. Answers are kept in its `cache`.
    resume
        Take the answers that an earlier run left in `cache`; --no-resume sets them aside and asks
        everything again.
    limit
        Only the first so many items, to try a config out.
    report
        Draw figures and report; --no-report leaves them to `emonet benchmark report`.
    """
    from emonet.benchmark import output_folder, run_benchmark

    console = Console(stderr=True)
    try:
        folder = run_benchmark(
            config, output=output, resume=resume, limit=limit, report=report, progress=lambda s: _say(console, s)
        )
    except KeyboardInterrupt:
        kept = output or output_folder(config)
        console.print(Text(f"emonet: interrupted. Answers so far are in {kept / 'cache'}; go on with:"))
        console.print(Text(f"  emonet benchmark run {config}" + (f" --output {output}" if output else "")))
        return 130
    show(folder)
    console.print(Text(f"results: {folder}"))
    return 0


@app.command
def show(
    folder: Path, *, metric: str = "spearman", definition: Literal["strict", "published"] = "strict", top: int = 40
) -> None:
    """Print a leaderboard.

    Parameters
    ----------
    folder
        What `emonet benchmark run` wrote.
    metric
        spearman, pearson, mae, rmse, kappa, auc, balanced_accuracy or calibration_error.
    definition
        How figures are computed: soundly, or as in the papers.
    top
        Rows to print.
    """
    from emonet.benchmark import read_results

    results = read_results(folder)
    console = Console()
    console.print(Text(f"{results.facts['set']}: {metric}, {definition} definition, 95 % intervals", style="bold"))
    table, notes = _leaderboard(results, metric, definition, top)
    console.print(table)
    for line in (*notes, *_footnotes(results)):
        console.print(Text(line, style="dim"))


@app.command
def report(folder: Path) -> None:
    """Draw the figures and the report of a results folder again.

    Parameters
    ----------
    folder
        What `emonet benchmark run` wrote.
    """
    from emonet.benchmark import draw_report

    Console().print(Text(f"report: {draw_report(folder)}"))


@app.command
def compare(first: Path, second: Path | None = None, *, raters: list[str] | None = None) -> None:
    """Compare two raters on the same items, metric by metric.

    Parameters
    ----------
    first
        A results folder.
    second
        Another one of the same set, such as that of a newer model; without it both raters come from the first.
    raters
        Two names, or one that is in both folders; by default every rater that is in both.
    """
    from emonet.benchmark import compare_results, read_results

    if second is not None and not second.is_dir():
        raise UsageError(f"{second} is no results folder. Name raters with --raters: --raters A --raters B.")
    results = compare_results(
        read_results(first), None if second is None else read_results(second), raters=raters or ()
    )
    console = Console()
    for comparison in results:
        a, b, n = comparison.rater_a, comparison.rater_b, comparison.items
        console.print(Text(f"{b} (second) minus {a} (first), {n} items, paired 95 % intervals", style="bold"))
        console.print(_comparison(comparison))


@app.command
def transfer(
    file: Path,
    *,
    map: str = "ferd",
    label: str | None = None,
    cluster: str | None = None,
    values: Literal["raw", "relative"] | None = None,
    seed: int = 42,
) -> None:
    """Compare graded scores with the few classes of an older corpus, by LAION's lenient rule and by strict ones.

    Parameters
    ----------
    file
        CSV, Parquet or JSON lines with one column per emotion, and the class in a column or in the file's name.
    map
        Which emotions count as which class: ferd, affectnet (faces), ravdess or emodb (voices).
    label
        Column of the corpus's label.
    cluster
        Column of the person, so that several items of one person are resampled together.
    values
        What the scores are, when no column `scale` tells: raw (published neutral means are taken off for faces) or
        relative.
    seed
        Of the resamples and shuffles.
    """
    from emonet.benchmark import evaluate_transfer, read_transfer, transfer_map

    chosen = transfer_map(map)
    data = read_transfer(file, chosen, label=label, cluster=cluster, values=values)
    result = evaluate_transfer(data.scores, data.labels, chosen, clusters=data.clusters, seed=seed, notes=data.notes)
    _print_transfer(result, chosen.source)


def _say(console: Console, step: str) -> None:
    console.print(Text(step, style="dim"))


def _leaderboard(results: Results, metric: str, definition: str, top: int) -> tuple[Table, list[str]]:
    """(ranks with their intervals, letters of ties and figures, never a bare order; the rows' numbered notes)."""
    import polars as pl

    from emonet.benchmark import METRICS
    from emonet.errors import UnknownNameError

    if metric not in METRICS:
        raise UnknownNameError("metric", metric, METRICS)
    here = (pl.col("metric") == metric) & (pl.col("definition") == definition)
    means = results.scores.filter(here & pl.col("dimension").is_null() & pl.col("slice").is_null())
    if means.is_empty():
        raise UsageError(f"The results hold no {metric} by the {definition} definition.")
    rows = means.join(results.ranks.filter(here), on="rater", how="left").sort("rank", nulls_last=True)
    table = Table(box=None, pad_edge=False)
    for heading in ("rank", "95 %", "ties", "rater", "kind", "value [95 %]", "n", ""):
        table.add_column(heading, no_wrap=heading not in ("rater", "kind"), overflow="fold")
    kinds = {record["name"]: record["kind"] for record in results.facts["raters"]}
    notes: list[str] = []
    for row in rows.head(top).iter_rows(named=True):
        place = "" if row["rank"] is None else f"{row['rank']:g}"
        span = "" if row["rank"] is None else f"{row['rank_low']}-{row['rank_high']}"
        kind, style = kinds.get(row["rater"], "human"), "bold" if row["rater"] not in kinds else ""
        shown = (place, span, row["tie_group"] or "", Text(row["rater"], style=style), kind, _value(row))
        if row["note"] and row["note"] not in notes:
            notes.append(row["note"])
        table.add_row(*shown, str(row["n"]), f"({notes.index(row['note']) + 1})" if row["note"] else "")
    return table, [f"({number}) {note}" for number, note in enumerate(notes, 1)]


def _footnotes(results: Results) -> list[str]:
    facts = results.facts
    lines = [
        f"{facts['items']} items, {len(facts['people'])} people, {facts['resamples']} resamples, seed {facts['seed']}.",
        "Raters that share a letter could not be told apart; a rank's interval counts only sure differences.",
    ]
    return lines + [str(note) for note in facts["notes"]]


def _comparison(comparison: Comparison) -> Table:
    import polars as pl

    table = Table(box=None, pad_edge=False)
    for heading in ("metric", "first", "second", "difference [95 %]", "p (Holm)", "better"):
        table.add_column(heading, no_wrap=True)
    for row in comparison.table.filter(pl.col("dimension").is_null()).iter_rows(named=True):
        difference = _value({**row, "value": row["difference"]}, signed=True)
        figures = f"{row['value_a']:.3f}", f"{row['value_b']:.3f}", difference, _p(row["p_holm"])
        table.add_row(row["metric"], *figures, Text(row["better"] or "neither"))
    return table


def _print_transfer(result: Transfer, source: str) -> None:
    console = Console()
    console.print(Text(f"{result.n} items, map {result.map} ({source})", style="bold"))
    table = Table("figure", "value [95 % interval]", box=None, pad_edge=False)
    wording = {
        "lenient": "lenient recall (own class among the accepted)",
        "accepted": "accepted classes per item",
        "top1": "strict: class of the strongest emotion",
        "summed": "strict: class of the largest summed share",
        "balanced_accuracy": "balanced accuracy of the summed share",
        "macro_f1": "macro F1 of the summed share",
    }
    for name, text in wording.items():
        table.add_row(text, _value(result.figures[name]._asdict()))
    table.add_row("lenient recall of shuffled labels", f"{_value(result.null._asdict())}, p = {result.null_p:.4f}")
    console.print(table, "")
    console.print(_classes(result.classes))
    for note in result.notes:
        console.print(Text(note, style="dim"))


def _classes(classes: pl.DataFrame) -> Table:
    table = Table("class", "n", "lenient [95 %]", "top 1", "summed", box=None, pad_edge=False)
    for row in classes.iter_rows(named=True):
        lenient = f"{row['lenient']} ({_value({**row, 'value': row['lenient'] / row['n']})})"
        table.add_row(row["class"], str(row["n"]), lenient, str(row["top1"]), str(row["summed"]))
    return table


def _value(row: dict[str, float | None], *, signed: bool = False) -> str:
    if row["value"] is None:
        return "undefined"
    plus = "+" if signed else ""
    if row["low"] is None or row["high"] is None:
        return f"{row['value']:{plus}.3f} (no interval)"
    return f"{row['value']:{plus}.3f} [{row['low']:{plus}.3f}, {row['high']:{plus}.3f}]"


def _p(value: float | None) -> str:
    if value is None:
        return ""
    return "< 0.001" if value < 0.001 else f"{value:.3f}"
