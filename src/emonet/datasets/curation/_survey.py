"""Every sample of the sources decoded once: a table of facts and measures, and the signatures.

Each stream's part is kept in a folder as soon as it is complete, so that an interrupted survey goes on where it was,
and another choice of limits needs no second decoding.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import asdict, dataclass
from functools import cache, partial
from multiprocessing import get_context
from pathlib import Path
from typing import Any, Literal

import numpy as np
import polars as pl

from emonet.datasets._samples import Sample
from emonet.datasets.curation._measures import measure_picture, measure_sound
from emonet.datasets.curation._picture_signature import SIDE, PictureSignature
from emonet.datasets.curation._set import write_table
from emonet.datasets.curation._sound_signature import SoundSignature
from emonet.datasets.curation._sources import Stream
from emonet.errors import MediaError
from emonet.media import FaceDetector, decode_image, kind_of, load_face_detector, read_audio

Broken = Literal["raise", "row"]
VERSION = 1
"""Counts changes of the measures: parts of another version are made again."""
_SIGNATURE = ("_code", "_small", "_bits", "_loud", "_exact")
_OWN = pl.Schema(
    {
        "item": pl.String(),
        "key": pl.String(),
        "stream": pl.String(),
        "extension": pl.String(),
        "modality": pl.String(),
        "licence": pl.String(),
        "consent": pl.String(),
        "source": pl.String(),
        "bytes": pl.Int64(),
        "unreadable": pl.String(),
    }
)
_MEASURED = pl.Schema(
    {
        "duration_s": pl.Float64(), "peak": pl.Float64(), "rms_db": pl.Float64(), "clipped": pl.Float64(),
        "speech_s": pl.Float64(), "snr_db": pl.Float64(), "width": pl.Int64(), "height": pl.Int64(),
        "faces": pl.Int64(), "face_px": pl.Float64(), "sharpness": pl.Float64(),
        "_code": pl.UInt64(), "_small": pl.Binary(), "_bits": pl.Binary(), "_loud": pl.Binary(), "_exact": pl.String(),
    }
)  # fmt: skip
MEASURES = tuple(name for name in _MEASURED if not name.startswith("_"))
OWN = tuple(_OWN)


@dataclass(frozen=True, slots=True, eq=False)
class Survey:
    """`items`: one row per sample: its own columns, its facts (those whose name a column already has are kept as
    `told_...`), and, where media were decoded, its measures. `pictures`, `sounds`: signatures by item."""

    items: pl.DataFrame
    pictures: Mapping[str, PictureSignature]
    sounds: Mapping[str, SoundSignature]


def survey(
    streams: Sequence[Stream],
    folder: Path,
    *,
    media: bool = True,
    detector: str | None = "embedded",
    broken: Broken = "raise",
    workers: int = 1,
    progress: Callable[[str, int, int], None] | None = None,
) -> Survey:
    """Measure every sample of `streams`, keeping each stream's part in `folder`.

    media: False reads facts only. detector: of faces, None to look for none. broken: a shard that breaks off ends
    the survey, or becomes a row that says so. workers: processes that decode; sets with ratings are read by this one.
    progress: called with a stream's name, streams done and streams in all. Keys that several samples have become
    `<stream>_<key>`.
    """
    folder.mkdir(parents=True, exist_ok=True)
    ending = f"{VERSION}-{detector if media else 'facts'}.parquet".replace("/", "_")
    paths = [folder / f"{stream.key}-{ending}" for stream in streams]
    missing = [(stream, path) for stream, path in zip(streams, paths, strict=True) if not path.is_file()]
    made = _in_order if workers == 1 else partial(_at_once, workers=workers)
    done = len(streams) - len(missing)
    for name in made(missing, (media, detector, broken)):
        if progress is not None:
            progress(name, done, len(streams))
        done += 1
    if progress is not None:
        progress("", len(streams), len(streams))
    tables = [pl.read_parquet(path, glob=False) for path in paths]
    items = _named(pl.concat(tables, how="diagonal_relaxed"))
    measured = [name for name in MEASURES if media and items[name].null_count() < len(items)]
    shown = items.drop(*_SIGNATURE, *(name for name in MEASURES if name not in measured))
    return Survey(shown, dict(_pictures(items)), dict(_sounds(items)))


_Settings = tuple[bool, str | None, Broken]


def _in_order(missing: Sequence[tuple[Stream, Path]], settings: _Settings) -> Iterator[str]:
    """Make the missing parts one after another; the name of each before it is made."""
    for stream, path in missing:
        yield stream.name
        write_table(path, _measured(stream, *settings))


def _at_once(missing: Sequence[tuple[Stream, Path]], settings: _Settings, *, workers: int) -> Iterator[str]:
    """The same with several processes; the name of each when it is made."""
    alone = [(stream, path) for stream, path in missing if stream.labelled is not None]
    shared = [(stream, path) for stream, path in missing if stream.labelled is None]
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        try:
            tasks = {pool.submit(_measured, stream, *settings): (stream, path) for stream, path in shared}
            yield from _in_order(alone, settings)
            for task in as_completed(tasks):
                stream, path = tasks[task]
                write_table(path, task.result())
                yield stream.name
        except BaseException:
            pool.shutdown(wait=True, cancel_futures=True)
            raise


def _named(items: pl.DataFrame) -> pl.DataFrame:
    """`item` is the key; where several samples of the sources share keys, the stream's name stands before each."""
    if items["key"].is_unique().all():
        return items
    named = items.with_columns(item=pl.concat_str("stream", "key", separator="_"))
    again = pl.int_range(pl.len()).over("item")
    # Two samples of one stream under one key: both stay, so that the quality report can name them.
    return named.with_columns(item=pl.when(again > 0).then(pl.format("{}_{}", "item", again + 1)).otherwise("item"))


