"""A loaded model with the way to find what it scores: `emonet.load`."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator, Sequence
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from emonet.errors import EstimationError, UnreadableMediaError
from emonet.estimation._estimate import Estimate, Estimates, Status
from emonet.estimation._files import available_cores, stream_files, worker_count
from emonet.estimation._inputs import expand_inputs
from emonet.estimation._pieces import Check, FaceOptions, Piece, VoiceOptions, go_on
from emonet.media import Region, kind_of
from emonet.models import Card, Computed, ImagePreprocessing, Model, Runtime, load_model, read_card, resolve_model
from emonet.taxonomy import Modality

if TYPE_CHECKING:
    from emonet.media import Face, FaceDetector

Source = str | PathLike[str]
_SMALL = 64 * 2**20  # bytes of an encoder whose single calls are too short to be shared between threads


class Estimator:
    """Scores faces or voices of files. Made by `load`; safe to use from several threads at once.

    `model`: the loaded model; `face`, `voice`: how faces are found and recordings cut; `batch_size`: crops or
    windows scored at once, over the borders of files; `embeddings`: keep the encoder's output in each estimate (a
    second pass of the encoder); `detector`: name of a face detector, or any object with `detect` (see
    `emonet.media.FaceDetector`), which is called by one thread at a time. `threads`: with how many threads `model` was
    loaded, None for all cores; as many batches are scored at once as there are cores for. `workers`: see
    `stream_files`.
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
        workers: int | None = None,
    ) -> None:
        self.model = model
        self.workers = worker_count(workers)
        self.face = face or FaceOptions()
        self.voice = voice or VoiceOptions()
        self.batch_size = batch_size or (32 if self.modality == "face" else 8)
        self.embeddings = embeddings
        self._chosen_detector, self._threads = detector, threads
        self._found_detector: FaceDetector | None = None
        self._loading = threading.Lock()
        cores = available_cores()
        self._lanes = threading.Semaphore(max(1, cores // (threads or cores)))

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
        rows = [row for estimates in self._streamed(files) for row in estimates]
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
        for estimates in self._streamed(files):
            yield from estimates

    def _streamed(self, files: Iterable[Path]) -> Iterator[Estimates]:
        return stream_files(files, lambda _: (self,), workers=self.workers)

    def pieces(self, path: Path, *, check: Check = go_on) -> Iterator[Piece]:
        """What the model will score in a file. Raises `MediaError` when the file cannot be read.

        `check` is called before each ten seconds of sound and each frame; what it raises ends the work.
        """
        kind = kind_of(path)
        if self.modality == "voice":
            from emonet.estimation._voices import voice_pieces, window_policy

            if kind == "image":
                raise UnreadableMediaError(str(path), "is an image, but the model judges voices; expected a recording")
            found = voice_pieces(path, window_policy(self.card, self.voice), check=check)
            yield from _tolerant(found, kind, "no_speech")
            return
        from emonet.estimation._faces import image_pieces, video_pieces

        if kind == "audio":
            raise UnreadableMediaError(str(path), "is a recording, but the model judges faces; expected a picture")
        spec = self.card.preprocessing
        margin = spec.margin if isinstance(spec, ImagePreprocessing) else 0.0
        if kind == "video":
            found = video_pieces(path, self._detector(), self.face, margin=margin, check=check)
        else:
            found = image_pieces(path, self._detector(), self.face, margin=margin)
        yield from _tolerant(found, kind, "no_face")

    def score(self, pieces: Sequence[tuple[str, Piece]], *, check: Check = go_on) -> list[Estimate]:
        """Estimates of (source, piece) pairs that all have an item. `check` is called before each is prepared."""
        items = _Checked([piece.item for _, piece in pieces if piece.item is not None], check)
        with self._lanes:
            return self._scored(pieces, items)

    def _scored(self, pieces: Sequence[tuple[str, Piece]], items: Sequence[NDArray[Any]]) -> list[Estimate]:
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

    def _detector(self) -> FaceDetector | None:
        if self.face.whole_image:
            return None
        with self._loading:
            if self._found_detector is None:
                self._found_detector = _detector(self._chosen_detector, self._threads or 1)
            return self._found_detector

    def __repr__(self) -> str:
        return f"<Estimator {self.card.id} ({self.modality}, revision {self.card.revision})>"


class _Checked(Sequence[NDArray[Any]]):
    """Items that call `check` whenever one is taken: an encoder takes its next one after each of its calls."""

    def __init__(self, items: list[NDArray[Any]], check: Check) -> None:
        self._items, self._check = items, check

    def __len__(self) -> int:
        return len(self._items)

    def __getitem__(self, index: Any) -> Any:
        self._check()
        return self._items[index]


class _OneAtATime:
    """A detector of the caller's own, of which nothing is known about threads."""

    def __init__(self, detector: FaceDetector) -> None:
        self._detector, self._lock = detector, threading.Lock()

    def detect(self, pixels: NDArray[np.uint8]) -> tuple[Face, ...]:
        with self._lock:
            return self._detector.detect(pixels)


def _detector(chosen: str | FaceDetector, threads: int) -> FaceDetector:
    if not isinstance(chosen, str):
        return _OneAtATime(chosen)
    from emonet.media import load_face_detector

    return load_face_detector(chosen, threads=threads)


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
    workers: int | None = None,
    runtime: Runtime = "auto",
    precision: Computed = "auto",
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
    "laion/Empathic-Insight-Voice-Small". `runtime`, `precision`: see `emonet.models.load_model`. `threads`: of one
    model call; None for one with small models, which score several batches at once instead, and for all cores with
    large ones. `workers`: files read and batches scored at once, None for one per core; 1 does everything in the
    calling thread. Results do not depend on it. `batch_size`: crops or windows scored at once (None: 32 faces, 8
    windows). For faces: `whole_image`, `max_faces`, `min_face_px`, `fps` (see `FaceOptions`) and `detector`. For
    voices: `window_s`, `whole_audio` (see `VoiceOptions`). `embeddings`: keep the encoder's output in
    `Estimate.embedding`.

    Raises `ModelError` when the model is not at hand or damaged, `UnknownNameError` when no model has that name.
    """
    folder = resolve_model(name)
    if threads is None and _encoder_bytes(folder, read_card(folder)) < _SMALL:
        threads = 1
    return Estimator(
        load_model(folder, threads=threads, runtime=runtime, precision=precision),
        face=FaceOptions(whole_image=whole_image, max_faces=max_faces, min_face_px=min_face_px, fps=fps),
        voice=VoiceOptions(window_s=window_s, whole_audio=whole_audio),
        batch_size=batch_size,
        embeddings=embeddings,
        detector=detector,
        threads=threads,
        workers=workers,
    )


def _encoder_bytes(folder: Path, card: Card) -> int:
    names = (card.encoder.file, card.encoder.data_file)
    return sum((folder / name).stat().st_size for name in names if name and (folder / name).is_file())
