"""Training the embedded face model: vote shares of eight expressions, a checkpoint per epoch, and the finished bundle.

Symbols: n pictures, c expressions.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from emonet.errors import UsageError
from emonet.training._face_data import Faces, changed, copies, open_faces, plain
from emonet.training._face_network import FaceNetwork
from emonet.training._face_targets import vote_shares
from emonet.training._loop import State, average_weights, load_checkpoint, save_checkpoint, schedule
from emonet.training._manifest import Item, read_manifest

_LARGE_GROUP = 50  # more pictures under one subject name are not one person
Report = Callable[[str], None]


def train_face(
    recipe: Mapping[str, Any], *, data: Path, output: Path, resume: bool = True, report: Report = print
) -> Path:
    """Train as `recipe` says on the faces of `data/manifest.csv`; returns the bundle folder `output/bundle`.

    `output` keeps the decoded pictures and a checkpoint per epoch; a run that was stopped goes on from the last
    complete epoch unless `resume` is False. The test split is scored once, by the finished bundle. Progress goes to
    `report`, one line per epoch with the time left. Raises UsageError when the list of media or the recipe is wrong.
    """
    from emonet.training._face_card import finish_bundle

    torch.set_num_threads(int(recipe["training"].get("threads", 1)))
    items, shares = labelled(recipe, data)
    faces = open_faces(items, recipe["preprocessing"]["margin"], output, report=report)
    train, validation = parts(items, faces, recipe)
    network = fit(recipe, faces, shares, np.flatnonzero(train), output, resume=resume, report=report)
    return finish_bundle(
        recipe, network=network, items=items, faces=faces, shares=shares, train=train, validation=validation, data=data,
        output=output, report=report,
    )  # fmt: skip


def labelled(recipe: Mapping[str, Any], data: Path) -> tuple[list[Item], NDArray[np.float32]]:
    """The recipe's faces with a usable label, and their shares float32 [n, c]; UsageError when a source has none."""
    items = [item for item in read_manifest(data, "face") if item.source in recipe["sources"]]
    if absent := sorted(set(recipe["sources"]) - {item.source for item in items}):
        raise UsageError(f"{data}: no faces of {', '.join(absent)}, which the recipe names under [sources].")
    pairs = [(item, shares) for item in items if (shares := vote_shares(item, recipe)) is not None]
    return [item for item, _ in pairs], np.stack([shares for _, shares in pairs])


