"""`emonet bulk`: scores of whole data sets, shard by shard, on one machine or many."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import App, Parameter

from emonet.cli._bulk_captions import captions
from emonet.cli._bulk_plan import plan, script
from emonet.errors import UsageError

if TYPE_CHECKING:
    from rich.console import Console

    from emonet.bulk import RunStatus, Summary

app = App(name="bulk", help="Score whole data sets, shard by shard, on one machine or many.")

app.command(captions)
app.command(plan)
app.command(script)

_MOST_PROBLEMS = 20


@app.command
def run(
    paths: Annotated[list[str], Parameter(negative=())],
    /,
    *,
    model: str,
    executor: Literal["processes", "ray"] = "processes",
    address: str = "auto",
    workers: int | None = None,
    gpus: int = 0,
    threads: int = 1,
    part: str | None = None,
    retries: int = 2,
    enrich: Annotated[bool, Parameter(negative=())] = False,
    captions: int = 0,
    caption_template: str = "default",
    caption_seed: int = 0,
    caption_baseline: str | None = None,
    segments: Annotated[bool, Parameter(negative=())] = False,
    regions: bool = True,
    values: Literal["relative", "raw", "softmax", "calibrated", "all"] = "relative",
    runtime: Literal["auto", "onnxruntime", "openvino", "torch"] = "auto",
    precision: Literal["auto", "fp32", "bf16", "int8-weights", "int8"] = "auto",
    batch_size: int | None = None,
    whole_image: Annotated[bool, Parameter(negative=())] = False,
    max_faces: int | None = None,
    min_face_px: float = 24.0,
    fps: float = 2.0,
    detector: str = "embedded",
    whole_audio: Annotated[bool, Parameter(negative=())] = False,
    window_s: float | None = None,
    quiet: Annotated[bool, Parameter(name=["--quiet", "-q"], negative=())] = False,
) -> int:
    """Score every shard of INPUT... into the folder OUTPUT: `emonet bulk run INPUT... OUTPUT --model voice`.

    Inputs are WebDataset tars, Parquet files with media, folders or manifests, by path, pattern or URL. Each shard
    gives scores/NAME.parquet with one row a key, and statistics/NAME.json once it is done. A run that was stopped, in
    whatever way, goes on with the same command. Exit code: 0 when every shard is done, 1 when some could not be made
    (failures/ says why), 2 for wrong usage, 130 when interrupted. A sample that cannot be read is a row that says so.

    Parameters
    ----------
    paths
        One input or more, then the output: a folder or an URL such as s3://bucket/scores.
    model
        A model's name, folder or Hub id: "voice" for recordings, "face" for pictures and videos.
    executor
        Processes of this machine, or actors on a Ray cluster.
    address
        Of the Ray cluster; "auto" is the one of this machine, "local" one that lives as long as the run.
    workers
        Workers on processors; by default one per core, or as many as the Ray cluster has room for.
    gpus
        Workers with a graphics card of their own, which compute with PyTorch.
    threads
        Threads of one call of the encoder.
    part
        "i/n": take every n-th shard from the i-th on, counting from 0, as a task of an array does.
    retries
        How often a shard that failed is tried again.
    enrich
        Also write media/NAME.tar with each sample's media, facts and scores.
    captions
        So many sentences on each face or window, from its scores; the table holds the first.
    caption_template
        Template of the first one, as in `emonet caption`; further ones are in others.
    caption_seed
        For the choice of words.
    caption_baseline
        What is usual for the model: a file of `emonet caption --make-baseline`; the package has it for its own models.
    segments
        Also write segments/NAME.tar with each window of a recording as a clip of its own, with scores and captions.
    regions
        Keep every face or window in the column `regions`, beside the row's mean.
    values
        What the columns hold, as in `emonet estimate`.
    runtime
        What computes the model; `auto` is settled once, here, for all workers.
    precision
        How it is computed; `auto` as above.
    batch_size
        Faces or windows scored together.
    whole_image
        Take each picture whole, as a close-up portrait.
    max_faces
        Score only the largest faces of a picture.
    min_face_px
        Leave out faces smaller than this many pixels.
    fps
        Frames taken per second of a video.
    detector
        Face detector: "embedded", "yunet", or "yunet:/path/to/file.onnx".
    whole_audio
        Score everything, cut evenly, instead of looking for speech.
    window_s
        Longest window of a recording in seconds.
    quiet
        Print nothing but errors.
    """
    from rich.console import Console

    from emonet.bulk import run as run_bulk
    from emonet.bulk._live import LiveView

    *inputs, output = paths
    if not inputs:
        raise UsageError(f"Only {output!r} was given; name one input or more, and then the output.")
    console = Console(stderr=True, highlight=False)
    try:
        with LiveView(console, quiet=quiet) as view:
            made = run_bulk(
                inputs,
                output,
                model=model,
                executor=executor,
                address=address,
                workers=workers,
                gpus=gpus,
                part=_part(part),
                retries=retries,
                watch=view,
                threads=threads,
                enrich=enrich,
                captions=captions,
                caption_template=caption_template,
                caption_seed=caption_seed,
                caption_baseline=caption_baseline,
                segments=segments,
                regions=regions,
                values=values,
                runtime=runtime,
                precision=precision,
                batch_size=batch_size,
                whole_image=whole_image,
                max_faces=max_faces,
                min_face_px=min_face_px,
                fps=fps,
                detector=detector,
                whole_audio=whole_audio,
                window_s=window_s,
            )
    except KeyboardInterrupt:
        done = f"{view.board.done} of {view.board.shards} shards were made"
        console.print(f"emonet: interrupted; {done}, the same command makes the others", style="yellow", markup=False)
        return 130
    if not quiet:
        _say_made(console, made, output)
    return 0 if made.ok else 1


@app.command
def status(
    output: str,
    /,
    *,
    verify: Annotated[bool, Parameter(negative=())] = False,
    page: Annotated[bool, Parameter(negative=())] = False,
) -> int:
    """Say how far the run in OUTPUT has come. Exit code 1 when shards failed or `--verify` found something.

    Parameters
    ----------
    output
        A run's folder or URL.
    verify
        Read every output and compare it with its statistics: size, SHA-256, rows, keys.
    page
        Write summary.html anew.
    """
    from rich.console import Console

    from emonet.bulk import Storage
    from emonet.bulk import status as read_status
    from emonet.bulk._page import write_page

    found = read_status(output, verify=verify)
    console = Console(highlight=False, soft_wrap=True)
    _say_status(console, found)
    for problem in found.problems[:_MOST_PROBLEMS]:
        console.print(f"problem: {problem}", style="red", markup=False)
    if len(found.problems) > _MOST_PROBLEMS:
        console.print(f"... and {len(found.problems) - _MOST_PROBLEMS} more problems", style="red")
    if verify and not found.problems:
        console.print(f"verified: the outputs of {len(found.done):,} shards are what was written")
    if page:
        write_page(Storage(output))
    return 1 if found.failed or found.problems else 0


def _part(text: str | None) -> tuple[int, int] | None:
    if text is None:
        return None
    try:
        number, _, count = text.partition("/")
        return int(number), int(count)
    except ValueError:
        raise UsageError(f"part is {text!r}; expected i/n, for instance 0/16.") from None


def _say_made(console: Console, made: Summary, output: str) -> None:
    from emonet.bulk._live import duration

    totals = made.totals
    rate = f", {totals.sound_s / 3600:,.1f} hours of sound" if totals.sound_s else ""
    console.print(
        f"{made.made} shards made in {duration(made.seconds)} by {made.workers} workers; {totals.shards} are done: "
        f"{totals.samples:,} samples{rate}",
        style="dim",
        soft_wrap=True,
    )
    for name, count in sorted(totals.statuses.items(), key=lambda pair: -pair[1]):
        console.print(f"  {count:>12,} {name.replace('_', ' ')}", style="dim")
    for event in made.failed[:_MOST_PROBLEMS]:
        console.print(f"emonet: shard {event.shard} was given up: {event.reason}", style="red", markup=False)
    console.print(f"  {output}", style="dim", markup=False, soft_wrap=True)


def _say_status(console: Console, found: RunStatus) -> None:
    totals = found.totals
    console.print(
        f"{totals.shards:,} of {found.shards:,} shards done, {len(found.failed):,} failed; {totals.samples:,} samples"
    )
    for name, count in sorted(totals.statuses.items(), key=lambda pair: -pair[1]):
        console.print(f"  {count:>12,} {name.replace('_', ' ')}")
    for reason, count in sorted(totals.reasons.items(), key=lambda pair: -pair[1])[:5]:
        console.print(f"  {count:>12,} {reason}", style="dim", markup=False)
    for event in found.failed[:_MOST_PROBLEMS]:
        console.print(f"failed: {event.shard}: {event.reason}", style="yellow", markup=False)
