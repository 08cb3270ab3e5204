"""Finished clips as a release: tars as LAION's Got Talent names them, raw and enhanced, with their JSON keys.

`raw/`: WAV and `whisper_transcription`, `SNAC 24 kHz`, `playtime_sec`. `enhanced/`: MP3 and `annotation`, `duration`,
`detailed_caption`, `flash_transcription`. Our own facts stand beside them in both. `clips/` and `manifest.csv` are what
`emonet annotate init` takes.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
import os
import shutil
import tempfile
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, Literal

import emonet
from emonet.datasets import Sample, write_shards
from emonet.errors import UsageError
from emonet.synthesis.voices._accounts import hours_table, write_hours
from emonet.synthesis.voices._data import cast, played, sounded
from emonet.synthesis.voices._design import clip_stem
from emonet.synthesis.voices._files import write_text
from emonet.synthesis.voices._finish import as_mp3
from emonet.synthesis.voices._pool import worker_pool
from emonet.synthesis.voices._record import Progress, Session
from emonet.synthesis.voices._records import NONE, Clip
from emonet.taxonomy import emotion

Layout = Literal["published", "packed"]
RAW, ENHANCED = "raw", "enhanced"
CONSENT = "generated; no real person's voice"
_LEVEL = {1: "a faint", 2: "a clear", 3: "a strong", 4: "an overwhelming"}
_PER_SHARD = 1000


def write_release(
    folder: str | os.PathLike[str],
    session: Session,
    *,
    layout: Layout = "published",
    licence: str = "",
    workers: int = 1,
    design: Mapping[str, Any] | None = None,
    progress: Progress | None = None,
) -> Path:
    """Write `raw/`, `enhanced/`, `manifest.csv`, `hours.csv` and `report.json` beside the clips; the report's path.

    layout: "published" makes a tar for each language, voice and emotion, as the release does; "packed" puts 1,000 clips
    into one. licence: of the clips, by default the generator's. workers: processes. design: told in the report. Each
    folder appears whole; shards that hold the same clips already are left as they are. Raises `UsageError` when there
    are no clips.
    """
    home = Path(folder)
    if not session.clips:
        raise UsageError(
            f"There are no clips in {home}: every take failed or none was asked for; see its failed.jsonl."
        )
    fingerprint = _fingerprint(session.clips, layout, licence)
    shards = _held(home, fingerprint) or {
        kind: _write_kind(home, kind, session.clips, layout, licence, workers, progress) for kind in (RAW, ENHANCED)
    }
    write_text(home / "manifest.csv", _manifest(session.clips))
    write_hours(home / "hours.csv", hours_table(session.clips))
    report = {
        "emonet": emonet.__version__,
        "synthetic": True,
        "clips": len(session.clips),
        "failed": len(session.failures),
        "pending": len(session.pending),
        "hours": round(sum(clip.duration_s for clip in session.clips) / 3600, 4),
        "retakes": sum(clip.attempt for clip in session.clips),
        "cost": cost_of(session),
        "generators": sorted({clip.generator for clip in session.clips}),
        "writers": sorted({clip.script.writer for clip in session.clips}),
        "licence": sorted({licence or clip.licence for clip in session.clips}),
        "design": dict(design or {}),
        "fingerprint": fingerprint,
        "shards": shards,
    }
    write_text(home / "report.json", json.dumps(report, indent=1, ensure_ascii=False))
    return home / "report.json"


def write_failures(folder: str | os.PathLike[str], session: Session) -> Path | None:
    """`failed.jsonl`: scripts without a clip and the fault of each take; None, and no file, when there are none."""
    path = Path(folder) / "failed.jsonl"
    lines = [
        json.dumps({"key": one.script.part.key, "faults": list(one.faults), **asdict(one.script)}, ensure_ascii=False)
        for one in session.failures
    ]
    if not lines:
        path.unlink(missing_ok=True)
        return None
    write_text(path, "\n".join(lines) + "\n")
    return path


def cost_of(session: Session) -> float | None:
    """Money spent on clips and failures, None where no price is known."""
    costs = [*(clip.cost for clip in session.clips), *(failure.cost for failure in session.failures)]
    known = [cost for cost in costs if cost is not None]
    return round(sum(known), 6) if known else None


def raw_facts(clip: Clip) -> dict[str, Any]:
    """What the raw release's JSON holds. Without speech recognition the transcription is the script's text, and
    `transcription_source` says so; SNAC codes are not computed."""
    return {
        "whisper_transcription": clip.transcript if clip.transcript is not None else clip.script.text,
        "SNAC 24 kHz": None,
        "playtime_sec": clip.duration_s,
        **_own_facts(clip),
    }


def enhanced_facts(clip: Clip) -> dict[str, Any]:
    """What the enhanced release's JSON holds. The one score of `annotation` is the intensity that was asked for, not a
    judgement, and its comment says so."""
    script = clip.script
    record = emotion(script.part.emotion)
    # A comment ends at "<"; ours have none.
    annotation = (
        f"<{record.name}>{script.part.intensity}#asked of the actor, not judged</{record.name}>\n"
        f"<transcription_start>{script.text}</transcription_start>"
    )
    return {
        "annotation": annotation,
        "duration": clip.duration_s,
        "detailed_caption": caption_of(clip),
        "flash_transcription": clip.transcript if clip.transcript is not None else script.text,
        **_own_facts(clip),
    }


def caption_of(clip: Clip) -> str:
    """Prose on who speaks and how it was meant."""
    script = clip.script
    part, affect = script.part, played(script.part.emotion)
    record = emotion(part.emotion)
    pace = "quick and loud" if affect.arousal > 0.25 else "slow and soft" if affect.arousal < -0.25 else "even"
    accent = "" if part.accent == NONE else f" with the accent {part.accent}"
    trial = "" if part.challenge == NONE else f" The acting challenge is: {part.challenge}."
    heard = ", ".join(sounded(burst.name).cue for burst in script.bursts)
    bursts = f" The speaker {heard}." if heard else ""
    language = {"en": "English", "de": "German", "es": "Spanish", "fr": "French"}[part.language]
    return (
        f"A synthetic {cast(part.voice).gender} voice speaks {language}{accent}. The delivery is {pace} and is meant "
        f"to express {_LEVEL[part.intensity]} sense of {record.name.lower()} ({', '.join(record.words[:3])}). "
        f"{script.scene}{bursts}{trial} The recording is clean, without background noise."
    )


def _own_facts(clip: Clip) -> dict[str, Any]:
    part = clip.script.part
    return {
        "synthetic": True,
        "emotion": part.emotion,
        "language": part.language,
        "voice": part.voice,
        "gender": cast(part.voice).gender,
        "accent": part.accent,
        "acting_challenge": part.challenge,
        "asked_intensity": part.intensity,
        "text": clip.script.text,
        "transcription_source": "script" if clip.transcript is None else "speech recognition",
        "bursts": [f"{burst.name} ({burst.place})" for burst in clip.script.bursts],
        "provenance": {
            "generator": clip.generator,
            "writer": clip.script.writer,
            "scene": clip.script.scene,
            "direction": clip.script.direction,
            "seed": clip.facts.get("seed"),
            "gain_db": clip.facts.get("gain_db"),
            "loudness_lufs": clip.loudness_lufs,
            "peak_dbtp": clip.peak_dbtp,
            "failed_takes": list(clip.faults),
            "word_error_rate": clip.wer,
            "emonet": emonet.__version__,
        },
    }


def _fingerprint(clips: Sequence[Clip], layout: Layout, licence: str) -> str:
    """Of everything that the shards hold."""
    said = [[asdict(clip) for clip in clips], layout, licence, emonet.__version__]
    return hashlib.sha256(json.dumps(said, sort_keys=True, ensure_ascii=False).encode()).hexdigest()


def _held(home: Path, fingerprint: str) -> dict[str, list[dict[str, Any]]] | None:
    """The index of shards that an earlier run wrote of the same clips, if all of them are there."""
    try:
        report = json.loads((home / "report.json").read_text(encoding="utf-8"))
        index: dict[str, list[dict[str, Any]]] = report["shards"]
        entries = [entry for kind in (RAW, ENHANCED) for entry in index[kind]]
        whole = all((home / entry["file"]).stat().st_size == entry["bytes"] for entry in entries)
        return index if report["fingerprint"] == fingerprint and whole else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _write_kind(
    home: Path, kind: str, clips: Sequence[Clip], layout: Layout, licence: str, workers: int, progress: Progress | None
) -> list[dict[str, Any]]:
    """One folder of tars, which replaces the one of an earlier run when it is whole."""
    groups: dict[str, list[Clip]] = defaultdict(list)
    for clip in clips:
        part = clip.script.part
        stem = clip_stem(part.language, part.voice, part.emotion, part.challenge) if layout == "published" else "talent"
        groups[stem].append(clip)
    tars = {
        f"{stem}.tar" if len(held) <= _PER_SHARD else f"{stem}_{start // _PER_SHARD:06d}.tar": held[start:][:_PER_SHARD]
        for stem, held in groups.items()
        for start in range(0, len(held), _PER_SHARD)
    }
    staging = Path(tempfile.mkdtemp(prefix=f".{kind}-", dir=home))
    tasks = [(home, staging / name, kind, held, licence) for name, held in tars.items()]
    try:
        written, done = [], 0
        # MP3s cost more than speech does: with several processes each writes whole tars.
        with worker_pool(workers, len(tasks), fewest=8) as pool:
            made = pool.map(_write_tar, tasks, chunksize=4) if pool else map(_write_tar, tasks)
            for one, task in zip(made, tasks, strict=True):
                written.append({**one, "file": f"{kind}/{task[1].name}"})
                done += len(task[3])
                if progress is not None:
                    progress(kind, done, len(clips))
        staging.chmod(0o755)
        shutil.rmtree(home / kind, ignore_errors=True)
        os.replace(staging, home / kind)
    finally:
        shutil.rmtree(staging, ignore_errors=True)
    return written


def _write_tar(task: tuple[Path, Path, str, Sequence[Clip], str]) -> dict[str, Any]:
    """One tar; its entry of the index: samples, bytes and SHA-256."""
    home, target, kind, clips, licence = task
    folder = target.with_suffix(".parts")
    (shard,) = write_shards(_samples(home, kind, clips, licence), folder, per_shard=_PER_SHARD, max_bytes=1 << 40)
    (entry,) = json.loads((folder / "shard.json").read_text(encoding="utf-8"))["shards"]
    os.replace(shard.address, target)
    shutil.rmtree(folder)
    return dict(entry)


def _samples(home: Path, kind: str, clips: Sequence[Clip], licence: str) -> Iterator[Sample]:
    for clip in clips:
        wav = (home / clip.path).read_bytes()
        yield Sample(
            key=clip.script.part.key,
            media=wav if kind == RAW else as_mp3(wav),
            extension="wav" if kind == RAW else "mp3",
            modality="voice",
            facts=raw_facts(clip) if kind == RAW else enhanced_facts(clip),
            licence=licence or clip.licence,
            consent=CONSENT,
            source=clip.generator,
        )


def _manifest(clips: Sequence[Clip]) -> str:
    """CSV for `emonet annotate init FOLDER --manifest FOLDER/manifest.csv`."""
    buffer = io.StringIO()
    table = csv.writer(buffer, lineterminator="\n")
    table.writerow(
        ["file", "emotion", "language", "speaker", "gender", "accent", "acting_challenge", "asked_intensity", "text",
         "duration_s", "synthetic"]
    )  # fmt: skip
    for clip in clips:
        part = clip.script.part
        table.writerow(
            [clip.path, part.emotion, part.language, part.voice, cast(part.voice).gender, part.accent, part.challenge,
             part.intensity, clip.script.text, clip.duration_s, "true"]
        )  # fmt: skip
    return buffer.getvalue()
