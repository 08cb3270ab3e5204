"""One suite, emonet's path against the reference: by stage and precision, by number of items at once, by threads."""

from __future__ import annotations

import argparse
import gc
import json
import shutil
import tempfile
import weakref
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from importlib.util import find_spec
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from benchmarks.roofline import Limits, measure
from benchmarks.shapes import Work
from benchmarks.timing import Candidate, Row, Stopwatch, Table, interleave, split_stages
from emonet.estimation import Estimate, Estimates
from emonet.media import Region
from emonet.models import Card, Computed, Model, Runtime, load_model, read_card
from emonet.models._projection import openvino_has_bf16
from emonet.models._remembered import cores
from emonet.models._session import open_session
from emonet.statistics import spearman_columns

Scores = NDArray[np.float32]


@dataclass(frozen=True)
class Suite:
    """What is compared. `reference(path)` gives scores and keeps the time of its stages, which `taken` fetches;
    `read`: file → array, watched; `shape` has the work of encoder and heads."""

    name: str
    unit: str
    bundle: Path
    shape: Any
    files: Sequence[Path]
    inputs: str
    reference: Callable[[Path], Sequence[float]]
    taken: Callable[[], Mapping[str, float]]
    read: Callable[[Path, Stopwatch], NDArray[Any]]
    batch: int = 8
    reference_items: int = 2
    batches: Sequence[int] = (1, 4, 16)
    heads_bytes: Mapping[str, float] = field(default_factory=dict)


class Ours:
    """emonet's path from files to a table on disk, stage by stage. `scores`: what each round gave."""

    def __init__(self, suite: Suite, model: Model) -> None:
        self.suite, self.model, self.watch = suite, model, Stopwatch()
        self.scores: dict[int, Scores] = {}
        heads = model._heads
        model.prepare = self.watch.around("prepare", model.prepare)  # type: ignore[method-assign]
        session = model.session
        model.session = self.watch.around("encoder", session)  # type: ignore[assignment]
        scored = self.watch.around("heads", heads.scores)
        model._heads = SimpleNamespace(scores=scored, inputs=heads.inputs, dimensions=heads.dimensions)  # type: ignore[assignment]
        folder = tempfile.mkdtemp(prefix="emonet-")
        weakref.finalize(self, shutil.rmtree, folder, ignore_errors=True)
        self._table = Path(folder) / "scores.parquet"

    def __call__(self, paths: Sequence[Path]) -> Scores:
        """Raw scores [n, d] of the files, written as a table, one alone as JSON."""
        items = [self.suite.read(path, self.watch) for path in paths]
        raw = self.model.raw_scores(items)
        with self.watch("output"):
            self._write(paths, raw)
        return raw

    def timed(self, size: int) -> Callable[[int], Mapping[str, float]]:
        """A call over `size` files, other ones each round."""

        def run(number: int) -> Mapping[str, float]:
            self.scores[number] = self(round_files(self.suite.files, number, size))
            return self.watch.take()

        return run

    def warm(self) -> None:
        """One file, so that nothing is measured for the first time."""
        self(self.suite.files[:1])
        self.watch.take()

    def _write(self, paths: Sequence[Path], raw: Scores) -> None:
        model = self.model
        relative, softmax, calibrated = model.relative(raw), model.softmax(raw), model.calibrated(raw)
        rows = [
            Estimate(str(path), model.card.modality, Region(), "ok", "", model.card.id, model.card.revision,
                     model.dimensions, raw[i], relative[i], softmax[i], calibrated[i])
            for i, path in enumerate(paths)
        ]  # fmt: skip
        if len(rows) == 1:
            json.dumps(rows[0].to_row())
        else:
            Estimates(rows).to_frame().write_parquet(self._table)


def round_files(files: Sequence[Path], number: int, size: int) -> list[Path]:
    """The files of one round."""
    return [files[(number * size + i) % len(files)] for i in range(size)]


