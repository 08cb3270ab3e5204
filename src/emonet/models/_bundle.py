"""Writing, opening and checking a bundle: a folder of `emonet.json`, `encoder.onnx` and `heads.safetensors`."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from emonet.errors import BundleError, UsageError
from emonet.models import _cache
from emonet.models._card import FORMAT, Card, Tier
from emonet.models._heads import HeadPlan, HeadWeights, Precision, write_heads

CARD_FILE = "emonet.json"
_ALWAYS_HASHED = 32 * 1024 * 1024  # bytes; a larger file is hashed once and remembered by size and time


def write_bundle(
    folder: Path,
    *,
    encoder_onnx: Path,
    groups: Sequence[HeadWeights | HeadPlan],
    precision: Precision = "fp32",
    card: Mapping[str, Any],
    progress: Callable[[str], None] | None = None,
) -> Card:
    """Write a bundle whole or not at all; an existing bundle in `folder` is replaced.

    `encoder_onnx` is copied, with `<name>.data` beside it when its weights lie there. `card`: the fields of `Card`
    without `heads`, `encoder.sha256` and `revision`, which are computed here. Each dimension of the card must have a
    head or a reason in `missing`. `progress` is called with each dimension as it is written.

    Raises `UsageError` when card and heads do not fit together.
    """
    plans = [group.plan() if isinstance(group, HeadWeights) else group for group in groups]
    _check_dimensions(card, plans)
    folder = Path(folder)
    with _replacing(folder) as temporary:
        encoder = temporary / "encoder.onnx"
        shutil.copyfile(encoder_onnx, encoder)
        described = {**card["encoder"], "sha256": sha256(encoder)}
        beside = Path(encoder_onnx).with_name(Path(encoder_onnx).name + ".data")
        if beside.is_file():
            shutil.copyfile(beside, temporary / beside.name)
            described |= {"data_file": beside.name, "data_sha256": sha256(temporary / beside.name)}
        heads = temporary / "heads.safetensors"
        write_heads(heads, plans, precision, progress=progress)
        fields: dict[str, Any] = {
            "created": datetime.now(UTC).date().isoformat(),
            **card,
            "revision": "",
            "encoder": described,
            "heads": {
                "sha256": sha256(heads),
                "precision": precision,
                "groups": [plan.group for plan in plans],
                "bytes": heads.stat().st_size,
            },
        }
        try:
            draft = Card.model_validate(fields)
        except ValidationError as error:
            raise UsageError(f"The card for {folder} is not complete: {error}") from error
        written = _write_card(temporary, draft)
    _remember_large(folder, written)
    return written


def place_bundle(source: Path, folder: Path, card: Card) -> None:
    """Copy a checked bundle's files, and nothing else, to `folder`, whole or not at all."""
    with _replacing(Path(folder)) as temporary:
        for name in (CARD_FILE, *(name for name, _ in _files(card))):
            shutil.copyfile(source / name, temporary / name)
    _remember_large(Path(folder), card)


def read_card(folder: Path) -> Card:
    """The card of a bundle; `BundleError` when it is absent, malformed or of a newer format."""
    path = Path(folder) / CARD_FILE
    try:
        fields = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise BundleError(
            f"{folder} is not a bundle: it has no {CARD_FILE}. Give a bundle's folder, or convert LAION's checkpoints "
            "with `emonet models convert`."
        ) from error
    except (OSError, ValueError) as error:
        raise BundleError(f"{path}: cannot be read as JSON ({error}). Pull or convert the bundle again.") from error
    version = fields.get("format") if isinstance(fields, dict) else None
    if version != FORMAT:
        raise BundleError(f"{path}: bundle format {version!r}, this emonet reads {FORMAT}. Update emonet.")
    try:
        return Card.model_validate(fields)
    except ValidationError as error:
        raise BundleError(f"{path}: {error}") from error


def check_bundle(folder: Path, card: Card | None = None, *, always: bool = False) -> Card:
    """Compare every file's SHA-256 with the card; `BundleError` names the file, both hashes and the remedy.

    A file over 32 MB that was checked before, and has kept its size and time of change, is not read again unless
    `always`.
    """
    folder = Path(folder)
    card = card or read_card(folder)
    if card.revision != _revision(card):
        raise BundleError(
            f"{folder / CARD_FILE}: revision {card.revision}, its content gives {_revision(card)}. The card was "
            "changed after it was written; pull or convert the bundle again."
        )
    for name, expected in _files(card):
        path = folder / name
        if Path(name).name != name or not path.is_file():
            raise BundleError(f"{folder}: the file {name} of the bundle is absent. Pull or convert the bundle again.")
        large = path.stat().st_size > _ALWAYS_HASHED
        if large and not always and _cache.was_checked(path, expected):
            continue
        actual = sha256(path)
        if actual != expected:
            raise BundleError(
                f"{path}: SHA-256 is {actual}, the card expects {expected}. The file is damaged or was exchanged; pull "
                "or convert the bundle again, or reinstall emonet if the bundle came with it."
            )
        if large:
            _cache.remember_checked(path, expected)
    return card


