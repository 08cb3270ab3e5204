"""One stage of training: epochs over cached features, each head keeping its own best weights."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from emonet.errors import UsageError
from emonet.statistics import spearman_columns
from emonet.training._loop import schedule
from emonet.training.experts._heads import ExpertHeads
from emonet.training.experts._losses import Labels, losses
from emonet.training.experts._records import Options, Stage
from emonet.training.experts._targets import Targets

_WARMUP = 0.1  # share of the steps in which the learning rate rises
_SCORED = 1024  # items scored at once
_LEVELS = 8  # of a scale: the eight of the faces' 0 to 7; coarser scales use some of the thresholds between them


@dataclass(slots=True)
class Course:
    """How a stage went. best: epoch of each head's kept weights, -1 for those it came with; value: its criterion then;
    history: mean training loss and mean criterion by epoch."""

    best: NDArray[np.int64]
    value: NDArray[np.float64]
    history: list[dict[str, float]]


@dataclass(frozen=True, slots=True, eq=False)
class Work:
    """What a stage learns from. features: of each set, in the order of the targets; scales: low and high, by head."""

    stage: Stage
    features: Sequence[NDArray[np.float16]]
    targets: Targets
    scales: Sequence[tuple[float, float]]
    options: Options


def fit_stage(
    heads: ExpertHeads, work: Work, checkpoint: Path, *, progress: Callable[[str], None] = lambda _: None
) -> Course:
    """Train `heads` in place on the rows of the part `train`; at the end each has the weights of its best epoch.

    A run that was killed goes on after its last whole epoch and comes to the same weights. A head without labels in
    this stage keeps what it had. Raises `UsageError` when there is nothing to train on or to validate with.
    """
    stage = work.stage
    if not (work.targets.weight > 0).any():
        return _unchanged(heads)
    device = torch.device(device_name(work.options.device))
    heads.to(device)
    rows = Rows(work.features)
    train, checked = _parts(work, rows)
    optimizer = torch.optim.AdamW(heads.parameters(), lr=stage.learning_rate, weight_decay=work.options.weight_decay)
    course, start = _resume(checkpoint, heads, optimizer, work)
    if start == 0:
        course.value[:] = _criterion(heads, work, rows, checked, device)
        best = _copy(heads)
    else:
        best = _load(checkpoint)["best_weights"]
    for epoch in range(start, stage.epochs):
        if epoch - max(course.best.max(), 0) > stage.patience:
            break
        loss = _epoch(heads, optimizer, work, rows, train, epoch, device)
        value = _criterion(heads, work, rows, checked, device)
        better = np.isfinite(value) & ~(value >= course.value)
        course.value[better], course.best[better] = value[better], epoch
        for own, now in zip(best, heads.parameters(), strict=True):
            own[better] = now.detach().cpu()[better]
        course.history.append({"epoch": epoch, "loss": loss, "criterion": float(np.nanmean(course.value))})
        _save(checkpoint, heads, optimizer, best, course, epoch, work)
        progress(
            f"{stage.name}: epoch {epoch + 1} of {stage.epochs}, loss {loss:.4f}, {int(better.sum())} heads better"
        )
    with torch.no_grad():
        for own, kept in zip(heads.parameters(), best, strict=True):
            own.copy_(kept)
    return course


class Rows:
    """Rows of several memory-mapped tables as if they were one."""

    def __init__(self, tables: Sequence[NDArray[np.float16]]) -> None:
        self._tables = tables
        self._starts = np.cumsum([0, *(len(table) for table in tables)])

    def __call__(self, rows: NDArray[np.int64]) -> NDArray[np.float32]:
        out = np.empty((len(rows), self._tables[0].shape[1]), np.float32)
        which = np.searchsorted(self._starts, rows, side="right") - 1
        for number in np.unique(which):
            here = which == number
            out[here] = self._tables[number][rows[here] - self._starts[number]]
        return out

    def known(self, rows: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Whether the rows have features; judged by their first number."""
        which = np.searchsorted(self._starts, rows, side="right") - 1
        firsts = [np.asarray(table[:, 0]) for table in self._tables]
        return np.array(
            [np.isfinite(firsts[t][row - self._starts[t]]) for t, row in zip(which, rows, strict=True)], bool
        )


