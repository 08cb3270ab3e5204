"""A loaded model with the way to find what it scores: `emonet.load`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from emonet.errors import EstimationError, UnreadableMediaError
from emonet.estimation._estimate import Estimate, Estimates, Status
from emonet.estimation._files import stream_files
from emonet.estimation._inputs import expand_inputs
from emonet.estimation._pieces import FaceOptions, Piece, VoiceOptions
from emonet.media import Region, kind_of
from emonet.models import Card, ImagePreprocessing, Model, Runtime, load_model
from emonet.taxonomy import Modality

if TYPE_CHECKING:
    from emonet.media import FaceDetector

Source = str | PathLike[str]


class Estimator:
    """Scores faces or voices of files. Made by `load`; safe to use from one thread at a time.

    `model`: the loaded model; `face`, `voice`: how faces are found and recordings cut; `batch_size`: crops or
    windows scored at once, over the borders of files; `embeddings`: keep the encoder's output in each estimate (a
    second pass of the encoder); `detector`: name of a face detector,
    or any object with `detect` (see `emonet.media.FaceDetector`).
    """

    def __init__(
        self,
        model: Model,
        *,
        face: FaceOptions | None = None,
        voice: VoiceOptions | None = None,
        batch_size: int | None = None,
        embeddings: bool = False,
        detector: str | FaceDetector = "embedded",
        threads: int | None = None,
    ) -> None:
        self.model = model
        self.face = face or FaceOptions()
        self.voice = voice or VoiceOptions()
        self.batch_size = batch_size or (32 if self.modality == "face" else 8)
        self.embeddings = embeddings
        self._chosen_detector, self._threads = detector, threads

    @property
    def card(self) -> Card:
        """What the model is and how well it was measured to work."""
        return self.model.card

    @property
    def modality(self) -> Modality:
        """`face` or `voice`."""
        return self.model.card.modality

    def describe(self) -> str:
        """One sentence on what becomes a row: how faces are found or recordings cut."""
        return describe_regions(self.card, self.face, self.voice)

    def __call__(self, source: Source | Iterable[Source], *, recursive: bool = True) -> Estimates:
        """Estimates of one file, or of many when given a list, a folder or a pattern.

        For one file a failure raises: `MediaError` when it cannot be read, `EstimationError` when it holds no face or
        speech. Among many it becomes a row with its status and message, and each file gives at least one row.
        """
        single = isinstance(source, str | PathLike)
        named = [source] if isinstance(source, str | PathLike) else list(source)
        files = expand_inputs([name if isinstance(name, str) else Path(name) for name in named], recursive=recursive)
        rows = [row for estimates in stream_files(files, lambda _: (self,)) for row in estimates]
        if single and files == [Path(str(named[0]))] and rows and not any(row.ok for row in rows):
            first = rows[0]
            if first.status == "unreadable":
                raise UnreadableMediaError(first.source, first.message)
            raise EstimationError(first.source, first.status, first.message)
        return Estimates(rows, {self.card.id: self.card})

    def stream(self, paths: Source | Iterable[Source], *, recursive: bool = True) -> Iterator[Estimate]:
        """Estimates of many files, each file's rows together and in order, as soon as they are complete.

        Memory does not grow with the number of files, nor with their length beyond their rows.
        """
        named = [paths] if isinstance(paths, str | PathLike) else list(paths)
        files = expand_inputs([name if isinstance(name, str) else Path(name) for name in named], recursive=recursive)
        for estimates in stream_files(files, lambda _: (self,)):
            yield from estimates

    def pieces(self, path: Path) -> Iterator[Piece]:
        """What the model will score in a file. Raises `MediaError` when the file cannot be read."""
        kind = kind_of(path)
        if self.modality == "voice":
            from emonet.estimation._voices import voice_pieces, window_policy

            if kind == "image":
                raise UnreadableMediaError(str(path), "is an image, but the model judges voices; expected a recording")
            yield from _tolerant(voice_pieces(path, window_policy(self.card, self.voice)), kind, "no_speech")
            return
        from emonet.estimation._faces import image_pieces, video_pieces

        if kind == "audio":
            raise UnreadableMediaError(str(path), "is a recording, but the model judges faces; expected a picture")
        spec = self.card.preprocessing
        margin = spec.margin if isinstance(spec, ImagePreprocessing) else 0.0
        find = video_pieces if kind == "video" else image_pieces
        yield from _tolerant(find(path, self._detector, self.face, margin=margin), kind, "no_face")

    def score(self, pieces: Sequence[tuple[str, Piece]]) -> list[Estimate]:
        """Estimates of (source, piece) pairs that all have an item."""
        items: list[NDArray[Any]] = [piece.item for _, piece in pieces if piece.item is not None]
        model = self.model
        raw = model.raw_scores(items)
        # A model without neutral means is its own reference; saying so is the estimate's business, not a zero shift.
        relative = model.relative(raw) if self.card.neutral_means else np.full_like(raw, np.nan)
        softmax, calibrated = model.softmax(raw), model.calibrated(raw)
        embedded = model.embed(items) if self.embeddings else [None] * len(items)
        return [
            Estimate(
                source=source,
                modality=self.modality,
                region=piece.region,
                status="ok",
                model=self.card.id,
                revision=self.card.revision,
                dimensions=self.card.dimensions,
                raw=raw[i],
                relative=relative[i],
                softmax=softmax[i],
                calibrated=calibrated[i],
                embedding=embedded[i],
            )
            for i, (source, piece) in enumerate(pieces)
        ]

    @cached_property
    def _detector(self) -> FaceDetector | None:
        if self.face.whole_image:
            return None
        if not isinstance(self._chosen_detector, str):
            return self._chosen_detector
        from emonet.media import load_face_detector

        return load_face_detector(self._chosen_detector, threads=self._threads)

    def __repr__(self) -> str:
        return f"<Estimator {self.card.id} ({self.modality}, revision {self.card.revision})>"


def _tolerant(pieces: Iterator[Piece], kind: str | None, status: Status) -> Iterator[Piece]:
    """A video without sound, or without pictures, is no broken file: it holds no speech, or no face."""
    try:
        yield from pieces
    except UnreadableMediaError as error:
        if kind != "video" or not error.reason.startswith(("has no sound track", "has no video track")):
            raise
        yield Piece(Region(), status=status, message=f"the video {error.reason}")


def describe_regions(card: Card, face: FaceOptions, voice: VoiceOptions) -> str:
    """One sentence on what becomes a row of the model's results."""
    if card.modality == "voice":
        from emonet.estimation._voices import window_policy

        return window_policy(card, voice).describe()
    if face.whole_image:
        return "Each picture is scored whole, as a close-up portrait."
    most = f"the {face.max_faces} largest" if face.max_faces else "every one"
    return (
        f"Faces of at least {face.min_face_px:g} pixels are found and {most} scored; videos are read at {face.fps:g} "
        "frames a second."
    )


