"""From uploads to estimates with the loaded models: decode in threads, score in each model's own."""

from __future__ import annotations

import asyncio
import copy
import time
from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from emonet.errors import MediaError, MediaTooLargeError, MissingExtraError, UnknownNameError, UsageError
from emonet.estimation import Estimate, Estimates, Estimator, FaceOptions, Piece, VoiceOptions, load
from emonet.media import Kind, Region
from emonet.serve._batching import Batcher, Observe
from emonet.serve._problems import Problem, media_problem
from emonet.serve._settings import Limits, ServeSettings
from emonet.serve._uploads import Upload, checked_kind, on_disk
from emonet.taxonomy import Modality

_NEEDS: dict[Kind, tuple[Modality, ...]] = {"image": ("face",), "audio": ("voice",), "video": ("face", "voice")}
_CHECK_S = 10.0  # of sound between two calls of a decoder's check
_DEADLINE_S = 120.0  # of reading one file


@dataclass(frozen=True, slots=True)
class Options:
    """What a request may choose. `model`: an id or a name the server was started with, "" for what the file needs.
    `window_s`, `whole_audio`, `fps`, `whole_image`, `max_faces`: as `emonet.load` takes them."""

    model: str = ""
    window_s: float | None = None
    whole_audio: bool = False
    fps: float = 2.0
    whole_image: bool = False
    max_faces: int | None = None


class Engine:
    """The loaded models and their workers. `estimators`: by the name that the server was started with."""

    def __init__(self, settings: ServeSettings, observe: Observe) -> None:
        self._limits = settings.limits
        self.estimators: dict[str, Estimator] = {
            name: load(name, threads=settings.threads, workers=1) for name in settings.models
        }
        ids = [item.card.id for item in self.estimators.values()]
        if len(set(ids)) < len(ids):
            raise UsageError(f"A model was given twice: {', '.join(ids)}.")
        self._batchers = {
            item.card.id: Batcher(item, batch=settings.batch, wait_s=settings.wait_s, observe=observe)
            for item in self.estimators.values()
        }

    def close(self) -> None:
        """Finish what was accepted and end the workers."""
        for batcher in self._batchers.values():
            batcher.close()

    def find(self, model: str) -> Estimator:
        """By name or id. `Problem` 404 for a model that is not loaded."""
        for name, item in self.estimators.items():
            if model in (name, item.card.id):
                return item
        known = [item.card.id for item in self.estimators.values()]
        raise Problem("not_found", str(UnknownNameError("model", model[:200], known)))

    def of(self, modality: Modality) -> Estimator | None:
        """The first loaded model of that kind."""
        return next((item for item in self.estimators.values() if item.modality == modality), None)

    async def estimate(self, client: str, upload: Upload, options: Options) -> Estimates:
        """All rows of one upload. Raises `Problem` when it cannot be used."""
        parts = await asyncio.to_thread(self._pieces, upload, options)
        rows: list[Estimate] = []
        for estimator, pieces in parts:
            rows += await self.score(client, estimator, upload.name, pieces)
        return Estimates(rows, {estimator.card.id: estimator.card for estimator, _ in parts})

    async def score(self, client: str, estimator: Estimator, source: str, pieces: Sequence[Piece]) -> list[Estimate]:
        """A row for each piece, those without an item as they are."""
        live = [piece for piece in pieces if piece.item is not None]
        futures: list[Future[Estimate]] = self._batchers[estimator.card.id].submit(client, source, live)
        try:
            scored = iter([await asyncio.wrap_future(future) for future in futures])
        finally:
            for future in futures:
                future.cancel()
        return [next(scored) if piece.item is not None else empty_row(estimator, source, piece) for piece in pieces]

    def _pieces(self, upload: Upload, options: Options) -> list[tuple[Estimator, list[Piece]]]:
        with on_disk(upload) as path:
            kind = checked_kind(path, upload.name, self._limits)
            check = _Check(self._limits, kind, options.fps)
            found = []
            for estimator in self._wanted(kind, upload.name, options):
                check.restart()
                try:
                    found.append((estimator, _bounded(_told_how(estimator, options), path, check, self._limits)))
                except (MediaError, MissingExtraError, OSError) as error:
                    if isinstance(error, MediaError):
                        raise media_problem(error, upload.name) from error
                    raise Problem("unreadable", f"{upload.name}: {_without_path(error)}") from error
            return found

    def _wanted(self, kind: Kind, name: str, options: Options) -> list[Estimator]:
        if options.model:
            chosen = self.find(options.model)
            if chosen.modality not in _NEEDS[kind]:
                raise Problem("unreadable", f"{name}: is {kind}, but the model {chosen.card.id} judges "
                              f"{chosen.modality}s")  # fmt: skip
            return [chosen]
        found = [item for modality in _NEEDS[kind] if (item := self.of(modality)) is not None]
        if not found:
            raise Problem("unknown_media", f"{name}: is {kind}, and no loaded model judges {_NEEDS[kind][0]}s")
        return found


