"""From a trained voice network to a bundle whose card says what each emotion rests on and how well it was measured.

Symbols: n clips, d = 40 emotions.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from emonet.errors import ModelError
from emonet.models._bundle import write_bundle
from emonet.models._card import Evidence, Metric, Scale, TrainingData
from emonet.statistics import Interval
from emonet.taxonomy import display_name
from emonet.training._export import export_onnx
from emonet.training._loop import recipe_facts
from emonet.training._manifest import Item
from emonet.training._voice_data import Clips, Wave
from emonet.training._voice_figures import baseline_figures, class_figures, test_figures
from emonet.training._voice_measurement import Heard, emotion_auc, positives
from emonet.training._voice_network import VoiceNetwork
from emonet.training._voice_robustness import robustness_metrics
from emonet.training._voice_scaling import Scaling, fit_scaling
from emonet.training._voice_targets import KEYS, Targets, positive_emotions

SCALE = Scale(
    low=0.0,
    high=4.0,
    meaning="Expected intensity given the sound: 0 absent, 3 what speakers asked to act the emotion show, 4 extreme; "
    "unsure heads stay near 1.5. Compare emotions by `relative` or `calibrated`, not by raw.",
)


@dataclass(frozen=True, slots=True, eq=False)
class Scored:
    """A part of the clips with what the network says. `embeddings` float32 [n, E], `logits` float32 [n, d]."""

    items: tuple[Item, ...]
    rows: NDArray[np.int64]
    embeddings: NDArray[np.float32]
    logits: NDArray[np.float32]

    def heard(self, targets: Targets, scores: NDArray[Any]) -> Heard:
        """The measurement's view of these clips with `scores` [n, d]."""
        return Heard(
            relative=np.asarray(scores, np.float64),
            present=targets.present[self.rows],
            corpus=tuple(item.source for item in self.items),
            label=tuple(item.label for item in self.items),
            speaker=tuple(f"{item.source}/{item.subject}" for item in self.items),
            gender=tuple(_gender(item) for item in self.items),
            keys=KEYS,
        )


def finish_bundle(
    recipe: Mapping[str, Any],
    *,
    network: VoiceNetwork,
    items: Sequence[Item],
    clips: Clips,
    targets: Targets,
    validation: NDArray[np.bool_],
    output: Path,
    report: Callable[[str], None] = print,
) -> Path:
    """Scale, calibrate and choose emotions on validation speakers, measure once on test speakers, write the bundle.

    Returns `output/bundle`; `output/scores.npz` holds the test clips' names and raw scores. Raises ModelError when no
    emotion is supported.
    """
    labelled = np.asarray([recipe["sources"][item.source]["role"] == "labels" for item in items], bool)
    test = np.asarray([item.split == "test" for item in items], bool)
    held = _score(recipe, network, items, clips, validation & labelled)
    scaling = _scaling(held, targets, recipe)
    chosen, missing, _ = choose(held.heard(targets, scaling.relative(held.logits)), scaling, recipe, "validation")
    report(f"{len(chosen)} emotions supported on validation speakers; measuring on test speakers")
    tested = _score(recipe, network, items, clips, test & labelled)
    heard = tested.heard(targets, scaling.relative(tested.logits))
    passed, failed, figures = choose(heard, scaling, recipe, "test")
    missing |= {KEYS[column]: failed[KEYS[column]] for column in chosen if column not in passed}
    missing = {key: reason + _taught(targets, key) for key, reason in missing.items()}
    columns = [column for column in chosen if column in passed]
    if not columns:
        raise ModelError(f"No emotion is supported: {json.dumps(missing, indent=1)}")
    metrics = test_figures(recipe, heard, scaling.raw(tested.logits), scaling, columns, figures)
    metrics += class_figures(recipe, network, heard, targets.classes[tested.rows], tested.embeddings)
    metrics += _damage_figures(recipe, network, clips, tested, heard, scaling, columns, report)
    train = np.flatnonzero(~validation & ~test & labelled)
    metrics += baseline_figures(heard, clips, targets, train, tested.rows, columns, recipe)
    heads = scaling.heads(_numpy(network.emotions.weight), _numpy(network.emotions.bias), columns, KEYS)
    encoder = output / "encoder.onnx"
    export_encoder(network, encoder)
    card = _card(recipe, items, targets, scaling, columns, missing, metrics, validation, test)
    write_bundle(output / "bundle", encoder_onnx=encoder, groups=[heads], card=card)
    _save_scores(output / "scores.npz", tested, scaling)
    return output / "bundle"


