"""The heads alone: emonet's fused ones against the reference's loop over items and heads.

Usage: python -m benchmarks.heads [--json FILE] [--rounds 5] [--quick]

Voice heads: 8 of the 55, the same weights at each precision, all times scaled to 55, since heads are of one shape and
far larger together than any cache. Face heads: all 40, Large and Small. Prints Markdown tables: ms per item, how many
times as fast as the loop in the same round, the share of the machine's limit, and the distance from fp32 in standard
deviations of the scores.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from importlib.util import find_spec
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from benchmarks.bundles import head_layers, heads_file
from benchmarks.reference import face_head, voice_head
from benchmarks.roofline import Limits, measure
from benchmarks.shapes import FACE, QUICK_FACE, QUICK_VOICE, VOICE, FaceShape, Work
from benchmarks.suites import distance
from benchmarks.timing import Candidate, Row, Table, finish, interleave, options, whole
from emonet.models import HeadGroup, Precision
from emonet.models._heads import HeadPlan, Heads, write_heads
from emonet.models._projection import openvino_has_bf16
from emonet.models._remembered import cores

HELD = 8
BATCHES = (1, 2, 4, 8, 16)
_BYTES = {"fp32": 4, "fp16": 2, "bf16": 2, "int8": 1}
_NOTHING = Work(0.0, 0.0, 0.0)

Run = Callable[[NDArray[np.float32]], NDArray[np.float32]]
Runs = dict[tuple[str, str], Run]


def voice_table(arguments: argparse.Namespace, limits: Limits) -> Table:
    """Heads over a sequence, at every way of storing them."""
    shape = QUICK_VOICE if arguments.quick else VOICE
    scale = len(shape.dimensions) / HELD
    runs: Runs = {}
    for runtime, stored in _ways(("fp32", "fp16", "bf16", "int8"), ("bf16", "int8")):
        path, group = heads_file(arguments.bundles, shape, HELD, stored)
        runs[runtime, stored] = _run(Heads(path, [group], runtime=runtime, precision=stored), "sequence")
    loop = _loop([voice_head(shape, index) for index in range(HELD)])
    rows = _rows(loop, runs, shape.sizes[0], arguments.rounds, scale)
    for row in rows:
        _add_floor(row, limits, shape.heads)
    note = f"{HELD} heads were timed and their time scaled to {len(shape.dimensions)}."
    return Table("heads-voice", "55 voice heads (Small), all threads", "clip", rows, note)


def face_tables(arguments: argparse.Namespace, limits: Limits) -> list[Table]:
    """Heads over an embedding."""
    shape = QUICK_FACE if arguments.quick else FACE
    sizes: dict[str, FaceShape] = {"Large": shape}
    sizes["Small"] = replace(
        shape, name=f"{shape.name}-small", head_layers=(16, 8, 1) if arguments.quick else (128, 32, 1)
    )
    return [_face_table(arguments, limits, name, one) for name, one in sizes.items()]


def _face_table(arguments: argparse.Namespace, limits: Limits, name: str, shape: FaceShape) -> Table:
    group = HeadGroup(name="embedding", input="embedding", dimensions=shape.dimensions, layers=shape.sizes)
    path = arguments.bundles / f"{shape.name}-heads.safetensors"
    path.parent.mkdir(parents=True, exist_ok=True)
    write_heads(path, [HeadPlan(group, partial(head_layers, shape))], "fp32")
    runs: Runs = {
        (runtime, precision): _run(Heads(path, [group], runtime=runtime, precision=precision), "embedding")
        for runtime, precision in _ways(("fp32",), ("fp32", "bf16"))
    }
    loop = _loop([face_head(shape, index) for index in range(len(shape.dimensions))])
    rows = _rows(loop, runs, shape.sizes[0], arguments.rounds, 1.0)
    for row in rows:
        _add_floor(row, limits, shape.heads)
    return Table(f"heads-face-{name.lower()}", f"40 face heads ({name}), all threads", "picture", rows)


def _ways(onnxruntime: Sequence[Precision], openvino: Sequence[Precision]) -> list[tuple[str, Precision]]:
    found: list[tuple[str, Precision]] = [("onnxruntime", stored) for stored in onnxruntime]
    if find_spec("openvino"):
        found += [("openvino", one) for one in openvino if one != "bf16" or openvino_has_bf16()]
    return found


def _run(heads: Heads, name: str) -> Run:
    return lambda x: heads.scores({name: x})


def _loop(heads: Sequence[Any]) -> Run:
    """One item and one head at a time."""

    def run(x: NDArray[np.float32]) -> NDArray[np.float32]:
        with torch.no_grad():
            rows = [[head(item[None]).item() for head in heads] for item in torch.from_numpy(x)]
        return np.array(rows, np.float32)

    return run


def _rows(loop: Run, runs: Runs, size: int, rounds: int, scale: float) -> list[Row]:
    """One row for each way and batch; accuracy is told with the largest batch."""
    out: list[Row] = []
    draw = np.random.default_rng(5)
    for batch in BATCHES:
        x = draw.standard_normal((batch, size), np.float32)  # what a LayerNorm gives
        named = {("reference loop", "fp32"): loop, **runs}
        found = {way: run(x) for way, run in named.items()}  # warm, too
        candidates = []
        for (name, precision), run in named.items():
            facts = {"batch": batch, "precision": precision}
            title = name if run is loop else f"{name} {precision}"
            candidates.append(Candidate(title, _scaled(partial(run, x), scale), batch, facts))
        rows = interleave(candidates, rounds)
        if batch == BATCHES[-1]:
            for row, scores in zip(rows, found.values(), strict=True):
                row |= distance(found["reference loop", "fp32"], scores)
        out += rows
    return out


def _scaled(call: Callable[[], Any], scale: float) -> Any:
    timed = whole(call)
    return lambda number: {stage: seconds * scale for stage, seconds in timed(number).items()}


def _add_floor(row: Row, limits: Limits, heads: Work) -> None:
    stored = row["precision"]
    batch = 1 if row["name"] == "reference loop" else row["batch"]
    precision = "fp32" if stored == "fp16" else stored
    row["floor_share"] = (
        limits.floor_s(_NOTHING, heads, precision, batch=batch, heads_bytes=_BYTES[stored]) * 1e3 / row["ms"]
    )


def main() -> None:
    """Measure and print."""
    parser = options(__doc__)
    parser.set_defaults(rounds=5)
    arguments = parser.parse_args()
    torch.set_num_threads(cores())
    limits = measure(cores(), quick=arguments.quick)
    finish("heads", [voice_table(arguments, limits), *face_tables(arguments, limits)], arguments)


if __name__ == "__main__":
    main()