class _Check:
    """Called by decoders for each ten seconds of sound or frame; ends what is too long, whatever its header said."""

    def __init__(self, limits: Limits, kind: Kind, fps: float) -> None:
        self._limits, self._seconds = limits, 1 / fps if kind == "video" else _CHECK_S
        self.restart()

    def restart(self) -> None:
        self._heard, self._until = 0.0, time.monotonic() + _DEADLINE_S

    def __call__(self) -> None:
        self._heard += self._seconds
        if self._heard > self._limits.max_duration_s + 2 * _CHECK_S:
            raise MediaTooLargeError("", f"longer than {self._limits.max_duration_s:g} s")
        if time.monotonic() > self._until:
            raise MediaTooLargeError("", f"took longer than {_DEADLINE_S:g} s to read")


def _bounded(estimator: Estimator, path: Any, check: _Check, limits: Limits) -> list[Piece]:
    pieces: list[Piece] = []
    for piece in estimator.pieces(path, check=check):
        pieces.append(piece)
        if len(pieces) > limits.max_pieces:
            raise MediaTooLargeError(str(path), f"holds more than {limits.max_pieces} faces or windows")
    return pieces


def _told_how(estimator: Estimator, options: Options) -> Estimator:
    """The same model and detector with the request's ways of cutting."""
    changed = copy.copy(estimator)
    changed.face = FaceOptions(whole_image=options.whole_image, max_faces=options.max_faces, fps=options.fps)
    changed.voice = VoiceOptions(window_s=options.window_s, whole_audio=options.whole_audio)
    return changed


def _without_path(error: Exception) -> str:
    return (error.strerror or "cannot be read") if isinstance(error, OSError) else str(error)


def empty_row(estimator: Estimator, source: str, piece: Piece) -> Estimate:
    """The row of a piece without anything to score."""
    card = estimator.card
    nothing = np.full(len(card.dimensions), np.nan, np.float32)
    return Estimate(source, card.modality, piece.region, piece.status, piece.message, card.id, card.revision,
                    card.dimensions, nothing, nothing, nothing, nothing)  # fmt: skip


def failed_row(source: str, reason: str) -> Estimate:
    """The row of one file of a batch that cannot be used."""
    return Estimate(source, None, Region(), "unreadable", reason)


def from_scores(estimator: Estimator, scores: dict[str, float]) -> Estimate:
    """An estimate of raw scores that a client has from an earlier reply."""
    card = estimator.card
    if not (known := set(card.dimensions) & set(scores)):
        raise Problem("invalid", f"scores: none of the names is a dimension of {card.id}")
    raw = np.array([[scores[key] if key in known else np.nan for key in card.dimensions]], np.float32)
    model = estimator.model
    relative = model.relative(raw) if card.neutral_means else np.full_like(raw, np.nan)
    row = empty_row(estimator, "scores", Piece(Region()))
    return replace(row, status="ok", raw=raw[0], relative=relative[0], softmax=model.softmax(raw)[0],
                   calibrated=model.calibrated(raw)[0])  # fmt: skip
