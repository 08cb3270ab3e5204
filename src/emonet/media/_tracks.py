"""Which faces of neighbouring video frames are the same one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from emonet.errors import UsageError
from emonet.media._faces import Face
from emonet.media._types import Image

Numbered = tuple[Image, tuple[tuple[Face, int], ...]]
"""A frame and its faces, each with its track number."""


@dataclass(slots=True)
class _Track:
    number: int
    box: tuple[float, float, float, float]
    frame: int  # index of the frame in which it was last seen


def track_faces(
    frames: Iterable[tuple[Image, tuple[Face, ...]]], *, min_overlap: float = 0.3, max_gap: int = 2
) -> Iterator[Numbered]:
    """Number the faces of consecutive frames; each face gets one number, and no number occurs twice in a frame.

    Pairs of a known face and a found one are joined greedily, those that overlap most first, while intersection over
    union is at least `min_overlap`. A face unseen for more than `max_gap` frames in a row gets a new number when it
    returns. Numbers count from 0 in order of first appearance. Faces keep the order in which they came.
    Raises `UsageError` for an overlap outside 0..1 or a negative gap.
    """
    if not 0 < min_overlap <= 1:
        raise UsageError(f"min_overlap is {min_overlap}; expected more than 0 and at most 1.")
    if max_gap < 0:
        raise UsageError(f"max_gap is {max_gap}; expected 0 or more frames.")
    tracks: list[_Track] = []
    count = 0
    for index, (frame, faces) in enumerate(frames):
        tracks = [track for track in tracks if index - track.frame <= max_gap + 1]
        owner = _matches(tracks, faces, min_overlap)
        for place, face in enumerate(faces):
            if place in owner:
                owner[place].box, owner[place].frame = face.box, index
            else:
                owner[place] = _Track(count, face.box, index)
                tracks.append(owner[place])
                count += 1
        yield frame, tuple((face, owner[place].number) for place, face in enumerate(faces))


def _matches(tracks: list[_Track], faces: tuple[Face, ...], min_overlap: float) -> dict[int, _Track]:
    """Index of a face → the track it continues. Ties go to the older track, then to the earlier face."""
    pairs = sorted(
        (-overlap, track.number, place, track)
        for track in tracks
        for place, face in enumerate(faces)
        if (overlap := intersection_over_union(track.box, face.box)) >= min_overlap
    )
    owner: dict[int, _Track] = {}
    taken: set[int] = set()
    for _, number, place, track in pairs:
        if number not in taken and place not in owner:
            owner[place] = track
            taken.add(number)
    return owner


def intersection_over_union(one: tuple[float, float, float, float], other: tuple[float, float, float, float]) -> float:
    """Shared area over joint area of two boxes (left, top, right, bottom), 0..1; 0 when both are empty."""
    width = min(one[2], other[2]) - max(one[0], other[0])
    height = min(one[3], other[3]) - max(one[1], other[1])
    if width <= 0 or height <= 0:
        return 0.0
    areas = [(box[2] - box[0]) * (box[3] - box[1]) for box in (one, other)]
    return width * height / (sum(areas) - width * height)
