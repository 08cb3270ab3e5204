"""Fine-tuning a Whisper to write captions: a plain loop in PyTorch that goes on after being killed.

Weights stay float32; on a graphics card the layers run in bfloat16 where it can. Each step draws its randomness (masks
over time and mel bands, dropout) from the seed and its own number, and a checkpoint holds weights, optimiser and the
number of steps, so that a run that was interrupted ends in the same bytes as one that was not.
"""

from __future__ import annotations

import hashlib
import json
import math
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from emonet.captions.whisper._checkpoint import EXTRA, Decoding, decoding_of, load_whisper, locate
from emonet.captions.whisper._clips import list_clips
from emonet.captions.whisper._decoders import pick_device
from emonet.captions.whisper._evaluation import plain
from emonet.captions.whisper._feed import Example, Feed
from emonet.captions.whisper._recipe import CaptionerRecipe
from emonet.captions.whisper._saving import measure, save_captioner
from emonet.errors import UsageError, require
from emonet.models import AudioPreprocessing

CHECKPOINT, BEST = "checkpoint.pt", "best.pt"
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
    run = _Run(torch, model.to(where), tokenizer, decoding, recipe, feed, home)
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


class _Run:
    """Weights, optimiser and the number of whole steps done."""

    def __init__(
        self,
        torch: Any,
        model: Any,
        tokenizer: Any,
        decoding: Decoding,
        recipe: CaptionerRecipe,
        feed: Feed,
        home: Path,
    ) -> None:
        self._torch, self._model, self._tokenizer = torch, model, tokenizer
        self._decoding, self._recipe, self._feed, self._home = decoding, recipe, feed, home
        self._size = recipe.batch * recipe.accumulation
        self._total = recipe.epochs * feed.steps(self._size)
        self._optimizer = torch.optim.AdamW(_parameter_groups(model, recipe), lr=recipe.learning_rate)
        self._identity = ""
        self.step = 0
        self.losses: list[float] = []
        self.validation: list[float] = []

    def start(self, identity: str, *, resume: bool) -> None:
        """Begin anew or from the checkpoint. Raises `UsageError` when another run made it."""
        self._identity = identity
        path = self._home / CHECKPOINT
        if not (resume and path.is_file()):
            (self._home / BEST).unlink(missing_ok=True)
            return
        content = self._torch.load(path, weights_only=True, map_location="cpu")
        if content["identity"] != identity:
            raise UsageError(
                f"{path} was made with other settings, clips or weights. Choose another output folder or do not resume."
            )
        self._model.load_state_dict(content["model"])
        self._optimizer.load_state_dict(content["optimizer"])
        self.step, self.losses, self.validation = content["step"], content["losses"], content["validation"]

    def train(self, tell: Callable[[str], None]) -> None:
        """All steps that are left."""
        per_epoch = self._feed.steps(self._size)
        while self.step < self._total:
            epoch, done = divmod(self.step, per_epoch)
            for group in self._feed.epoch(epoch, self._size, done=done):
                self.losses.append(self._one_step(group))
                self.step += 1
                last = self.step % per_epoch == 0
                if last:
                    self._validate()
                if self.step % self._recipe.checkpoint_steps == 0 or self.step == self._total:
                    self._save()
                held = f", held out {self.validation[-1]:.4f}" if last and self.validation else ""
                tell(f"epoch {epoch + 1}, step {self.step} of {self._total}: loss {self.losses[-1]:.4f}{held}")

    def restore_best(self) -> None:
        """The weights of the epoch with the lowest loss on held-out clips, if there are any."""
        path = self._home / BEST
        if self.validation and path.is_file():
            self._model.load_state_dict(self._torch.load(path, weights_only=True, map_location="cpu"))
        self._model.eval()

    def _one_step(self, group: Sequence[Example]) -> float:
        """One step of the optimiser over a group, its loss per token. Batches of it differ in tokens, so the sum over
        all is divided by all tokens; the result does not depend on how the group is cut."""
        torch, recipe = self._torch, self._recipe
        rows = self._rows(group)
        wanted = sum(len(ids) - len(self._decoding.prompt) for _, ids in rows)
        if not wanted:
            return math.nan
        rate = _schedule(self.step / self._total, recipe.warmup) * recipe.learning_rate
        for parameters in self._optimizer.param_groups:
            parameters["lr"] = rate
        self._model.train()
        loss = 0.0
        with _seeded(torch, recipe.seed, self.step):
            for first in range(0, len(rows), recipe.batch):
                part = self._loss(rows[first : first + recipe.batch]) / wanted
                part.backward()
                loss += float(part.detach())
        trained = [one for one in self._model.parameters() if one.requires_grad]
        torch.nn.utils.clip_grad_norm_(trained, recipe.clip_norm)
        self._optimizer.step()
        self._optimizer.zero_grad(set_to_none=True)
        return loss

    def _validate(self) -> None:
        torch, batch = self._torch, self._recipe.batch
        rows = self._rows(self._feed.validation())
        if not rows:
            return
        self._model.eval()
        with torch.inference_mode():
            total = sum(float(self._loss(rows[first : first + batch])) for first in range(0, len(rows), batch))
        loss = total / sum(len(ids) - len(self._decoding.prompt) for _, ids in rows)
        if not self.validation or loss < min(self.validation):
            _write(torch, self._model.state_dict(), self._home / BEST)
        self.validation.append(loss)

    def _loss(self, rows: Sequence[tuple[Any, list[int]]]) -> Any:
        """Sum of the cross-entropy over the tokens after the prompt, those of the end included."""
        torch, device = self._torch, self._model.device
        longest = max(len(ids) for _, ids in rows)
        filled = torch.full((len(rows), longest), self._decoding.end)
        labels = torch.full((len(rows), longest), -100)
        for row, (_, ids) in enumerate(rows):
            filled[row, : len(ids)] = torch.tensor(ids)
            labels[row, len(self._decoding.prompt) : len(ids)] = filled[row, len(self._decoding.prompt) : len(ids)]
        features = torch.from_numpy(np.stack([one for one, _ in rows])).to(device)
        with torch.autocast(device.type, dtype=torch.bfloat16, enabled=_bfloat16(torch, self._recipe, device.type)):
            logits = self._model(
                input_features=features, decoder_input_ids=filled[:, :-1].to(device), use_cache=False
            ).logits
        flat = logits.float().flatten(0, 1)
        return torch.nn.functional.cross_entropy(flat, labels[:, 1:].flatten().to(device), reduction="sum")

    def _rows(self, examples: Iterable[Example]) -> list[tuple[Any, list[int]]]:
        """(features, tokens of prompt, caption and end) of what the model is able to write."""
        rows = []
        for one in examples:
            ids = self._tokenizer(one.caption, add_special_tokens=False)["input_ids"]
            whole = [*self._decoding.prompt, *ids, self._decoding.end]
            if len(whole) > self._decoding.positions:
                self._feed.refuse(one.clip, f"with a caption of more than {self._decoding.positions} tokens")
            else:
                rows.append((one.features, whole))
        return rows

    def _save(self) -> None:
        content = {
            "identity": self._identity,
            "model": self._model.state_dict(),
            "optimizer": self._optimizer.state_dict(),
            "step": self.step,
            "losses": self.losses,
            "validation": self.validation,
        }
        _write(self._torch, content, self._home / CHECKPOINT)
        beside = self._home / ".history.json"
        history = plain({"losses": self.losses, "validation": self.validation})
        beside.write_text(json.dumps(history) + "\n", encoding="utf-8")
        os.replace(beside, self._home / "history.json")


