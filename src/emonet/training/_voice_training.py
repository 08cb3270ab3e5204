"""Training the embedded voice model: one network, a masked loss, a checkpoint per epoch, and the finished bundle.

Symbols: n clips, d = 40 emotions, S samples, E embedding size.
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
from emonet.models._card import AudioPreprocessing
from emonet.training._loop import State, average_weights, device, load_checkpoint, save_checkpoint, schedule
from emonet.training._manifest import Item, read_manifest
from emonet.training._pretrained import start_from
from emonet.training._voice_data import Clips, Wave, as_heard, open_clips, own_length_batches, training_batches
from emonet.training._voice_network import VoiceNetwork, round_weights
from emonet.training._voice_targets import Targets, make_targets, validation_rows

Report = Callable[[str], None]


def train_voice(
    recipe: Mapping[str, Any], *, data: Path, output: Path, resume: bool = True, report: Report = print
) -> Path:
    """Train as `recipe` says on the voices of `data/manifest.csv`; returns the bundle folder `output/bundle`, beside
    which `card.md` tells its measured quality.

    `output` keeps the samples, the published weights that the encoder starts from, a checkpoint per epoch,
    `history.json` and `scores.npz`; a run that was stopped goes on from the last complete epoch unless `resume` is
    False. The test split is scored once, after training, scaling, calibration and the choice of emotions. Progress
    goes to `report`, one line per epoch with the time left.

    Raises UsageError when the list of media, a clip or the recipe is wrong.
    """
    from emonet.training._card_pages import bundle_pages
    from emonet.training._card_sections import write_pages
    from emonet.training._voice_card import finish_bundle
    from emonet.training._voice_page import VOICE

    torch.set_num_threads(int(recipe["training"].get("threads", 1)))
    items = select_items(recipe, data)
    spec = preprocessing(recipe)
    output.mkdir(parents=True, exist_ok=True)
    clips = open_clips(items, spec, output, report=report)
    targets = make_targets(items, recipe, data)
    validation = validation_rows(items, recipe)
    test = np.asarray([item.split == "test" for item in items], bool)
    network = fit(recipe, clips, targets, np.flatnonzero(~validation & ~test), output, resume=resume, report=report)
    bundle = finish_bundle(
        recipe, network=network, items=items, clips=clips, targets=targets, validation=validation, output=output,
        report=report,
    )  # fmt: skip
    write_pages(bundle_pages(VOICE, bundle), output)
    return bundle


def select_items(recipe: Mapping[str, Any], data: Path) -> list[Item]:
    """The voices of the recipe's sources; UsageError when a source has none."""
    items = [item for item in read_manifest(data, "voice") if item.source in recipe["sources"]]
    if absent := sorted(set(recipe["sources"]) - {item.source for item in items}):
        raise UsageError(f"{data}: no voices of {', '.join(absent)}, which the recipe names under [sources].")
    return items


def preprocessing(recipe: Mapping[str, Any]) -> AudioPreprocessing:
    """The bundle's front end."""
    return AudioPreprocessing(front_end="waveform", **recipe["preprocessing"])


