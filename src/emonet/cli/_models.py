"""`emonet models`: list, show, pull, convert and verify models."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from cyclopts import App
from rich.console import Console
from rich.table import Table
from rich.text import Text

from emonet.errors import UsageError
from emonet.taxonomy import display_name

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from emonet.models import Card, Metric

app = App(
    name="models", help="Models at hand: what they judge, how well, under which licence; LAION's checkpoints converted."
)
Precision = Literal["fp32", "fp16", "bf16", "int8"]


@app.command(name="list")
def list_all() -> None:
    """List the models at hand and LAION's published ones."""
    from emonet.models import list_models

    table = Table(box=None, pad_edge=False)
    table.add_column("name", no_wrap=True)  # to be copied into the next command
    for heading in ("of", "state", "judges", "licence", "size"):
        table.add_column(heading, overflow="fold")
    for listed in list_models():
        card = listed.card
        judged = f"{len(card.dimensions) - len(card.missing)} of {len(card.dimensions)}" if card else ""
        size = f"{listed.gigabytes:.1f} GB" if listed.gigabytes >= 0.1 else f"{listed.gigabytes * 1e3:.1f} MB"
        licence = card.licence.partition(" (")[0] if card else "CC-BY-4.0"
        state = "to pull" if listed.state == "published" else listed.state
        table.add_row(Text(listed.name), listed.modality, state, judged, Text(licence), size)
    Console().print(table)


@app.command
def show(name: str, *, json: bool = False) -> None:
    """Show a model's card: dimensions, measured quality with 95 % intervals, training data, licence, limits.

    Parameters
    ----------
    name
        "face", "voice", a bundle folder or a pulled Hub id.
    json
        Print the card as it is on disk.
    """
    from emonet.models import read_card, resolve_model

    card = read_card(resolve_model(name))
    if json:
        print(card.model_dump_json(indent=2))
        return
    console = Console()
    console.print(Text(card.title, style="bold"), Text(f"{card.id}, revision {card.revision}", style="dim"))
    console.print(_facts(card), "")
    console.print(_dimensions(card), "")
    general = [metric for metric in card.metrics if metric.dimension is None]
    if general:
        console.print(_metric_table(general), "")
    for limit in card.limits:
        console.print(Text(f"- {limit}"))


def _facts(card: Card) -> Table:
    table = Table(box=None, show_header=False, pad_edge=False)
    scale = card.scale.get("*")
    rows = [
        ("judges", f"{card.modality}; {len(card.dimensions) - len(card.missing)} of {len(card.dimensions)} dimensions"),
        ("licence", card.licence),
        ("scale", f"{scale.low:g} to {scale.high:g}: {scale.meaning}" if scale else "see the card"),
        ("neutral means", card.neutral_source or "none"),
        ("heads", f"{card.heads.precision}, {card.heads.bytes / 1e6:.1f} MB, memory-mapped"),
        ("source", card.source),
    ]
    rows += [
        ("trained on", f"{data.name} ({data.licence}), {data.items} items: {data.use}") for data in card.training_data
    ]
    for label, text in rows:
        if text:
            table.add_row(Text(label, style="dim"), Text(text))
    return table


def _dimensions(card: Card) -> Table:
    """One row a dimension: its evidence and measured quality, or why it is not judged."""
    by_dimension: dict[str, list[Metric]] = {}
    for metric in card.metrics:
        if metric.dimension is not None:
            by_dimension.setdefault(metric.dimension, []).append(metric)
    table = Table("dimension", "evidence", "measured on people training never saw", box=None, pad_edge=False)
    for key in card.dimensions:
        evidence = card.evidence.get(key)
        if key in card.missing:
            measured = Text(f"not judged: {card.missing[key]}", style="yellow")
        else:
            measured = Text("; ".join(_figure(metric) for metric in by_dimension.get(key, [])))
        table.add_row(Text(display_name(key, card.modality)), evidence.kind if evidence else "", measured)
    return table


def _metric_table(metrics: list[Metric]) -> Table:
    table = Table("figure", "value [95 % interval]", "n", "data", box=None, pad_edge=False)
    for metric in metrics:
        value = f"{metric.value:.3f} [{metric.low:.3f}, {metric.high:.3f}]"
        table.add_row(Text(metric.name), value, str(metric.n), Text(f"{metric.data} {metric.note}".strip()))
    return table


