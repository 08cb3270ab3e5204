"""Compare face detectors that need no download: ours, dlib's HOG detector, scikit-image's LBP cascade.

Usage: python benchmarks/face_detection.py DATA [--boxes boxes.json] [--every 4] [--only NAME]
DATA is a folder with manifest.csv (sources muxspace and ferplus). Prints Markdown tables: recall on the test split and
false alarms on pictures no candidate of ours was trained on, both with 95 % intervals, and milliseconds of CPU time on
one thread. Needs: pip install 'emonet[torch,demo]' dlib-bin
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import dlib
import numpy as np
import PIL.Image
import skimage.data
from numpy.typing import NDArray
from skimage.feature import Cascade

from emonet.media._faces import EmbeddedDetector, Face
from emonet.training import _detector_evaluation as evaluation
from emonet.training._detector_backgrounds import HELD_OUT_PHOTOGRAPHS
from emonet.training._detector_labels import LabelledFace, labelled_faces

SMALL_WIDTHS = (24, 40, 80)  # face widths in pixels, set into 320 x 320 parts of held-out photographs
SPEED_SIZES = ((512, 512), (1280, 720))


def embedded(threshold: float | None = None) -> evaluation.Detect:
    """Our network, at its card's threshold or another."""
    return EmbeddedDetector(threshold=threshold, threads=1).detect


def hog(enlarge: int) -> evaluation.Detect:
    """dlib's built-in frontal detector; it sees faces from 80 pixels on, so small ones need an enlarged picture."""
    detector = dlib.get_frontal_face_detector()

    def detect(pixels: NDArray[np.uint8]) -> list[Face]:
        size = pixels.shape[1] * enlarge, pixels.shape[0] * enlarge
        larger = pixels if enlarge == 1 else np.asarray(PIL.Image.fromarray(pixels).resize(size))
        boxes, scores, _ = detector.run(larger, 0, 0.0)
        return [
            Face((b.left() / enlarge, b.top() / enlarge, (b.right() + 1) / enlarge, (b.bottom() + 1) / enlarge), score)
            for b, score in zip(boxes, scores, strict=True)
        ]

    return detect


def cascade(neighbours: int = 4) -> evaluation.Detect:
    """scikit-image's LBP cascade with its trained frontal faces, at its usual number of neighbours."""
    detector = Cascade(skimage.data.lbp_frontal_face_cascade_filename())

    def detect(pixels: NDArray[np.uint8]) -> list[Face]:
        hits = detector.detect_multi_scale(
            img=pixels, scale_factor=1.2, step_ratio=1, min_size=(24, 24), max_size=(min(pixels.shape[:2]),) * 2,
            min_neighbor_number=neighbours,
        )  # fmt: skip
        return [Face((h["c"], h["r"], h["c"] + h["width"], h["r"] + h["height"]), 1.0) for h in hits]

    return detect


CANDIDATES: dict[str, Callable[[], evaluation.Detect]] = {
    "embedded": embedded,
    "dlib HOG": lambda: hog(1),
    "dlib HOG, picture doubled": lambda: hog(2),
    "LBP cascade": cascade,
}


def recall_row(detect: evaluation.Detect, data: Path, faces: list[LabelledFace], every: int) -> list[evaluation.Share]:
    """Shares in the order of `recall_heads`."""
    agreed = [face for face in faces if face.split == "test" and face.source == "muxspace" and face.agreed]
    fer = [face for face in faces if face.split == "test" and face.source == "ferplus"][:: 2 * every]
    scenes = (
        evaluation.in_scenes(data, fer, HELD_OUT_PHOTOGRAPHS[:6], width=width, side=320, seed=5)
        for width in SMALL_WIDTHS
    )
    return [
        evaluation.central(detect, evaluation.portraits(data, evaluation.every_portrait(data))),
        evaluation.found(detect, evaluation.portraits(data, agreed[::every])),
        evaluation.found(detect, evaluation.portraits(data, agreed[::every], angle=15)),
        evaluation.found(detect, evaluation.portraits(data, agreed[::every], angle=-15)),
        evaluation.found(detect, evaluation.portraits(data, fer)),
        evaluation.found(detect, evaluation.portraits(data, fer, enlarge=3)),
        *(evaluation.found(detect, cases) for cases in scenes),
    ]


