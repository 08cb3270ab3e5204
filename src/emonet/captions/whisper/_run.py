"""The steps of a training: weights, optimiser, and the number of whole steps done.

Each step draws its randomness (masks over time and mel bands, dropout) from the seed and its own number, so that a run
that goes on from a checkpoint ends in the same bytes as one that was never interrupted.
"""

from __future__ import annotations

import json
import math
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from emonet.captions.whisper._checkpoint import Decoding
from emonet.captions.whisper._evaluation import plain
from emonet.captions.whisper._feed import Example, Feed
from emonet.captions.whisper._recipe import CaptionerRecipe
from emonet.errors import UsageError

CHECKPOINT, BEST = "checkpoint.pt", "best.pt"


class Run:
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


def _write(torch: Any, content: Any, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}")
    torch.save(content, beside)
    os.replace(beside, path)
