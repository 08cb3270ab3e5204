"""Models on this machine: a bundle scores the set's files."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from emonet.benchmark.raters._media_parts import saved
from emonet.benchmark.raters._records import Progress, Rated, asked_pairs, ratings_table, replies_table
from emonet.benchmark.raters._settings import BundleSettings
from emonet.datasets import LabelledSet, Rater
from emonet.errors import EmonetError, MediaError, UsageError

if TYPE_CHECKING:
    from emonet.estimation import Estimate, Estimator, Piece

_SAY_EVERY_S = 2.0


@dataclass(slots=True)
class _Item:
    """An item on its way: pieces found and their estimates."""

    name: str
    dimensions: tuple[str, ...]
    pieces: int = 0
    message: str = ""
    estimates: list[Estimate] = field(default_factory=list)
    seconds: float = 0.0


class BundleRater:
    """A `RaterRunner` by a local model.

    A picture is judged by its largest face, or whole; a recording by all of it, or its speech; of several windows the
    mean counts, each by its length. Values are not clipped. A dimension that the model does not judge has no row.
    """

    def __init__(self, settings: BundleSettings) -> None:
        self.settings = settings

    @property
    def rater(self) -> Rater:
        """Who rates, with model, revision and kind of values as facts. Reads the model's card."""
        from emonet.models import read_card, resolve_model

        card = read_card(resolve_model(self.settings.model))
        scale = card.scale["*"] if "*" in card.scale else next(iter(card.scale.values()))
        facts = {"model": card.id, "revision": card.revision, "values": self.settings.values}
        ends = (0.0, 1.0) if self.settings.values == "calibrated" else (scale.low, scale.high)
        return Rater(self.settings.name, "bundle", ends, facts)

    def rate(self, labelled: LabelledSet, *, progress: Progress | None = None) -> Rated:
        """Score every item of the set. An item without face or speech, or with a broken file, is a reply of status
        `error`.

        Raises `UsageError` when the model judges the other modality, has none of the wanted values, or the set has no
        media; `ModelError` when the model is not at hand.
        """
        estimator, read = self._estimator, labelled.read_media
        self._check(labelled, estimator)
        if read is None:
            raise UsageError(f"The set {labelled.name!r} has no media, so {self.settings.name!r} has nothing to score.")
        done: list[_Item] = []
        said = time.monotonic()
        with tempfile.TemporaryDirectory() as folder:
            for item in self._scored(labelled, estimator, read, Path(folder)):
                done.append(item)
                if progress and time.monotonic() - said > _SAY_EVERY_S:
                    said = time.monotonic()
                    progress(f"{self.settings.name}: {len(done)} of {labelled.items.height} scored")
        return self._rated(done)

    def _scored(self, labelled: LabelledSet, estimator: Estimator, read: Any, folder: Path) -> Iterator[_Item]:
        """Items with their estimates, in order; pieces of several items are scored together."""
        waiting: list[_Item] = []
        batch: list[tuple[_Item, Piece]] = []
        for name, dimensions in asked_pairs(labelled):
            item = _Item(name, dimensions)
            waiting.append(item)
            start = time.monotonic()
            found = self._pieces(item, estimator, read, folder)
            item.seconds += time.monotonic() - start
            item.pieces = len(found)
            batch += [(item, piece) for piece in found]
            while len(batch) >= estimator.batch_size:
                _score(estimator, batch[: estimator.batch_size])
                batch = batch[estimator.batch_size :]
            while waiting and len(waiting[0].estimates) == waiting[0].pieces:
                yield waiting.pop(0)
        _score(estimator, batch)
        yield from waiting

    def _pieces(self, item: _Item, estimator: Estimator, read: Any, folder: Path) -> list[Piece]:
        try:
            path = saved(read(item.name), folder)
            try:
                pieces = list(estimator.pieces(path))
            finally:
                path.unlink()
        except MediaError as error:
            item.message = f"unreadable: {error.reason}"
            return []
        except (OSError, EmonetError) as error:
            item.message = f"unreadable: {error}"
            return []
        item.message = next((f"{piece.status}: {piece.message}" for piece in pieces if piece.item is None), "")
        return [piece for piece in pieces if piece.item is not None]

    def _rated(self, items: Sequence[_Item]) -> Rated:
        now = datetime.now(UTC)
        rows, replies = [], []
        for item in items:
            values = self._values(item)
            if item.estimates:
                rows.append((item.name, {key: values[key] for key in item.dimensions if key in values}, now))
            replies.append(
                {
                    "rater": self.settings.name,
                    "item": item.name,
                    "status": "ok" if item.estimates else "error",
                    "attempts": 1,
                    "seconds": item.seconds,
                    "message": None if item.estimates else item.message or "nothing to score was found",
                }
            )
        return Rated(ratings_table(self.settings.name, f"bundle {self.settings.values}", rows), replies_table(replies))

    def _values(self, item: _Item) -> dict[str, float]:
        """Key → mean over the item's pieces, weighted by their length."""
        if not item.estimates:
            return {}
        scores: NDArray[np.float64] = np.stack(
            [getattr(estimate, self.settings.values) for estimate in item.estimates]
        ).astype(np.float64)  # [pieces, d]
        weights = np.array([_length_s(estimate) for estimate in item.estimates])
        mean = (scores * (weights / weights.sum())[:, None]).sum(axis=0)  # NaN where the model cannot tell
        keys = item.estimates[0].dimensions
        return {key: float(value) for key, value in zip(keys, mean, strict=True) if np.isfinite(value)}

    def _check(self, labelled: LabelledSet, estimator: Estimator) -> None:
        card, chosen = estimator.card, self.settings
        if card.modality != labelled.modality:
            of = f"the set {labelled.name!r} is one of {labelled.modality}s"
            raise UsageError(f"{chosen.name!r} judges {card.modality}s, but {of}.")
        lacking = {"relative": not card.neutral_means, "calibrated": not card.calibration, "raw": False}
        if lacking[chosen.values]:
            has = [values for values, lacks in lacking.items() if not lacks]
            raise UsageError(
                f"{chosen.name!r}: the model {card.id} has no {chosen.values} scores; choose values = "
                f"{' or '.join(repr(values) for values in has)}."
            )

    @cached_property
    def _estimator(self) -> Estimator:
        from emonet.estimation import load

        chosen = self.settings
        return load(
            chosen.model,
            threads=chosen.threads,
            batch_size=chosen.batch_size,
            whole_image=chosen.whole_image,
            max_faces=1,
            whole_audio=chosen.whole_audio,
        )


def _score(estimator: Estimator, batch: Sequence[tuple[_Item, Piece]]) -> None:
    """Score pieces and hand each estimate, and its share of the time, to its item."""
    if not batch:
        return
    start = time.monotonic()
    estimates = estimator.score([(item.name, piece) for item, piece in batch])
    share = (time.monotonic() - start) / len(batch)
    for (item, _), estimate in zip(batch, estimates, strict=True):
        item.estimates.append(estimate)
        item.seconds += share


def _length_s(estimate: Estimate) -> float:
    """Length of a window; 1 for a picture."""
    start, end = estimate.region.start_s, estimate.region.end_s
    return 1.0 if start is None or end is None or end <= start else end - start