def choose(
    heard: Heard, scaling: Scaling, recipe: Mapping[str, Any], split: str
) -> tuple[list[int], dict[str, str], dict[int, Interval]]:
    """(columns of the emotions that the recipe's rule lets pass, reason for each other emotion, AUC by column)."""
    rules = recipe["support"]
    passed: list[int] = []
    reasons: dict[str, str] = {}
    figures: dict[int, Interval] = {}
    named = ", ".join(source["name"] for source in recipe["sources"].values() if source["role"] == "labels")
    for column, key in enumerate(KEYS):
        clips, speakers = positives(heard, column)
        if not clips:
            reasons[key] = f"no speaker was asked to act it: none of {named} has such a label"
            continue
        found = figures[column] = emotion_auc(heard, column, seed=recipe["seed"], resamples=rules["resamples"])
        measured = f"AUC {found.value:.2f} [{found.low:.2f}, {found.high:.2f}] on {split} speakers, {clips} clips"
        if clips < rules["min_positives"] or speakers < rules["min_speakers"]:
            reasons[key] = f"too few {split} clips to tell: {clips} of {speakers} speakers"
        elif not np.isfinite(scaling.slope[column]) or not found.low > rules["min_auc_low"]:
            reasons[key] = f"not reliably better than chance: {measured}"
        else:
            passed.append(column)
    return passed, reasons, figures


def _taught(targets: Targets, key: str) -> str:
    """What else there is for an emotion that no speaker was asked to act."""
    column = KEYS.index(key)
    labelled = np.isin(np.asarray(targets.source), [c for c in targets.corpora if c not in targets.auxiliary])
    scored = int((~labelled & (targets.weight[:, column] > 0)).sum())
    if (targets.present[:, column] == 1).any() or not scored:
        return ""
    return f"; {scored} clips have another model's score for it, which cannot show that a person would hear it"


def export_encoder(network: VoiceNetwork, path: Path) -> float:
    """Write the encoder as ONNX for any number of clips and samples, in 8 bits; returns the largest difference."""
    example = 0.1 * torch.randn(2, 24_000, generator=torch.Generator().manual_seed(0))
    axes = {0: "n", 1: "samples"}
    return float(export_onnx(network.encoder.eval(), example, path, dynamic_axes=axes, tolerance=1e-3, eight_bits=True))


def _score(
    recipe: Mapping[str, Any], network: VoiceNetwork, items: Sequence[Item], clips: Clips, rows: NDArray[np.bool_]
) -> Scored:
    from emonet.training._voice_training import embed, preprocessing

    at = np.flatnonzero(rows)
    return Scored(tuple(items[int(i)] for i in at), at, *embed(network, clips, at, preprocessing(recipe)))


def _damage_figures(
    recipe: Mapping[str, Any],
    network: VoiceNetwork,
    clips: Clips,
    tested: Scored,
    heard: Heard,
    scaling: Scaling,
    columns: Sequence[int],
    report: Callable[[str], None],
) -> list[Metric]:
    """Robustness on every `robustness_step`th test clip."""
    from emonet.training._voice_training import logits_of, preprocessing

    rules = recipe["support"]
    part = np.arange(len(tested.rows)) % rules["robustness_step"] == 0

    def scores(waves: Sequence[Wave]) -> NDArray[np.float64]:
        return scaling.relative(logits_of(network, waves, preprocessing(recipe)))

    waves = [clips.wave(int(row)) for row in tested.rows[part]]
    return robustness_metrics(
        heard.only(part), waves, scores, columns, seed=recipe["seed"], resamples=rules["resamples"], report=report
    )


def _scaling(held: Scored, targets: Targets, recipe: Mapping[str, Any]) -> Scaling:
    return fit_scaling(
        held.logits,
        targets.present[held.rows],
        targets.intensity[held.rows],
        targets.neutral[held.rows],
        [item.source for item in held.items],
        min_positives=recipe["support"]["min_positives"],
    )


