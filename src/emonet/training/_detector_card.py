"""The face detector's folder as shipped: the network, the threshold chosen on validation data, the measured card."""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emonet.media._faces import EmbeddedDetector, Face
from emonet.training import _detector_backgrounds as backgrounds
from emonet.training import _detector_evaluation as evaluation
from emonet.training._detector_labels import LabelledFace
from emonet.training._detector_scenes import SceneMaker

_GRID = tuple(round(0.2 + 0.02 * step, 2) for step in range(33))
_ALARMS_ALLOWED = 0.01  # per face-free validation scene of 256 x 256 pixels with things pasted into it
_EMPTY_SCENES, _GENERATED = 600, 300
_FER_EVERY = 5  # every fifth FER+ picture is enough for a narrow interval


def write_detector(network: Path, data: Path, faces: Sequence[LabelledFace], validation: Sequence[LabelledFace],
                   output: Path, record: dict[str, Any]) -> Path:  # fmt: skip
    """Write `output`/face-detector.onnx and its card face-detector.json; returns the folder.

    The threshold comes from `validation`; recall and false alarms are measured on `faces` of split `test` and on
    pictures that training never saw. `record`: what training noted (seconds, faces, parameters).
    """
    output.mkdir(parents=True, exist_ok=True)
    content = network.read_bytes()
    card: dict[str, Any] = {
        "name": "emonet-face-detector",
        "sha256": hashlib.sha256(content).hexdigest(),
        "bytes": len(content),
        "parameters": record.get("parameters"),
        "licence": "research use only (FER-2013's pictures come without a stated licence, those of muxspace from "
        "the web)",
        "box": "from the eyebrows to the chin, about as wide as high (the convention of dlib's HOG detector)",
        "training_data": {
            "faces": record.get("faces"),
            "sources": "muxspace/facial_expressions (Apache-2.0, web and LFW) and FER-2013 (no licence stated; boxes "
            "found by dlib's HOG detector), set into generated backgrounds and face-free sample pictures of the "
            "scikit-image and scikit-learn wheels",
        },
        "threshold": 0.5,
    }
    with tempfile.TemporaryDirectory(dir=output) as made:  # the folder shows the network only with its final card
        draft = Path(made)
        (draft / "face-detector.onnx").write_bytes(content)
        _write(card, draft)
        card["threshold"], card["validation"] = choose_threshold(draft, data, validation)
        _write(card, draft)
        card |= measured(EmbeddedDetector(draft, threads=1).detect, data, faces)
        _write(card, draft)
        for name in ("face-detector.onnx", "face-detector.json"):
            os.replace(draft / name, output / name)
    return output


def choose_threshold(folder: Path, data: Path, validation: Sequence[LabelledFace]) -> tuple[float, dict[str, Any]]:
    """Lowest score that keeps false alarms on face-free validation scenes to one in a hundred scenes."""
    detector = EmbeddedDetector(folder, threshold=_GRID[0], threads=1)
    empty = [_scores(detector.detect(pixels)) for _, pixels in _empty_scenes(data, validation)]
    portraits = [face for face in validation if face.source == "muxspace"]
    best = [max(_scores(detector.detect(case.pixels)), default=0.0) for case in evaluation.portraits(data, portraits)]
    alarms = {t: sum(score >= t for scores in empty for score in scores) / len(empty) for t in _GRID}
    chosen = next((t for t in _GRID if alarms[t] <= _ALARMS_ALLOWED), _GRID[-1])
    recall = sum(score >= chosen for score in best) / max(1, len(best))
    return chosen, {
        "rule": f"lowest threshold with at most {_ALARMS_ALLOWED} false alarms per face-free validation scene",
        "scenes": len(empty),
        "false_alarms_per_scene": round(alarms[chosen], 4),
        "portraits": len(best),
        "recall": round(recall, 4),
    }


def measured(detect: evaluation.Detect, data: Path, faces: Sequence[LabelledFace]) -> dict[str, Any]:
    """Recall and false alarms on test pictures, with 95 % intervals: the card's `recall` and `false_alarms`."""
    test = [face for face in faces if face.split == "test"]
    agreed = [face for face in test if face.source == "muxspace" and face.agreed]
    fer = [face for face in test if face.source == "ferplus"][::_FER_EVERY]
    held_out = backgrounds.HELD_OUT_PHOTOGRAPHS
    recall = {
        "portraits": evaluation.central(detect, evaluation.portraits(data, evaluation.every_portrait(data))),
        "portraits_half_overlap": evaluation.found(detect, evaluation.portraits(data, agreed)),
        "portraits_turned_left_15": evaluation.found(detect, evaluation.portraits(data, agreed, angle=15)),
        "portraits_turned_right_15": evaluation.found(detect, evaluation.portraits(data, agreed, angle=-15)),
        "fer_48_pixels": evaluation.found(detect, evaluation.portraits(data, fer)),
        "fer_enlarged_144_pixels": evaluation.found(detect, evaluation.portraits(data, fer, enlarge=3)),
    }
    for width in (24, 40, 80):
        scenes = evaluation.in_scenes(data, fer, held_out[:6], width=width, side=320, seed=5)
        recall[f"fer_{width}_pixels_in_photographs"] = evaluation.found(detect, scenes)
    alarms = {
        "held_out_photographs": evaluation.alarms(detect, evaluation.views(held_out)),
        "generated_backgrounds": evaluation.alarms(detect, evaluation.generated_views(_GENERATED, side=256, seed=99)),
    }
    return {
        "recall": {
            name: {"value": round(s.value, 4), "interval": [round(v, 4) for v in s.interval], "pictures": s.cases}
            for name, s in recall.items()
        },
        "false_alarms": {
            name: {"per_picture": round(rate, 4), "interval": [round(low, 4), round(high, 4)], "pictures": n}
            for name, (rate, low, high, n) in alarms.items()
        },
    }


def _empty_scenes(data: Path, validation: Sequence[LabelledFace]) -> Iterator[tuple[str, NDArray[np.uint8]]]:
    """Face-free scenes made as in training, with scrambled faces of validation people, under another seed."""
    generator = np.random.default_rng(7)
    maker = SceneMaker(data, validation, backgrounds.TRAINING_PHOTOGRAPHS, generator, side=256, face_share=0.0)
    for number in range(_EMPTY_SCENES):
        yield str(number), np.repeat(maker.scene().pixels[..., None], 3, axis=2)


def _scores(faces: Sequence[Face]) -> list[float]:
    return [face.score for face in faces]


def _write(card: dict[str, Any], folder: Path) -> None:
    path = folder / "face-detector.json"
    temporary = path.with_suffix(".part")
    temporary.write_text(json.dumps(card, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    os.replace(temporary, path)