def ways(card: Card) -> list[tuple[Runtime, Computed]]:
    """What can be compared here; ONNX Runtime in fp32 is the first."""
    found: list[tuple[Runtime, Computed]] = [("onnxruntime", "fp32")]
    if find_spec("openvino"):
        found.append(("openvino", "fp32"))
        if openvino_has_bf16():
            found.append(("openvino", "bf16"))
        low: tuple[Computed, ...] = ("int8-weights", "int8")
        found += [("openvino", precision) for precision in low if card.tier(precision)]
    return found


def run_suite(suite: Suite, arguments: argparse.Namespace) -> tuple[list[Table], dict[str, Any]]:
    """All three tables and the limits they were held against."""
    suite.reference(suite.files[0])
    suite.taken()
    limits = {threads: measure(threads, quick=arguments.quick) for threads in dict.fromkeys((cores(), 1))}
    tables = [
        *_precisions(suite, limits[cores()], arguments.rounds),
        _batches(suite, limits[cores()], max(1, arguments.rounds - 1)),
        _threads(suite, limits[1], max(1, arguments.rounds - 1)),
    ]
    return tables, {"limits": [asdict(one) for one in limits.values()]}


def _precisions(suite: Suite, limits: Limits, rounds: int) -> list[Table]:
    torch.set_num_threads(cores())
    opened = open_ways(suite, ways(read_card(suite.bundle)), threads=None)
    mine: dict[int, list[Sequence[float]]] = {}
    candidates = [reference_candidate(suite, suite.batch, suite.reference_items, mine)]
    for (runtime, precision), ours in opened.items():
        facts = {"precision": precision, "batch": suite.batch}
        candidates.append(Candidate(f"{runtime} {precision}", ours.timed(suite.batch), suite.batch, facts))
    rows = _with_floors(interleave(candidates, rounds), suite, limits)
    plain = opened["onnxruntime", "fp32"].scores
    for row, ours in zip(rows[1:], opened.values(), strict=True):
        row |= distance(np.concatenate(list(plain.values())), np.concatenate(list(ours.scores.values())))
    rows[0] |= _reference_distance(suite, plain, mine)
    inputs = rounds * suite.batch
    table = Table(
        f"{suite.name}-precisions",
        f"{suite.name}: precisions, all threads, {suite.batch} at once",
        suite.unit,
        rows,
        f"Inputs: {suite.inputs}. Differences are from onnxruntime fp32 over {inputs} inputs, in standard deviations "
        "of the scores over the inputs; weights are random, so real ones may do better or worse. Every path starts "
        "from files; only emonet's looks for speech or faces and writes a table.",
    )
    return split_stages(table, f"{suite.name}: stages, all threads, {suite.batch} at once")


def _batches(suite: Suite, limits: Limits, rounds: int) -> Table:
    torch.set_num_threads(cores())
    best = [way for way in ways(read_card(suite.bundle)) if way[1] in ("bf16", "int8")]
    opened = open_ways(suite, best or [("onnxruntime", "fp32")], threads=None)
    candidates = [reference_candidate(suite, 1, 1, {})]
    for size in suite.batches:
        for (runtime, precision), ours in opened.items():
            facts = {"precision": precision, "batch": size}
            candidates.append(Candidate(f"{runtime} {precision}", ours.timed(size), size, facts))
    rows = _with_floors(interleave(candidates, rounds), suite, limits)
    _without_stages(rows)
    return Table(f"{suite.name}-batches", f"{suite.name}: items at once, all threads", suite.unit, rows)


def _threads(suite: Suite, limits: Limits, rounds: int) -> Table:
    torch.set_num_threads(1)
    opened = open_ways(suite, ways(read_card(suite.bundle)), threads=1)
    candidates = [reference_candidate(suite, 1, 1, {}, threads=1)]
    for (runtime, precision), ours in opened.items():
        facts = {"precision": precision, "threads": 1, "batch": 2}
        candidates.append(Candidate(f"{runtime} {precision}", ours.timed(2), 2, facts))
    rows = _with_floors(interleave(candidates, rounds), suite, limits)
    torch.set_num_threads(cores())
    _without_stages(rows)
    return Table(f"{suite.name}-thread", f"{suite.name}: one thread", suite.unit, rows)


