"""How long a large run will take, from a small one that was made.

The model is plain. A worker needs `unit_s` seconds for an hour of sound (or a thousand pictures), measured with as many
workers side by side as the calibration had, so that what they take from one another is in it; `shard_s` more for each
shard; and `start_s` once. w workers make n equal shards in ceil(n / w) turns. What the model leaves out: slower reading
from far away than in the calibration, and other processors.
"""

from __future__ import annotations

import json
import math
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from emonet.bulk._run import SESSIONS, run
from emonet.bulk._statistics import ShardStatistics
from emonet.bulk._status import RunStatus, status
from emonet.bulk._storage import Storage
from emonet.errors import UsageError
from emonet.statistics import bootstrap_mean

_SHARD_S = 600.0  # wanted length of a shard: what is lost when a worker is killed
_ROUNDS = 20  # wanted shards a worker: at the end some wait for others by a twentieth of the time at most
_MOST_BYTES = 2 * 10**9  # of a shard: larger tars are slow to move
_PICTURES = 1000


@dataclass(frozen=True, slots=True)
class Calibration:
    """What a run of this model costs on machines like the one it was made on.

    A unit is an hour of sound for a voice model, a thousand samples for a face model. `unit_s`: seconds of one worker a
    unit, `low_s` and `high_s` its 95 % interval over the shards (bootstrap; it tells of the media's differences, not of
    other machines). `shard_s`: seconds of writing a shard; `start_s`: until workers stand. `samples`, `bytes_in`,
    `bytes_out`: of a unit. `workers`, `threads`, `cores`: of the calibration.
    """

    model: str
    modality: str
    computed_by: str
    shards: int
    units: float
    unit_s: float
    low_s: float
    high_s: float
    shard_s: float
    start_s: float
    samples: float
    bytes_in: float
    bytes_out: float
    workers: int
    threads: int
    cores: int

    @property
    def unit(self) -> str:
        """Name of the unit."""
        return "hour of sound" if self.modality == "voice" else "thousand samples"

    @classmethod
    def of(cls, made: RunStatus, sessions: Sequence[dict[str, Any]]) -> Calibration:
        """From the statistics of a run. Raises `UsageError` when it has too little to go by."""
        modality = made.modality
        done = [one for one in made.done if one.samples and (one.sound_s or modality == "face")]
        if len(done) < 2:
            raise UsageError(f"{len(done)} shards with scored media are done; a calibration needs 2 or more.")
        amounts = [_units(one, modality) for one in done]
        spent = [max(one.wall_s - one.write_s, 1e-9) for one in done]
        units = sum(amounts)
        unit_s = sum(spent) / units
        spread = bootstrap_mean([s / a for s, a in zip(spent, amounts, strict=True)], seed=42)
        centre = sum(s / a for s, a in zip(spent, amounts, strict=True)) / len(done)
        written = sum(output.size for one in done for output in one.outputs)
        return cls(
            model=made.settings.id,
            modality=modality,
            computed_by=done[0].computed_by,
            shards=len(done),
            units=units,
            unit_s=unit_s,
            low_s=unit_s * spread.low / centre,
            high_s=unit_s * spread.high / centre,
            shard_s=sum(one.write_s for one in done) / len(done),
            start_s=max([s["ready_s"] for s in sessions] or [one.load_s for one in done]),
            samples=sum(one.samples for one in done) / units,
            bytes_in=sum(one.bytes_in for one in done) / units,
            bytes_out=written / units,
            workers=max([s["workers"] for s in sessions] or [len({one.worker for one in done})]),
            threads=made.settings.threads,
            cores=max([s["cores"] for s in sessions] or [0]),
        )


@dataclass(frozen=True, slots=True)
class Plan:
    """A prediction. `units` of `Calibration.unit`; `shards` in all of `shard_units` each, `shard_samples` and
    `shard_bytes` of media; `seconds` from start to end with the calibration's interval `low_s` to `high_s`; `core_h`:
    core hours that are paid for; `cost`: None without a price; `read_mb_s`: what storage must deliver."""

    calibration: Calibration
    units: float
    workers: int
    shards: int
    shard_units: float
    shard_samples: float
    shard_bytes: float
    shard_s: float
    seconds: float
    low_s: float
    high_s: float
    core_h: float
    cost: float | None
    bytes_in: float
    bytes_out: float
    read_mb_s: float