def _parts(work: Work, rows: Rows) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Rows to train on and rows to validate with, the same ones where raters are held out."""
    targets = work.targets
    train = usable(targets, rows, targets.rows("train"))
    checked = train if targets.validation is not None else usable(targets, rows, targets.rows("validation"))
    if not len(train) or not len(checked):
        raise UsageError(
            f"Stage {work.stage.name!r} has {len(train)} items to train on and {len(checked)} to validate with; both "
            "are needed. Use more items or clusters, or other shares."
        )
    return train, checked


def usable(targets: Targets, rows: Rows, chosen: NDArray[np.int64]) -> NDArray[np.int64]:
    """Those of the chosen rows that have features and at least one label."""
    labelled = chosen[(targets.weight[chosen] > 0).any(axis=1)]
    return labelled[rows.known(labelled)]


def _epoch(
    heads: ExpertHeads, optimizer: torch.optim.Optimizer, work: Work, rows: Rows, train: NDArray[np.int64], epoch: int,
    device: torch.device,
) -> float:  # fmt: skip
    stage, seed = work.stage, [work.options.seed, epoch]
    heads.train()
    torch.manual_seed(int(np.random.SeedSequence(seed).generate_state(1)[0]))  # of dropout
    order = train[np.random.default_rng(seed).permutation(len(train))]
    batches = [order[start : start + stage.batch] for start in range(0, len(order), stage.batch)]
    total = 0.0
    for number, batch in enumerate(batches):
        progress = (epoch * len(batches) + number) / (stage.epochs * len(batches))
        for group in optimizer.param_groups:
            group["lr"] = stage.learning_rate * schedule(progress, _WARMUP)
        scores = heads(torch.from_numpy(rows(batch)).to(device))
        each = losses(scores, labels_of(work, work.targets, batch, device), stage.losses)
        optimizer.zero_grad(set_to_none=True)
        each.sum().backward()
        optimizer.step()
        total += float(each.detach().mean())
    return total / len(batches)


def _criterion(
    heads: ExpertHeads, work: Work, rows: Rows, checked: NDArray[np.int64], device: torch.device
) -> NDArray[np.float64]:
    """Lower is better, float64 [h]; NaN for heads without held-out labels."""
    held = work.targets.held_out()
    known = held.weight[checked] > 0
    scores = score_rows(heads, rows, checked, device)
    if work.stage.criterion == "rank":
        labels = np.where(np.isfinite(held.graded[checked]), held.graded[checked], held.present[checked])
        return -spearman_columns(np.where(known, scores, np.nan), np.where(known, labels, np.nan))
    with torch.no_grad():
        each = losses(torch.from_numpy(scores), labels_of(work, held, checked, "cpu"), work.stage.losses)
    return np.where(known.any(axis=0), each.double().numpy(), np.nan)


@torch.no_grad()
def score_rows(
    heads: ExpertHeads, rows: Any, chosen: NDArray[np.int64], device: torch.device | str
) -> NDArray[np.float32]:
    """Scores float32 [n, h] without dropout."""
    heads.eval()
    parts = [chosen[start : start + _SCORED] for start in range(0, len(chosen), _SCORED)]
    found = [heads(torch.from_numpy(rows(part)).to(device)).cpu().numpy() for part in parts]
    return np.concatenate(found) if found else np.zeros((0, len(heads.dimensions)), np.float32)


def labels_of(work: Work, targets: Targets, rows: NDArray[np.int64], device: torch.device | str) -> Labels:
    """Some rows of the targets as tensors."""
    low = torch.tensor([pair[0] for pair in work.scales], dtype=torch.float32, device=device)
    span = torch.tensor([high - low for low, high in work.scales], dtype=torch.float32, device=device)
    steps = (torch.arange(_LEVELS - 1, device=device) + 0.5) / (_LEVELS - 1)
    return Labels(
        torch.from_numpy(targets.graded[rows]).to(device),
        torch.from_numpy(targets.present[rows]).to(device),
        torch.from_numpy(targets.weight[rows]).to(device),
        low + work.options.present_at * span,
        low[:, None] + span[:, None] * steps,
        work.options.sharpness * (_LEVELS - 1) / span,
    )


def device_name(name: str) -> str:
    return ("cuda" if torch.cuda.is_available() else "cpu") if name == "auto" else name


def _copy(heads: ExpertHeads) -> list[torch.Tensor]:
    return [parameter.detach().cpu().clone() for parameter in heads.parameters()]


def _about(work: Work, heads: ExpertHeads) -> str:
    """What a checkpoint belongs to."""
    stage = work.stage
    sets = [(one.name, one.items.height) for one in stage.sets]
    told = (stage.name, sets, stage.losses, stage.epochs, stage.learning_rate, stage.batch, stage.criterion)
    return repr((told, stage.hold_out, stage.patience, work.options, heads.dimensions, heads.sizes))


def _save(
    path: Path, heads: ExpertHeads, optimizer: torch.optim.Optimizer, best: list[torch.Tensor], course: Course,
    epoch: int, work: Work,
) -> None:  # fmt: skip
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}")
    content = {
        "about": _about(work, heads), "epoch": epoch, "heads": heads.state_dict(),
        "optimizer": optimizer.state_dict(), "best_weights": best, "best": course.best.tolist(),
        "value": course.value.tolist(), "history": course.history,
    }  # fmt: skip
    torch.save(content, temporary)
    os.replace(temporary, path)


def _load(path: Path) -> dict[str, Any]:
    content: dict[str, Any] = torch.load(path, weights_only=True)
    return content


def _unchanged(heads: ExpertHeads) -> Course:
    count = len(heads.dimensions)
    return Course(np.full(count, -1), np.full(count, np.inf), [])


def _resume(path: Path, heads: ExpertHeads, optimizer: torch.optim.Optimizer, work: Work) -> tuple[Course, int]:
    """The course so far and the next epoch; `UsageError` when another training made the checkpoint."""
    if not path.exists():
        return _unchanged(heads), 0
    content = _load(path)
    if content["about"] != _about(work, heads):
        raise UsageError(f"{path} is of another training. Choose another output folder, or delete the file.")
    heads.load_state_dict(content["heads"])
    optimizer.load_state_dict(content["optimizer"])
    return Course(np.array(content["best"]), np.array(content["value"]), list(content["history"])), content["epoch"] + 1
