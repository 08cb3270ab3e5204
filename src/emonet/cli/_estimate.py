"""`emonet estimate`: scores of the faces and voices in files."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from cyclopts import Parameter

from emonet.cli._run import KEPT, Run, consume, summarise
from emonet.errors import UnknownNameError, UsageError

if TYPE_CHECKING:
    from emonet.estimation import Estimators
    from emonet.reports import Writer


def estimate(
    paths: Annotated[list[str], Parameter(negative=(), allow_leading_hyphen=True)],
    /,
    *,
    model: Annotated[list[str] | None, Parameter(negative=())] = None,
    output: Annotated[Path | None, Parameter(allow_leading_hyphen=True)] = None,
    format: Literal["auto", "json", "jsonl", "csv", "parquet", "laion"] = "auto",
    values: Literal["relative", "raw", "softmax", "calibrated", "all"] = "relative",
    report: Path | None = None,
    chart: Path | None = None,
    embeddings: Path | None = None,
    whole_image: Annotated[bool, Parameter(negative=())] = False,
    max_faces: int | None = None,
    min_face_px: float = 24.0,
    fps: float = 2.0,
    detector: str = "embedded",
    whole_audio: Annotated[bool, Parameter(negative=())] = False,
    window_s: float | None = None,
    recursive: bool = True,
    workers: int | None = None,
    threads: int | None = None,
    batch_size: int | None = None,
    runtime: Literal["auto", "onnxruntime", "openvino", "torch"] = "auto",
    precision: Literal["auto", "fp32", "bf16", "int8-weights", "int8"] = "auto",
    top: int = 5,
    quiet: Annotated[bool, Parameter(name=["--quiet", "-q"], negative=())] = False,
) -> int:
    """Estimate the emotions of faces and voices in pictures, recordings and videos.

    Pictures go to the face model, recordings to the voice model, videos to both. Every file gives at least one row; a
    file without a face or speech, or one that cannot be read, says so in its row. Exit code: 0, 1 when a file could not
    be read, 2 for wrong usage, 130 when interrupted (the output then holds all files finished so far).

    Speech is found by Silero VAD (threshold 0.5); stretches less than 2 s apart share a window, and longer speech is
    cut where speech is least probable. A recording of up to 5 s is kept whole if somebody is heard. No window is longer
    than the model was made for. The page "output" of the documentation explains every column.

    Parameters
    ----------
    paths
        Files, folders (searched for media), patterns such as "clips/*.mp3", or - for one file from standard input.
    model
        A model's name, folder or Hub id, to be used alone; or face=NAME and voice=NAME, to replace one of the two.
    output
        Write all rows to this file; its ending tells the format. For `laion` a folder. "-" is standard output.
    format
        Format of the output. `laion` writes one JSON per file in LAION's own layout.
    values
        What the columns hold: score relative to a neutral face or voice, raw score, softmax over the emotions,
        calibrated probability (the model's card says of what), or all four.
    report
        Write a self-contained HTML report.
    chart
        Write a PNG chart.
    embeddings
        Write the encoder's embeddings to a Parquet file.
    whole_image
        Take each picture whole, as a close-up portrait, instead of looking for faces.
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
        Longest window of a recording in seconds; by default what the model was made for.
    recursive
        Search the subfolders of folders.
    workers
        Files read and batches scored at once; by default one per core. Results do not depend on it.
    threads
        Threads of one model call; by default one for small models and all cores for large ones.
    batch_size
        Faces or windows scored together.
    runtime
        What computes the model; `auto` is what `emonet doctor` found best here, or else ONNX Runtime.
    precision
        How it is computed; `auto` is what `emonet doctor` found best here, or else fp32. The 8-bit precisions need
        files of their own (`emonet models quantize`).
    top
        Emotions named per row in the terminal and the report.
    quiet
        Print nothing but errors.
    """
    from rich.console import Console

    from emonet.estimation import Estimators, expand_inputs

    _refuse_options(paths)
    errors = Console(stderr=True, highlight=False)
    with ExitStack() as stack:
        named, media = _standard_input(paths, stack)
        files = expand_inputs(named, recursive=recursive)
        models = Estimators.from_names(
            model or [],
            workers=workers,
            threads=threads,
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
            embeddings=embeddings is not None,
        )
        _check(report, ".html", ".htm")
        _check(chart, ".png")
        writers = _writers(output, format, values, embeddings, models)
        to_stdout = output == Path("-") or (output is None and format != "auto")
        names = {str(path): name for name, path in media.items()}
        run = Run(writers, keep_all=report is not None or chart is not None, names=names)
        interrupted = consume(files, models, run, None if quiet else errors)
        everything = run.kept()
        if report is not None:
            from emonet.reports import write_html

            write_html(everything, report, describe=models.describe(), media=media, fps=fps, top=top)
        if chart is not None and any(item.ok for item in everything):
            everything.plot(chart)
        elif chart is not None:
            errors.print("emonet: no chart was drawn: no region was scored.", style="yellow", markup=False)
        if not quiet and not to_stdout:
            from emonet.reports import print_estimates

            print_estimates(everything[:KEPT], Console(highlight=False), top=top)
        summarise(run, errors, len(files), quiet=quiet, interrupted=interrupted)
    if interrupted:
        return 130
    return 1 if run.failures else 0


def _refuse_options(paths: Sequence[str]) -> None:
    """`-` is a path here, which makes the parser take a misspelt option for one as well."""
    for path in paths:
        if path.startswith("-") and path != "-":
            options = [
                f"--{name.replace('_', '-')}" for name in estimate.__annotations__ if name not in ("paths", "return")
            ]
            raise UnknownNameError("option", path, options)


def _writers(
    output: Path | None, format: str, values: Any, embeddings: Path | None, models: Estimators
) -> list[Writer]:
    """Open every output before anything is computed, so that a wrong name costs nothing."""
    if output is None and format in ("parquet", "laion"):
        raise UsageError(f"The format {format} needs --output: {'a file' if format == 'parquet' else 'a folder'}.")
    if output is None and format == "auto" and embeddings is None:
        return []
    from emonet.reports import EmbeddingTable, LaionFolder, format_of, open_table

    about = _about(models, values)
    writers: list[Writer] = []
    if output is not None or format != "auto":
        if format == "laion" and output is not None:
            writers.append(LaionFolder(output))
        else:
            stream = output is None or output == Path("-")
            named = Path("-.jsonl") if stream or output is None else output
            chosen: Any = format_of(named) if format == "auto" else format
            target = sys.stdout if stream else named
            writers.append(open_table(target, chosen, dimensions=models.dimensions(), values=values, about=about))
    if embeddings is not None:
        try:
            _check(embeddings, ".parquet", ".pq")
            writers.append(EmbeddingTable(embeddings, about=about))
        except UsageError:
            for writer in writers:
                writer.abort()
            raise
    return writers


def _about(models: Estimators, values: str) -> dict[str, Any]:
    """What outputs tell about the run."""
    import emonet
    from emonet.taxonomy import VERSION

    described = models.describe()
    return {
        "version": emonet.__version__,
        "taxonomy_version": VERSION,
        "values": values,
        "models": [
            {
                "id": card.id,
                "revision": card.revision,
                "modality": card.modality,
                "title": card.title,
                "licence": card.licence,
                "rows": described[card.id],
                "neutral_means": bool(card.neutral_means),
                "not_judged": dict(card.missing),
            }
            for card in models.cards.values()
        ],
    }


def _standard_input(paths: Sequence[str], stack: ExitStack) -> tuple[list[str], dict[str, Path]]:
    """`-` replaced by a temporary file that holds standard input; also where that source really lies."""
    if "-" not in paths:
        return list(paths), {}
    if list(paths).count("-") > 1:
        raise UsageError("Standard input (-) holds one file; name - once.")
    if sys.stdin is None or sys.stdin.isatty():
        raise UsageError("- reads one media file from standard input, which is a terminal here; pipe a file in.")
    import shutil
    import tempfile

    folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="emonet-")))
    copy = folder / "stdin"
    with copy.open("wb") as file:
        shutil.copyfileobj(sys.stdin.buffer, file)
    return [str(copy) if path == "-" else path for path in paths], {"-": copy}


def _check(path: Path | None, *endings: str) -> None:
    """Refuse a wrong ending or an absent folder before the work begins."""
    if path is None:
        return
    if path.suffix.lower() not in endings:
        raise UsageError(f"{path}: expected a name that ends in {' or '.join(endings)}.")
    if not path.parent.is_dir():
        raise UsageError(f"{path.parent} does not exist; make the folder first or choose another place.")
