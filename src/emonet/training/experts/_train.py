"""The whole training of expert heads: features, stages, figures, files."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from emonet.datasets import LabelledSet
from emonet.errors import UsageError
from emonet.models import Card, Model, load_model, write_bundle
from emonet.taxonomy import ATTRIBUTES, EMOTIONS, Modality
from emonet.training._card_sections import write_pages
from emonet.training.experts._features import cache_features, feature_size, item_decoder
from emonet.training.experts._fit import Course, Work, fit_stage
from emonet.training.experts._heads import ExpertHeads, join_heads, write_official
from emonet.training.experts._measure import calibrate, metrics, neutral_means, score_part
from emonet.training.experts._page import expert_page
from emonet.training.experts._records import Options, Stage
from emonet.training.experts._targets import make_targets

_SCALES: Mapping[Modality, tuple[float, float]] = {"face": (0.0, 7.0), "voice": (0.0, 4.0)}
Say = Callable[[str], None]


def train(
    encoder: str | Path, stages: Sequence[Stage], output: Path, options: Options, name: str, licence: str, say: Say
) -> Card:
    """See `train_experts`."""
    model = load_model(encoder, runtime="onnxruntime", precision="fp32")
    _check(stages, model)
    dimensions = trained_dimensions(stages, model.card.modality)
    scales = [scale_of(dimension, model.card.modality) for dimension in dimensions]
    works = [_work(stage, model, dimensions, scales, output, options, say) for stage in stages]
    parts: list[ExpertHeads] = []
    courses: list[list[Course]] = [[] for _ in stages]
    sizes = (feature_size(model), *options.hidden, 1)
    step = options.at_once or len(dimensions)
    for start in range(0, len(dimensions), step):
        keys = dimensions[start : start + step]
        heads = ExpertHeads(keys, sizes, options.dropout, options.seed)
        heads.start_at(torch.from_numpy(usual_level(works[0], slice(start, start + step))))
        for number, work in enumerate(works):
            path = output / "checkpoints" / f"{number}-{work.stage.name}-{start:03d}.pt"
            own = _columns(work, slice(start, start + step))
            courses[number].append(fit_stage(heads, own, path, progress=say))
        parts.append(heads.cpu())
    return _write(model, parts, dimensions, works, courses, output, options, name, licence)


def trained_dimensions(stages: Sequence[Stage], modality: Modality) -> tuple[str, ...]:
    """What the sets of all stages rate, in the taxonomy's order."""
    rated = {dimension for stage in stages for one in stage.sets for dimension in one.dimensions}
    known = [emotion.key for emotion in EMOTIONS]
    known += [attribute.key for attribute in ATTRIBUTES if attribute.modality == modality]
    return tuple(key for key in known if key in rated)


def usual_level(work: Work, part: slice) -> NDArray[np.float32]:
    """Mean of the graded training labels of some heads, float32 [h]; half the scale where there are none."""
    rows = work.targets.rows("train")
    graded = work.targets.graded[rows, part]
    known = np.isfinite(graded)
    middle = np.array([(low + high) / 2 for low, high in work.scales[part]], np.float32)
    count = known.sum(axis=0)
    return np.where(count > 0, np.where(known, graded, 0).sum(axis=0) / np.maximum(count, 1), middle).astype(np.float32)


def scale_of(dimension: str, modality: Modality) -> tuple[float, float]:
    """Low and high end of the published scale of a dimension."""
    for attribute in ATTRIBUTES:
        if attribute.key == dimension and attribute.modality == modality:
            return attribute.low, attribute.high
    return _SCALES[modality]


def _check(stages: Sequence[Stage], model: Model) -> None:
    names = [stage.name for stage in stages]
    if len(set(names)) < len(names):
        raise UsageError(f"Two stages are called {max(names, key=names.count)!r}; each needs a name of its own.")
    for stage in stages:
        for one in stage.sets:
            if one.modality != model.card.modality:
                raise UsageError(
                    f"Stage {stage.name!r}: the set {one.name!r} is of the modality {one.modality}, the encoder "
                    f"{model.card.id} of {model.card.modality}."
                )


def _work(
    stage: Stage, model: Model, dimensions: Sequence[str], scales: Sequence[tuple[float, float]], output: Path,
    options: Options, say: Say,
) -> Work:  # fmt: skip
    decode = item_decoder(model.card)
    features = [
        cache_features(model, one, output / "features" / one.name.replace("/", "_"), decode=decode, progress=say)
        for one in stage.sets
    ]
    targets = make_targets(stage.sets, dimensions, scales, options, stage.hold_out)
    return Work(stage, [found.rows for found in features], targets, scales, options)


