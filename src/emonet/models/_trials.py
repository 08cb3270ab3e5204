"""Timing the runtimes and precisions that are here: small models as they are, large ones by a stand-in.

LAION's encoders are gigabytes and seldom at hand when somebody asks which runtime to use; one layer of the same shape,
with random weights, tells their speed. It cannot tell accuracy, which the cards of their bundles do.
"""

from __future__ import annotations

import shutil
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emonet.errors import EmonetError
from emonet.models._bundle import check_bundle
from emonet.models._card import Card
from emonet.models._model import Model, open_tier
from emonet.models._projection import openvino_has_bf16
from emonet.models._registry import resolve_model
from emonet.models._remembered import Kind, Timing, cores, kind_of, name_of
from emonet.models._session import Computed, Runtime, open_session

_GRAPHS = Path(__file__).parent / "graphs"  # written by recipes/transformer_graphs.py
_POSITIONS, _WIDTH = 1500, 768  # of Whisper-small's encoder
_BATCH = {"face": 16, "voice": 4}  # items of one timed call
_COMPARED = 48  # items on which scores are compared with fp32's
_LATE = "not timed: the time was spent; give more with --seconds"

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Way:
    """One way of computing, loaded. `run`: one timed call over `items` items."""

    timing: Timing
    run: Callable[[], Any]
    items: int


@dataclass(frozen=True, slots=True)
class Skipped:
    """A way that is not open here, and why."""

    kind: Kind
    runtime: Runtime
    precision: Computed
    reason: str


def time_runtimes(
    models: Sequence[str | Path] = ("face", "voice"), *, seconds: float = 20.0, say: Say = lambda _: None
) -> tuple[list[Timing], list[Skipped]]:
    """Time every way that is open here: each model of `models`, then a layer of LAION's encoders.

    Ways of one model are timed in turns, so that a busy moment of the machine meets all of them. `seconds`: of all
    together. A way that was not loaded within its share is skipped; each loaded one gets at least one turn, which is
    all that may take longer. Raises `ModelError` or `UsageError` for a model that cannot be loaded at all.
    """
    start = time.perf_counter()
    shares = [start + seconds * (i + 1) / (len(models) + 1) for i in range(len(models) + 1)]
    timings: list[Timing] = []
    skipped: list[Skipped] = []
    for name, end in zip(models, shares, strict=False):
        say(f"timing {name}")
        timings += _timed(_model_ways(resolve_model(name), skipped, end), end)
    say("timing a layer of LAION's encoders")
    with tempfile.TemporaryDirectory(prefix="emonet-", ignore_cleanup_errors=True) as temporary:
        timings += _timed(_layer_ways(Path(temporary), skipped, shares[-1]), shares[-1])
    return timings, skipped


def open_ways() -> Iterator[tuple[Runtime, Computed]]:
    """Runtimes that are installed, with the precisions in which they gain something on this processor."""
    yield "onnxruntime", "fp32"
    yield "onnxruntime", "int8-weights"
    yield "onnxruntime", "int8"
    if find_spec("openvino"):
        yield "openvino", "fp32"
        if openvino_has_bf16():
            yield "openvino", "bf16"
        yield "openvino", "int8-weights"
        yield "openvino", "int8"
    if has_cuda():
        yield "torch", "fp32"
        yield "torch", "bf16"


def has_cuda() -> bool:
    """Whether torch is installed and sees an NVIDIA GPU."""
    if not find_spec("torch"):
        return False
    import torch

    return bool(torch.cuda.is_available())


def _model_ways(folder: Path, skipped: list[Skipped], end: float) -> Iterator[Way]:
    card = check_bundle(folder)
    kind, items = kind_of(card), made_items(card, _COMPARED)
    some = items[: _BATCH[card.modality]]
    expected: NDArray[np.float32] | None = None
    for runtime, precision in open_ways():
        if card.tier("torch" if runtime == "torch" else precision) is None and _needs_files(runtime, precision):
            continue  # not a way of this bundle
        if expected is not None and time.perf_counter() > end:
            skipped.append(Skipped(kind, runtime, precision, _LATE))
            continue
        for threads in (None, 1) if cores() > 1 and runtime != "torch" else (None,):
            try:
                model = open_tier(folder, card, runtime=runtime, precision=precision, threads=threads)
                found = _quiet_scores(model, items)
            except EmonetError as error:
                skipped.append(Skipped(kind, runtime, precision, str(error)))
                break
            expected = found if expected is None else expected  # the first way is ONNX Runtime in fp32
            order, difference = compare_scores(expected, found)
            timing = Timing(kind, name_of(card), runtime, precision, threads, 0.0, order, difference)
            yield Way(timing, _call(model, some), len(some))


def _layer_ways(folder: Path, skipped: list[Skipped], end: float) -> Iterator[Way]:
    opened = False
    x = np.random.default_rng(0).standard_normal((1, _POSITIONS, _WIDTH), np.float32)
    for runtime, precision in open_ways():
        if opened and time.perf_counter() > end:
            skipped.append(Skipped("transformer", runtime, precision, _LATE))
            continue
        try:
            if runtime == "torch":
                run = _layer_on_card(precision)
            else:
                graph = _layer(folder, "fp32" if precision == "bf16" else precision)
                run = open_session(graph, output="sequence", runtime=runtime, precision=precision)
            run(x)
        except EmonetError as error:
            skipped.append(Skipped("transformer", runtime, precision, str(error)))
            continue
        opened = True
        yield Way(Timing("transformer", "", runtime, precision, None, 0.0), _call(run, x), 1)


