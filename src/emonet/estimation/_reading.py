"""One file on its way to its rows: what was read of it, what waits for a batch, and what went wrong."""

from __future__ import annotations

import stat
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from emonet.errors import MediaError, MissingExtraError, UnreadableMediaError
from emonet.estimation._estimate import Estimate, Estimates
from emonet.estimation._pieces import Check, Piece
from emonet.media import Region

if TYPE_CHECKING:
    from emonet.estimation._estimator import Estimator

Router = Callable[[Path], "Sequence[Estimator]"]
"""Estimators for a file; raises `MediaError` when none fits. Called from several threads at once."""

_BATCH_BYTES = 64 * 2**20  # most that the pieces of a batch hold: pictures scored whole can be large


@dataclass(slots=True, eq=False)
class Job:
    """One file. A None in `rows` waits for its batch; `waiting` counts them.

    `tails`: pieces that were too few for a batch of their own. `error`: what no row can tell, as of a broken model.
    """

    path: Path
    rows: list[Estimate | None] = field(default_factory=list)
    waiting: int = 0
    read: bool = False
    estimators: Sequence[Estimator] = ()
    tails: list[Batch] = field(default_factory=list)
    error: BaseException | None = None

    @property
    def done(self) -> bool:
        """Whether the rows, or the error, are final."""
        return self.error is not None or (self.read and not self.waiting)

    def result(self) -> Estimates:
        """All rows. Raises `error`."""
        if self.error is not None:
            raise self.error
        cards = {estimator.card.id: estimator.card for estimator in self.estimators}
        return Estimates([row for row in self.rows if row is not None], cards)


@dataclass(slots=True, eq=False)
class Batch:
    """Pieces of one estimator that are scored together, each with the file and the row it belongs to."""

    estimator: Estimator
    pieces: list[tuple[Job, int, Piece]] = field(default_factory=list)
    nbytes: int = 0

    def add(self, job: Job, row: int, piece: Piece) -> bool:
        """Take a piece; True when no more should be added."""
        self.pieces.append((job, row, piece))
        self.nbytes += 0 if piece.item is None else piece.item.nbytes
        return len(self.pieces) >= self.estimator.batch_size or self.nbytes >= _BATCH_BYTES

    def score(self, check: Check) -> list[Estimate]:
        """One row for each piece; `check` as in `Estimator.score`."""
        return self.estimator.score([(str(job.path), piece) for job, _, piece in self.pieces], check=check)


def read_job(job: Job, route: Router, check: Check) -> Iterator[Batch]:
    """Batches that the file fills by itself; the rest is left in `job.tails` and the file's failures in its rows.

    What makes up a batch so depends on the file alone, and a long recording need not be held until all files before
    it were read. `check` is called often, and what it raises ends the work.
    """
    try:
        _refuse_no_file(job.path)
        job.estimators = route(job.path)
    except (MediaError, OSError) as error:
        job.rows.append(_failure(job, error, None))
        return
    for estimator in job.estimators:
        batch = Batch(estimator)
        try:
            for piece in estimator.pieces(job.path, check=check):
                if piece.item is None:
                    job.rows.append(_empty(job, piece, estimator))
                    continue
                job.rows.append(None)
                if batch.add(job, len(job.rows) - 1, piece):
                    yield batch
                    batch = Batch(estimator)
                check()
        except (MediaError, MissingExtraError, OSError) as error:
            job.rows.append(_failure(job, error, estimator))
        if batch.pieces:
            job.tails.append(batch)


def _refuse_no_file(path: Path) -> None:
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


def _empty(job: Job, piece: Piece, estimator: Estimator) -> Estimate:
    card = estimator.card
    return Estimate(
        str(job.path), card.modality, piece.region, piece.status, piece.message, card.id, card.revision,
        card.dimensions, *[_nan(len(card.dimensions)) for _ in range(4)],
    )  # fmt: skip


def _failure(job: Job, error: Exception, estimator: Estimator | None) -> Estimate:
    message = error.reason if isinstance(error, MediaError) else str(error)
    if isinstance(error, OSError) and error.strerror:
        message = error.strerror
    if estimator is None:
        return Estimate(str(job.path), None, Region(), "unreadable", message)
    return _empty(job, Piece(Region(), status="unreadable", message=message), estimator)


def _nan(n: int) -> NDArray[np.float32]:
    return np.full(n, np.nan, np.float32)
