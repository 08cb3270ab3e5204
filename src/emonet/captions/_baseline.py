"""What is usual for a model's scores: the baselines in the package, one's own from estimates, and their files."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from functools import lru_cache
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from emonet.captions._records import Baseline, Statistic
from emonet.errors import UsageError

if TYPE_CHECKING:
    from emonet.estimation import Estimate

BUILT_IN = ("published", "embedded-voice", "embedded-face", "embedded-voice-open", "embedded-face-open")
"""Names of the baselines in the package."""
LEAST = 20
"""Scored clips that a baseline needs: with fewer, percentiles and spreads say little."""
_COLUMNS = ("n", "mean", "median", "std", "mad", "spread", "p10", "p90")


def read_baseline(path: str | Path | None = None) -> Baseline:
    """The baseline of a JSON file (`write_baseline`), or one of the package by name; None is "published".

    "published": LAION's figures for its voice heads and VoiceNet (dossier of procedural-voice-captions).
    The others: our embedded models over real clips and portraits. Raises `UsageError` for anything else.
    """
    name = "published" if path is None else str(path)
    if name in BUILT_IN:
        return _built_in(name)
    file = Path(name)
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        known = ", ".join(BUILT_IN)
        raise UsageError(f"{file} cannot be read as a baseline ({error}); give a JSON file, or {known}.") from None
    return _parsed(text, str(file))


def make_baseline(estimates: Iterable[Estimate], *, name: str = "own", source: str = "") -> Baseline:
    """What is usual in these estimates, all of one model, at least `LEAST` scored regions.

    The emotions' scale is the one they are ranked on (relative, where the model has neutral scores); attributes are
    raw. The spread is 1.4826 MAD, or the standard deviation where that is more than twice as large (scores that are
    mostly zero), or 1 where all values are equal. A dimension that the model cannot judge gets no entry.
    """
    import numpy as np

    from emonet.captions._caption import scores_of

    scored = [item for item in estimates if item.ok]
    if len({(item.model, item.revision, item.modality) for item in scored}) > 1:
        raise UsageError("A baseline over several models means nothing; give the estimates of one model.")
    if len(scored) < LEAST:
        raise UsageError(f"{len(scored)} scored regions; a baseline needs {LEAST} or more.")
    first = scored[0]
    emotions = emotion_keys()
    columns: dict[str, list[float]] = {}
    for item in scored:
        for key, value in scores_of(item, first.ranked_by).items():
            columns.setdefault(key, []).append(value)
    found = {}
    for key, values in sorted(columns.items()):
        x = np.asarray(values, np.float64)
        mean, median, std = float(x.mean()), float(np.median(x)), float(x.std())
        mad = float(np.median(np.abs(x - median)))
        low, high = (float(v) for v in np.percentile(x, (10, 90)))
        rounded = [round(v, 5) for v in (mean, median, std, mad, usual_spread(mad, std), low, high)]
        found[key] = Statistic("emotion" if key in emotions else "attribute", len(values), *rounded)
    scale: Literal["raw", "relative"] = "relative" if first.ranked_by == "relative" else "raw"
    return Baseline(name, source, first.modality or "voice", scale, found, first.model, first.revision)


def usual_spread(mad: float, std: float) -> float:
    """1.4826 MAD, unless it is under half the standard deviation; 1 where nothing varies."""
    spread = 1.4826 * mad
    if spread < std / 2:
        spread = std
    return spread if spread > 1e-6 else 1.0


def write_baseline(baseline: Baseline, path: str | Path) -> None:
    """Write a baseline as JSON, whole or not at all."""
    data = {k: v for k, v in asdict(baseline).items() if k != "statistics"}
    rows = {
        key: [value.group, *(getattr(value, column) for column in _COLUMNS)]
        for key, value in baseline.statistics.items()
    }
    body = ",\n".join(f"    {json.dumps(key)}: {json.dumps(row)}" for key, row in rows.items())
    head = json.dumps(data | {"columns": ["group", *_COLUMNS]}, indent=2, ensure_ascii=False)[:-2]
    target = Path(path)
    beside = target.with_name(f".{target.name}.{os.getpid()}")
    try:
        beside.write_text(f'{head},\n  "statistics": {{\n{body}\n  }}\n}}\n', encoding="utf-8")
        os.replace(beside, target)
    finally:
        beside.unlink(missing_ok=True)


def parse_baseline(text: str) -> Baseline:
    """A baseline from the text that `write_baseline` writes, or from the name of one of the package."""
    return _built_in(text) if text in BUILT_IN else _parsed(text, "the baseline given as text")


def baseline_for(estimate: Estimate) -> Baseline:
    """The package's baseline for a model's estimates, see `baseline_of_model`."""
    return baseline_of_model(estimate.model, estimate.modality, estimate.dimensions)


def baseline_of_model(model: str, modality: str | None, dimensions: Sequence[str]) -> Baseline:
    """The package's baseline for a model: our embedded models have their own, LAION's voice heads use the published
    one. Raises `UsageError` for any other model, whose scores nothing here can judge."""
    for name in BUILT_IN[1:]:
        known = _built_in(name)
        if known.model == model:
            return known
    if modality == "voice" and {"age", "gender"} <= set(dimensions):
        return _built_in("published")
    raise UsageError(
        f"No baseline is known for the model {model!r}; make one of its estimates of ordinary clips with "
        "make_baseline (or `emonet caption --make-baseline`) and give it."
    )


@lru_cache(maxsize=1)
def emotion_keys() -> frozenset[str]:
    """Keys of the emotions: the taxonomy's in use and the built-in ones."""
    from emonet.taxonomy import built_in, known_emotions

    return frozenset(record.key for record in (*known_emotions(), *built_in().emotions))


@lru_cache(maxsize=4)
def _built_in(name: str) -> Baseline:
    text = files("emonet.captions").joinpath("baselines", f"{name}.json").read_text(encoding="utf-8")
    return _parsed(text, name)


def _parsed(text: str, where: str) -> Baseline:
    try:
        data: dict[str, Any] = json.loads(text)
        statistics = {str(key): _statistic(row) for key, row in data["statistics"].items()}
        named = {field: str(data[field]) for field in ("name", "source", "model", "revision")}
        if data["modality"] not in ("voice", "face") or data["scale"] not in ("raw", "relative"):
            raise ValueError(f"modality {data['modality']!r}, scale {data['scale']!r}")
        return Baseline(modality=data["modality"], scale=data["scale"], statistics=statistics, **named)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise UsageError(f"{where} is no baseline ({error!r}); write_baseline writes one.") from None


def _statistic(row: list[Any]) -> Statistic:
    group, n, *figures = row
    numbers = [float(figure) for figure in figures]
    if group not in ("emotion", "attribute", "quality") or len(numbers) != 7 or not all(map(math.isfinite, numbers)):
        raise ValueError(f"a row {row!r}")
    if numbers[4] < 0:
        raise ValueError(f"a spread of {numbers[4]}")
    return Statistic(group, int(n), *numbers)
