"""Frames of a video at a chosen rate (PyAV, extra `video`)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from emonet.errors import MediaTooLargeError, UnreadableMediaError, UsageError, require
from emonet.media._images import MAX_PIXELS
from emonet.media._kinds import checked_path
from emonet.media._types import Image, Region


def read_video(path: str | Path, *, fps: float = 2.0) -> Iterator[Image]:
    """Upright frames in order of time, about `fps` a second; one frame is in memory at a time.

    A frame is given when its time reaches the next multiple of 1 / `fps`, so no frame is given twice and a video with
    fewer frames gives all of them. `region.start_s` is the frame's own time. Raises `UnreadableMediaError` for a file
    without pictures or one that cannot be decoded.
    """
    if fps <= 0:
        raise UsageError(f"fps is {fps}; expected a number above 0")
    file = checked_path(path)
    av = require("av", extra="video", feature=f"{path}: reading video")
    try:
        with av.open(str(file)) as container:
            if not container.streams.video:
                raise UnreadableMediaError(str(path), "has no pictures")
            stream = container.streams.video[0]
            if stream.width * stream.height > MAX_PIXELS:
                raise MediaTooLargeError(str(path), f"{stream.width} x {stream.height} pixels a frame")
            stream.thread_type = "AUTO"
            due_s, origin_s, given = 0.0, None, 0
            for number, frame in enumerate(container.decode(stream)):
                time_s = frame.time if frame.time is not None else number / float(stream.average_rate or fps)
                origin_s = time_s if origin_s is None else origin_s
                if time_s - origin_s + 1e-6 < due_s:
                    continue
                due_s = (np.floor((time_s - origin_s) * fps + 1e-6) + 1) / fps
                pixels = np.rot90(frame.to_ndarray(format="rgb24"), k=round(frame.rotation / 90) % 4)
                given += 1
                yield Image(np.ascontiguousarray(pixels), str(path), Region(start_s=float(time_s)))
    except av.error.FFmpegError as error:
        raise UnreadableMediaError(str(path), f"the video cannot be decoded ({error})") from error
    if not given:
        raise UnreadableMediaError(str(path), "has no pictures that can be decoded")
