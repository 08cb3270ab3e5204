"""What `emonet doctor` measured on this machine, kept in emonet's cache folder, and what `auto` makes of it.

Speed is remembered for models that were timed and for a transformer of the shape of LAION's encoders; how near a
precision is to fp32 is known only where it was measured: in a bundle's card, or by the doctor on that very model.
"""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Literal, NamedTuple

from emonet.models import _cache
from emonet.models._card import Card, ImagePreprocessing
from emonet.models._session import Computed, Runtime

Kind = Literal["face", "voice", "transformer"]
"""Which models a timing speaks for: small ones of one modality, or large encoders, SigLIP's and Whisper's."""

_FORMAT = 1
_PACKAGES = ("emonet", "onnxruntime", "openvino", "torch")
_WORTH = 1.1  # a gain below this is noise, and not worth another runtime than the one that is always there
_LARGE_SIDE = 224  # pixels; the embedded models read 48, SigLIP 384
_FLAGS = frozenset("avx2 avx512f avx512_vnni avx_vnni avx512_bf16 amx_bf16 amx_int8 asimddp bf16 i8mm sve".split())


@dataclass(frozen=True, slots=True)
class Timing:
    """One way of computing, timed. `threads` None: as many as the runtime wants.

    `model`: "id@revision" of the model that was timed, empty for the transformer that only has the shape of one.
    `per_second`: items. `rank_correlation`: with fp32, Spearman's, the lowest of all dimensions; `max_difference` from
    fp32 in raw score units; both None where only speed was measured.
    """

    kind: Kind
    model: str
    runtime: Runtime
    precision: Computed
    threads: int | None
    per_second: float
    rank_correlation: float | None = None
    max_difference: float | None = None


class Choice(NamedTuple):
    """What `auto` means for one model."""

    runtime: Runtime
    precision: Computed
    threads: int | None


PLAIN = Choice("onnxruntime", "fp32", None)
"""What `auto` means as long as nobody measured."""


@dataclass(frozen=True, slots=True)
class Remembered:
    """Timings of this machine. `measured`: the day, ISO 8601."""

    measured: str
    timings: tuple[Timing, ...]


def remember(timings: Sequence[Timing]) -> Path:
    """Keep timings for this machine and these versions, in place of older ones; the file. Raises `OSError` when the
    cache folder cannot be written."""
    path = _path()
    content = {
        "format": _FORMAT,
        "measured": datetime.now(UTC).date().isoformat(),
        "machine": machine(),
        "timings": [asdict(timing) for timing in timings],
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_suffix(f".{os.getpid()}")
    temporary.write_text(json.dumps(content, indent=1), encoding="utf-8")
    os.replace(temporary, path)
    return path


def read_remembered() -> Remembered | None:
    """What was remembered; None when nothing was, or on another processor or with other versions, or when the file is
    damaged: `emonet doctor` writes it anew."""
    try:
        content = json.loads(_path().read_text(encoding="utf-8"))
        if content["format"] != _FORMAT or content["machine"] != machine():
            return None
        return Remembered(content["measured"], tuple(Timing(**fields) for fields in content["timings"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def forget() -> None:
    """Let `auto` be ONNX Runtime in fp32 again."""
    _path().unlink(missing_ok=True)


def choose(card: Card, runtime: Runtime = "auto", precision: Computed = "auto") -> Choice:
    """The fastest way to run this model, of those that `runtime` and `precision` leave open.

    Without a valid answer of the doctor, and unless another way was at least a tenth faster, that is ONNX Runtime in
    fp32. A precision is chosen by itself only if the order of its scores agrees with fp32's in every dimension by
    `RANK_BOUND` or more.
    """
    plain = Choice(
        ("openvino" if precision == "bf16" else "onnxruntime") if runtime == "auto" else runtime,
        "fp32" if precision == "auto" else precision,
        None,
    )
    if "auto" not in (runtime, precision):
        return plain
    answer = read_remembered()
    open_ = [
        timing
        for timing in (_about(card, answer.timings) if answer else ())
        if runtime in ("auto", timing.runtime)
        and (timing.runtime != "torch" or card.tier("torch") is not None)
        and (timing.precision == precision or (precision == "auto" and is_near(card, timing)))
    ]
    if not open_:
        return plain
    best = fastest(open_, plain)
    return Choice(best.runtime, best.precision, best.threads)


def fastest(timings: Sequence[Timing], plain: Choice = PLAIN) -> Timing:
    """The fastest way, or `plain` where the gain over it is too small."""
    best = max(timings, key=lambda timing: timing.per_second)
    usual = next((t for t in timings if (t.runtime, t.precision, t.threads) == plain), None)
    return usual if usual and best.per_second < _WORTH * usual.per_second else best


def is_near(card: Card, timing: Timing) -> bool:
    """Whether a precision keeps the order of this model's scores, as far as anybody measured it."""
    from emonet.models._tier_check import RANK_BOUND  # imports the model, which imports this file

    if timing.precision == "fp32":
        return True
    tier = card.tier(timing.precision)
    if tier is not None and tier.check is not None:
        same = tier.check.runtime.partition(" ")[0] == timing.runtime  # another one rounds otherwise
        return same and tier.check.passed and tier.check.rank_correlation >= RANK_BOUND
    if tier is None and timing.precision != "bf16":
        return False  # the bundle has no such files
    return (
        timing.model == name_of(card)
        and timing.rank_correlation is not None
        and timing.rank_correlation >= RANK_BOUND  # false for NaN
    )


def name_of(card: Card) -> str:
    """What a timing calls a model: the same weights, not only the same name."""
    return f"{card.id}@{card.revision}"


def kind_of(card: Card) -> Kind:
    """Which timings speak for a model that was not timed itself."""
    spec = card.preprocessing
    large = isinstance(spec, ImagePreprocessing) and min(spec.height, spec.width) >= _LARGE_SIDE
    return "transformer" if large or card.encoder.output == "sequence" else card.modality


def machine() -> dict[str, Any]:
    """Processor, cores and versions: what a timing depends on."""
    return {
        "system": platform.system(),
        "processor": processor(),
        "flags": processor_flags(),
        "cores": cores(),
        "gpu": Path("/proc/driver/nvidia/version").exists(),
        "versions": {package: package_version(package) for package in _PACKAGES},
    }


def processor() -> str:
    """The processor's name as far as the system tells it."""
    named = _cpuinfo().get("model name")
    return named or platform.processor() or platform.machine()


def processor_flags() -> list[str]:
    """Those of the processor's features on which the speed of reduced precision depends; Linux only."""
    facts = _cpuinfo()
    return sorted(_FLAGS & set(facts.get("flags", facts.get("Features", "")).split()))


def cores() -> int:
    """Logical cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def package_version(package: str) -> str | None:
    """Installed version of a package, None when it is absent."""
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _about(card: Card, timings: Sequence[Timing]) -> list[Timing]:
    """Timings of this very model, or else of its kind."""
    own = [timing for timing in timings if timing.model == name_of(card)]
    return own or [timing for timing in timings if timing.kind == kind_of(card)]


def _cpuinfo() -> dict[str, str]:
    """Facts of the first processor in Linux's list; empty elsewhere."""
    try:
        first = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").partition("\n\n")[0]
    except OSError:
        return {}
    pairs = (line.partition(":") for line in first.splitlines())
    return {key.strip(): value.strip() for key, _, value in pairs}


def _path() -> Path:
    return _cache.home() / "doctor.json"
