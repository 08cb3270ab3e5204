"""Scored windows as samples of their own: tars of short clips with scores and captions, for training on them."""

from __future__ import annotations

import io
import math
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from emonet.datasets import Sample
from emonet.datasets._shard_writer import facts_text
from emonet.datasets._tar_writer import TarWriter
from emonet.media import SAMPLE_RATE, open_audio

if TYPE_CHECKING:
    from emonet.bulk._feed import Fed
    from emonet.estimation import Estimate, Estimates

Samples = NDArray[np.float32]  # [samples], 16 kHz mono


class SegmentTar:
    """A tar of windows; equal recordings give equal bytes. Use it in a `with` statement.

    Each window is a FLAC of 16 kHz mono with the recording's facts, licence, consent and source, and under `emonet` its
    place in the recording, its scores and its captions. Recordings without a scored window leave nothing.
    """

    def __init__(self, path: Path) -> None:
        self._tar = TarWriter(path)

    def __enter__(self) -> SegmentTar:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._tar.close()

    def add(self, fed: Fed, estimates: Estimates, captions: Sequence[Sequence[str]]) -> None:
        """Add the windows of one recording. `captions`: some of each estimate, none for those without scores."""
        pairs = [(one, said) for one, said in zip(estimates, captions, strict=True) if one.ok]
        pairs.sort(key=lambda pair: pair[0].region.start_s or 0.0)
        places = [(one.region.start_s or 0.0, one.region.end_s or 0.0) for one, _ in pairs]
        for number, ((one, said), sound) in enumerate(zip(pairs, cut(fed.path, places), strict=False)):
            self._tar.add(sample := segment(fed.sample, number, one, said, sound), facts_text(sample))


def segment(sample: Sample, number: int, estimate: Estimate, captions: Sequence[str], sound: Samples) -> Sample:
    """One window as a sample; `caption` and `captions` are named as caption training reads them."""
    import soundfile

    file = io.BytesIO()
    soundfile.write(file, sound, SAMPLE_RATE, format="FLAC", subtype="PCM_16")
    about: dict[str, Any] = {
        "recording": sample.key,
        "start_s": estimate.region.start_s,
        "end_s": estimate.region.end_s,
        "model": estimate.model,
        "revision": estimate.revision,
        "scale": estimate.ranked_by,
        "scores": known_scores(estimate),
    }
    facts: dict[str, Any] = {**sample.facts, "emonet": about}
    if captions:
        facts |= {"caption": captions[0], "captions": list(captions)}
    return Sample(
        key=f"{sample.key}_{number:05d}",
        media=file.getvalue(),
        extension="flac",
        modality="voice",
        facts=facts,
        licence=sample.licence,
        consent=sample.consent,
        source=sample.source,
    )


def known_scores(estimate: Estimate) -> Mapping[str, float]:
    """Scores that the model gave, rounded to what float32 holds: JSON has no NaN."""
    scores = estimate.scores()
    return {key: float(f"{value:.6g}") for key, value in scores.items() if math.isfinite(value)}


def cut(path: Path, places: Sequence[tuple[float, float]]) -> Iterator[Samples]:
    """The sound of each place (start and end in seconds, by start), float32 [samples], 16 kHz mono.

    The file is decoded as a stream and no further than needed: memory holds one place and a second more. So a file that
    breaks off gives all that was scored before.
    """
    spans = [(round(start * SAMPLE_RATE), round(end * SAMPLE_RATE)) for start, end in places]
    held, first = np.empty(0, np.float32), 0  # `first`: number of the first sample that is held
    with open_audio(path) as stream:
        blocks = stream.blocks(1.0)
        for start, end in spans:
            while True:
                past = min(max(0, start - first), len(held))
                held, first = held[past:], first + past
                if first + len(held) >= end or (block := next(blocks, None)) is None:
                    break
                held = np.concatenate([held, block])
            yield held[start - first : end - first]