def _columns(work: Work, part: slice) -> Work:
    """The same work for some of the heads."""
    from dataclasses import replace

    targets = work.targets
    held = targets.validation
    own = replace(
        targets,
        graded=np.ascontiguousarray(targets.graded[:, part]),
        present=np.ascontiguousarray(targets.present[:, part]),
        weight=np.ascontiguousarray(targets.weight[:, part]),
        validation=None if held is None else (held[0][:, part], held[1][:, part]),
    )
    return replace(work, targets=own, scales=work.scales[part])


def _write(
    model: Model, parts: Sequence[ExpertHeads], dimensions: Sequence[str], works: Sequence[Work],
    courses: Sequence[Sequence[Course]], output: Path, options: Options, name: str, licence: str,
) -> Card:  # fmt: skip
    last = works[-1]
    card, scales = model.card, last.scales
    kind = "sequence" if card.encoder.output == "sequence" else "embedding"
    write_official(parts, output / "official", card.modality)
    data = f"{' and '.join(one.name for one in last.stage.sets)}, clusters kept apart"
    tested = score_part(parts, dimensions, last, "test")
    fields = _card_fields(card, dimensions, scales, works, name, licence, options) | {
        "neutral_means": neutral_means(parts, dimensions, last),
        "calibration": calibrate(score_part(parts, dimensions, last, "calibration"), dimensions, scales, data, options),
        "metrics": metrics(tested, dimensions, data, options),
    }
    written = write_bundle(
        output / "bundle",
        encoder_onnx=model.folder / card.encoder.file,
        groups=[join_heads(parts, dimensions, kind)],
        card=fields,
    )
    _write_history(output, dimensions, works, courses)
    write_pages({"card.md": expert_page(written)}, output)
    return written


def _card_fields(
    card: Card, dimensions: Sequence[str], scales: Sequence[tuple[float, float]], works: Sequence[Work], name: str,
    licence: str, options: Options,
) -> dict[str, Any]:  # fmt: skip
    sets: dict[str, tuple[LabelledSet, str]] = {}
    for work in works:
        for one in work.stage.sets:
            sets.setdefault(one.name, (one, work.stage.name))
    untold = "licence to be stated by whoever publishes the heads: that of the encoder and of all training data holds"
    return {
        "id": name,
        "title": f"Expert heads on {card.title}",
        "modality": card.modality,
        "dimensions": tuple(dimensions),
        "scale": {
            key: {"low": low, "high": high, "meaning": "intensity as people perceive it"}
            for key, (low, high) in zip(dimensions, scales, strict=True)
        },
        "preprocessing": card.preprocessing,
        "encoder": {
            "output": card.encoder.output,
            "frames": card.encoder.frames,
            "size": card.encoder.size,
            "l2_normalize": card.encoder.l2_normalize,
        },
        "neutral_source": "mean over the neutral items of the last stage's training part",
        "evidence": {key: {"kind": "direct", "detail": "trained on ratings of this dimension"} for key in dimensions},
        "training_data": [
            {"name": one.name, "url": one.source, "licence": one.licence or "not stated", "items": one.items.height,
             "use": stage}
            for one, stage in sets.values()
        ],
        "licence": licence or untold,
        "source": f"heads trained by emonet on the frozen encoder of {card.id} revision {card.revision}",
        "recipe": {"seed": options.seed, "hidden": "-".join(map(str, options.hidden)), "dropout": options.dropout,
                   "stages": ", ".join(work.stage.name for work in works)},
    }  # fmt: skip


def _write_history(
    output: Path, dimensions: Sequence[str], works: Sequence[Work], courses: Sequence[Sequence[Course]]
) -> None:
    """`history.json`: for each stage the course of the losses, and the epoch that each head was taken from."""
    content = []
    for work, found in zip(works, courses, strict=True):
        best = [int(epoch) for course in found for epoch in course.best]
        content.append({
            "stage": work.stage.name,
            "history": [course.history for course in found],
            "best_epoch": dict(zip(dimensions, best, strict=True)),
        })  # fmt: skip
    temporary = output / ".history.json"
    temporary.write_text(json.dumps(content, indent=1), encoding="utf-8")
    temporary.replace(output / "history.json")
