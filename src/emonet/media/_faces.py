"""Where the faces of a picture are: the embedded detector, and YuNet as a choice.

The embedded network knows one size of faces (about 14 to 56 pixels). The picture is shown to it again and again at half
the size, so that faces from 14 pixels up to the whole picture pass through that size; answers for the same face are
merged. Boxes run from the eyebrows to the chin, about as wide as high.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import PIL.Image
from numpy.typing import NDArray

from emonet import errors

# n boxes; a box is left, top, right, bottom in pixels

_STRIDE = 8
_BORDER = 16  # grey pixels around each size of the picture: a face that fills the picture gets a surrounding
_LAST_SIDE = 48  # the picture is halved until its longer side is at most this: a face that fills it is then seen
_GREY = 128


@dataclass(frozen=True, slots=True)
class Face:
    """One face. `box`: left, top, right, bottom in pixels, within the picture. `score`: 0..1."""

    box: tuple[float, float, float, float]
    score: float


class FaceDetector(Protocol):
    """Anything that finds faces."""

    def detect(self, pixels: NDArray[np.uint8]) -> tuple[Face, ...]:
        """Faces of `pixels` (uint8 [h, w, 3] RGB, upright), best first; empty when there is none."""
        ...


class EmbeddedDetector:
    """The detector inside the package: an ONNX network of our own on the CPU.

    `longest`: larger pictures are first reduced to this longer side in pixels, which bounds time and memory; faces
    under 14 pixels there are not found. `threshold`: lowest score reported; None takes the card's, chosen on
    validation data. `threads`: CPU threads, None for the machine's choice.
    Raises `BundleError` when the network does not match its card.
    """

    def __init__(
        self,
        folder: Path | None = None,
        *,
        threshold: float | None = None,
        longest: int = 640,
        threads: int | None = None,
    ) -> None:
        folder = folder or _embedded_folder()
        self.card = _card(folder)
        self.threshold = float(self.card["threshold"]) if threshold is None else threshold
        if not 0 < self.threshold < 1:
            raise errors.UsageError(f"threshold is {threshold!r}; expected a number between 0 and 1 (default: None).")
        if longest < _LAST_SIDE:
            raise errors.UsageError(f"longest is {longest!r}; expected at least {_LAST_SIDE} pixels (default: 640).")
        self.longest = longest
        self._session = session(_verified(folder / "face-detector.onnx", self.card["sha256"]), threads)

    def detect(self, pixels: NDArray[np.uint8]) -> tuple[Face, ...]:
        """Faces of `pixels` (uint8 [h, w, 3] RGB, upright), best first; empty when there is none."""
        check_pixels(pixels)
        height, width = pixels.shape[:2]
        picture = PIL.Image.fromarray(pixels).convert("L")
        boxes, scores = [np.empty((0, 4), np.float32)], [np.empty(0, np.float32)]
        scale = min(1.0, self.longest / max(height, width))
        while True:
            size = max(1, round(width * scale)), max(1, round(height * scale))
            if size != picture.size:
                picture = picture.resize(size, PIL.Image.Resampling.BOX if scale < 1 else PIL.Image.Resampling.BILINEAR)
            found, score = self._level(np.asarray(picture))
            boxes.append(found * np.array([width / size[0], height / size[1]] * 2, np.float32))
            scores.append(score)
            if max(size) <= _LAST_SIDE:
                break
            scale /= 2
        return faces_of(*merged(np.concatenate(boxes), np.concatenate(scores)), width, height)

    def _level(self, grey: NDArray[np.uint8]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Boxes [n, 4] in pixels of `grey` [h, w] and their scores [n], above the threshold."""
        height, width = grey.shape
        below, right = (-(side + 2 * _BORDER) % _STRIDE + _BORDER for side in (height, width))
        padded = np.full((1, 1, _BORDER + height + below, _BORDER + width + right), _GREY, np.uint8)
        padded[0, 0, _BORDER : _BORDER + height, _BORDER : _BORDER + width] = grey
        values = padded.astype(np.float32) / np.float32(255)
        answer = self._session.run(None, {"input": values})[0][0]  # [5, r, c]
        rows, columns = np.nonzero(answer[0] >= self.threshold)
        score, left, top, to_right, bottom = answer[:, rows, columns]  # each [n]
        x, y = ((cells + np.float32(0.5)) * _STRIDE - _BORDER for cells in (columns, rows))
        return np.stack([x - left, y - top, x + to_right, y + bottom], 1).astype(np.float32), score


