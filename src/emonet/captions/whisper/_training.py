"""Fine-tuning a Whisper to write captions: a plain loop in PyTorch that goes on after being killed.

Weights stay float32; on a graphics card the layers run in bfloat16 where it can.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from emonet.captions.whisper._checkpoint import EXTRA, decoding_of, load_whisper, locate
from emonet.captions.whisper._clips import list_clips
from emonet.captions.whisper._decoders import pick_device
from emonet.captions.whisper._feed import Feed
from emonet.captions.whisper._recipe import CaptionerRecipe
from emonet.captions.whisper._run import Run
from emonet.captions.whisper._saving import measure, save_captioner
from emonet.errors import require
from emonet.models import AudioPreprocessing

# Settings that may change between the parts of one run.
_FREE = ("cache_mb", "checkpoint_steps", "evaluate_clips")


@dataclass(frozen=True, slots=True)
class TrainedCaptioner:
    """What a training left. `folder`: the model, with card.json and card.md; `losses`: of each step, per token;
    `validation`: loss on the clips held out after each epoch, empty without any."""

    folder: Path
    steps: int
    losses: tuple[float, ...]
    validation: tuple[float, ...]


def train_captioner(
    recipe: CaptionerRecipe,
    *,
    data: str | os.PathLike[str] | Sequence[str | os.PathLike[str]],
    base: str | os.PathLike[str],
    output: str | os.PathLike[str],
    revision: str | None = None,
    resume: bool = True,
    device: str = "auto",
    progress: Callable[[str], None] | None = None,
) -> TrainedCaptioner:
    """Fine-tune the Whisper `base` (Hub id or folder) on the shards `data` and write `output/model`.

    data: addresses as `emonet.datasets.list_shards` takes them; each sample is a sound file with captions among its
    facts. output: checkpoints, `history.json` and the finished model. resume: go on from the checkpoint there; False
    starts again. progress: told about each step. With clips held out, the weights of the epoch with the lowest loss on
    them are kept, and their captions are measured for the card.

    Raises `UsageError` for data without captions and for a checkpoint of another run, `CheckpointError` for a base that
    is no Whisper, `MissingExtraError` without the extra `caption`.
    """
    torch = require("torch", extra=EXTRA, feature="Training a captioner")
    addresses = [data] if isinstance(data, str | os.PathLike) else list(data)
    home, tell = Path(output), progress or (lambda _: None)
    folder = locate(base, revision)
    where = pick_device(device, "transformers")
    model, tokenizer = load_whisper(folder)
    decoding = decoding_of(model, tokenizer, recipe.language)
    _prepare(model, recipe)
    clips = list_clips([os.fspath(one) for one in addresses], recipe)
    tell(f"{len(clips.training)} clips to train on, {len(clips.validation)} held out")
    spec = AudioPreprocessing(front_end="whisper", n_mels=decoding.n_mels, window_s=decoding.window_s)
    feed = Feed(clips, spec, recipe)
    run = Run(torch, model.to(where), tokenizer, decoding, recipe, feed, home)
    run.start(_identity(recipe, clips.signature(), folder), resume=resume)
    run.train(tell)
    run.restore_best()
    tell("writing the model")
    target = save_captioner(
        model,
        tokenizer,
        spec,
        home / "model",
        facts={  # what the card says
            "base": os.fspath(base),
            "base_sha256": _weights_sha256(folder),
            "data": [os.fspath(one) for one in addresses],
            "training_clips": len(clips.training),
            "validation_clips": len(clips.validation),
            "left_out": {**clips.left_out, **feed.skipped},
            "recipe": recipe.facts(),
            "steps": run.step,
            "first_loss": run.losses[0] if run.losses else None,
            "last_loss": run.losses[-1] if run.losses else None,
            "validation_losses": run.validation,
        },
        evaluation=measure(model, tokenizer, recipe, feed),
    )
    return TrainedCaptioner(target, run.step, tuple(run.losses), tuple(run.validation))


def _prepare(model: Any, recipe: CaptionerRecipe) -> None:
    """The recipe's masks and dropout, where Whisper's own code looks for them."""
    config = model.config
    config.apply_spec_augment = recipe.spec_augment
    config.mask_time_prob, config.mask_feature_prob = recipe.mask_time, recipe.mask_mels
    config.dropout = recipe.dropout
    for module in model.modules():
        if isinstance(getattr(module, "dropout", None), float) and hasattr(module, "fc1"):
            module.dropout = recipe.dropout
    if recipe.freeze_encoder:
        model.model.encoder.requires_grad_(False)


def _identity(recipe: CaptionerRecipe, clips: str, base: Path) -> str:
    settings = {name: value for name, value in recipe.facts().items() if name not in _FREE}
    return json.dumps({"recipe": settings, "clips": clips, "base": _weights_sha256(base)}, sort_keys=True)


def _weights_sha256(folder: Path) -> str:
    digest = hashlib.sha256()
    for path in sorted(folder.glob("*.safetensors")):
        with path.open("rb") as file:
            digest.update(hashlib.file_digest(file, "sha256").digest())
    return digest.hexdigest()
