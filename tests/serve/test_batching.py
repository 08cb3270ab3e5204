"""The worker of a model."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from emonet.estimation import Piece, load
from emonet.media import Region
from emonet.serve._batching import Batcher


def pieces(count: int) -> list[Piece]:
    return [Piece(Region(), np.full((16, 16, 3), level, np.uint8)) for level in range(count)]


def test_pieces_of_several_requests_share_a_batch_in_turns(face_bundle: Path) -> None:
    """While one batch is scored the others gather; a long request does not push a short one back."""
    estimator, batches, go_on = load(face_bundle, workers=1), [], threading.Event()
    real = estimator.score

    def slow(given: Any, **options: Any) -> Any:
        batches.append([source for source, _ in given])
        go_on.wait(10)
        return real(given, **options)

    estimator.score = slow  # type: ignore[method-assign]
    batcher = Batcher(estimator, batch=4, wait_s=0, observe=lambda *_: None)
    first = batcher.submit("a", "first", pieces(1))
    while not batches:
        pass
    long = batcher.submit("a", "long", pieces(6))
    short = batcher.submit("b", "short", pieces(1))
    assert batcher.submit("c", "nothing", []) == []
    go_on.set()
    rows = [future.result(10) for future in (*first, *long, *short)]
    batcher.close()
    assert [row.source for row in rows] == ["first", *["long"] * 6, "short"]
    assert "short" in batches[1]
    assert sum(map(len, batches)) == 8


def test_the_error_of_one_piece_stays_its_own(face_bundle: Path) -> None:
    """A batch that fails is scored piece by piece."""
    estimator = load(face_bundle, workers=1)
    real = estimator.score

    def failing(given: Any, **options: Any) -> Any:
        if any(source == "bad" for source, _ in given):
            raise ValueError("bad")
        return real(given, **options)

    estimator.score = failing  # type: ignore[method-assign]
    batcher = Batcher(estimator, batch=8, wait_s=0.05, observe=lambda *_: None)
    good, bad = batcher.submit("a", "good", pieces(1)), batcher.submit("b", "bad", pieces(1))
    assert good[0].result(10).ok
    with pytest.raises(ValueError, match="bad"):
        bad[0].result(10)
    batcher.close()
