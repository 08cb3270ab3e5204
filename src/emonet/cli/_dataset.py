"""`emonet dataset`: build, inspect, split, validate and describe data sets, and send them to the Hub."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import App, Parameter
from rich.console import Console
from rich.table import Table
from rich.text import Text

from emonet.errors import UsageError

if TYPE_CHECKING:
    from emonet.datasets.curation import Decision, Inspection, Validation
    from emonet.datasets.curation._build import Progress

app = App(name="dataset", help="Make data sets from media and ratings: rules, splits, checks, card, upload.")
_MOST = 12
"""Values of a fact, or findings, that are printed."""


@app.command
def build(
    recipe: Path,
    output: Path,
    /,
    *,
    seed: int | None = None,
    workers: int = 1,
    quiet: Annotated[bool, Parameter(negative=())] = False,
) -> int:
    """Make a data set by a recipe: `emonet dataset build recipe.toml OUTPUT`.

    What was kept and why goes to OUTPUT/report.json and OUTPUT/dropped.parquet. Interrupted, the same command goes on.

    Parameters
    ----------
    recipe
        TOML file; docs/datasets.md has every table and key.
    output
        Folder of the data set. A finished set that lies there is replaced.
    seed
        Instead of the recipe's.
    workers
        Processes that decode.
    quiet
        Print nothing but errors.
    """
    from emonet.datasets.curation import build_dataset, read_recipe

    chosen = read_recipe(recipe)
    if seed is not None:
        chosen = chosen.model_copy(update={"seed": seed})
    with _progress(quiet) as progress:
        decision = build_dataset(chosen, output, workers=workers, progress=progress)
    if not quiet:
        _print_decision(decision)
        Console().print(Text(f"data set: {output}"))
    return 0


@app.command
def inspect(address: str, /, *, limit: int | None = None) -> int:
    """Say what lies at ADDRESS: samples, facts, licences, consent. Media are not decoded.

    Parameters
    ----------
    address
        A data set, a shard, a folder, a manifest, a pattern, or an URL of one.
    limit
        Read at most so many samples of each shard.
    """
    from emonet.datasets.curation import inspect_dataset

    with _progress(False) as progress:
        found = inspect_dataset(address, limit=limit, progress=progress)
    _print_inspection(found)
    return 0


@app.command
def split(
    address: str,
    output: Path,
    /,
    *,
    by: Annotated[list[str], Parameter(negative=())] | None = None,
    stratify: Annotated[list[str], Parameter(negative=())] | None = None,
    share: Annotated[list[str], Parameter(negative=())] | None = None,
    unknown: Literal["refuse", "single"] = "refuse",
    seed: int = 0,
) -> int:
    """Divide items into parts that share no speaker or identity, and write them as a table.

    Parameters
    ----------
    address
        A data set, shards, a folder, a manifest, or a table with a column `item`.
    output
        A .parquet or .csv with the columns item and split.
    by
        Column whose equal values stay together (speaker, identity); may be given several times.
    stratify
        Column that should be spread evenly over the parts; may be given several times.
    share
        A part and its share, such as train=0.8; once for each part. By default 0.8, 0.1 and 0.1.
    unknown
        Refuse items without a value in --by, or take each for a person of its own.
    seed
        Of the random order of groups.
    """
    from emonet.datasets.curation import split_dataset

    options = {} if not share else {"shares": _shares(share)}
    with _progress(False) as progress:
        made = split_dataset(
            address, output, by=by or (), stratify=stratify or (), unknown=unknown, seed=seed, progress=progress,
            **options,
        )  # fmt: skip
    table = Table("part", "share", "groups", box=None, pad_edge=False)
    for name, held in made.shares.items():
        table.add_row(Text(name), f"{held:.1%}", f"{made.groups[name]:,}")
    console = Console()
    console.print(table)
    if stratify:
        console.print(Text(f"unevenness over {', '.join(stratify)}: {made.unevenness:.3f}", style="dim"))
    console.print(Text(f"parts: {output}"))
    return 0


@app.command
def validate(
    address: str,
    /,
    *,
    subject: Annotated[list[str], Parameter(negative=())] | None = None,
    copies: bool = True,
) -> int:
    """Check that a data set is complete, readable, licensed, consented and without leaks. Exit code 1 when it is unfit.

    Parameters
    ----------
    address
        A data set, or shards, a folder or a manifest.
    subject
        Column that names who is seen or heard; may be given several times. By default speaker, subject and the like.
    copies
        Also look for near-copies in different parts; --no-copies skips it.
    """
    from emonet.datasets.curation import validate_dataset, write_validation
    from emonet.datasets.curation._set import is_set

    with _progress(False) as progress:
        found = validate_dataset(address, subjects=subject, copies=copies, progress=progress)
    if is_set(address):
        write_validation(Path(address), found)
    _print_validation(found)
    return 0 if found.ok else 1


@app.command
def card(
    folder: Path,
    /,
    *,
    demographic: Annotated[list[str], Parameter(negative=())] | None = None,
    subject: Annotated[list[str], Parameter(negative=())] | None = None,
    figures: bool = True,
    seed: int = 0,
) -> int:
    """Write the card of a data set: README.md with measured figures and plots.

    Parameters
    ----------
    folder
        What `emonet dataset build` made.
    demographic
        Column that describes the people; may be given several times. By default gender, age and the like.
    subject
        Column that names who is seen or heard; may be given several times.
    figures
        Draw plots (extra `datasets`); --no-figures writes tables only.
    seed
        Of the resampling behind the intervals.
    """
    from emonet.datasets.curation import read_validation, write_card

    path = write_card(
        folder, validation=read_validation(folder), demographics=demographic, subjects=subject, figures=figures,
        seed=seed,
    )  # fmt: skip
    Console().print(Text(f"card: {path}"))
    return 0


@app.command
def push(
    folder: Path,
    repository: str,
    /,
    *,
    send: Annotated[bool, Parameter(negative=())] = False,
    public: Annotated[bool, Parameter(negative=())] = False,
    revision: str | None = None,
    message: str | None = None,
    force: Annotated[bool, Parameter(negative=())] = False,
    endpoint: str | None = None,
) -> int:
    """Say what would be sent to a data set on the Hugging Face Hub; with --send, send it.

    Parameters
    ----------
    folder
        What `emonet dataset build` made.
    repository
        owner/name.
    send
        Really send it, as one commit. Without this nothing leaves the machine.
    public
        Make a new repository public; by default it is private.
    revision
        Branch, by default main.
    message
        Of the commit.
    force
        Send a set with problems all the same.
    endpoint
        Address of another Hub.
    """
    from emonet.datasets.curation import push_dataset

    made = push_dataset(
        folder, repository, dry_run=not send, private=not public, revision=revision, message=message, force=force,
        endpoint=endpoint,
    )  # fmt: skip
    console = Console(soft_wrap=True)
    for name, size in made.files if not made.sent else ():
        console.print(Text(f"{size:>14,}  {name}"))
    for problem in made.problems:
        console.print(Text(f"problem: {problem}", style="yellow"))
    said = "sent" if made.sent else "dry run: nothing was sent; --send sends"
    console.print(Text(f"{said}: {len(made.files)} files, {made.bytes:,} bytes, {made.url}"))
    return 0


def _shares(given: list[str]) -> dict[str, float]:
    shares: dict[str, float] = {}
    for one in given:
        name, _, number = one.partition("=")
        try:
            shares[name] = float(number)
        except ValueError:
            raise UsageError(f"share is {one!r}; expected a name and a number, such as train=0.8.") from None
    return shares


def _print_decision(decision: Decision) -> None:
    table = Table("rule", "before", "after", "dropped because", box=None, pad_edge=False)
    for step in decision.report.steps:
        why = "; ".join(f"{reason} {n:,}" for reason, n in step.reasons.items())
        table.add_row(step.name, f"{step.entered:,}", f"{step.kept:,}", Text(why))
    console = Console()
    console.print(table)
    if decision.split is not None:
        parts = ", ".join(f"{name} {share:.1%}" for name, share in decision.split.shares.items())
        console.print(Text(f"parts: {parts}"))


def _print_inspection(found: Inspection) -> None:
    console = Console(soft_wrap=True)
    kinds = ", ".join(f"{n} {kind}" for kind, n in Counter(kind for _, kind in found.shards).most_common())
    cut = " (at least; --limit ended the reading)" if found.cut else ""
    console.print(
        Text(f"{found.samples:,} samples in {len(found.shards)} shards ({kinds}), {found.bytes:,} bytes{cut}")
    )
    counted = {
        "files": found.extensions, "modality": found.modalities, "licence": found.licences, "consent": found.consents,
        "source": found.sources, "problems": found.problems,
    }  # fmt: skip
    table = Table(box=None, show_header=False, pad_edge=False)
    for name, counter in counted.items():
        if counter:
            table.add_row(Text(name, style="dim"), Text(_counted(counter)))
    console.print(table, "")
    facts = Table("fact", "told", "kind", "values", box=None, pad_edge=False)
    for name, seen in sorted(found.facts.items()):
        facts.add_row(Text(name), f"{seen.told:,}", ", ".join(sorted(seen.kinds)), Text(_counted(seen.values)))
    console.print(facts)


def _counted(counter: Counter[str]) -> str:
    shown = [f"{value or 'none'} {n:,}" for value, n in counter.most_common(_MOST)]
    return ", ".join(shown) + (f", ... ({len(counter)} or more)" if len(counter) > _MOST else "")


def _print_validation(found: Validation) -> None:
    console = Console(soft_wrap=True)
    console.print(Text(f"{found.items:,} items checked for: {', '.join(found.checks)}"))
    for finding in found.findings:
        style = "red" if finding.level == "error" else "yellow"
        console.print(Text(f"{finding.level}: {finding.check}: {finding.message}", style=style))
        for example in finding.examples:
            console.print(Text(f"    {example}", style="dim"))
    console.print(Text("fit" if found.ok else "unfit", style="green" if found.ok else "red"))


@contextmanager
def _progress(quiet: bool) -> Iterator[Progress]:
    """A bar on standard error, which goes away at the end; nothing where no terminal is."""
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as Bar

    console = Console(stderr=True)
    columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()
    with Bar(*columns, console=console, transient=True, disable=quiet or not console.is_terminal) as bar:
        task = bar.add_task("", total=None)
        yield lambda name, done, total: bar.update(task, description=name, completed=done, total=total)