def parts(
    items: Sequence[Item], faces: Faces, recipe: Mapping[str, Any]
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """(training [n], validation [n]): faces that were found, none of them a copy of a picture held out from it."""
    validation, test = splits(items, recipe)
    validation &= faces.found & ~copies(faces, validation, test)
    train = ~splits(items, recipe)[0] & ~test & faces.found
    return train & ~copies(faces, train, validation | test), validation


def splits(items: Sequence[Item], recipe: Mapping[str, Any]) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """(validation [n], test [n]); validation is drawn from the training split by person where persons are named."""
    test = np.asarray([item.split == "test" for item in items], bool)
    groups = np.asarray([item.subject or item.key for item in items])
    names, sizes = np.unique(groups[~test], return_counts=True)
    eligible = names[sizes <= _LARGE_GROUP]
    draw = np.random.default_rng(recipe["seed"])
    chosen = draw.permutation(eligible)[: round(len(eligible) * recipe["targets"]["validation_share"])]
    return np.isin(groups, chosen) & ~test, test


def fit(
    recipe: Mapping[str, Any],
    faces: Faces,
    shares: NDArray[np.float32],
    rows: NDArray[np.int64],
    output: Path,
    *,
    resume: bool = True,
    report: Report = print,
) -> FaceNetwork:
    """The network with averaged weights after all epochs over the pictures `rows`, in evaluation mode."""
    settings = recipe["training"]
    torch.manual_seed(recipe["seed"])
    network, average = _network(recipe), _network(recipe)
    average.load_state_dict(network.state_dict())
    optimizer = torch.optim.AdamW(
        network.parameters(), lr=settings["learning_rate"], weight_decay=settings["weight_decay"]
    )
    state = State(network, average, optimizer)
    first, history = load_checkpoint(output, recipe, state) if resume else (0, [])
    if first:
        report(f"resuming after epoch {first}/{settings['epochs']}")
    began = time.monotonic()
    for epoch in range(first, settings["epochs"]):
        loss = _one_epoch(recipe, network, average, optimizer, faces, shares, rows, epoch)
        history.append({"epoch": epoch + 1, "loss": round(loss, 5)})
        save_checkpoint(output, recipe, state, epoch + 1, history)
        spent = (time.monotonic() - began) / (epoch + 1 - first)
        left = spent * (settings["epochs"] - epoch - 1) / 60
        rate = len(rows) / spent
        report(f"epoch {epoch + 1}/{settings['epochs']} loss {loss:.4f} {rate:.0f} pictures/s {left:.1f} min left")
    return average.eval()


def logits_of(
    network: FaceNetwork, faces: Faces, rows: NDArray[np.int64], recipe: Mapping[str, Any]
) -> NDArray[np.float32]:
    """Logits float32 [rows, c] of unchanged pictures."""
    parts = []
    with torch.inference_mode():
        for start in range(0, len(rows), 256):
            parts.append(network(plain(faces, rows[start : start + 256], recipe["preprocessing"])).numpy())
    return np.concatenate(parts)


def _one_epoch(
    recipe: Mapping[str, Any],
    network: FaceNetwork,
    average: FaceNetwork,
    optimizer: torch.optim.Optimizer,
    faces: Faces,
    shares: NDArray[np.float32],
    rows: NDArray[np.int64],
    epoch: int,
) -> float:
    settings = recipe["training"]
    torch.manual_seed(recipe["seed"] + 1000 + epoch)  # dropout
    draw = torch.Generator().manual_seed(recipe["seed"] + 2000 + epoch)
    random = np.random.default_rng([recipe["seed"], epoch])
    weight = _class_weights(shares[rows], settings["class_weight_power"])
    size = min(settings["batch"], len(rows))
    per_epoch = len(rows) // size
    order = random.permutation(rows)
    network.train()
    losses = []
    for number in range(per_epoch):
        part = order[number * size : (number + 1) * size]
        step = epoch * per_epoch + number
        for group in optimizer.param_groups:
            progress = step / (per_epoch * settings["epochs"])
            group["lr"] = settings["learning_rate"] * schedule(progress, settings["warmup"])
        x = changed(faces, part, recipe["preprocessing"], recipe["augmentation"], draw)
        y = torch.from_numpy(shares[part])
        if random.random() < settings["mixup_share"]:
            share, other = float(random.beta(settings["mixup"], settings["mixup"])), random.permutation(size)
            x, y = share * x + (1 - share) * x[other], share * y + (1 - share) * y[other]
        with torch.autocast("cpu", torch.bfloat16, enabled=settings["bfloat16"]):  # twice as fast where supported
            logits = network(x.contiguous(memory_format=torch.channels_last))
        loss = -(y * weight * F.log_softmax(logits.float(), dim=1)).sum(1).mean()
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
        average_weights(average, network, min(settings["average"], (step + 1) / (step + 10)))
        losses.append(float(loss.detach()))
    return float(np.mean(losses))


def _network(recipe: Mapping[str, Any]) -> FaceNetwork:
    network = FaceNetwork(
        recipe["network"],
        channels=recipe["preprocessing"]["channels"],
        classes=len(recipe["targets"]["classes"]),
    )
    return network.to(memory_format=torch.channels_last)


def _class_weights(shares: NDArray[np.float32], power: float) -> Tensor:
    """float32 [c]; rarer expressions weigh more, the mean over all labels is 1."""
    frequency = shares.mean(axis=0)
    weight = np.maximum(frequency, 1e-4) ** -power
    return torch.from_numpy((weight / (weight * frequency).sum()).astype(np.float32))