def _schedule(progress: float, warmup: float) -> float:
    from emonet.training._loop import schedule

    return schedule(progress, warmup)


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


def _parameter_groups(model: Any, recipe: CaptionerRecipe) -> list[dict[str, Any]]:
    """Weight decay for matrices only, as is usual: not for biases and norms."""
    trained = [one for one in model.parameters() if one.requires_grad]
    return [
        {"params": [one for one in trained if one.ndim > 1], "weight_decay": recipe.weight_decay},
        {"params": [one for one in trained if one.ndim <= 1], "weight_decay": 0.0},
    ]


def _bfloat16(torch: Any, recipe: CaptionerRecipe, device: str) -> bool:
    if recipe.precision == "auto":
        return device == "cuda" and bool(torch.cuda.is_bf16_supported())
    return recipe.precision == "bfloat16"


@contextmanager
def _seeded(torch: Any, seed: int, step: int) -> Iterator[None]:
    """Randomness of one step; the caller's generators are as before afterwards. Whisper's masks come from numpy's."""
    drawn = int(np.random.default_rng([seed, step]).integers(2**31))
    before = np.random.get_state()  # noqa: NPY002
    with torch.random.fork_rng(enabled=True):
        torch.manual_seed(drawn)
        np.random.seed(drawn)  # noqa: NPY002
        try:
            yield
        finally:
            np.random.set_state(before)  # noqa: NPY002


def _identity(recipe: CaptionerRecipe, clips: str, base: Path) -> str:
    settings = {name: value for name, value in recipe.facts().items() if name not in _FREE}
    return json.dumps({"recipe": settings, "clips": clips, "base": _weights_sha256(base)}, sort_keys=True)


def _weights_sha256(folder: Path) -> str:
    digest = hashlib.sha256()
    for path in sorted(folder.glob("*.safetensors")):
        with path.open("rb") as file:
            digest.update(hashlib.file_digest(file, "sha256").digest())
    return digest.hexdigest()


def _write(torch: Any, content: Any, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}")
    torch.save(content, beside)
    os.replace(beside, path)
