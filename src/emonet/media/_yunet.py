"""YuNet, the face detector of OpenCV's model zoo (MIT), run by ONNX Runtime; fetched only when asked for.

Wu et al. 2023, "YuNet: A Tiny Millisecond-level Face Detector". Layout of the answers, per stride s of 8, 16 and 32:
`cls_s` and `obj_s` [1, n, 1] whose geometric mean is the score, `bbox_s` [1, n, 4] with the centre's offset from the
cell's corner and the logarithm of the size, all in cells; rows of cells first. Input: BGR 0..255, as OpenCV's
`FaceDetectorYN` prepares it.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import PIL.Image
from numpy.typing import NDArray

from emonet import errors
from emonet.media._faces import Face, check_pixels, faces_of, merged, session

REPOSITORY, FILE = "opencv/face_detection_yunet", "face_detection_yunet_2023mar.onnx"
SHA256 = "8f2383e4dd3cfbb4553ea8718107fc0423210dc964f9f4280604804ed2552fa4"
"""Of the file in OpenCV's model zoo (its Git LFS pointer: 232,589 bytes)."""

_STRIDES = (8, 16, 32)
_FREE_SIDE = 640  # longer side when the file leaves its input's size open


class YuNetDetector:
    """YuNet from `path`, or from the hub (checked by sha256) when `path` is None.

    `threshold`: lowest score reported; 0.6 as in OpenCV's example. Raises `BundleError` when the file cannot be
    fetched, is not the pinned one, or has other outputs.
    """

    def __init__(self, path: Path | None = None, *, threshold: float = 0.6, threads: int | None = None) -> None:
        self.threshold = threshold
        path = path or _fetched()
        if not path.is_file():
            raise errors.BundleError(f"{path} is missing; expected YuNet's ONNX file ({FILE}).")
        self._session = session(path, threads)
        wanted = {f"{kind}_{stride}" for kind in ("cls", "obj", "bbox") for stride in _STRIDES}
        if lacking := wanted - {output.name for output in self._session.get_outputs()}:
            raise errors.BundleError(f"{path} is not YuNet of 2023: it lacks the outputs {sorted(lacking)}.")
        self._input = self._session.get_inputs()[0]

    def detect(self, pixels: NDArray[np.uint8]) -> tuple[Face, ...]:
        """Faces of `pixels` (uint8 [h, w, 3] RGB, upright), best first; empty when there is none."""
        check_pixels(pixels)
        height, width = pixels.shape[:2]
        rows, columns = self._frame(height, width)
        scale = min(columns / width, rows / height)
        size = max(1, round(width * scale)), max(1, round(height * scale))
        canvas = np.zeros((rows, columns, 3), np.uint8)
        reduced = PIL.Image.fromarray(pixels).resize(size, PIL.Image.Resampling.BILINEAR)
        canvas[: size[1], : size[0]] = np.asarray(reduced)
        values = np.ascontiguousarray(canvas[:, :, ::-1].transpose(2, 0, 1)[None], np.float32)  # BGR
        names = [output.name for output in self._session.get_outputs()]
        answers = dict(zip(names, self._session.run(None, {self._input.name: values}), strict=True))
        parts = [self._decoded(answers, stride, columns // stride) for stride in _STRIDES]
        boxes, scores = (np.concatenate([part[k] for part in parts]) for k in (0, 1))
        back = np.array([width / size[0], height / size[1]] * 2, np.float32)
        return faces_of(*merged(boxes * back, scores), width, height)

    def _frame(self, height: int, width: int) -> tuple[int, int]:
        """Rows and columns of the network's input: fixed by the file, else multiples of 32 around the picture."""
        fixed = self._input.shape[2:]
        if all(isinstance(side, int) for side in fixed):
            return fixed[0], fixed[1]
        scale = min(1.0, _FREE_SIDE / max(height, width))
        rows, columns = (max(32, -(-round(side * scale) // 32) * 32) for side in (height, width))
        return rows, columns

    def _decoded(
        self, answers: dict[str, NDArray[np.float32]], stride: int, columns: int
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Boxes [n, 4] in pixels of the input and scores [n] of one stride, above the threshold."""
        product = np.clip(answers[f"cls_{stride}"], 0, 1) * np.clip(answers[f"obj_{stride}"], 0, 1)
        scores = np.sqrt(product).reshape(-1)
        cells = np.nonzero(scores >= self.threshold)[0]
        x, y, log_width, log_height = answers[f"bbox_{stride}"].reshape(-1, 4)[cells].T
        centre_x, centre_y = (cells % columns + x) * stride, (cells // columns + y) * stride
        half_width, half_height = np.exp(log_width) * stride / 2, np.exp(log_height) * stride / 2
        sides = [centre_x - half_width, centre_y - half_height, centre_x + half_width, centre_y + half_height]
        return np.stack(sides, 1).astype(np.float32), scores[cells]


def _fetched() -> Path:
    """The pinned file from the hub's cache or the hub."""
    import huggingface_hub

    try:
        path = Path(huggingface_hub.hf_hub_download(REPOSITORY, FILE))
    except Exception as error:  # offline, proxy, rate limit: a dozen unrelated types
        raise errors.BundleError(
            f"YuNet could not be fetched from {REPOSITORY}: {error}. Use the embedded detector, or download {FILE} "
            'from OpenCV\'s model zoo and name it: load_face_detector("yunet:/path/to/file.onnx").'
        ) from error
    found = hashlib.sha256(path.read_bytes()).hexdigest()
    if found != SHA256:
        raise errors.BundleError(f"{path} is not the pinned YuNet: sha256 {found}, expected {SHA256}. Delete it.")
    return path
