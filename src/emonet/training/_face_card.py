"""From a trained face network to a bundle whose card says what each emotion rests on and how well it was measured.

Symbols: n pictures, c expressions, d scored emotions, E embedding size (features, then the c shares).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from emonet.models import HeadWeights, ImagePreprocessing, update_card, write_bundle
from emonet.models._card import Calibration, Evidence, Scale, TrainingData
from emonet.statistics import auc_interval
from emonet.training._calibration import fit_calibration
from emonet.training._export import export_onnx
from emonet.training._face_data import Faces
from emonet.training._face_figures import measured_figures
from emonet.training._face_network import FaceEncoder, FaceNetwork
from emonet.training._face_targets import KEYS, TOP, Composition, compose
from emonet.training._face_tiers import add_tier
from emonet.training._face_training import logits_of
from emonet.training._loop import recipe_facts
from emonet.training._manifest import Item

LIMITS = (
    "Eight posed or apparent expressions are all it has seen labels for; the emotions marked `teacher` are weighted "
    "means of another model's outputs for those expressions and move with them.",
    "Trained on grey pictures of 48 by 48 pixels; finer signs are lost.",
    "Gender, age and origin are not annotated in the data: no figure by group can be given, nothing is known about "
    "differences between groups, and web pictures are mostly of adults in good light.",
    "A picture shows an expression at one moment, not what a person feels; do not use it to decide about people.",
)
"""Of every face model; a recipe adds its own."""
SCALE = Scale(
    low=0.0,
    high=TOP,
    meaning="direct emotions: 7 times the share of people expected to tag the face with it; teacher emotions: expected "
    "output of LAION's face model, nominally 0 to 7",
)


def finish_bundle(
    recipe: Mapping[str, Any],
    *,
    network: FaceNetwork,
    items: Sequence[Item],
    faces: Faces,
    shares: NDArray[np.float32],
    train: NDArray[np.bool_],
    validation: NDArray[np.bool_],
    data: Path,
    output: Path,
    report: Callable[[str], None] = print,
) -> Path:
    """Correct the shares, choose emotions and calibrate on validation pictures, measure once on test, write the bundle.

    Returns `output/bundle`.
    """
    voted = validation & np.asarray(["votes" in item.extra for item in items])
    held = np.flatnonzero(voted if voted.any() else validation)
    logits = logits_of(network, faces, held, recipe)
    scale, bias = fit_correction(logits, shares[held])
    expected = corrected_shares(logits, scale, bias)  # [n, c]
    composition = compose(recipe, data)
    evidence, missing = _validated(composition, recipe, expected, shares[held])
    scored = [key for key in KEYS if key in evidence]
    weights = composition.weights[:, [KEYS.index(key) for key in scored]]  # [c, d]
    encoder = FaceEncoder(network, scale, torch.from_numpy(bias.astype(np.float32)))
    spec = ImagePreprocessing(**recipe["preprocessing"])
    path = output / "encoder.onnx"
    example = torch.randn(2, spec.channels, spec.height, spec.width, generator=torch.Generator().manual_seed(0))
    export_onnx(encoder.eval().to(memory_format=torch.contiguous_format), example, path)
    size = recipe["network"]["channels"][-1] + len(bias)
    judged = shares[held] if voted.any() else _chosen(shares[held])
    neutral = shares[held][:, recipe["targets"]["classes"].index("neutral")] >= 0.5
    card = {
        "id": recipe["id"],
        "title": recipe["title"],
        "modality": "face",
        "dimensions": KEYS,
        "scale": {"*": SCALE},
        "preprocessing": spec,
        "encoder": {"output": "embedding", "size": size},
        "neutral_means": dict(zip(scored, (expected[neutral] @ weights).mean(axis=0).round(5).tolist(), strict=True)),
        "neutral_source": f"mean raw score of {int(neutral.sum())} validation pictures that "
        + ("at least half of the taggers" if voted.any() else "the labeller")
        + " called neutral",
        "calibration": _calibrations(recipe, evidence, expected @ weights, scored, judged, voted=bool(voted.any())),
        "missing": missing,
        "evidence": evidence,
        "training_data": _training_data(items, recipe, train, validation),
        "licence": recipe["licence"],
        "limits": (*LIMITS[:2], *recipe.get("limits", ()), *LIMITS[2:]),
        "source": f"recipes/{recipe['id'].rpartition('/')[2]}.toml",
        "recipe": recipe_facts(recipe),
    }
    bundle = output / "bundle"
    write_bundle(bundle, encoder_onnx=path, groups=[_heads(weights, scored, size)], card=card)
    report(f"{len(scored)} emotions; measuring on test pictures")
    metrics = measured_figures(bundle, recipe, items, shares, faces, train, weights, scored)
    update_card(bundle, metrics=metrics)
    if recipe.get("tiers"):
        add_tier(bundle, recipe, items, train, validation, report=report)
    return bundle


def fit_correction(logits: NDArray[np.float32], shares: NDArray[np.float32]) -> tuple[float, NDArray[np.float64]]:
    """(scale, bias [c]) that bring softmax(scale * logits + bias) nearest to the vote shares in cross-entropy.

    This undoes the class weights of training and its over- or under-confidence.
    """
    from scipy.optimize import minimize

    x, y = logits.astype(np.float64), shares.astype(np.float64)

    def loss(parameters: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        p = _softmax(x * parameters[0] + parameters[1:])
        slope = (p - y) / len(x)
        value = float(-(y * np.log(p + 1e-12)).sum(axis=1).mean())
        return value, np.concatenate([[(slope * x).sum()], slope.sum(axis=0)])

    start = np.concatenate([[1.0], np.zeros(x.shape[1])])
    found = minimize(loss, start, jac=True, method="L-BFGS-B", bounds=[(0.05, 10)] + [(-8, 8)] * x.shape[1])
    return float(found.x[0]), found.x[1:] - found.x[1:].mean()


def corrected_shares(logits: NDArray[np.float32], scale: float, bias: NDArray[np.float64]) -> NDArray[np.float64]:
    """Expected shares float64 [n, c] of logits [n, c], with what `fit_correction` found."""
    return _softmax(logits * scale + bias)


def _chosen(shares: NDArray[np.float32]) -> NDArray[np.float32]:
    """1 for the most voted expression of each picture, 0 for the others; [n, c]."""
    return np.eye(shares.shape[1], dtype=np.float32)[shares.argmax(axis=1)]


def _validated(
    composition: Composition, recipe: Mapping[str, Any], expected: NDArray[np.float64], shares: NDArray[np.float32]
) -> tuple[dict[str, Evidence], dict[str, str]]:
    """Evidence of the emotions that pass the recipe's rule on validation pictures, reasons for the others."""
    evidence, missing = dict(composition.evidence), dict(composition.missing)
    classes = recipe["targets"]["classes"]
    winner = shares.argmax(axis=1)
    failed = {}
    for name, key in recipe["targets"]["direct"].items():
        column = classes.index(name)
        if reason := _weakness(expected[:, column], winner == column, recipe):
            failed[name] = key
            del evidence[key]
            missing[key] = reason
    for key in [key for key, found in evidence.items() if found.kind == "teacher"]:
        highest = classes[int(composition.weights[:, KEYS.index(key)].argmax())]
        if highest in failed:
            del evidence[key]
            missing[key] = (
                f"nobody labelled it, and the teacher's output for it is highest for {highest}, which could not be "
                "shown to be recognised"
            )
    return evidence, missing