def load(
    name: str | Path,
    *,
    threads: int | None = None,
    runtime: Runtime = "auto",
    batch_size: int | None = None,
    whole_image: bool = False,
    max_faces: int | None = None,
    min_face_px: float = 24.0,
    fps: float = 2.0,
    window_s: float | None = None,
    whole_audio: bool = False,
    embeddings: bool = False,
    detector: str | FaceDetector = "embedded",
) -> Estimator:
    """Load a model for use on files.

    `name`: "face" or "voice" (embedded in the package), a bundle's folder, or a converted Hub model such as
    "laion/Empathic-Insight-Voice-Small". `threads`, `runtime`: see `emonet.models.load_model`. `batch_size`: crops or
    windows scored at once (None: 32 faces, 8 windows). For faces: `whole_image`, `max_faces`, `min_face_px`, `fps`
    (see `FaceOptions`) and `detector`. For voices: `window_s`, `whole_audio` (see `VoiceOptions`). `embeddings`: keep
    the encoder's output in `Estimate.embedding`.

    Raises `ModelError` when the model is not at hand or damaged, `UnknownNameError` when no model has that name.
    """
    return Estimator(
        load_model(name, threads=threads, runtime=runtime),
        face=FaceOptions(whole_image=whole_image, max_faces=max_faces, min_face_px=min_face_px, fps=fps),
        voice=VoiceOptions(window_s=window_s, whole_audio=whole_audio),
        batch_size=batch_size,
        embeddings=embeddings,
        detector=detector,
        threads=threads,
    )