def calibrate(
    source: str | Path, *, model: str | Path | None = None, workers: int | None = None, **options: Any
) -> Calibration:
    """Measure, or take the measure of a run that was made.

    `source`: the output of a run; or, with `model`, a few shards of media, which are scored now with one worker a core
    (`workers`) into a folder that is deleted again. `options`: those of `run`. Two minutes' work of two shards a core
    or more is a good sample.
    """
    if model is None:
        return Calibration.of(status(source), read_sessions(Storage(source)))
    with tempfile.TemporaryDirectory(prefix="emonet-plan-") as folder:
        run(source, folder, model=model, workers=workers, page=False, **options)
        return Calibration.of(status(folder), read_sessions(Storage(folder)))


def plan(
    calibration: Calibration,
    *,
    hours: float | None = None,
    samples: float | None = None,
    cores: int,
    shards: int | None = None,
    price: float | None = None,
) -> Plan:
    """Predict a run over `hours` of sound (voice) or `samples` pictures (face) on `cores` like the calibration's.

    `shards`: into how many the data are cut, None for as many as suit. `price`: of a core hour, in any currency.
    Raises `UsageError` when the amount does not fit the model's modality, or a number is not positive.
    """
    units = _amount(calibration, hours, samples)
    if cores < calibration.threads or (shards is not None and shards < 1) or (price is not None and price < 0):
        raise UsageError(
            f"cores is {cores}, shards {shards} and price {price}; expected at least {calibration.threads} cores (the "
            "threads of a worker), 1 shard and a price of 0 or more."
        )
    workers = cores // calibration.threads
    count = shards or _shards(calibration, units, workers)
    each = units / count
    turns = math.ceil(count / workers)

    def total(unit_s: float) -> float:
        return calibration.start_s + turns * (each * unit_s + calibration.shard_s)

    seconds = total(calibration.unit_s)
    core_h = seconds * cores / 3600
    return Plan(
        calibration=calibration,
        units=units,
        workers=workers,
        shards=count,
        shard_units=each,
        shard_samples=each * calibration.samples,
        shard_bytes=each * calibration.bytes_in,
        shard_s=each * calibration.unit_s + calibration.shard_s,
        seconds=seconds,
        low_s=total(calibration.low_s),
        high_s=total(calibration.high_s),
        core_h=core_h,
        cost=None if price is None else core_h * price,
        bytes_in=units * calibration.bytes_in,
        bytes_out=units * calibration.bytes_out,
        read_mb_s=workers * calibration.bytes_in / calibration.unit_s / 1e6,
    )


def read_sessions(storage: Storage) -> list[dict[str, Any]]:
    """Notes of the sessions that ended by themselves, oldest first."""
    texts = (storage.read_text(f"{SESSIONS}/{name}.json") for name in storage.names(SESSIONS, ".json"))
    return [json.loads(text) for text in texts if text is not None]


def _units(one: ShardStatistics, modality: str) -> float:
    return one.sound_s / 3600 if modality == "voice" else one.samples / _PICTURES


def _amount(calibration: Calibration, hours: float | None, samples: float | None) -> float:
    voice = calibration.modality == "voice"
    given, other = (hours, samples) if voice else (samples, hours)
    if given is None or other is not None:
        wanted = "hours" if voice else "samples"
        raise UsageError(
            f"hours is {hours} and samples is {samples}; a {calibration.modality} model's run is planned by {wanted}."
        )
    if not given > 0:
        raise UsageError(f"The amount is {given}; expected more than 0.")
    return given if voice else given / _PICTURES


def _shards(calibration: Calibration, units: float, workers: int) -> int:
    """As many shards as give each worker work for `_SHARD_S` at a time and `_ROUNDS` of them, none of them too large.

    A whole number of turns, so that no worker is idle in the last one.
    """
    by_time = units * calibration.unit_s / _SHARD_S
    by_size = units * calibration.bytes_in / _MOST_BYTES
    least = max(by_time, by_size, 1.0)
    turns = max(math.ceil(least / workers), _ROUNDS)
    most = max(1, math.floor(units * calibration.samples / 100))  # a shard of a few samples is all overhead
    return min(turns * workers, max(most, 1))
