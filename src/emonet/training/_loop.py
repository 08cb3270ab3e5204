"""What both training loops share: the learning rate's course, averaged weights, checkpoints, the recipe's facts."""

from __future__ import annotations

import hashlib
import json
import math
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from emonet.errors import UsageError

CHECKPOINT = "checkpoint.pt"
_RELEVANT = ("seed", "preprocessing", "network", "pretrained", "training", "augmentation", "targets", "sources")


@dataclass(frozen=True, slots=True, eq=False)
class State:
    """What a run must remember: `average` is the moving average of `network`'s weights, which ships."""

    network: torch.nn.Module
    average: torch.nn.Module
    optimizer: torch.optim.Optimizer


def device() -> torch.device:
    """Where to train: a graphics card when torch finds one, else the processor."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def schedule(progress: float, warmup: float) -> float:
    """Share of the learning rate at `progress` 0..1: a linear rise over `warmup`, then half a cosine down to 0."""
    if progress < warmup:
        return max(progress / warmup, 0.02)
    return 0.5 * (1 + math.cos(math.pi * (progress - warmup) / (1 - warmup)))


@torch.no_grad()
def average_weights(average: torch.nn.Module, network: torch.nn.Module, keep: float) -> None:
    """Move `average` towards `network`, keeping the share `keep` of what it is; counters are copied."""
    for old, new in zip(average.state_dict().values(), network.state_dict().values(), strict=True):
        if old.is_floating_point():
            old.lerp_(new, 1 - keep)
        else:
            old.copy_(new)


def save_checkpoint(
    output: Path, recipe: Mapping[str, Any], state: State, epoch: int, history: Sequence[Mapping[str, float]]
) -> None:
    """Write the state after `epoch` whole epochs to `output`, and the course so far to `history.json` beside it."""
    output.mkdir(parents=True, exist_ok=True)
    temporary = output / f".{CHECKPOINT}"
    content = {
        "recipe": _relevant(recipe),
        "network": state.network.state_dict(),
        "average": state.average.state_dict(),
        "optimizer": state.optimizer.state_dict(),
        "epoch": epoch,
        "history": list(history),
    }
    torch.save(content, temporary)
    os.replace(temporary, output / CHECKPOINT)
    beside = output / ".history.json"
    beside.write_text(json.dumps(list(history), indent=1) + "\n", encoding="utf-8")
    os.replace(beside, output / "history.json")


def load_checkpoint(output: Path, recipe: Mapping[str, Any], state: State) -> tuple[int, list[dict[str, float]]]:
    """Fill `state` from the checkpoint in `output`: (whole epochs done, their history); (0, []) without one.

    Raises UsageError when another recipe made it.
    """
    path = output / CHECKPOINT
    if not path.is_file():
        return 0, []
    content = torch.load(path, map_location="cpu", weights_only=True)
    if content["recipe"] != _relevant(recipe):
        raise UsageError(f"{path} was made by another recipe. Choose another output folder or do not resume.")
    state.network.load_state_dict(content["network"])
    state.average.load_state_dict(content["average"])
    state.optimizer.load_state_dict(content["optimizer"])
    return int(content["epoch"]), content.get("history", [])


def _relevant(recipe: Mapping[str, Any]) -> str:
    """What a checkpoint depends on: everything but the rules for the card."""
    return json.dumps({part: recipe[part] for part in _RELEVANT if part in recipe}, sort_keys=True)


def recipe_facts(recipe: Mapping[str, Any]) -> dict[str, str | int | float | bool]:
    """The recipe's seed, hash and plain settings, for the card."""
    digest = hashlib.sha256(json.dumps(recipe, sort_keys=True).encode()).hexdigest()
    facts: dict[str, str | int | float | bool] = {"seed": recipe["seed"], "sha256": digest}
    for table in ("training", "support"):
        facts |= {f"{table}.{k}": v for k, v in recipe[table].items() if isinstance(v, str | int | float | bool)}
    return facts
