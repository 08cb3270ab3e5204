"""Faces: pictures to 40 scores, emonet against LAION's way, by stage, precision, batch and threads.

Usage: python -m benchmarks.face [--json FILE] [--rounds 3] [--quick]

Prints Markdown tables: ms per picture, how many times as fast as the reference in the same round (median and range),
and the share of what the machine can do at that precision. The models have the true shapes of
Empathic-Insight-Face-Large and of SigLIP2 so400m patch16-384, with random weights, and are made at the first run
(5 GB, some minutes).
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.bundles import face_suite
from benchmarks.inputs import faces
from benchmarks.reference import FaceReference
from benchmarks.shapes import FACE, QUICK_FACE
from benchmarks.suites import Suite, run_suite
from benchmarks.timing import Stopwatch, finish, options
from emonet.media import decode_image, load_face_detector

_DETECTOR = load_face_detector()


def read(path: Path, watch: Stopwatch) -> NDArray[np.uint8]:
    """A picture's pixels. Faces are looked for as `emonet estimate` does; the whole picture is scored, as the
    reference does, so that both compute the same."""
    with watch("decode"):
        pixels = decode_image(path).pixels
    with watch("face detection"):
        _DETECTOR.detect(pixels)
    return pixels


def main() -> None:
    """Measure and print."""
    arguments = options(__doc__).parse_args()
    shape = QUICK_FACE if arguments.quick else FACE
    bundle = face_suite(arguments.bundles, quick=arguments.quick)
    files, inputs = faces(arguments.data, arguments.bundles / "pictures", 16)
    reference = FaceReference(bundle, shape)
    suite = Suite(
        name="face",
        unit="picture",
        bundle=bundle,
        shape=shape,
        files=files,
        inputs=inputs,
        reference=reference,
        taken=reference.take,
        read=read,
        batch=4,
        reference_items=1,
    )
    tables, facts = run_suite(suite, arguments)
    finish("face", tables, arguments, **facts)


if __name__ == "__main__":
    main()
