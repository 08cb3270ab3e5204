"""Train the embedded face detector from a recipe: scenes on the fly, focal score loss, box overlap loss, ONNX out."""

from __future__ import annotations

import hashlib
import json
import os
import time
import tomllib
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from emonet import errors
from emonet.training import _detector_backgrounds as backgrounds
from emonet.training._detector_card import write_detector
from emonet.training._detector_labels import LabelledFace, labelled_faces
from emonet.training._detector_network import STRIDE, FaceNetwork
from emonet.training._detector_scenes import LARGEST, SMALLEST, Scene, SceneMaker

_CORE, _RING = 0.2, 0.35  # shares of the face's size around its centre: face cells, then cells that do not count

# n scenes, r x c cells; a batch is (pixels [n, 1, h, w], positive [n, r, c], counts [n, r, c], boxes [n, 4, r, c])
Batch = tuple[Tensor, Tensor, Tensor, Tensor]


def train_detector(recipe: Path, data: Path, output: Path) -> Path:
    """Train what `recipe` (TOML: [network], [training]) says on the faces of `data`/manifest.csv.

    Only faces of split `train` are used; one in ten of them (by person) chooses the threshold, and split `test` is only
    measured. Writes `output`/detector (face-detector.onnx and its card face-detector.json: what the package ships) and
    `output`/training.json (recipe, seconds, losses); returns `output`/detector. `output`/boxes.json keeps the pseudo
    boxes for the next run. Raises `UsageError` for another kind of recipe or a folder without faces.
    """
    settings = tomllib.loads(recipe.read_text(encoding="utf-8"))
    if settings.get("task") != "face-detector":
        raise errors.UsageError(f'{recipe}: expected task = "face-detector", got {settings.get("task")!r}.')
    training = settings["training"]
    torch.set_num_threads(training["threads"])
    torch.manual_seed(training["seed"])
    generator = np.random.default_rng(training["seed"])
    output.mkdir(parents=True, exist_ok=True)
    labelled = labelled_faces(data, output / "boxes.json")
    faces, validation = split_faces(labelled)
    maker = SceneMaker(data, faces, backgrounds.TRAINING_PHOTOGRAPHS, generator, side=training["scene_side"])
    network = FaceNetwork(**settings["network"]).to(memory_format=torch.channels_last)
    log = fit(network, scene_batches(maker, training["batch"]), training, partial(_keep, output=output))
    record = {
        "recipe": settings,
        "faces": len(faces),
        "parameters": sum(p.numel() for p in network.parameters()),
        **log,
    }
    (output / "training.json").write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    return write_detector(
        export(network, output / "face-detector.onnx"), data, labelled, validation, output / "detector", record
    )


def split_faces(faces: Sequence[LabelledFace]) -> tuple[list[LabelledFace], list[LabelledFace]]:
    """Faces to train on and faces to validate on, both of split `train`; pictures of one person stay together."""

    def validates(face: LabelledFace) -> bool:
        person = Path(face.path).stem.rstrip("0123456789") if face.source == "muxspace" else face.path
        return hashlib.sha256(person.encode()).digest()[0] < 26  # about one in ten

    train = [face for face in faces if face.split == "train"]
    return [face for face in train if not validates(face)], [face for face in train if validates(face)]


def scene_batches(maker: SceneMaker, size: int) -> Iterator[Batch]:
    """Endless batches of `size` scenes with their targets."""
    while True:
        yield batch_of([maker.scene() for _ in range(size)])


def batch_of(scenes: Sequence[Scene]) -> Batch:
    """Scenes of equal side to network input and targets."""
    targets = [targets_of(scene) for scene in scenes]
    pixels = torch.from_numpy(np.stack([scene.pixels for scene in scenes])[:, None]).float() / 255
    positive, counts, boxes = (torch.from_numpy(np.stack(part)) for part in zip(*targets, strict=True))
    return pixels.contiguous(memory_format=torch.channels_last), positive, counts, boxes


def targets_of(scene: Scene) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]:
    """For each cell: is it a face's (positive [r, c]), does it count ([r, c]), and that face's box ([4, r, c])."""
    cells = scene.pixels.shape[0] // STRIDE
    centres = (np.arange(cells, dtype=np.float32) + 0.5) * STRIDE
    positive, counts = np.zeros((cells, cells), np.float32), np.ones((cells, cells), np.float32)
    boxes = np.zeros((4, cells, cells), np.float32)
    for left, top, right, bottom in scene.ignored:
        inside = (centres[:, None] > top) & (centres[:, None] < bottom) & (centres > left) & (centres < right)
        counts[inside] = 0
    for box in scene.boxes:
        size = max(box[2] - box[0], box[3] - box[1])
        away = np.maximum(abs(centres[:, None] - (box[1] + box[3]) / 2), abs(centres - (box[0] + box[2]) / 2))
        core = away <= max(_CORE * size, away.min())
        counts[away < _RING * size] = 0
        counts[core], positive[core] = 1, 1
        boxes[:, core] = box[:, None]
    return positive, counts, boxes


