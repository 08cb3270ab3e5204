"""Many files through one or two models: batches cross the borders of files, answers come file by file in order."""

from __future__ import annotations

import stat
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from emonet.errors import MediaError, MissingExtraError, UnreadableMediaError
from emonet.estimation._estimate import Estimate, Estimates
from emonet.estimation._pieces import Piece
from emonet.media import Region

if TYPE_CHECKING:
    from emonet.estimation._estimator import Estimator

Router = Callable[[Path], "Sequence[Estimator]"]
"""Estimators for a file; raises `MediaError` when none fits."""


@dataclass(slots=True, eq=False)
class _Job:
    """One file on its way. A None in `rows` waits for its batch."""

    source: str
    rows: list[Estimate | None] = field(default_factory=list)
    waiting: int = 0
    read: bool = False
    estimators: Sequence[Estimator] = ()

    def done(self) -> bool:
        return self.read and not self.waiting

    def result(self) -> Estimates:
        cards = {estimator.card.id: estimator.card for estimator in self.estimators}
        return Estimates([row for row in self.rows if row is not None], cards)


@dataclass(slots=True, eq=False)
class _Batch:
    """Pieces of one estimator that are scored together, with the place each answer goes to."""

    estimator: Estimator
    places: list[tuple[_Job, int]] = field(default_factory=list)
    pieces: list[tuple[str, Piece]] = field(default_factory=list)

    def add(self, job: _Job, piece: Piece) -> None:
        self.places.append((job, len(job.rows)))
        self.pieces.append((job.source, piece))
        job.rows.append(None)
        job.waiting += 1
        if len(self.pieces) >= self.estimator.batch_size:
            self.flush()

    def flush(self) -> None:
        places, pieces = self.places, self.pieces
        self.places, self.pieces = [], []
        for (job, index), row in zip(places, self.estimator.score(pieces) if pieces else [], strict=True):
            job.rows[index] = row
            job.waiting -= 1


def stream_files(files: Iterable[Path], route: Router) -> Iterator[Estimates]:
    """All rows of each file, in the order of the files, as soon as they are complete.

    A file that cannot be used gives one row with the status `unreadable` after the rows it gave before it failed.
    Only errors of the model are raised.
    """
    queue: deque[_Job] = deque()
    batches: dict[int, _Batch] = {}
    for path in files:
        job = _Job(str(path))
        queue.append(job)
        _read(path, job, route, batches)
        job.read = True
        while queue and queue[0].done():
            yield queue.popleft().result()
    for batch in batches.values():
        batch.flush()
    yield from (job.result() for job in queue)


def _read(path: Path, job: _Job, route: Router, batches: dict[int, _Batch]) -> None:
    """Add the file's pieces to the batches and its failures to its rows."""
    try:
        _check(path)
        job.estimators = route(path)
    except (MediaError, OSError) as error:
        job.rows.append(_failure(job.source, error, None))
        return
    for estimator in job.estimators:
        batch = batches.setdefault(id(estimator), _Batch(estimator))
        try:
            for piece in estimator.pieces(path):
                if piece.item is not None:
                    batch.add(job, piece)
                else:
                    job.rows.append(_empty(job.source, piece, estimator))
        except (MediaError, MissingExtraError, OSError) as error:
            job.rows.append(_failure(job.source, error, estimator))


def _check(path: Path) -> None:
    """Refuse what is no ordinary file before anything waits on it."""
    try:
        status = path.stat()
    except OSError as error:
        reason = "no such file" if isinstance(error, FileNotFoundError) else (error.strerror or str(error))
        raise UnreadableMediaError(str(path), reason) from error
    if not stat.S_ISREG(status.st_mode):
        raise UnreadableMediaError(str(path), "not an ordinary file; pipe a stream into `emonet estimate -`")
    if not status.st_size:
        raise UnreadableMediaError(str(path), "the file is empty (0 bytes)")


def _empty(source: str, piece: Piece, estimator: Estimator) -> Estimate:
    card = estimator.card
    return Estimate(
        source, card.modality, piece.region, piece.status, piece.message, card.id, card.revision, card.dimensions,
        *[_nan(len(card.dimensions)) for _ in range(4)],
    )  # fmt: skip


def _failure(source: str, error: Exception, estimator: Estimator | None) -> Estimate:
    message = error.reason if isinstance(error, MediaError) else str(error)
    if isinstance(error, OSError) and error.strerror:
        message = error.strerror
    if estimator is None:
        return Estimate(source, None, Region(), "unreadable", message)
    return _empty(source, Piece(Region(), status="unreadable", message=message), estimator)


def _nan(n: int) -> NDArray[np.float32]:
    return np.full(n, np.nan, np.float32)