def _measured(stream: Stream, media: bool, detector: str | None, broken: Literal["raise", "row"]) -> pl.DataFrame:
    rows = []
    with tempfile.TemporaryDirectory(prefix="emonet-survey-") as scratch:
        try:
            for sample in stream.samples():
                rows.append({**_facts(sample, stream), **(_measures(sample, Path(scratch), detector) if media else {})})
        except MediaError as error:
            if broken == "raise":
                raise
            rest = Sample(f"(rest of {stream.name})", None, "", None, problem=error.reason)
            rows.append({**_facts(rest, stream), "unreadable": error.reason})
    schema = {**_OWN, **_MEASURED}
    given = list(dict.fromkeys(name for row in rows for name in row if name not in schema))
    table = pl.DataFrame({name: [row.get(name) for row in rows] for name in schema}, schema=pl.Schema(schema))
    return table.with_columns(_fact_column(name, [row.get(name) for row in rows]) for name in given)


@cache
def _detector(name: str) -> FaceDetector:
    """Loaded when the first picture comes, once in a process."""
    return load_face_detector(name, threads=1)


def _facts(sample: Sample, stream: Stream) -> dict[str, Any]:
    own = {
        "item": sample.key, "key": sample.key, "stream": stream.name, "extension": sample.extension,
        "modality": sample.modality, "licence": sample.licence, "consent": sample.consent, "source": sample.source,
        "bytes": None if sample.media is None else len(sample.media),
    }  # fmt: skip
    taken = {*_OWN, *_MEASURED, "copies", "split"}
    facts = {(f"told_{name}" if name in taken else name): value for name, value in sample.facts.items()}
    return {**own, **facts}


def _fact_column(name: str, values: list[Any]) -> pl.Series:
    """Numbers and truth values as such when all are; anything else as text, nested values as JSON."""
    kinds = {type(value) for value in values if value is not None}
    if kinds == {bool}:
        return pl.Series(name, values, dtype=pl.Boolean)
    if kinds == {int} and all(value is None or abs(value) < 2**63 for value in values):
        return pl.Series(name, values, dtype=pl.Int64)
    if kinds and kinds <= {int, float}:
        return pl.Series(name, [None if value is None else float(value) for value in values], dtype=pl.Float64)
    text = [
        value if value is None or isinstance(value, str) else json.dumps(value, ensure_ascii=False) for value in values
    ]
    return pl.Series(name, text, dtype=pl.String)


def _measures(sample: Sample, scratch: Path, detector: str | None) -> dict[str, Any]:
    if sample.media is None:
        return {"unreadable": sample.problem or "holds no media"}
    path = scratch / f"sample.{sample.extension}" if sample.extension else scratch / "sample"
    path.write_bytes(sample.media)
    try:
        kind = kind_of(path)
        if kind == "image":
            faces = None if detector is None else _detector(detector)
            measures, picture = measure_picture(decode_image(path).pixels, faces)
            return {
                **asdict(measures),
                "_code": picture.code,
                "_small": picture.small.tobytes(),
                "_exact": picture.exact,
            }
        if kind == "audio":
            heard, sound = measure_sound(read_audio(path).samples)
            return {
                **asdict(heard),
                "_bits": sound.bits.astype("<u4").tobytes(),
                "_loud": np.packbits(sound.loud).tobytes(),
                "_exact": sound.exact,
            }
        return {"unreadable": "a video, which is not measured; cut it into pictures or take its sound"}
    except MediaError as error:
        return {"unreadable": error.reason}
    finally:
        path.unlink()


def _pictures(items: pl.DataFrame) -> Iterator[tuple[str, PictureSignature]]:
    for name, code, small, exact in items.select("item", "_code", "_small", "_exact").iter_rows():
        if small is not None:
            yield name, PictureSignature(code, np.frombuffer(small, np.uint8).reshape(SIDE, SIDE), exact)


def _sounds(items: pl.DataFrame) -> Iterator[tuple[str, SoundSignature]]:
    for name, bits, loud, exact in items.select("item", "_bits", "_loud", "_exact").iter_rows():
        if bits is not None:
            words = np.frombuffer(bits, "<u4").astype(np.uint32)
            flags = np.unpackbits(np.frombuffer(loud, np.uint8), count=len(words)).astype(bool)
            yield name, SoundSignature(words, flags, exact)
