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
from emonet.training._face_changes import changed
from emonet.training._face_data import Faces, copies, open_faces, plain
from emonet.training._face_network import FaceNetwork
from emonet.training._face_targets import vote_shares
from emonet.training._loop import State, average_weights, load_checkpoint, save_checkpoint, schedule
from emonet.training._manifest import Item, read_manifest

_LARGE_GROUP = 50  # more pictures under one subject name are not one person
Report = Callable[[str], None]


def train_face(
    recipe: Mapping[str, Any], *, data: Path, output: Path, resume: bool = True, report: Report = print
) -> Path:
    """Train as `recipe` says on the faces of `data/manifest.csv`; returns the bundle folder `output/bundle`, beside
    which `card.md` tells its measured quality.

    `output` keeps the decoded pictures and a checkpoint per epoch; a run that was stopped goes on from the last
    complete epoch unless `resume` is False. The test split is scored once, by the finished bundle. Progress goes to
    `report`, one line per epoch with the time left. Raises UsageError when the list of media or the recipe is wrong,
    and MissingExtraError when the recipe wants a tier and the extra `quantize` is absent.
    """
    from emonet.training._card_pages import bundle_pages
    from emonet.training._card_sections import write_pages
    from emonet.training._face_card import finish_bundle
    from emonet.training._face_page import FACE
    from emonet.training._face_tiers import check_tiers

    check_tiers(recipe)
    torch.set_num_threads(int(recipe["training"].get("threads", 1)))
    items, shares = labelled(recipe, data)
    faces = open_faces(items, recipe["preprocessing"]["margin"], output, report=report)
    train, validation = parts(items, faces, recipe)
    sources = np.asarray([item.source for item in items])
    network = fit(recipe, faces, shares, np.flatnonzero(train), output, sources=sources, resume=resume, report=report)
    bundle = finish_bundle(
        recipe, network=network, items=items, faces=faces, shares=shares, train=train, validation=validation, data=data,
        output=output, report=report,
    )  # fmt: skip
    write_pages(bundle_pages(FACE, bundle), output)
    return bundle


def labelled(recipe: Mapping[str, Any], data: Path) -> tuple[list[Item], NDArray[np.float32]]:
    """The recipe's faces with a usable label, and their shares float32 [n, c]; UsageError when a source has none.

    Of sources under `evaluation` only the test split is read, to be measured and nothing else.
    """
    learnt, asked = set(recipe["sources"]), set(recipe.get("evaluation", {}))
    items = [
        item
        for item in read_manifest(data, "face")
        if item.source in learnt or (item.source in asked and item.split == "test")
    ]
    if absent := sorted((learnt | asked) - {item.source for item in items}):
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
    sources: NDArray[np.str_] | None = None,
    resume: bool = True,
    report: Report = print,
) -> FaceNetwork:
    """The network with averaged weights after all epochs over the pictures `rows`, in evaluation mode.

    `sources` [n] names where each picture is from; an epoch shows those of a small source more than once, as
    `source_power` says.
    """
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
        shown = epoch_order(rows, sources, settings.get("source_power", 0.0), seed=[recipe["seed"], epoch, 1])
        loss = _one_epoch(recipe, network, average, optimizer, faces, shares, shown, epoch)
        history.append({"epoch": epoch + 1, "loss": round(loss, 5)})
        save_checkpoint(output, recipe, state, epoch + 1, history)
        spent = (time.monotonic() - began) / (epoch + 1 - first)
        left = spent * (settings["epochs"] - epoch - 1) / 60
        rate = len(rows) / spent
        report(f"epoch {epoch + 1}/{settings['epochs']} loss {loss:.4f} {rate:.0f} pictures/s {left:.1f} min left")
    return average.eval()


def epoch_order(
    rows: NDArray[np.int64], sources: NDArray[np.str_] | None, power: float, *, seed: Sequence[int]
) -> NDArray[np.int64]:
    """The pictures of one epoch in order, as many as `rows`, each source with a share as its size to 1 - `power`.

    0 shows every picture once, 1 shows each source equally often; a picture comes again only when all of its source
    have been shown.
    """
    random = np.random.default_rng(list(seed))
    if sources is None or power == 0:
        return random.permutation(rows)
    names, sizes = np.unique(sources[rows], return_counts=True)
    counts = np.round(len(rows) * sizes ** (1 - power) / (sizes ** (1 - power)).sum()).astype(int)
    counts[sizes.argmax()] += len(rows) - counts.sum()
    drawn = []
    for name, count in zip(names, counts, strict=True):
        own = rows[sources[rows] == name]
        turns = -(-count // len(own))
        drawn.append(np.concatenate([random.permutation(own) for _ in range(turns)])[:count])
    return random.permutation(np.concatenate(drawn))


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
    network.train()
    losses = []
    for number in range(per_epoch):
        part = rows[number * size : (number + 1) * size]
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
