"""What became of a shard, and of all shards of a run."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from emonet.errors import UsageError

_MOST_REASONS = 100  # messages kept apart; those beyond are counted under "other"


@dataclass(frozen=True, slots=True)
class Output:
    """One file that was written: its name in the run's folder, size in bytes and SHA-256."""

    name: str
    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class ShardStatistics:
    """One shard that is done.

    `size`: of the shard when it was made, as in `Shard`; another size means another content. `samples`: rows written,
    one a key. `repeated`: samples left out because their key had come before in the shard. `statuses`: status → rows;
    `reasons`: message → rows without scores. `regions`: faces or windows scored. `sound_s`: length of all recordings as
    far as their headers tell it, `speech_s` what was scored of them. `bytes_in`: of the media. `sums`: dimension →
    (rows with a value, their sum).

    Timings in seconds: `wall_s` from the first byte to the last, `cpu_s` the processor time of the worker meanwhile,
    `wait_s` what it waited for samples, `write_s` for putting the outputs in place, `load_s` for the model, which only
    a worker's first shard has. `memory_mb`: of the worker at the end. `computed_by`: runtime and precision.
    `finished`: time, ISO 8601, UTC.
    """

    shard: str
    address: str
    size: int
    samples: int
    repeated: int
    statuses: Mapping[str, int]
    reasons: Mapping[str, int]
    regions: int
    sound_s: float
    speech_s: float
    bytes_in: int
    sums: Mapping[str, tuple[int, float]]
    outputs: tuple[Output, ...]
    wall_s: float
    cpu_s: float
    wait_s: float
    write_s: float
    load_s: float
    memory_mb: float
    worker: str
    computed_by: str
    finished: str

    def to_json(self) -> str:
        """What `from_json` reads."""
        return json.dumps(asdict(self), indent=1, ensure_ascii=False, allow_nan=False)

    @classmethod
    def from_json(cls, text: str, *, source: str) -> ShardStatistics:
        """Read what `to_json` wrote; `source` names the file in the `UsageError` for anything else."""
        try:
            content = json.loads(text)
            content["outputs"] = tuple(Output(**output) for output in content["outputs"])
            content["sums"] = {key: (int(n), float(total)) for key, (n, total) in content["sums"].items()}
            return cls(**content)
        except (ValueError, KeyError, TypeError) as error:
            raise UsageError(
                f"{source}: not the statistics of a shard ({error}). Delete it; the shard is then made again."
            ) from error


@dataclass(slots=True)
class Tally:
    """Counts of a shard while it is made."""

    samples: int = 0
    repeated: int = 0
    regions: int = 0
    sound_s: float = 0.0
    speech_s: float = 0.0
    bytes_in: int = 0
    statuses: Counter[str] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)
    sums: dict[str, tuple[int, float]] = field(default_factory=dict)

    def add(self, row: Mapping[str, Any], dimensions: Iterable[str], size: int) -> None:
        """Count one row of the table; `size`: bytes of its media."""
        self.samples += 1
        self.bytes_in += size
        self.statuses[row["status"]] += 1
        self.regions += row["n_regions"]
        self.sound_s += row["duration_s"] or 0.0
        self.speech_s += row["scored_s"] or 0.0
        if row["status"] != "ok":
            self.reasons[self._known(plain_reason(row["message"]))] += 1
            return
        for key in dimensions:
            if (value := row[key]) is not None:
                n, total = self.sums.get(key, (0, 0.0))
                self.sums[key] = n + 1, total + value

    def _known(self, reason: str) -> str:
        return reason if reason in self.reasons or len(self.reasons) < _MOST_REASONS else "other"


@dataclass(frozen=True, slots=True)
class Totals:
    """Sums over the shards that are done; fields as in `ShardStatistics`."""

    shards: int
    samples: int
    repeated: int
    statuses: Mapping[str, int]
    reasons: Mapping[str, int]
    regions: int
    sound_s: float
    speech_s: float
    bytes_in: int
    bytes_out: int
    wall_s: float
    cpu_s: float
    sums: Mapping[str, tuple[int, float]]

    @classmethod
    def of(cls, shards: Iterable[ShardStatistics]) -> Totals:
        """Add up; the shards may come from a generator and are not kept."""
        statuses: Counter[str] = Counter()
        reasons: Counter[str] = Counter()
        sums: dict[str, tuple[int, float]] = {}
        whole, parts = [0] * 6, [0.0] * 4
        for one in shards:
            statuses.update(one.statuses)
            reasons.update(one.reasons)
            written = sum(output.size for output in one.outputs)
            counts = (1, one.samples, one.repeated, one.regions, one.bytes_in, written)
            whole = [a + b for a, b in zip(whole, counts, strict=True)]
            parts = [a + b for a, b in zip(parts, (one.sound_s, one.speech_s, one.wall_s, one.cpu_s), strict=True)]
            for key, (n, total) in one.sums.items():
                before = sums.get(key, (0, 0.0))
                sums[key] = before[0] + n, before[1] + total
        count, samples, repeated, regions, bytes_in, bytes_out = whole
        sound_s, speech_s, wall_s, cpu_s = parts
        return cls(
            count, samples, repeated, statuses, reasons, regions, sound_s, speech_s, bytes_in, bytes_out, wall_s,
            cpu_s, sums,
        )  # fmt: skip


def plain_reason(message: str) -> str:
    """A message without its numbers, so that equal reasons are counted together."""
    words = "".join("#" if character.isdigit() else character for character in message[:200])
    while "##" in words:
        words = words.replace("##", "#")
    return words.replace("#.#", "#") or "no reason given"