def fit(
    recipe: Mapping[str, Any],
    clips: Clips,
    targets: Targets,
    rows: NDArray[np.int64],
    output: Path,
    *,
    resume: bool = True,
    report: Report = print,
) -> VoiceNetwork:
    """The network with averaged weights after all epochs over the clips `rows`, in evaluation mode, its weights rounded
    to the 8 bits that the bundle holds."""
    settings = recipe["training"]
    torch.manual_seed(recipe["seed"])
    network = VoiceNetwork(recipe["network"], corpora=targets.corpora)
    if "pretrained" in recipe:
        start_from(network.encoder.speech, recipe["pretrained"], output)
    average = VoiceNetwork(recipe["network"], corpora=targets.corpora)
    average.load_state_dict(network.state_dict())
    network.to(device())
    average.to(device())
    optimizer = _optimizer(network, settings)
    steps = settings["epochs"] * (len(rows) // min(settings["batch"], len(rows)))
    state = State(network, average, optimizer)
    first, history = load_checkpoint(output, recipe, state) if resume else (0, [])
    if first:
        report(f"resuming after epoch {first}/{settings['epochs']}")
    began = time.monotonic()
    for epoch in range(first, settings["epochs"]):
        torch.manual_seed(recipe["seed"] + 1000 + epoch)
        step = epoch * (steps // settings["epochs"])
        loss, seen = _one_epoch(recipe, network, average, optimizer, clips, targets, rows, epoch, step, steps)
        history.append({"epoch": epoch + 1, "loss": round(loss, 5)})
        save_checkpoint(output, recipe, state, epoch + 1, history)
        spent = time.monotonic() - began
        left = spent / (epoch + 1 - first) * (settings["epochs"] - epoch - 1)
        rate = seen * (epoch + 1 - first) / spent
        report(f"epoch {epoch + 1}/{settings['epochs']} loss {loss:.4f} {rate:.0f} clips/s {left / 60:.1f} min left")
    average.cpu()
    round_weights(average.encoder)
    return average.eval()


def embed(
    network: VoiceNetwork, clips: Clips, rows: NDArray[np.int64], spec: AudioPreprocessing
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """(embeddings [n, E], emotion logits [n, 40]) of unchanged clips at their own length, in the order of `rows`."""
    place = {int(row): i for i, row in enumerate(rows)}
    embeddings = np.zeros((len(rows), network.emotions.in_features), np.float32)
    logits = np.zeros((len(rows), network.emotions.out_features), np.float32)
    with torch.inference_mode():
        for part, samples in own_length_batches(clips, rows, spec):
            embedding, logit = network(torch.from_numpy(samples))
            at = [place[int(row)] for row in part]
            embeddings[at], logits[at] = embedding.numpy(), logit.numpy()
    return embeddings, logits


def logits_of(network: VoiceNetwork, waves: Sequence[Wave], spec: AudioPreprocessing) -> NDArray[np.float32]:
    """Emotion logits float32 [n, 40] of samples as they are."""
    with torch.inference_mode():
        heard = (torch.from_numpy(as_heard(wave, spec))[None] for wave in waves)
        return np.concatenate([network(one)[1].numpy() for one in heard])


def _one_epoch(
    recipe: Mapping[str, Any],
    network: VoiceNetwork,
    average: VoiceNetwork,
    optimizer: torch.optim.Optimizer,
    clips: Clips,
    targets: Targets,
    rows: NDArray[np.int64],
    epoch: int,
    step: int,
    steps: int,
) -> tuple[float, int]:
    settings = recipe["training"]
    network.train()
    losses, seen = [], 0
    for part, samples in training_batches(clips, rows, targets.source, recipe, epoch):
        for group in optimizer.param_groups:
            group["lr"] = group["full"] * schedule(step / steps, settings["warmup"])
        heard = torch.from_numpy(samples).to(device())
        with torch.autocast(heard.device.type, torch.bfloat16, enabled=settings["bfloat16"]):  # up to twice as fast
            embedding, logits = network(heard)
        loss = _loss(network, embedding.float(), logits.float(), targets, part, settings)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimizer.step()
        step += 1
        average_weights(average, network, min(settings["average"], step / (step + 10)))
        losses.append(float(loss.detach()))
        seen += len(part)
    return float(np.mean(losses)), seen


def _loss(
    network: VoiceNetwork,
    embedding: Tensor,
    logits: Tensor,
    targets: Targets,
    rows: NDArray[np.int64],
    settings: Mapping[str, Any],
) -> Tensor:
    """Masked binary cross-entropy over the emotions, plus cross-entropy over each corpus's own classes.

    The corpora's own classes teach the encoder what the emotions lump together (guilt and shame), from the same clips.
    """
    where = logits.device
    weight = torch.from_numpy(targets.weight[rows]).to(where)
    aim = torch.from_numpy(targets.target[rows]).to(where)
    positive = torch.tensor(settings["positive_weight"], device=where)
    cells = F.binary_cross_entropy_with_logits(logits, aim, weight, pos_weight=positive, reduction="sum")
    loss = settings["emotion_loss"] * cells / weight.sum().clamp_min(1.0)
    for name, head in network.corpora.items():
        own = np.asarray([targets.source[row] == name for row in rows])
        if not own.any():
            continue
        labels = torch.from_numpy(targets.classes[rows[own]]).to(where)
        answers = head(embedding[torch.from_numpy(own).to(where)])
        entropy = F.cross_entropy(answers, labels, label_smoothing=settings["corpus_smoothing"])
        kind = "auxiliary_loss" if name in targets.auxiliary else "corpus_loss"
        loss = loss + settings[kind] * entropy * float(own.mean())
    return loss


def _optimizer(network: VoiceNetwork, settings: Mapping[str, Any]) -> torch.optim.Optimizer:
    """AdamW; published weights learn at `pretrained_rate` of the rate, biases and norms do not decay."""
    for name, parameter in network.encoder.speech.named_parameters():
        parameter.requires_grad_(not (settings["frozen_stem"] and not name.startswith("layers.")))
    learnt = [(name, p) for name, p in network.named_parameters() if p.requires_grad]
    groups = []
    for rate, own in ((settings["pretrained_rate"], True), (1.0, False)):
        part = [p for name, p in learnt if name.startswith("encoder.speech.") == own]
        for decay, dims in ((settings["weight_decay"], True), (0.0, False)):
            chosen = [p for p in part if (p.ndim > 1) == dims]
            groups.append({"params": chosen, "weight_decay": decay, "full": settings["learning_rate"] * rate})
    return torch.optim.AdamW(groups, lr=settings["learning_rate"], betas=(0.9, 0.98))