def _weakness(scores: NDArray[np.float64], present: NDArray[np.bool_], recipe: Mapping[str, Any]) -> str:
    """Why an expression is not known to be recognised on validation pictures; "" when it is."""
    rules = recipe["support"]
    least = rules.get("least_positives", 1)
    if present.sum() < least:
        return (
            f"{int(present.sum())} of {len(present)} validation pictures show it, too few to know whether it is "
            f"recognised (at least {least})"
        )
    found = auc_interval(scores, present, seed=recipe["seed"], resamples=rules["resamples"])
    if found.low > 0.5:
        return ""
    return (
        f"not reliably better than chance: AUC {found.value:.2f} [{found.low:.2f}, {found.high:.2f}] on "
        f"{len(present)} validation pictures"
    )


def _calibrations(
    recipe: Mapping[str, Any],
    evidence: Mapping[str, Evidence],
    raw: NDArray[np.float64],
    scored: Sequence[str],
    shares: NDArray[np.float32],
    *,
    voted: bool,
) -> dict[str, Calibration]:
    """Only for emotions that people voted for. `shares` [n, c]: of votes, or 1 and 0 where one labeller decided."""
    classes = recipe["targets"]["classes"]
    meaning = "expected share of FER+ taggers who choose" if voted else "chance that the one labeller chooses"
    calibrations = {}
    for name, key in recipe["targets"]["direct"].items():
        if key in evidence:
            calibrations[key] = fit_calibration(
                raw[:, scored.index(key)],
                shares[:, classes.index(name)],
                data=f"{meaning} this as the one expression of the face ({len(shares)} validation pictures)",
            )
    return calibrations


def _heads(weights: NDArray[np.float64], scored: Sequence[str], size: int) -> HeadWeights:
    """Linear heads that read the shares at the end of the embedding and nothing else."""
    matrix = np.zeros((len(scored), size), np.float32)
    matrix[:, size - len(weights) :] = weights.T
    return HeadWeights("expressions", "embedding", tuple(scored), (matrix,), (np.zeros(len(scored), np.float32),))


def _training_data(
    items: Sequence[Item], recipe: Mapping[str, Any], train: NDArray[np.bool_], validation: NDArray[np.bool_]
) -> tuple[TrainingData, ...]:
    rows = []
    for name, source in recipe["sources"].items():
        own = np.asarray([item.source == name for item in items])
        use = f"{source['use']}; {int((own & validation).sum())} more for correction, calibration and choice"
        count = int((own & train).sum())
        rows.append(
            TrainingData(name=source["name"], url=source["url"], licence=source["licence"], items=count, use=use)
        )
    teacher = TrainingData(
        name="Outputs of LAION's Empathic-Insight-Face on 152 posed faces",
        url="https://github.com/LAION-AI/emonet-face",
        licence="MIT",
        items=152,
        use="expected outputs per expression, for the emotions marked teacher",
    )
    return (*rows, teacher)


def _softmax(x: NDArray[Any]) -> NDArray[np.float64]:
    e = np.exp(x - x.max(axis=-1, keepdims=True))
    return np.asarray(e / e.sum(axis=-1, keepdims=True), np.float64)
