"""Faces followed from frame to frame."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from emonet.media._faces import Face
from emonet.media._types import Image

Box = tuple[float, float, float, float]


@dataclass(slots=True)
class _Track:
    number: int
    box: Box
    missed: int = 0


def track_faces(
    frames: Iterable[tuple[Image, tuple[Face, ...]]], *, least_overlap: float = 0.25, patience: int = 2
) -> Iterator[tuple[Image, tuple[tuple[Face, int], ...]]]:
    """Number the faces so that one person in view keeps one number.

    A face takes the track of the last frames that it overlaps most (intersection over union of at least
    `least_overlap`), the best pair first; a track not seen for more than `patience` frames ends. Numbers start at 0 and
    are never used again. Yields each frame with its numbered faces, in the order given.
    """
    tracks: list[_Track] = []
    next_number = 0
    for frame, faces in frames:
        pairs = sorted(
            ((overlap(track.box, face.box), -t, -f) for t, track in enumerate(tracks) for f, face in enumerate(faces)),
            reverse=True,
        )
        taken: dict[int, _Track] = {}
        for share, t, f in pairs:
            if share >= least_overlap and -f not in taken and all(tracks[-t] is not track for track in taken.values()):
                taken[-f] = tracks[-t]
        for track in tracks:
            track.missed += 1
        for f, face in enumerate(faces):
            if f not in taken:
                taken[f] = _Track(next_number, face.box)
                tracks.append(taken[f])
                next_number += 1
            taken[f].box, taken[f].missed = face.box, 0
        tracks = [track for track in tracks if track.missed <= patience]
        yield frame, tuple((face, taken[f].number) for f, face in enumerate(faces))


def overlap(a: Box, b: Box) -> float:
    """Intersection over union of two boxes (left, top, right, bottom), 0..1."""
    width = min(a[2], b[2]) - max(a[0], b[0])
    height = min(a[3], b[3]) - max(a[1], b[1])
    if width <= 0 or height <= 0:
        return 0.0
    both = width * height
    union = (a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - both
    return both / union if union > 0 else 0.0