def _needs_files(runtime: Runtime, precision: Computed) -> bool:
    return runtime == "torch" or precision.startswith("int8")


def _layer_on_card(precision: Computed) -> Callable[[Any], Any]:
    """The same layer in torch on the graphics card, from and to main memory."""
    import torch

    dtype = torch.bfloat16 if precision == "bf16" else torch.float32
    kind = torch.nn.TransformerEncoderLayer
    layer = kind(_WIDTH, 12, 4 * _WIDTH, activation="gelu", batch_first=True, norm_first=True)
    layer = layer.eval().to("cuda", dtype)

    def run(x: NDArray[np.float32]) -> NDArray[np.float32]:
        with torch.inference_mode():
            return np.asarray(layer(torch.from_numpy(x).to("cuda", dtype)).float().cpu().numpy())

    return run


def _layer(folder: Path, precision: str) -> Path:
    """The graph with random weights beside it."""
    name = f"transformer.{precision}.onnx"
    path = folder / name
    if not path.exists():
        shutil.copyfile(_GRAPHS / name, path)
        draw = np.random.default_rng(0)
        count = 12 * _WIDTH * _WIDTH  # 3 + 1 for attention, 4 + 4 for the hidden layer
        if precision == "fp32":
            values = draw.uniform(-1, 1, count).astype(np.float32) * np.float32((3 / _WIDTH) ** 0.5)
        else:
            values = draw.integers(-127, 128, count, np.int8)
        values.tofile(path.with_suffix(".bin"))
    return path


def _timed(ways: Iterator[Way], end: float) -> list[Timing]:
    """Load all, then call them in turns until `end` on the clock."""
    loaded = list(ways)
    taken: list[list[float]] = [[] for _ in loaded]
    turns = 0
    while loaded and (not turns or time.perf_counter() < end):
        for i in range(len(loaded)):
            now = (i + turns) % len(loaded)  # no way is always the one after a slow one
            start = time.perf_counter()
            loaded[now].run()
            taken[now].append(time.perf_counter() - start)
        turns += 1
    return [
        replace(way.timing, per_second=way.items / statistics.median(times))
        for way, times in zip(loaded, taken, strict=True)
    ]


def made_items(card: Card, count: int) -> list[NDArray[Any]]:
    """Generated crops or clips that differ from one another: what they show means nothing."""
    import PIL.Image

    draw = np.random.default_rng(0)
    if card.modality == "voice":
        return [_made_clip(draw) for _ in range(count)]
    items: list[NDArray[Any]] = []
    for _ in range(count):
        coarse = draw.integers(0, 256, (7, 7, 3)).astype(np.uint8)
        smooth = PIL.Image.fromarray(coarse).resize((112, 112), PIL.Image.Resampling.BICUBIC)
        items.append(np.asarray(smooth))
    return items


def _made_clip(draw: np.random.Generator) -> NDArray[np.float32]:
    """3 s of a gliding voice-like tone: float32 [48000]."""
    t = np.arange(48_000) / 16_000
    pitch = draw.uniform(90, 280) * (1 + draw.uniform(-0.3, 0.3) * np.sin(2 * np.pi * draw.uniform(0.2, 3) * t))
    phase = 2 * np.pi * np.cumsum(pitch) / 16_000
    tone = sum(np.sin(k * phase) * draw.uniform(0, 1) / k for k in range(1, 13))
    loud = 0.1 * (1.1 + np.sin(2 * np.pi * draw.uniform(1, 6) * t))
    return np.asarray(loud * tone + draw.uniform(0.001, 0.02) * draw.normal(size=t.size), np.float32)


def compare_scores(expected: NDArray[np.float32], found: NDArray[np.float32]) -> tuple[float, float]:
    """Lowest Spearman correlation of any dimension over the items, and the largest difference; scores [n, d]."""
    from emonet.statistics import spearman_columns

    judged = ~np.isnan(expected).all(axis=0)
    a, b = expected[:, judged].astype(np.float64), found[:, judged].astype(np.float64)
    varies = a.std(axis=0) > 0  # scores that are all the same have no order to keep
    order = spearman_columns(a[:, varies], b[:, varies]).min(initial=1.0)  # NaN, which is never near, stays NaN
    return float(order), float(np.abs(a - b).max())


def _quiet_scores(model: Model, items: Sequence[NDArray[Any]]) -> NDArray[np.float32]:
    """Scores of generated input may lie far outside the scale, which is no news."""
    import warnings

    from emonet.models._model import ScoreRangeWarning

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ScoreRangeWarning)
        return model.raw_scores(items)


def _call(model: Any, items: Any) -> Callable[[], Any]:
    if isinstance(model, Model):
        return lambda: _quiet_scores(model, items)
    return lambda: model(items)