def recall_heads() -> list[str]:
    """Column heads of the recall table."""
    return [
        "portraits, central box", "portraits, IoU 0.5", "turned +15°", "turned -15°", "FER+ 48 px", "FER+ 144 px",
        *(f"FER+ {width} px face in photograph" for width in SMALL_WIDTHS),
    ]  # fmt: skip


def wheel_patches(detect: evaluation.Detect) -> tuple[int, int]:
    """Of scikit-image's 100 faces and 100 other patches of LFW (25 x 25, enlarged to 100): how many get a box."""
    patches = np.load(Path(skimage.data.__file__).parent / "lfw_subset.npy")
    large = [
        np.asarray(PIL.Image.fromarray((patch * 255).astype(np.uint8)).resize((100, 100)).convert("RGB"))
        for patch in patches
    ]
    found = [bool(detect(pixels)) for pixels in large]
    return sum(found[:100]), sum(found[100:])


def milliseconds(detect: evaluation.Detect, size: tuple[int, int]) -> float:
    """CPU time of one call on the astronaut resized to `size`, best of five."""
    pixels = np.asarray(PIL.Image.fromarray(skimage.data.astronaut()).resize(size))
    detect(pixels)
    times = []
    for _ in range(5):
        started = time.process_time()
        detect(pixels)
        times.append(time.process_time() - started)
    return min(times) * 1000


def share(value: evaluation.Share) -> str:
    """As printed in a table."""
    low, high = value.interval
    return f"{100 * value.value:.1f} [{100 * low:.1f}, {100 * high:.1f}]"


def table(heads: list[str], rows: list[list[str]]) -> str:
    """Markdown."""
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("--boxes", type=Path, help="cache of the pseudo boxes (written when absent)")
    parser.add_argument("--every", type=int, default=1, help="take every n-th picture of the larger sets")
    parser.add_argument("--only", choices=tuple(CANDIDATES), action="append", help="measure only this candidate")
    options = parser.parse_args()
    boxes = options.boxes or Path(tempfile.mkdtemp()) / "boxes.json"
    faces = labelled_faces(options.data, boxes)
    recalls, others = [], []
    for name in options.only or CANDIDATES:
        detect = CANDIDATES[name]()
        recalls.append([name, *map(share, recall_row(detect, options.data, faces, options.every))])
        photographs = evaluation.alarms(detect, evaluation.views(HELD_OUT_PHOTOGRAPHS))
        made = evaluation.alarms(detect, evaluation.generated_views(300, side=256, seed=99))
        hits, wrong = wheel_patches(detect)
        portrait = detect(np.asarray(skimage.data.astronaut()))
        others.append(
            [name, *(f"{rate:.3f} [{low:.3f}, {high:.3f}]" for rate, low, high, _ in (photographs, made)),
             f"{hits} of 100", f"{wrong} of 100", ", ".join(str([round(v) for v in face.box]) for face in portrait),
             *(f"{milliseconds(detect, size):.0f}" for size in SPEED_SIZES)]
        )  # fmt: skip
        print(f"measured {name}", flush=True)
    print("\nRecall, % [95 % interval]\n")
    print(table(["detector", *recall_heads()], recalls))
    print("\nFalse alarms per face-free picture [95 % interval], scikit-image's LFW patches, astronaut, CPU time\n")
    speed = [f"ms, {width} x {height}" for width, height in SPEED_SIZES]
    print(
        table(
            ["detector", "photographs (90 views)", "generated (300)", "LFW faces", "LFW others", "astronaut", *speed],
            others,
        )
    )


if __name__ == "__main__":
    main()