def _card(
    recipe: Mapping[str, Any],
    items: Sequence[Item],
    targets: Targets,
    scaling: Scaling,
    columns: Sequence[int],
    missing: Mapping[str, str],
    metrics: Sequence[Metric],
    validation: NDArray[np.bool_],
    test: NDArray[np.bool_],
) -> dict[str, Any]:
    train = ~validation & ~test
    from emonet.training._voice_training import preprocessing

    return {
        "id": recipe["id"],
        "title": recipe["title"],
        "modality": "voice",
        "dimensions": KEYS,
        "scale": {"*": SCALE},
        "preprocessing": preprocessing(recipe),
        "encoder": {"output": "embedding", "size": recipe["network"]["embedding"]},
        "neutral_means": {KEYS[column]: round(float(scaling.neutral[column]), 5) for column in columns},
        "neutral_source": _neutral_source(int((targets.neutral & validation).sum())),
        "calibration": {KEYS[column]: scaling.calibration[column] for column in columns},
        "missing": {key: missing[key] for key in KEYS if key in missing},
        "evidence": {KEYS[column]: _evidence(items, recipe, train, KEYS[column]) for column in columns},
        "metrics": tuple(metrics),
        "training_data": tuple(_training_data(items, recipe, train, validation)),
        "licence": recipe["licence"],
        "limits": tuple(recipe["limits"]),
        "source": f"recipes/{recipe['id'].rpartition('/')[2]}.toml",
        "recipe": recipe_facts(recipe),
    }


def _neutral_source(clips: int) -> str:
    if not clips:
        return "no source has neutral clips: mean raw score of validation clips acted as another emotion"
    return f"mean over corpora of the mean raw score of validation speakers' neutral clips ({clips} clips)"


def _evidence(items: Sequence[Item], recipe: Mapping[str, Any], train: NDArray[np.bool_], key: str) -> Evidence:
    counts: dict[str, int] = {}
    for item, used in zip(items, train, strict=True):
        source = recipe["sources"][item.source]
        if used and key in positive_emotions(item, source):
            name = f"{source['name']} {item.label}"
            counts[name] = counts.get(name, 0) + 1
    listed = ", ".join(f"{name} ({count})" for name, count in sorted(counts.items(), key=lambda pair: -pair[1]))
    return Evidence(kind="direct", detail=f"training clips acted as {display_name(key)} or a word of it: {listed}")


def _training_data(
    items: Sequence[Item], recipe: Mapping[str, Any], train: NDArray[np.bool_], validation: NDArray[np.bool_]
) -> list[TrainingData]:
    start = recipe.get("pretrained")
    rows = [TrainingData(**{k: start[k] for k in ("name", "url", "licence", "use")}, items=0)] if start else []
    for name, source in recipe["sources"].items():
        own = np.asarray([item.source == name for item in items], bool)
        speakers = len({items[int(i)].subject for i in np.flatnonzero(own & train)})
        use = f"{source['use']}; {speakers} speakers" if source["role"] == "labels" else source["use"]
        if kept := int((own & validation).sum()):
            use += (
                f"; {kept} more clips of {source['validation_speakers']} other speaker(s) for scaling and calibration"
            )
        rows.append(
            TrainingData(
                name=source["name"],
                url=source["url"],
                licence=source["licence"],
                items=int((own & train).sum()),
                use=use,
            )
        )
    return rows


def _gender(item: Item) -> str:
    letter = str(item.extra.get("gender", ""))[:1].lower()
    return {"m": "male", "f": "female"}.get(letter, "")


def _numpy(tensor: torch.Tensor) -> NDArray[np.float32]:
    return tensor.detach().numpy().astype(np.float32)


def _save_scores(path: Path, tested: Scored, scaling: Scaling) -> None:
    temporary = path.with_name(f".{path.name}")
    with temporary.open("wb") as file:
        keys = np.asarray([item.key for item in tested.items])
        np.savez_compressed(file, items=keys, dimensions=np.asarray(KEYS), raw=scaling.raw(tested.logits))
    os.replace(temporary, path)
