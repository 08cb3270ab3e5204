"""Faces in pictures and videos, cut out for the model."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

from emonet.estimation._pieces import Check, FaceOptions, Piece, go_on
from emonet.media import Face, FaceDetector, Image, Region, decode_image, read_video, track_faces
from emonet.models import square_crop


def image_pieces(
    image: Path | Image, detector: FaceDetector | None, options: FaceOptions, *, margin: float
) -> Iterator[Piece]:
    """Faces of one picture from left to right, or one piece without an item that says why there is none.

    Without a `detector` the whole picture is one piece.
    """
    picture = image if isinstance(image, Image) else decode_image(image)
    if detector is None:
        yield Piece(picture.region, picture.pixels)
        return
    found = detector.detect(picture.pixels)
    faces = _chosen(found, options)
    for face in faces:
        yield _cut(picture, face, None, margin)
    if not faces:
        yield Piece(Region(), status="no_face", message=_why_none(picture, found, options))


def video_pieces(
    path: Path, detector: FaceDetector | None, options: FaceOptions, *, margin: float, check: Check = go_on
) -> Iterator[Piece]:
    """Faces of a video's frames in the order of time, numbered by `track` from frame to frame.

    Frames without a face give nothing; a video without any gives one piece that says so.
    """
    frames = _checked(read_video(path, fps=options.fps), check)
    if detector is None:
        yield from (Piece(frame.region, frame.pixels) for frame in frames)
        return
    found = False
    for frame, numbered in track_faces(_detected(frames, detector, options)):
        found = found or bool(numbered)
        yield from (_cut(frame, face, track, margin) for face, track in numbered)
    if not found:
        message = f"no face in any frame at {options.fps:g} frames a second"
        yield Piece(Region(), status="no_face", message=message)


def _checked(frames: Iterable[Image], check: Check) -> Iterator[Image]:
    for frame in frames:
        check()
        yield frame


def _detected(
    frames: Iterable[Image], detector: FaceDetector, options: FaceOptions
) -> Iterator[tuple[Image, tuple[Face, ...]]]:
    for frame in frames:
        yield frame, _chosen(detector.detect(frame.pixels), options)


def _cut(picture: Image, face: Face, track: int | None, margin: float) -> Piece:
    region = replace(picture.region, box=face.box, score=face.score, track=track)
    return Piece(region, square_crop(picture.pixels, face.box, margin=margin))


def _chosen(faces: Iterable[Face], options: FaceOptions) -> tuple[Face, ...]:
    """Faces that are large enough, the largest `max_faces` of them, from left to right."""
    large = [face for face in faces if min(_size(face)) >= options.min_face_px]
    large.sort(key=lambda face: -(_size(face)[0] * _size(face)[1]))
    return tuple(sorted(large[: options.max_faces], key=lambda face: (face.box[0], face.box[1])))


def _size(face: Face) -> tuple[float, float]:
    left, top, right, bottom = face.box
    return right - left, bottom - top


def _why_none(picture: Image, found: tuple[Face, ...], options: FaceOptions) -> str:
    height, width = picture.pixels.shape[:2]
    if found:
        largest = max(min(_size(face)) for face in found)
        return f"the largest face is {largest:.0f} pixels, under the limit of {options.min_face_px:g} (min_face_px)"
    return f"no face found in {width}x{height} pixels; use whole_image if the picture is a close-up portrait"