def _without_stages(rows: list[Row]) -> None:
    for row in rows:
        row.pop("stages")


def open_ways(
    suite: Suite, which: Sequence[tuple[Runtime, Computed]], *, threads: int | None
) -> dict[tuple[Runtime, Computed], Ours]:
    """Load every way; those of 8 bits share the heads, which OpenVINO holds in memory of its own."""
    gc.collect()
    opened: dict[tuple[Runtime, Computed], Ours] = {}
    models: dict[bool, Model] = {}
    for runtime, precision in which:
        low = precision.startswith("int8")
        model = _without_second_heads(suite.bundle, runtime, precision, threads, models.get(low) if low else None)
        models[low] = model
        opened[runtime, precision] = Ours(suite, model)
        opened[runtime, precision].warm()
    return opened


def _without_second_heads(
    bundle: Path, runtime: Runtime, precision: Computed, threads: int | None, other: Model | None
) -> Model:
    """Like `load_model`, except that heads that are loaded already are taken from `other`."""
    card = read_card(bundle)
    tier = card.tier(precision)
    if other is None or tier is None or tier.encoder is None:
        return load_model(bundle, runtime=runtime, precision=precision, threads=threads)
    session = open_session(
        bundle / tier.encoder, output=card.encoder.output, runtime=runtime, precision=precision, threads=threads
    )
    return Model(bundle, card, session, other._heads)


def reference_candidate(
    suite: Suite, size: int, items: int, scores: dict[int, list[Sequence[float]]], *, threads: int | None = None
) -> Candidate:
    """The reference over the first `items` of the files that the others get."""

    def run(number: int) -> Mapping[str, float]:
        scores[number] = [suite.reference(path) for path in round_files(suite.files, number, size)[:items]]
        return suite.taken()

    facts = {"batch": 1} | ({"threads": threads} if threads else {})
    return Candidate("reference (PyTorch fp32)", run, items, facts)


def _with_floors(rows: list[Row], suite: Suite, limits: Limits) -> list[Row]:
    """The share of the machine's limit that each row reaches, at its own precision."""
    encoder: Work = suite.shape.encoder
    heads: Work = suite.shape.heads
    for row in rows:
        precision = row.get("precision", "fp32")
        stored = 4.0 if row is rows[0] else suite.heads_bytes.get(precision, 2.0)
        floor = limits.floor_s(encoder, heads, precision, batch=row["batch"], heads_bytes=stored) * 1e3
        row |= {"floor_share": floor / row["ms"]}
    return rows


def distance(expected: Scores, found: Scores, *, in_spreads: bool = True) -> Row:
    """How far scores [n, d] are from fp32's, in standard deviations over the items or in their own units."""
    judged = ~np.isnan(expected).all(axis=0)
    a, b = expected[:, judged].astype(np.float64), found[:, judged].astype(np.float64)
    difference = np.abs(a - b) / (np.maximum(a.std(axis=0), 1e-30) if in_spreads else 1.0)
    order = spearman_columns(a, b) if len(a) > 2 else np.full(a.shape[1], np.nan)
    return {
        "max_difference": float(difference.max()),
        "mean_difference": float(difference.mean()),
        "rank_correlation": float(order.min()),
        "mean_rank_correlation": float(order.mean()),
    }


def _reference_distance(
    suite: Suite, ours: Mapping[int, Scores], reference: Mapping[int, list[Sequence[float]]]
) -> Row:
    """How far the reference's scores of the dimensions that it held are from ours in fp32."""
    spread = np.concatenate(list(ours.values())).std(axis=0)
    largest, total = 0.0, []
    for number, rows in reference.items():
        for own, row in zip(ours[number], rows, strict=False):
            held = len(row)
            difference = np.abs(own[:held] - np.asarray(row)) / np.maximum(spread[:held], 1e-30)
            largest = max(largest, float(difference.max()))
            total.append(float(difference.mean()))
    return {"max_difference": largest, "mean_difference": float(np.mean(total))}
