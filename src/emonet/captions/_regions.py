"""Captions with their places in a file, however they were made: by rule from scores, or by a captioning model."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from emonet.captions._subtitles import Cue

if TYPE_CHECKING:
    from emonet.captions._records import Caption
    from emonet.captions.whisper import CaptionedWindow
    from emonet.estimation import Estimate

STRETCH_S = 5.0
"""A face followed through a video is described over stretches of this many seconds, not frame by frame."""


@dataclass(frozen=True, slots=True)
class CaptionedRegion:
    """A caption of one face or window, or why there is none. `subject`: "voice", or "face 1" among several;
    `details`: what the caption rests on, JSON values."""

    source: str
    subject: str
    status: str
    text: str = ""
    message: str = ""
    start_s: float | None = None
    end_s: float | None = None
    model: str = ""
    details: Mapping[str, Any] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """Plain values."""
        place = {"start_s": _rounded(self.start_s), "end_s": _rounded(self.end_s)}
        head = {"source": _printable(self.source), "subject": self.subject, "status": self.status, **place}
        if self.status != "ok":
            return {**head, "message": _printable(self.message)}
        return {**head, "text": self.text, "model": self.model, **dict(self.details)}


def stretches(rows: Sequence[Estimate], *, fps: float = 2.0, seconds: float = STRETCH_S) -> list[Estimate]:
    """The rows of one file with the frames of each followed face gathered into means over stretches of time."""
    from emonet.estimation import Estimates

    out: list[Estimate] = []
    frames: dict[tuple[int | None, int], list[Estimate]] = {}
    for item in rows:
        start = item.region.start_s
        if item.ok and item.modality == "face" and start is not None:
            frames.setdefault((item.region.track, math.floor(start / seconds)), []).append(item)
        else:
            out.append(item)
    for (track, number), items in sorted(frames.items(), key=lambda pair: (pair[0][1], pair[0][0] or 0)):
        times = [item.region.start_s or 0.0 for item in items]
        end = min(max(times) + 1 / fps, (number + 1) * seconds)
        mean = Estimates(items).mean()
        out.append(replace(mean, region=replace(mean.region, start_s=min(times), end_s=end, track=track, box=None)))
    return sorted(out, key=lambda item: item.region.start_s or 0.0)


def described(rows: Sequence[Estimate], captions: Sequence[Caption | None]) -> list[CaptionedRegion]:
    """Regions of one file with the captions made of their scores."""
    names = _names(rows)
    out = []
    for i, (item, caption) in enumerate(zip(rows, captions, strict=True)):
        subject: str = names.get(i, item.modality or "")
        start, end = item.region.start_s, item.region.end_s
        if caption is None:
            out.append(
                CaptionedRegion(item.source, subject, item.status, message=item.message, start_s=start, end_s=end)
            )
            continue
        details = {name: value for name, value in caption.as_json().items() if name != "text"}
        if item.region.box is not None:
            details["box"] = [round(side, 1) for side in item.region.box]
        details |= {"revision": item.revision}
        out.append(CaptionedRegion(item.source, subject, "ok", caption.text, "", start, end, item.model, details))
    return out


def heard(windows: Iterable[CaptionedWindow], source: str, model: str) -> list[CaptionedRegion]:
    """Windows of one recording with the captions that a model wrote; one row that says so where there are none."""
    out = []
    for window in windows:
        details = {k: v for k, v in window.as_json().items() if k not in ("source", "start_s", "end_s", "text")}
        out.append(
            CaptionedRegion(source, "voice", "ok", window.text, "", window.start_s, window.end_s, model, details)
        )
    return out or [CaptionedRegion(source, "voice", "no_speech", message="no speech found")]


def cues(regions: Iterable[CaptionedRegion]) -> list[Cue]:
    """Subtitles of one file: each region with a time; several subjects are told apart by name."""
    timed = [region for region in regions if region.status == "ok" and region.start_s is not None]
    several = len({region.subject for region in timed}) > 1
    out = []
    for region in timed:
        start = region.start_s or 0.0
        end = region.end_s if region.end_s is not None else start + 1.0
        out.append(Cue(start, end, f"[{region.subject}] {region.text}" if several else region.text))
    return out


def subjects(rows: Sequence[Estimate]) -> dict[str, list[Estimate]]:
    """The scored rows of one file by what they are about: "voice", and "face", or "face 1" and so on."""
    found: dict[str, list[Estimate]] = {}
    for i, name in _names(rows).items():
        found.setdefault(name, []).append(rows[i])
    return found


def _names(rows: Sequence[Estimate]) -> dict[int, str]:
    """Row → its subject's name, for the scored rows; faces are numbered as they come."""
    faces: dict[object, int] = {}
    for i, item in enumerate(rows):
        if item.ok and item.modality == "face":
            faces.setdefault(_face(item, i), len(faces) + 1)
    return {
        i: f"face {faces[_face(item, i)]}" if item.modality == "face" and len(faces) > 1 else str(item.modality)
        for i, item in enumerate(rows)
        if item.ok
    }


def _face(item: Estimate, row: int) -> object:
    """Equal for rows about the same face: a followed one, all frames without a number, or each face of a picture."""
    if item.region.track is not None:
        return item.region.track
    return "frames" if item.region.start_s is not None else f"row {row}"


def _rounded(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds, 3)


def _printable(text: str) -> str:
    """File names that are not UTF-8 hold lone surrogates, which JSON in UTF-8 cannot."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")
