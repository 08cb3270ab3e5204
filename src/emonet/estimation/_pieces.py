"""What a file falls into before it is scored: face crops and voice windows, or a reason why there are none."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray

from emonet.errors import UsageError
from emonet.estimation._estimate import Status
from emonet.media import Region

Check = Callable[[], None]
"""Called often during long work; what it raises ends the work."""


def go_on() -> None:
    """The check that never ends anything."""


@dataclass(frozen=True, slots=True, eq=False)
class Piece:
    """`item`: what the model takes, uint8 [h, w, 3] RGB or float32 [samples] at 16 kHz; None unless `status` is ok."""

    region: Region
    item: NDArray[Any] | None = None
    status: Status = "ok"
    message: str = ""


@dataclass(frozen=True, slots=True)
class FaceOptions:
    """How faces are found.

    `whole_image`: the picture already is a close-up portrait; take all of it and look for no face. `max_faces`: keep
    only the largest faces of a picture. `min_face_px`: leave out faces whose box is narrower or lower. `fps`: frames
    taken per second of a video.
    """

    whole_image: bool = False
    max_faces: int | None = None
    min_face_px: float = 24.0
    fps: float = 2.0

    def __post_init__(self) -> None:
        if self.max_faces is not None and self.max_faces < 1:
            raise UsageError(f"max_faces is {self.max_faces}; expected 1 or more, or None for all.")
        if not 0 <= self.min_face_px < 1e6:
            raise UsageError(f"min_face_px is {self.min_face_px}; expected 0 or more pixels.")
        if not 0 < self.fps <= 1000:
            raise UsageError(f"fps is {self.fps}; expected more than 0 frames per second.")


@dataclass(frozen=True, slots=True)
class VoiceOptions:
    """How long recordings are cut.

    `window_s`: longest window in seconds, None for what the model was made for. `whole_audio`: score everything,
    cut evenly, instead of looking for speech.
    """

    window_s: float | None = None
    whole_audio: bool = False

    def __post_init__(self) -> None:
        if self.window_s is not None and not 1 <= self.window_s <= 600:
            raise UsageError(f"window_s is {self.window_s}; expected 1 to 600 seconds.")
