"""`emonet models pull|convert|quantize|verify`: bundles made from other files and checked."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from rich.console import Console
from rich.table import Table
from rich.text import Text

from emonet.errors import UsageError
from emonet.taxonomy import display_name

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from emonet.models import Card, HeadCheck

Precision = Literal["fp32", "fp16", "bf16", "int8"]
Quantized = Literal["int8-weights", "int8"]


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
        In which the converted heads are stored; each step halves their size.
    """
    from emonet.models import pull as fetch

    _say_ready(fetch(hub_id, revision=revision, precision=precision, progress=_progress), hub_id)


def convert(
    heads: Path,
    encoder: Path,
    output: Path,
    *,
    precision: Precision = "fp16",
    tier: list[Literal["int8-weights", "int8", "torch"]] | None = None,
    calibration: list[Path] | None = None,
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
        In which the heads are stored; the encoder is stored in float32 and computed as you choose when it runs.
    tier
        What to add at once: the 8-bit tiers `int8-weights` and `int8` (see `emonet models quantize`), and `torch`, the
        encoder's tensors for the runtime torch on a graphics card.
    calibration
        Files, folders or patterns that the tier `int8` takes its ranges from.
    name
        The model's id, by default the suite that the shapes belong to.
    l2_normalize
        Whether face embeddings are brought to length 1 before the heads; by default they are.
    """
    from emonet.models import add_torch_tier
    from emonet.models import convert as run

    if "int8" in (tier or ()) and not calibration:
        raise UsageError("The tier int8 takes its ranges from data; give --calibration PATH.")
    card = run(heads, encoder, output, precision=precision, name=name, l2_normalize=l2_normalize, progress=_progress)
    for wanted in tier or ():
        if wanted == "torch":
            card = add_torch_tier(output, encoder)
        else:
            _quantize(str(output), wanted, calibration or [], 300)
    _say_ready(card, str(output))


def quantize(
    name: str,
    *,
    precision: Quantized = "int8-weights",
    calibration: list[Path] | None = None,
    limit: int = 300,
) -> None:
    """Add an 8-bit tier to a bundle; check it with `emonet models verify` before you rely on it.

    Parameters
    ----------
    name
        A bundle folder or a pulled Hub id.
    precision
        `int8-weights` needs no data; `int8` also rounds what flows between the layers and is faster.
    calibration
        Files, folders or patterns like those the model will see, from which `int8` takes its ranges.
    limit
        Most faces or windows of speech taken from them.
    """
    _quantize(name, precision, calibration or [], limit)


def _quantize(name: str, precision: Quantized, calibration: list[Path], limit: int) -> None:
    from emonet.models import quantize as run
    from emonet.models import resolve_model

    items = _items(name, calibration, limit) if precision == "int8" else []
    named = ", ".join(str(path) for path in calibration)
    card = run(
        resolve_model(name), precision, items, calibration_name=f"from {named}" if items else "", progress=_progress
    )
    Console().print(Text(f"{card.id} has a tier {precision}. Check it: emonet models verify {name} --precision "
                         f"{precision} --media PATH"))  # fmt: skip


def verify(
    name: str,
    *,
    precision: Literal["bf16", "int8-weights", "int8"] | None = None,
    heads: Path | None = None,
    encoder: Path | None = None,
    media: list[Path] | None = None,
    runtime: Literal["onnxruntime", "openvino"] = "openvino",
    tolerance: float = 1e-2,
    limit: int = 300,
) -> int:
    """Check a bundle's files against their hashes, one of its precisions against fp32, or its scores against PyTorch's.

    Parameters
    ----------
    name
        "face", "voice", a bundle folder or a pulled Hub id.
    precision
        Compare this precision with fp32 on `--media` and write the verdict into the card: it passes when the order
        of the items agrees in every dimension (rank correlation of at least 0.995) and is refused from then on when
        it does not.
    heads
        Folder of the original `.pth` files, to compare the bundle with them.
    encoder
        Folder of the original encoder.
    media
        Pictures or recordings to score with both; 100 or more make the rank correlation meaningful.
    runtime
        What computes the precision that is compared.
    tolerance
        Largest difference from the original files allowed, relative to the largest score of the head.
    limit
        Most faces or windows of speech taken from `--media`.
    """
    from emonet.models import check_bundle, resolve_model

    folder = resolve_model(name)
    card = check_bundle(folder, always=True)
    Console().print(Text(f"{card.id}: all files have the hashes of the card"))
    if precision is not None:
        return _verify_tier(name, folder, precision, media or [], runtime, limit)
    if heads is None and encoder is None and not media:
        return 0
    if heads is None or encoder is None or not media:
        raise UsageError(
            "To compare scores give --heads FOLDER --encoder FOLDER --media FILE... for the original files, or "
            "--precision NAME --media FILE... for a tier."
        )
    return _verify_originals(name, folder, card, heads, encoder, media, tolerance, limit)


def _verify_tier(name: str, folder: Path, precision: Any, media: list[Path], runtime: Any, limit: int) -> int:
    from emonet.models import verify_tier

    items = _items(name, media, limit)
    data = f"{len(items)} items from {', '.join(str(path) for path in media)}"
    checks, card = verify_tier(folder, precision, items, data=data, runtime=runtime)
    _print_checks(card, checks)
    tier = card.tier(precision)
    assert tier is not None
    assert tier.check is not None
    verdict = "passed: it may be used by default" if tier.check.passed else "refused: the order of items changes"
    lowest = f"{tier.check.rank_correlation:.4f} ({display_name(tier.check.worst, card.modality)})"
    Console().print(Text(f"{precision} on {tier.check.runtime}: lowest rank correlation {lowest}; {verdict}"))
    return 0 if tier.check.passed else 1


def _verify_originals(
    name: str, folder: Path, card: Card, heads: Path, encoder: Path, media: list[Path], tolerance: float, limit: int
) -> int:
    from emonet.models import verify as compare

    checks = compare(folder, heads, encoder, _items(name, media, limit))
    _print_checks(card, checks)
    worst = max(check.max_relative_error for check in checks)
    Console().print(Text(f"largest relative error {worst:.2e}, allowed {tolerance:.0e}"))
    return 0 if worst <= tolerance else 1


def _print_checks(card: Card, checks: Sequence[HeadCheck]) -> None:
    headings = ("dimension", "largest error", "mean error", "relative", "rank correlation")
    table = Table(*headings, box=None, pad_edge=False)
    for check in checks:
        figures = (check.max_error, check.mean_error, check.max_relative_error)
        shown = [f"{figure:.2e}" for figure in figures]
        table.add_row(Text(display_name(check.dimension, card.modality)), *shown, f"{check.rank_correlation:.4f}")
    Console().print(table)


def _items(name: str, media: list[Path], limit: int) -> list[NDArray[Any]]:
    """What the model would score in the files: faces or windows of speech, at most `limit`, spread over the files."""
    from itertools import islice

    from emonet.estimation import expand_inputs, load

    if not media:
        raise UsageError("Give files to score: --media or --calibration with files, folders or patterns.")
    files = expand_inputs(media)
    step = max(1, len(files) // limit)
    estimator = load(name)
    found = (piece.item for path in files[::step] for piece in estimator.pieces(path) if piece.item is not None)
    return list(islice(found, limit))


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