def put_tier(folder: Path, tier: Tier) -> Card:
    """Add a tier to a bundle's card, in place of one of the same precision; its files must already lie in `folder`."""
    card = read_card(folder)
    kept = [other for other in card.tiers if other.precision != tier.precision]
    card = _write_card(Path(folder), card.model_copy(update={"tiers": (*kept, tier)}))
    _remember_large(Path(folder), card)
    return card


def update_card(folder: Path, **changes: Any) -> Card:
    """Replace fields of a bundle's card, e.g. `metrics=` or `calibration=`, and give it the new revision.

    The fields that describe the files cannot be changed.
    """
    if fixed := {"encoder", "heads", "tiers", "revision", "format"} & set(changes):
        raise UsageError(f"{', '.join(sorted(fixed))} of a card cannot be changed; write the bundle again.")
    try:
        card = Card.model_validate(read_card(folder).model_dump() | changes)
    except ValidationError as error:
        raise UsageError(f"The changed card of {folder} is not valid: {error}") from error
    return _write_card(Path(folder), card)


def sha256(path: Path) -> str:
    """Hexadecimal SHA-256 of a file."""
    with Path(path).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _files(card: Card) -> list[tuple[str, str]]:
    """Name and SHA-256 of every file that the card vouches for."""
    files = [(card.encoder.file, card.encoder.sha256), (card.heads.file, card.heads.sha256)]
    if card.encoder.data_file:
        files.append((card.encoder.data_file, card.encoder.data_sha256 or ""))
    for tier in card.tiers:
        named = ((tier.encoder, tier.encoder_sha256), (tier.data_file, tier.data_sha256))
        files += [(name, digest or "") for name, digest in named if name]
        if tier.heads:
            files.append((tier.heads.file, tier.heads.sha256))
    return list(dict.fromkeys(files))  # tiers may share their heads


def _remember_large(folder: Path, card: Card) -> None:
    """Large files whose hash was computed a moment ago need not be read again on first use."""
    for name, digest in _files(card):
        if (folder / name).stat().st_size > _ALWAYS_HASHED:
            _cache.remember_checked(folder / name, digest)


def _write_card(folder: Path, card: Card) -> Card:
    card = card.model_copy(update={"revision": _revision(card)})
    temporary = folder / f".{CARD_FILE}.{os.getpid()}"
    temporary.write_text(_json(card, indent=1) + "\n", encoding="utf-8")
    os.replace(temporary, folder / CARD_FILE)
    return card


def _revision(card: Card) -> str:
    """First 12 digits of a hash over the whole card but its date, and so over its files' hashes."""
    text = _json(card.model_copy(update={"revision": "", "created": ""}))
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def _json(card: Card, *, indent: int | None = None) -> str:
    """Bundles without tiers keep the revision they had before tiers were known."""
    return card.model_dump_json(indent=indent, exclude=None if card.tiers else {"tiers"})


def _check_dimensions(card: Mapping[str, Any], plans: Sequence[HeadPlan]) -> None:
    for field in ("id", "title", "modality", "dimensions", "scale", "preprocessing", "encoder", "licence"):
        if field not in card:
            raise UsageError(f"The card lacks the field {field!r}.")
    judged = [dimension for plan in plans for dimension in plan.group.dimensions]
    listed, missing = tuple(card["dimensions"]), set(card.get("missing", {}))
    if twice := sorted({d for d in judged if judged.count(d) > 1}):
        raise UsageError(f"More than one head for {', '.join(twice)}.")
    if set(listed) != set(judged) | missing or set(judged) & missing or len(set(listed)) != len(listed):
        odd = sorted(set(listed) ^ (set(judged) | missing)) or sorted(set(judged) & missing)
        raise UsageError(
            f"Each of the card's dimensions needs a head or a reason in `missing`, not both; check: {', '.join(odd)}."
        )


@contextmanager
def _replacing(folder: Path) -> Iterator[Path]:
    """A temporary folder beside `folder` that takes its place when the block ends without an error."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    if folder.exists() and not (folder / CARD_FILE).is_file() and (folder.is_file() or any(folder.iterdir())):
        raise UsageError(f"{folder} exists and is not a bundle; it is not overwritten. Choose another folder.")
    temporary = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))
    try:
        yield temporary
        temporary.chmod(0o755)
        if folder.exists():
            old = Path(tempfile.mkdtemp(prefix=f".{folder.name}.old.", dir=folder.parent))
            os.replace(folder, old)
            os.replace(temporary, folder)
            shutil.rmtree(old)
        else:
            os.replace(temporary, folder)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
