"""`emonet bulk plan` and `emonet bulk script`: before a large run."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from emonet.errors import UsageError

if TYPE_CHECKING:
    from rich.console import Console

    from emonet.bulk import Plan


def plan(
    source: str,
    /,
    *,
    model: str | None = None,
    hours: float | None = None,
    samples: float | None = None,
    cores: int,
    shards: int | None = None,
    price: float | None = None,
) -> None:
    """Predict time, cost, storage and size of shards of a large run from a small one.

    SOURCE is the output of a run that was made, or, with --model, a few shards that are scored now to measure.

    Parameters
    ----------
    source
        Output of a run; with --model, media to measure with.
    model
        Measure now, with this model.
    hours
        Hours of sound, for a voice model.
    samples
        Pictures or videos, for a face model.
    cores
        Cores of all machines together; they are taken to be like the one that was measured.
    shards
        Into how many shards the data are cut; by default as many as suit.
    price
        Of a core hour, in any currency.
    """
    from rich.console import Console

    from emonet.bulk import calibrate
    from emonet.bulk import plan as make_plan

    calibration = calibrate(source, model=model)
    _say_plan(Console(highlight=False), make_plan(
        calibration, hours=hours, samples=samples, cores=cores, shards=shards, price=price
    ))  # fmt: skip


def script(
    paths: Annotated[list[str], Parameter(negative=())],
    /,
    *,
    model: str,
    tasks: int,
    cores: int = 8,
    time: str = "24:00:00",
    memory_gb: int | None = None,
    gpus: int = 0,
    partition: str | None = None,
    account: str | None = None,
    setup: Annotated[list[str] | None, Parameter(negative=())] = None,
    argument: Annotated[list[str] | None, Parameter(negative=(), allow_leading_hyphen=True)] = None,
    file: Path | None = None,
) -> None:
    """Write the job script of a Slurm array that makes the run: `emonet bulk script INPUT... OUTPUT --model voice`.

    Parameters
    ----------
    paths
        One input or more, then the output.
    model
        As in `emonet bulk run`.
    tasks
        Length of the array; each task makes every n-th shard.
    cores
        Cores of a task.
    time
        Slurm's limit of time.
    memory_gb
        Memory of a task.
    gpus
        Graphics cards of a task.
    partition
        Slurm's partition.
    account
        Slurm's account.
    setup
        A shell line before the work, such as the activation of an environment; may be given several times.
    argument
        A further option of `emonet bulk run`; may be given several times.
    file
        Where the script goes; by default to standard output.
    """
    from emonet.bulk import script as make_script
    from emonet.reports import write_text

    *inputs, output = paths
    if not inputs:
        raise UsageError(f"Only {output!r} was given; name one input or more, and then the output.")
    text = make_script(
        inputs, output, model=model, tasks=tasks, cores=cores, time=time, memory_gb=memory_gb, gpus=gpus,
        partition=partition, account=account, setup=setup or (), arguments=argument or (),
    )  # fmt: skip
    if file is None:
        print(text, end="")
    else:
        write_text(file, text)


def _say_plan(console: Console, made: Plan) -> None:
    from rich.table import Table

    from emonet.bulk._live import duration

    measured = made.calibration
    table = Table(box=None, show_header=False, pad_edge=False)
    rows = [
        ("measured", f"{measured.model}, {measured.computed_by}; {measured.units:,.3g} {measured.unit}s in "
                     f"{measured.shards} shards, {measured.workers} workers on {measured.cores} cores"),
        ("one worker", f"{measured.unit_s:,.2f} ({measured.low_s:,.2f} to {measured.high_s:,.2f}) s for one "
                       f"{measured.unit}"),
        ("workers", f"{made.workers:,} of {measured.threads} thread(s)"),
        ("time", f"{duration(made.seconds)} ({duration(made.low_s)} to {duration(made.high_s)})"),
        ("core hours", f"{made.core_h:,.1f}" + ("" if made.cost is None else f", costs {made.cost:,.2f}")),
        ("shards", f"{made.shards:,} of {made.shard_samples:,.0f} samples, {made.shard_bytes / 1e6:,.0f} MB, "
                   f"{duration(made.shard_s)} each"),
        ("media", f"{made.bytes_in / 1e9:,.2f} GB, read at {made.read_mb_s:,.1f} MB/s"),
        ("outputs", f"{made.bytes_out / 1e9:,.2f} GB"),
    ]  # fmt: skip
    for name, text in rows:
        table.add_row(name, text)
    console.print(table)
    console.print(
        "The interval tells of differences between the measured shards, not of other processors or slower storage.",
        style="dim",
    )
