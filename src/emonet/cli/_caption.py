"""`emonet caption`: what voices and faces seem to express, in words."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from cyclopts import Parameter

from emonet.cli._caption_run import Outcome, Rules, Whisper, Words
from emonet.cli._run import summarise
from emonet.errors import UsageError

if TYPE_CHECKING:
    from rich.console import Console

    from emonet.captions import CaptionedRegion

FormatName = Literal["auto", "text", "json", "jsonl", "srt", "vtt"]
_ENDINGS = {".txt": "text", ".json": "json", ".jsonl": "jsonl", ".srt": "srt", ".vtt": "vtt"}


def caption(
    paths: Annotated[list[str], Parameter(negative=())],
    /,
    *,
    model: Annotated[list[str] | None, Parameter(negative=())] = None,
    captioner: str | None = None,
    output: Path | None = None,
    format: FormatName = "auto",
    report: Path | None = None,
    enrich: Path | None = None,
    make_baseline: Path | None = None,
    template: str = "default",
    seed: int = 0,
    shuffle: Annotated[bool, Parameter(negative=())] = False,
    emotions: int = 3,
    attributes: int = 5,
    baseline: str | None = None,
    window_s: float | None = None,
    whole_audio: Annotated[bool, Parameter(negative=())] = False,
    whole_image: Annotated[bool, Parameter(negative=())] = False,
    fps: float = 2.0,
    workers: int | None = None,
    runtime: Literal["auto", "onnxruntime", "openvino", "torch", "transformers", "ctranslate2"] = "auto",
    overwrite: Annotated[bool, Parameter(negative=())] = False,
    quiet: Annotated[bool, Parameter(name=["--quiet", "-q"], negative=())] = False,
) -> int:
    """Describe the voices and faces in files in words.

    By default sentences are made by rule from a model's scores: what stands out against ordinary recordings (the
    baseline), and how much. Nothing is downloaded. Recordings are described window by window where there is speech;
    faces in a video over stretches of five seconds. With --captioner a BUD-E Whisper model writes the captions instead.

    Captions tell perceived intensity as a model estimates it, not what a person feels. Exit code: 0, 1 when a file
    could not be read, 2 for wrong usage, 130 when interrupted.

    Parameters
    ----------
    paths
        Files, folders (searched for media) or patterns such as "clips/*.mp3"; with --enrich WebDataset tars.
    model
        A model's name, folder or Hub id, to be used alone; or face=NAME and voice=NAME, to replace one of the two.
    captioner
        Hub id or folder of a BUD-E Whisper checkpoint (transformers or CTranslate2) that writes the captions.
    output
        Write to this file; its ending tells the format (.txt .json .jsonl .srt .vtt). For subtitles of several files a
        folder, which gets one file for each. "-" is standard output.
    format
        Format of the output.
    report
        Write a self-contained HTML report of the scores with the captions.
    enrich
        Copy the given WebDataset tar to this one with captions in each sample's JSON; a folder for several tars.
    make_baseline
        Write what is usual in the given files as a baseline for later captions, instead of captions.
    template
        How sentences are built: default, identity_first, emotion_first, telegraphic, two_sentence, sounds_like,
        bulleted, varied_connectors, quality_led, minimal_identity, tags, or random.
    seed
        Chooses among synonyms and orders; equal seeds give equal text.
    shuffle
        Change the order in which things are said, by the seed.
    emotions
        Emotions named at most.
    attributes
        Attributes of the voice named at most, besides those that are always told.
    baseline
        A baseline's file or name (published, or embedded- and an embedded model's name); by default the model's own.
    window_s
        Longest window of a recording in seconds.
    whole_audio
        Take everything, cut evenly, instead of looking for speech.
    whole_image
        Take each picture whole, as a close-up portrait.
    fps
        Frames taken per second of a video.
    workers
        Files read at once; results do not depend on it.
    runtime
        What computes the model: auto, onnxruntime, openvino or torch; with --captioner auto, transformers or
        ctranslate2.
    overwrite
        Let --enrich replace captions, and a tar, that are there already.
    quiet
        Print nothing but errors and captions.
    """
    from rich.console import Console

    errors = Console(stderr=True, highlight=False)
    _check_choices(captioner, model, baseline, report, enrich, make_baseline, output, format)
    words = Words(template, seed, shuffle, emotions, attributes, baseline)
    options: dict[str, Any] = {"workers": workers, "whole_audio": whole_audio, "window_s": window_s, "fps": fps}
    maker: Rules | Whisper
    if captioner is not None:
        maker = Whisper(captioner, runtime, window_s, whole_audio)
    else:
        _check_runtime(runtime)
        maker = Rules(model or [], words, options | {"whole_image": whole_image, "runtime": runtime}, fps)
    if enrich is not None:
        return _enrich(paths, enrich, maker, overwrite, errors, quiet)
    from emonet.estimation import expand_inputs

    files = expand_inputs(paths)
    chosen = _format(format, output, files)
    if make_baseline is not None:
        assert isinstance(maker, Rules)
        return _baseline(files, maker, make_baseline, errors, quiet)
    outcome = maker.run(files, errors, quiet)
    if report is not None:
        _write_report(outcome, report, fps)
    _write(outcome.regions, chosen, output, maker.about())
    if outcome.interrupted:
        return 130
    return 1 if outcome.failures else 0


def _enrich(
    paths: Sequence[str], target: Path, maker: Rules | Whisper, overwrite: bool, errors: Console, quiet: bool
) -> int:
    """Tars to tars with captions in them."""
    from emonet.captions import enrich_shard
    from emonet.datasets import list_shards

    shards = list_shards(list(paths))
    if target.suffix == ".tar" and len(shards) > 1:
        raise UsageError(f"--enrich {target}: {len(shards)} shards were given; name a folder for them.")
    failed = 0
    for shard in shards:
        output = target if target.suffix == ".tar" else target / f"{shard.name}.tar"
        done = enrich_shard(shard.address, output, maker.facts, fields=maker.fields, overwrite=overwrite)
        failed += len(done.problems)
        for key, problem in list(done.problems.items())[:12]:
            errors.print(f"emonet: {shard.name}: {key}: {problem}", style="red", markup=False, soft_wrap=True)
        if done.left_out:
            errors.print(
                f"emonet: {shard.name}: {done.left_out} further members of samples are not in the copy (a sample keeps "
                "one media file and its JSON).",
                style="yellow",
                soft_wrap=True,
            )
        if not quiet:
            said = f"{output}: {done.captioned} of {done.samples} samples have a caption"
            errors.print(said, style="dim", markup=False, soft_wrap=True)
    return 1 if failed else 0


def _baseline(files: Sequence[Path], maker: Rules, target: Path, errors: Console, quiet: bool) -> int:
    """Write what is usual in the files."""
    from emonet.captions import make_baseline, write_baseline

    run, interrupted = maker.estimate(files, errors, quiet)
    if interrupted:
        errors.print("emonet: interrupted; no baseline was written", style="yellow")
        return 130
    usual = make_baseline(run.rows, name=target.stem, source=f"emonet caption --make-baseline: {len(files)} files")
    write_baseline(usual, target)
    summarise(run, errors, len(files), quiet=quiet, interrupted=False)
    return 1 if run.failures else 0


def _write(regions: Sequence[CaptionedRegion], format: Any, output: Path | None, about: dict[str, Any]) -> None:
    """One text to standard output or a file; subtitles of several files to a folder."""
    from emonet.captions import formatted
    from emonet.reports import by_source, write_text

    if output is None or output == Path("-"):
        sys.stdout.write(formatted(regions, format, about))
    elif format in ("srt", "vtt") and not output.suffix:
        output.mkdir(parents=True, exist_ok=True)
        names: set[str] = set()
        for source, mine in by_source(regions).items():
            name = stem = Path(source).stem
            number = 1
            while name in names:
                number += 1
                name = f"{stem}-{number}"
            names.add(name)
            write_text(output / f"{name}.{format}", formatted(mine, format, about))
    else:
        write_text(output, formatted(regions, format, about))


def _write_report(outcome: Outcome, report: Path, fps: float) -> None:
    from emonet.reports import by_source, write_html

    assert outcome.estimates is not None
    captions = by_source(outcome.regions)
    title = "Emotion estimates in numbers and words"
    write_html(outcome.estimates, report, title=title, describe=outcome.described, fps=fps, captions=captions)


def _format(format: FormatName, output: Path | None, files: Sequence[Path]) -> str:
    """The format asked for; refuses what it cannot hold before anything is computed."""
    from emonet.media import kind_of

    if output is not None and output != Path("-") and not output.parent.is_dir():
        raise UsageError(f"{output.parent} does not exist; make the folder first or choose another place.")
    if format == "auto":
        ending = "" if output is None or output == Path("-") else output.suffix.lower()
        if ending and ending not in _ENDINGS:
            raise UsageError(f"{output}: expected a name that ends in {', '.join(_ENDINGS)}, or give --format.")
        format = _ENDINGS.get(ending, "text")  # type: ignore[assignment]
    if format in ("srt", "vtt"):
        if pictures := [path for path in files if path.is_file() and kind_of(path) == "image"]:
            raise UsageError(f"{pictures[0]} is a picture without times; subtitles are for recordings and videos.")
        if len(files) > 1 and (output is None or output.suffix or output == Path("-")):
            raise UsageError(f"Subtitles of {len(files)} files need --output with a folder (a name without ending).")
    return format


def _check_choices(
    captioner: str | None,
    model: Sequence[str] | None,
    baseline: str | None,
    report: Path | None,
    enrich: Path | None,
    make_baseline: Path | None,
    output: Path | None,
    format: FormatName,
) -> None:
    """Options that exclude each other."""
    wrong: Callable[[str, str], UsageError] = lambda one, other: UsageError(f"{one} does not go with {other}.")  # noqa: E731
    if captioner is not None:
        for name, given in (("--model", model), ("--baseline", baseline), ("--make-baseline", make_baseline)):
            if given:
                raise wrong("--captioner", f"{name}: its model writes the text itself, without scores")
        if report is not None:
            raise wrong("--captioner", "--report, which shows scores")
    for name, target in (("--enrich", enrich), ("--make-baseline", make_baseline)):
        if target is not None and (report is not None or output is not None or format != "auto"):
            raise wrong(name, "--output, --format and --report: it writes its own file")
    if enrich is not None and make_baseline is not None:
        raise wrong("--enrich", "--make-baseline")
    if report is not None and report.suffix.lower() not in (".html", ".htm"):
        raise UsageError(f"{report}: expected a name that ends in .html or .htm.")
    for path in (report, make_baseline):
        if path is not None and not path.parent.is_dir():
            raise UsageError(f"{path.parent} does not exist; make the folder first or choose another place.")


def _check_runtime(runtime: str) -> None:
    if runtime in ("transformers", "ctranslate2"):
        raise UsageError(f"--runtime {runtime} is for --captioner; here auto, onnxruntime, openvino or torch.")