def load_face_detector(name: str = "embedded", *, threads: int | None = None) -> FaceDetector:
    """A face detector by name: "embedded", "yunet" (fetched once from the hub) or "yunet:/path/to/file.onnx".

    Raises `UnknownNameError` for another name, `BundleError` for a file that is not what it should be.
    """
    if name == "embedded":
        return EmbeddedDetector(threads=threads)
    kind, _, path = name.partition(":")
    if kind == "yunet":
        from emonet.media._yunet import YuNetDetector

        return YuNetDetector(Path(path) if path else None, threads=threads)
    raise errors.UnknownNameError("face detector", name, ("embedded", "yunet", "yunet:/path/to/file.onnx"))


def overlaps(box: NDArray[np.float32], others: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Of `box` [4] with each of `others` [n, 4]: intersection over union [n], intersection over the smaller box [n]."""
    width = np.minimum(box[2], others[:, 2]) - np.maximum(box[0], others[:, 0])
    height = np.minimum(box[3], others[:, 3]) - np.maximum(box[1], others[:, 1])
    shared = np.maximum(width, 0) * np.maximum(height, 0)
    area = (box[2] - box[0]) * (box[3] - box[1])
    areas = (others[:, 2] - others[:, 0]) * (others[:, 3] - others[:, 1])
    tiny = np.float32(1e-6)
    return shared / np.maximum(area + areas - shared, tiny), shared / np.maximum(np.minimum(area, areas), tiny)


def merged(
    boxes: NDArray[np.float32], scores: NDArray[np.float32], *, same: float = 0.4, within: float = 0.7
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """One box per face: the best box stands for all that overlap it by more than `same`, or lie in it by `within`.

    The box returned is the score-weighted mean of the best one and those that overlap it by more than half: answers of
    neighbouring cells and sizes err independently. Returns boxes [m, 4] and scores [m], best first.
    """
    order = np.argsort(-scores, kind="stable")
    boxes, scores = boxes[order], scores[order]
    kept_boxes, kept_scores = [], []
    while len(boxes):
        union, smaller = overlaps(boxes[0], boxes)
        near = union >= 0.5
        near[0] = True
        kept_boxes.append(np.average(boxes[near], axis=0, weights=scores[near]))
        kept_scores.append(scores[0])
        gone = (union > same) | (smaller > within)
        gone[0] = True
        boxes, scores = boxes[~gone], scores[~gone]
    return np.asarray(kept_boxes, np.float32).reshape(-1, 4), np.asarray(kept_scores, np.float32)


def faces_of(boxes: NDArray[np.float32], scores: NDArray[np.float32], width: int, height: int) -> tuple[Face, ...]:
    """Boxes cut to the picture as `Face` records; boxes wholly outside it are dropped."""
    cut = np.clip(boxes, 0, np.array([width, height, width, height], np.float32))
    return tuple(
        Face((float(left), float(top), float(right), float(bottom)), float(score))
        for (left, top, right, bottom), score in zip(cut, scores, strict=True)
        if right - left >= 1 and bottom - top >= 1
    )


def check_pixels(pixels: NDArray[np.uint8]) -> None:
    """Refuse anything but a non-empty uint8 [h, w, 3] array."""
    if pixels.dtype != np.uint8 or pixels.ndim != 3 or pixels.shape[2] != 3 or 0 in pixels.shape:
        raise errors.UsageError(
            f"A face detector got {pixels.dtype} {list(pixels.shape)}; expected uint8 [height, width, 3] RGB "
            "(decode_image returns it as .pixels)."
        )


def session(path: Path, threads: int | None) -> Any:
    """ONNX Runtime on the CPU; `BundleError` when the file is not a network."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    if threads is not None:
        options.intra_op_num_threads = options.inter_op_num_threads = threads
    try:
        return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime raises a dozen unrelated types
        raise errors.BundleError(f"{path} cannot be run by ONNX Runtime: {error}. Expected an ONNX network.") from error


def _embedded_folder() -> Path:
    return Path(str(resources.files("emonet.media"))) / "detector"


def _card(folder: Path) -> dict[str, Any]:
    path = folder / "face-detector.json"
    try:
        card: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise errors.BundleError(f"{path}: {error}. Reinstall emonet: pip install --force-reinstall emonet") from error
    if missing := {"threshold", "sha256"} - card.keys():
        raise errors.BundleError(f"{path} lacks {sorted(missing)}. Reinstall emonet.")
    return card


def _verified(path: Path, sha256: str) -> Path:
    if not path.is_file():
        raise errors.BundleError(f"{path} is missing. Reinstall emonet: pip install --force-reinstall emonet")
    found = hashlib.sha256(path.read_bytes()).hexdigest()
    if found != sha256:
        raise errors.BundleError(f"{path} was altered: sha256 {found}, its card says {sha256}. Reinstall emonet.")
    return path
