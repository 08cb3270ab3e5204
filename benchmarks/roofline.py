"""What this machine can do at best: products of matrices at each precision, reading of memory; and what that leaves.

Usage: python -m benchmarks.roofline [--json FILE] [--quick]

Rates are of matrix products of the sizes that occur in LAION's encoders, and of larger ones, the best over sizes and
rounds and libraries (PyTorch's oneDNN and MKL, and OpenVINO): what software reaches here, not what the data sheet
says. The least time of a path is its arithmetic at these rates, or the reading of its weights where that takes longer.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from importlib.util import find_spec
from typing import Any

from benchmarks.shapes import FACE, VOICE, Work
from benchmarks.timing import Row, Table, finish, options, thread_counts
from emonet.errors import require

_SIZES = ((1500, 768, 3072), (1500, 3072, 768), (576, 1152, 4304), (576, 4304, 1152), (4096, 4096, 4096))
_READ_BYTES = 1 << 30
_WIDTH = {"fp32": 4.0, "bf16": 2.0, "int8-weights": 1.0, "int8": 1.0}  # bytes of a weight


@dataclass(frozen=True, slots=True)
class Limits:
    """Operations (1e9 a second) at each precision and bytes read (1e9 a second) with `threads` threads."""

    threads: int
    fp32: float
    bf16: float
    int8: float
    read: float

    def floor_s(self, encoder: Work, heads: Work, precision: str, *, batch: int = 1, heads_bytes: float = 2) -> float:
        """Least seconds of one item: the encoder's arithmetic, then the heads, read once for `batch` items.

        8-bit networks compute their linear layers in 8 bits and the rest in bfloat16. `heads_bytes`: of one weight.
        """
        low = precision.startswith("int8")
        rest = self.fp32 if precision == "fp32" else self.bf16
        linear = self.int8 if low else rest
        arithmetic = encoder.linear / linear + encoder.rest / rest
        reading = encoder.weights * _WIDTH[precision] / self.read / batch
        of_heads = max(heads.linear / linear, heads.weights * heads_bytes / self.read / batch)
        return max(arithmetic, reading) + of_heads


def measure(threads: int, *, quick: bool = False) -> Limits:
    """Best rates with this number of threads; about 10 s."""
    torch: Any = require("torch", extra="torch", feature="The roofline")
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        rates = {"fp32": 0.0, "bf16": 0.0, "int8": 0.0}
        for rows, inner, columns in ((64, 64, 64),) if quick else _SIZES:
            calls = [*_by_torch(torch, rows, inner, columns), *_by_openvino(rows, inner, columns, threads)]
            for name, call in calls:
                rate = 2e-9 * rows * inner * columns / _best(call, 0.02 if quick else 0.3)
                rates[name] = max(rates[name], rate)
        numbers = torch.ones((1 << 20 if quick else _READ_BYTES) // 4)
        read = max(
            numbers.numel() * 4e-9 / _best(call, 0.02 if quick else 0.8)
            for call in (
                numbers.sum,
                numbers.amax,
                lambda: torch.mv(numbers.view(256, -1), numbers[: len(numbers) // 256]),
            )
        )
    finally:
        torch.set_num_threads(before)
    return Limits(threads, **rates, read=read)


def _by_torch(torch: Any, rows: int, inner: int, columns: int) -> Iterator[tuple[str, Callable[[], Any]]]:
    x, w = torch.randn(rows, inner), torch.randn(columns, inner)
    xb, wb = x.bfloat16(), w.bfloat16()
    xi, wi = ((v * 40).clamp(-127, 127).to(torch.int8) for v in (x, w))
    linear = torch.nn.functional.linear
    yield "fp32", lambda: linear(x, w)
    yield "bf16", lambda: linear(xb, wb)
    yield "int8", lambda: torch._int_mm(xi, wi.t())


def _by_openvino(rows: int, inner: int, columns: int, threads: int) -> Iterator[tuple[str, Callable[[], Any]]]:
    """Its float32 products are the faster ones on some processors."""
    if not find_spec("openvino"):
        return
    import numpy as np
    import openvino
    from openvino import opset15

    draw = np.random.default_rng(0)
    x = opset15.parameter([rows, inner], np.float32, "x")
    weight = opset15.constant(draw.standard_normal((inner, columns), np.float32))
    graph = openvino.Model([opset15.matmul(x, weight, False, False)], [x], "product")
    settings = {"INFERENCE_PRECISION_HINT": "f32", "INFERENCE_NUM_THREADS": threads, "ENABLE_CPU_PINNING": False}
    request = openvino.compile_model(graph, "CPU", settings).create_infer_request()
    value = draw.standard_normal((rows, inner), np.float32)
    yield "fp32", lambda: request.infer([value], share_inputs=True)


def _best(call: Callable[[], Any], seconds: float) -> float:
    """Shortest of the calls that fit into this time, at least three."""
    call()
    best, count, end = float("inf"), 0, time.perf_counter() + seconds
    while count < 3 or time.perf_counter() < end:
        start = time.perf_counter()
        call()
        best = min(best, time.perf_counter() - start)
        count += 1
    return best


def rate_rows(limits: list[Limits]) -> list[Row]:
    """One row for each rate."""
    rows: list[Row] = []
    for one in limits:
        for precision in ("fp32", "bf16", "int8"):
            row = {"name": f"products in {precision}", "threads": one.threads, "gflops": getattr(one, precision)}
            rows.append(row)
        rows.append({"name": "reading memory", "threads": one.threads, "gigabytes_s": one.read})
    return rows


def floor_rows(limits: Limits) -> list[Row]:
    """Least time of each path at each precision, alone and 16 at once."""
    rows: list[Row] = []
    for name, shape in (("voice, a clip", VOICE), ("face, a picture", FACE)):
        for precision, stored in (("fp32", 4), ("bf16", 2), ("int8", 1)):
            for batch in (1, 16):
                floor = limits.floor_s(shape.encoder, shape.heads, precision, batch=batch, heads_bytes=stored)
                rows.append({"name": f"{name}, {precision}", "batch": batch, "floor_ms": floor * 1e3})
    return rows


def main() -> None:
    """Measure and print."""
    arguments = options(__doc__).parse_args()
    limits = [measure(threads, quick=arguments.quick) for threads in thread_counts()]
    tables = [
        Table("roofline-rates", "What the machine can do", "item", rate_rows(limits)),
        Table("roofline-floors", "Least time with all threads", "item", floor_rows(limits[-1])),
    ]
    finish("roofline", tables, arguments, limits=[asdict(one) for one in limits])


if __name__ == "__main__":
    main()
