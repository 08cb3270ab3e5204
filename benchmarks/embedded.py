"""The models inside the package: files to scores, by runtime, precision, batch and threads.

Usage: python -m benchmarks.embedded [--json FILE] [--rounds 5] [--quick]

The first row is LAION's way with LAION's large models, timed in the same rounds: these are other models, with other
scores and other merits, so the ratio says what a user waits, not what one computation gains over another. Distances
are from fp32, in raw score units, over real media where they are at hand; these weights are the real ones.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import Any

import numpy as np
import torch

from benchmarks import face, voice
from benchmarks.bundles import face_suite, voice_suite
from benchmarks.inputs import clips, faces
from benchmarks.reference import FaceReference, VoiceReference
from benchmarks.shapes import FACE, QUICK_FACE, QUICK_VOICE, VOICE
from benchmarks.suites import Ours, Suite, distance, open_ways, reference_candidate, ways
from benchmarks.timing import Candidate, Stopwatch, Table, finish, interleave, options, split_stages
from emonet.models import read_card, resolve_model
from emonet.models._remembered import cores

COMPARED = 200  # items on which precisions are compared
HELD = 4  # voice heads of the reference in memory


def tables(suite: Suite, rounds: int) -> list[Table]:
    """All ways with all threads and with one, one and 16 items at once."""
    torch.set_num_threads(cores())
    suite.reference(suite.files[0])
    suite.taken()
    which = ways(read_card(suite.bundle))
    candidates = [reference_candidate(suite, 1, 1, {})]
    distances: dict[str, dict[str, Any]] = {}
    expected: Any = None
    for threads in dict.fromkeys((None, 1 if cores() > 1 else None)):
        for (runtime, precision), ours in open_ways(suite, which, threads=threads).items():
            name = f"{runtime} {precision}"
            if name not in distances:
                found = _scores(suite, ours)
                expected = found if expected is None else expected
                distances[name] = distance(expected, found, in_spreads=False)
            for size in (1, 16):
                facts = {"batch": size, "threads": threads or cores(), "precision": precision}
                candidates.append(Candidate(name, ours.timed(size), size, facts))
    rows = interleave(candidates, rounds)
    for row in rows:
        if row.get("threads") == cores() and row.get("batch") == 16:
            row |= distances[row["name"]]
    note = f"Inputs: {suite.inputs}. Differences are in raw score units over {len(suite.files)} inputs."
    table = Table(f"embedded-{suite.name}", f"Embedded {suite.name} model", suite.unit, rows, note)
    return split_stages(table, f"Embedded {suite.name} model: stages")


def _scores(suite: Suite, ours: Ours) -> Any:
    ignored = Stopwatch()
    items = [suite.read(path, ignored) for path in suite.files]
    scores = ours.model.raw_scores(items)
    ours.watch.take()
    return np.asarray(scores)


def _suite(name: str, arguments: argparse.Namespace, count: int) -> Suite:
    quick, root = arguments.quick, arguments.bundles
    find: Callable[..., Any] = clips if name == "voice" else faces
    files, inputs = find(arguments.data, root / ("clips" if name == "voice" else "pictures"), count)
    reference: Any
    if name == "voice":
        reference = VoiceReference(voice_suite(root, quick=quick), QUICK_VOICE if quick else VOICE, held=HELD)
    else:
        reference = FaceReference(face_suite(root, quick=quick), QUICK_FACE if quick else FACE)
    return Suite(
        name=name,
        unit="clip" if name == "voice" else "picture",
        bundle=resolve_model(name),
        shape=None,
        files=files,
        inputs=inputs,
        reference=reference,
        taken=reference.take,
        read=voice.read if name == "voice" else face.read,
    )


def main() -> None:
    """Measure and print."""
    parser = options(__doc__)
    parser.set_defaults(rounds=5)
    arguments = parser.parse_args()
    # The source of the real clips holds 100.
    counts = {"face": 4, "voice": 4} if arguments.quick else {"face": COMPARED, "voice": 100}
    made = [tables(_suite(name, arguments, count), arguments.rounds) for name, count in counts.items()]
    finish("embedded", [table for both in made for table in both], arguments)


if __name__ == "__main__":
    main()