def _figure(metric: Metric) -> str:
    return f"{metric.name} {metric.value:.2f} [{metric.low:.2f}, {metric.high:.2f}], n = {metric.n}"


@app.command
def pull(hub_id: str, *, revision: str | None = None, precision: Precision = "fp16") -> None:
    """Fetch a model from the Hub once; afterwards its id works offline.

    Parameters
    ----------
    hub_id
        One of LAION's suites (`emonet models list`), converted on arrival (extra `torch`), or a repository that holds
        a bundle.
    revision
        Commit, tag or branch of the heads' repository.
    precision
        Of the converted heads; each step halves their size. int8 is the coarsest.
    """
    from emonet.models import pull as fetch

    _say_ready(fetch(hub_id, revision=revision, precision=precision, progress=_progress), hub_id)


@app.command
def convert(
    heads: Path,
    encoder: Path,
    output: Path,
    *,
    precision: Precision = "fp16",
    name: str | None = None,
    l2_normalize: bool | None = None,
) -> None:
    """Convert LAION's checkpoint files at hand into a bundle that needs no torch.

    Parameters
    ----------
    heads
        Folder of `model_<Name>_best.pth` files. Modality and size follow from their shapes.
    encoder
        Folder with `config.json` and `model.safetensors` of SigLIP2 so400m (faces) or BUD-E-Whisper (voices).
    output
        Folder to write; it must not exist or be an older bundle.
    precision
        Of the heads; the encoder stays float32.
    name
        The model's id, by default the suite that the shapes belong to.
    l2_normalize
        Whether face embeddings are brought to length 1 before the heads; by default they are.
    """
    from emonet.models import convert as run

    card = run(heads, encoder, output, precision=precision, name=name, l2_normalize=l2_normalize, progress=_progress)
    _say_ready(card, str(output))


@app.command
def verify(
    name: str,
    *,
    heads: Path | None = None,
    encoder: Path | None = None,
    media: list[Path] | None = None,
    tolerance: float = 1e-2,
) -> int:
    """Check a bundle's files against their hashes and, given the original files, its scores against PyTorch's.

    Parameters
    ----------
    name
        "face", "voice", a bundle folder or a pulled Hub id.
    heads
        Folder of the original `.pth` files.
    encoder
        Folder of the original encoder.
    media
        Pictures or recordings to score with both; 20 or more make the rank correlation meaningful.
    tolerance
        Largest difference allowed, relative to the largest score of the head.
    """
    from emonet.models import check_bundle, resolve_model
    from emonet.models import verify as compare

    folder = resolve_model(name)
    card = check_bundle(folder, always=True)
    console = Console()
    console.print(Text(f"{card.id}: all files have the hashes of the card"))
    if heads is None and encoder is None and not media:
        return 0
    if heads is None or encoder is None or not media:
        raise UsageError("To compare scores give all three: --heads FOLDER --encoder FOLDER --media FILE...")
    checks = compare(folder, heads, encoder, [_read(path, card.modality) for path in media])
    table = Table("dimension", "largest error", "relative", "rank correlation", box=None, pad_edge=False)
    for check in checks:
        figures = (f"{check.max_error:.2e}", f"{check.max_relative_error:.2e}", f"{check.rank_correlation:.4f}")
        table.add_row(Text(display_name(check.dimension, card.modality)), *figures)
    console.print(table)
    worst = max(check.max_relative_error for check in checks)
    console.print(Text(f"largest relative error {worst:.2e}, allowed {tolerance:.0e}"))
    return 0 if worst <= tolerance else 1


def _read(path: Path, modality: str) -> NDArray[Any]:
    from emonet.media import decode_image, read_audio

    if modality == "face":
        return decode_image(path).pixels
    return read_audio(path).samples


def _progress(step: str) -> None:
    Console(stderr=True).print(Text(step, style="dim"))


def _say_ready(card: Card, name: str) -> None:
    console = Console()
    console.print(
        Text(f"{card.title}: {len(card.dimensions) - len(card.missing)} dimensions, {card.heads.precision} heads")
    )
    for key, reason in card.missing.items():
        console.print(Text(f"  {display_name(key, card.modality)}: {reason}", style="yellow"))
    console.print(Text(f"Ready: emonet estimate --model {name} PATH"))
