"""Voices: recordings to 55 scores, emonet against LAION's way, by stage, precision, batch and threads.

Usage: python -m benchmarks.voice [--json FILE] [--rounds 3] [--heads 6] [--quick]

Prints Markdown tables: ms per clip, how many times as fast as the reference in the same round (median and range), and
the share of what the machine can do at that precision. The models have the true shapes of Empathic-Insight-Voice-Small
and of its encoder, with random weights, and are made at the first run (13 GB, some minutes). `--heads`: voice heads
that the reference holds in memory, 0.3 GB each; their time is scaled to 55.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.bundles import voice_suite
from benchmarks.inputs import clips
from benchmarks.reference import VoiceReference
from benchmarks.shapes import QUICK_VOICE, VOICE
from benchmarks.suites import Suite, run_suite
from benchmarks.timing import Stopwatch, finish, options
from emonet.media import read_audio, speech_windows

_LONGEST_S = 30.0


def read(path: Path, watch: Stopwatch) -> NDArray[np.float32]:
    """A recording's samples. Speech is looked for as `emonet estimate` does; the whole clip is scored, as the
    reference does, so that both compute the same."""
    with watch("decode"):
        audio = read_audio(path, end_s=_LONGEST_S)
    with watch("speech detection"):
        for _ in speech_windows(audio):
            pass
    return audio.samples


def main() -> None:
    """Measure and print."""
    parser = options(__doc__)
    parser.add_argument("--heads", type=int, default=6, help="heads that the reference holds (default 6)")
    arguments = parser.parse_args()
    shape = QUICK_VOICE if arguments.quick else VOICE
    bundle = voice_suite(arguments.bundles, quick=arguments.quick)
    files, inputs = clips(arguments.data, arguments.bundles / "clips", 24)
    reference = VoiceReference(bundle, shape, held=arguments.heads)
    suite = Suite(
        name="voice",
        unit="clip",
        bundle=bundle,
        shape=shape,
        files=files,
        inputs=inputs,
        reference=reference,
        taken=reference.take,
        read=read,
        heads_bytes={"int8-weights": 1, "int8": 1},
    )
    tables, facts = run_suite(suite, arguments)
    tables[0].note += f" The reference held {reference.held} of {len(shape.dimensions)} heads; their time is scaled."
    finish("voice", tables, arguments, **facts)


if __name__ == "__main__":
    main()
