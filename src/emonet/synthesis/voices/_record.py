"""Takes of scripts until every script has a clip, or its attempts are used up; restarts from what is on disk.

A folder holds `clips/EMOTION/KEY.wav` and `takes.jsonl`, one line for each finished clip, written after its file. A
script is done when a line with the same fingerprint (script, generator, policy) exists and so does its file.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from emonet.errors import UsageError
from emonet.synthesis.voices._data import challenge
from emonet.synthesis.voices._files import write_bytes
from emonet.synthesis.voices._finish import Finished, FinishPolicy, finish_take
from emonet.synthesis.voices._pool import worker_pool
from emonet.synthesis.voices._records import Burst, Clip, Failure, Generator, Order, Part, Script, Take

TAKES = "takes.jsonl"
CLIPS = "clips"
_CHUNK = 64  # scripts whose takes are held in memory
_NOT_ASKED = "not asked"
Progress = Callable[[str, int, int], None]
"""Called with what is done, how much of it, and how much there is."""


@dataclass(frozen=True, slots=True)
class Heard:
    """What speech recognition made of a clip: a transcript and its word error rate, or a fault of the service."""

    text: str = ""
    wer: float | None = None
    fault: str = ""
    cost: float | None = None


Listener = Callable[[Sequence[tuple[Order, bytes]]], Iterator[tuple[Order, Heard]]]
"""Transcribes finished WAV files; see `TranscriptionListener`."""


@dataclass(frozen=True, slots=True)
class Session:
    """What a recording session left: `clips` in the order of the scripts, `failures`, and `pending` scripts that were
    never asked for because a budget was spent. `kept`: clips that lay there before."""

    clips: tuple[Clip, ...]
    failures: tuple[Failure, ...]
    pending: tuple[Script, ...]
    kept: int


def record_clips(
    scripts: Sequence[Script],
    generator: Generator,
    folder: str | os.PathLike[str],
    *,
    policy: FinishPolicy | None = None,
    listener: Listener | None = None,
    max_wer: float = 0.5,
    attempts: int = 3,
    workers: int = 2,
    seed: int = 0,
    progress: Progress | None = None,
) -> Session:
    """Record every script; takes that fail a check are made again with another seed.

    workers: processes that finish takes. listener, max_wer: checks the words by speech recognition. Interrupted, the
    same call goes on: finished clips stay, and services do not ask again what they have paid for. A script whose
    attempts all failed is in `failures` and is tried again by the next call. Raises `UsageError` for arguments that do
    not fit.
    """
    if attempts < 1 or workers < 1 or not 0 <= max_wer <= 10:
        raise UsageError(f"attempts {attempts}, workers {workers}, max_wer {max_wer}; expected 1 or more, and 0 to 10.")
    room = _Room(Path(folder), generator, policy or FinishPolicy(), listener, max_wer, progress)
    done = room.finished(scripts)
    kept = len(done)
    todo = [script for script in scripts if script.part.key not in done]
    histories = {script.part.key: _History() for script in todo}
    room.say(len(done), len(scripts))
    with worker_pool(workers, len(todo)) as pool:
        for attempt in range(attempts):
            missed: list[Script] = []
            for start in range(0, len(todo), _CHUNK):
                orders = [
                    Order(script, attempt, _seed(seed, script, attempt)) for script in todo[start : start + _CHUNK]
                ]
                for order, result in room.attempt(orders, histories, pool):
                    if isinstance(result, Clip):
                        done[order.script.part.key] = result
                        room.say(len(done), len(scripts))
                    else:
                        missed.append(order.script)
            open_ones = (histories[script.part.key] for script in missed)
            todo = [script for script, one in zip(missed, open_ones, strict=True) if not (one.stopped or one.final)]
            if not todo:
                break
    lost = [script for script in scripts if script.part.key not in done]
    return Session(
        clips=tuple(done[script.part.key] for script in scripts if script.part.key in done),
        failures=tuple(
            Failure(script, tuple(histories[script.part.key].faults), histories[script.part.key].cost)
            for script in lost
            if not histories[script.part.key].stopped
        ),
        pending=tuple(script for script in lost if histories[script.part.key].stopped),
        kept=kept,
    )


@dataclass(slots=True)
class _History:
    """What happened to a script in this call. `stopped`: a budget is spent, so that it is neither done nor failed;
    `final`: no further take is made of it."""

    faults: list[str] = field(default_factory=list)
    cost: float | None = None
    stopped: bool = False
    final: bool = False

    def pay(self, cost: float | None) -> None:
        if cost is not None:
            self.cost = (self.cost or 0.0) + cost


@dataclass(frozen=True, slots=True)
class _Room:
    """Where clips are recorded: the folder and the checks."""

    folder: Path
    generator: Generator
    policy: FinishPolicy
    listener: Listener | None
    max_wer: float
    progress: Progress | None

    def say(self, done: int, total: int) -> None:
        if self.progress is not None:
            self.progress("clips", done, total)

    def attempt(
        self, orders: Sequence[Order], histories: Mapping[str, _History], pool: ProcessPoolExecutor | None
    ) -> Iterator[tuple[Order, Clip | None]]:
        """One take of each order; those that pass every check become clips on disk."""
        passed: list[tuple[Take, Finished]] = []
        for take, finished in self._finished(orders, pool):
            history = histories[take.order.script.part.key]
            history.pay(take.cost)
            if take.fault.startswith(_NOT_ASKED):
                history.stopped = True
                yield take.order, None
            elif finished.fault:
                history.faults.append(finished.fault)
                yield take.order, None
            elif self.listener is None:
                yield take.order, self._keep(take, finished, history, Heard())
            else:
                passed.append((take, finished))
        if self.listener is None or not passed:
            return
        by_key = {take.order.script.part.key: (take, finished) for take, finished in passed}
        for order, heard in self.listener([(take.order, finished.wav) for take, finished in passed]):
            history = histories[order.script.part.key]
            history.pay(heard.cost)
            fault = heard.fault or (
                f"speech recognition differs in {heard.wer:.0%} of the words: {heard.text[:200]!r}"
                if heard.wer is not None and heard.wer > self.max_wer
                else ""
            )
            if fault:
                history.faults.append(fault)
                history.stopped = fault.startswith(_NOT_ASKED)
                # A service that cannot listen is no fault of the take: another one would be paid for in vain.
                history.final = bool(heard.fault)
                yield order, None
            else:
                yield order, self._keep(*by_key[order.script.part.key], history, heard)

    def _finished(self, orders: Sequence[Order], pool: ProcessPoolExecutor | None) -> Iterator[tuple[Take, Finished]]:
        """Takes with what became of them, finished in the pool while the next ones are made."""
        under_way: list[tuple[Take, Future[Finished]]] = []
        for take in self.generator.takes(orders):
            script = take.order.script
            if take.fault:
                yield take, Finished(take.fault)
                continue
            arguments = take.audio, script.words, challenge(script.part.challenge).whisper, self.policy
            slim = replace(take, audio=b"")
            if pool is None:
                yield slim, finish_take(*arguments)
            else:
                under_way.append((slim, pool.submit(finish_take, *arguments)))
                while under_way and under_way[0][1].done():
                    one, future = under_way.pop(0)
                    yield one, future.result()
        for one, future in under_way:
            yield one, future.result()

    def _keep(self, take: Take, finished: Finished, history: _History, heard: Heard) -> Clip:
        """Write the clip, then its line."""
        script = take.order.script
        path = f"{CLIPS}/{script.part.emotion}/{script.part.key}.wav"
        clip = Clip(
            script, path, round(finished.duration_s, 4), round(finished.loudness_lufs, 2), round(finished.peak_dbtp, 2),
            round(finished.speech_s, 2), attempt=take.order.attempt, faults=tuple(history.faults),
            transcript=heard.text if heard.wer is not None else None, wer=heard.wer, cost=history.cost,
            generator=self.generator.name, licence=self.generator.licence,
            facts={"seed": take.order.seed, "gain_db": round(finished.gain_db, 2)},
        )  # fmt: skip
        write_bytes(self.folder / path, finished.wav)
        line = {"fingerprint": self.fingerprint(script), "bytes": len(finished.wav), **clip_record(clip)}
        with (self.folder / TAKES).open("ab") as file:
            # One write; a line that a power cut tears is not read and its clip is made again.
            file.write(json.dumps(line, ensure_ascii=False, sort_keys=True).encode() + b"\n")
        return clip

    def finished(self, scripts: Sequence[Script]) -> dict[str, Clip]:
        """Clips on disk that are takes of these scripts."""
        path = self.folder / TAKES
        if not path.is_file():
            return {}
        content = path.read_bytes()
        if content and not content.endswith(b"\n"):
            with path.open("ab") as file:
                file.write(b"\n")  # ends a torn line, so that the next one stands on its own
        wanted = {script.part.key: self.fingerprint(script) for script in scripts}
        found: dict[str, Clip] = {}
        for text in content.splitlines():
            try:
                line = json.loads(text)
                clip = read_clip(line)
                same = line["fingerprint"] == wanted.get(clip.script.part.key)
                if same and (self.folder / clip.path).stat().st_size == line["bytes"]:
                    found[clip.script.part.key] = clip
            except (ValueError, KeyError, TypeError, OSError):
                continue
        return found

    def fingerprint(self, script: Script) -> str:
        """Of everything that decides what the clip is."""
        said = [asdict(script), self.generator.name, asdict(self.policy), self.listener is not None and self.max_wer]
        return hashlib.sha256(json.dumps(said, sort_keys=True, ensure_ascii=False).encode()).hexdigest()[:32]


def clip_record(clip: Clip) -> dict[str, Any]:
    """A clip as JSON values; `read_clip` gives it back."""
    return asdict(clip)


def read_clip(record: Mapping[str, Any]) -> Clip:
    """A clip of its record; `KeyError`, `TypeError` or `ValueError` for anything else."""
    fields = {name: record[name] for name in Clip.__slots__}
    return Clip(**{**fields, "script": read_script(fields["script"]), "faults": tuple(fields["faults"])})


def read_script(record: Mapping[str, Any]) -> Script:
    """A script of its record (`dataclasses.asdict`)."""
    return Script(
        part=Part(**record["part"]),
        sentences=tuple(record["sentences"]),
        bursts=tuple(Burst(**one) for one in record["bursts"]),
        scene=record["scene"],
        direction=record["direction"],
        writer=record["writer"],
    )


def _seed(seed: int, script: Script, attempt: int) -> int:
    text = f"{seed}:{script.part.key}:{attempt}".encode()
    return int.from_bytes(hashlib.sha256(text).digest()[:4], "big")