def losses(answer: Tensor, positive: Tensor, counts: Tensor, boxes: Tensor) -> tuple[Tensor, Tensor]:
    """Score loss and box loss of the answers [n, 5, r, c].

    The score of a face cell learns the overlap of its own box with the truth (quality focal loss, Li et al. 2020), so
    the best placed box also scores highest; the box loss is 1 - GIoU (Rezatofighi et al. 2019).
    """
    centres = (torch.arange(answer.shape[-1], dtype=torch.float32) + 0.5) * STRIDE
    x, y = centres[None, None, :], centres[None, :, None]
    left, top, right, bottom = x - answer[:, 1], y - answer[:, 2], x + answer[:, 3], y + answer[:, 4]  # each [n, r, c]
    width = torch.minimum(right, boxes[:, 2]) - torch.maximum(left, boxes[:, 0])
    height = torch.minimum(bottom, boxes[:, 3]) - torch.maximum(top, boxes[:, 1])
    shared = width.clamp(min=0) * height.clamp(min=0)
    union = (right - left) * (bottom - top) + (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1]) - shared
    hull = (torch.maximum(right, boxes[:, 2]) - torch.minimum(left, boxes[:, 0])) * (
        torch.maximum(bottom, boxes[:, 3]) - torch.minimum(top, boxes[:, 1])
    )
    overlap = shared / union.clamp(min=1e-3)
    found = positive.sum().clamp(min=1)
    box_loss = ((1 - overlap + (hull - union) / hull.clamp(min=1e-3)) * positive).sum() / found
    quality = (overlap.detach() * 0.5 + 0.5) * positive  # 0.5..1: any face cell is a face, a well placed one more so
    logit = answer[:, 0]
    focus = (torch.sigmoid(logit) - quality).abs() ** 2
    cross = F.binary_cross_entropy_with_logits(logit, quality, reduction="none")
    return (focus * cross * counts).sum() / found, box_loss


def fit(
    network: FaceNetwork,
    batches: Iterator[Batch],
    training: dict[str, Any],
    keep: Callable[[dict[str, Tensor]], None] | None = None,
) -> dict[str, Any]:
    """Train in place with AdamW and a one-cycle rate; the network ends with the running mean of its last weights.

    `keep` receives the mean weights ten times on the way, so that a long run can be looked at and resumed by hand.
    """
    steps = training["steps"]
    optimizer = torch.optim.AdamW(network.parameters(), lr=training["rate"], weight_decay=training["weight_decay"])
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, training["rate"], total_steps=steps, pct_start=0.1)
    mean = torch.optim.swa_utils.AveragedModel(
        network, multi_avg_fn=torch.optim.swa_utils.get_ema_multi_avg_fn(training["mean_decay"]), use_buffers=True
    )
    started, score_sum, box_sum, curve = time.monotonic(), 0.0, 0.0, []
    network.train()
    for step in range(1, steps + 1):
        pixels, positive, counts, boxes = next(batches)
        score_loss, box_loss = losses(network(pixels), positive, counts, boxes)
        optimizer.zero_grad(set_to_none=True)
        (score_loss + box_loss).backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), 5.0)
        optimizer.step()
        schedule.step()
        mean.update_parameters(network)
        score_sum, box_sum = score_sum + score_loss.item(), box_sum + box_loss.item()
        if step % training["report_every"] == 0:
            n = training["report_every"]
            curve.append((step, round(score_sum / n, 4), round(box_sum / n, 4)))
            print(f"step {step}/{steps}: score loss {score_sum / n:.4f}, box loss {box_sum / n:.4f}, "
                  f"{time.monotonic() - started:.0f} s", flush=True)  # fmt: skip
            score_sum = box_sum = 0.0
        if keep is not None and step % max(1, steps // 10) == 0:
            keep(mean.module.state_dict())
    network.load_state_dict(mean.module.state_dict())
    network.eval()
    return {"seconds": round(time.monotonic() - started), "losses": curve}


def _keep(weights: dict[str, Tensor], *, output: Path) -> None:
    temporary = output / "weights.part"
    torch.save(weights, temporary)
    os.replace(temporary, output / "weights.pt")


class _Scored(torch.nn.Module):
    """The network with its logit as a probability: what the ONNX file holds."""

    def __init__(self, network: FaceNetwork) -> None:
        super().__init__()
        self.network = network

    def forward(self, x: Tensor) -> Tensor:
        y = self.network(x)
        return torch.cat([torch.sigmoid(y[:, :1]), y[:, 1:]], 1)


def export(network: FaceNetwork, path: Path) -> Path:
    """ONNX file: `input` float32 [1, 1, h, w] in 0..1 → `faces` [1, 5, r, c]: score, left, top, right, bottom."""
    import onnx

    module = _Scored(network.to(memory_format=torch.contiguous_format)).eval()
    temporary = path.with_suffix(".part.onnx")
    side = torch.export.Dim("rows", min=1, max=2048), torch.export.Dim("columns", min=1, max=2048)
    program = torch.onnx.export(
        module,
        (torch.zeros(1, 1, 96, 128),),
        input_names=["input"],
        output_names=["faces"],
        dynamic_shapes=({2: STRIDE * side[0], 3: STRIDE * side[1]},),
        dynamo=True,
        verbose=False,
    )
    model = program.model_proto
    del model.metadata_props[:]
    for node in model.graph.node:  # the exporter notes source lines of this machine
        del node.metadata_props[:]
        node.doc_string = ""
    for key, value in (("stride", STRIDE), ("smallest", SMALLEST), ("largest", LARGEST)):
        model.metadata_props.add(key=key, value=str(value))
    onnx.checker.check_model(model)
    onnx.save(model, temporary)
    os.replace(temporary, path)
    return path
