"""Scores against a speaker's other clips."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("torch")

from benchmarks.burst_speakers import against_speaker, right_first


def test_what_a_speaker_always_sounds_like_is_taken_away() -> None:
    """A speaker whose every clip leans to one label is judged by how the clips differ."""
    speakers = np.asarray(["a", "a", "a", "b", "b", "b"])
    labels = np.asarray([0, 1, 2, 0, 1, 2])
    scores = np.eye(3)[labels] + np.where(speakers == "a", 2.0, 0.0)[:, None] * np.eye(3)[0]
    assert right_first(scores, labels, speakers).value == pytest.approx(4 / 6)
    relative = against_speaker(scores, speakers)
    assert right_first(relative, labels, speakers).value == 1.0
    np.testing.assert_allclose(relative[:3].mean(axis=0), 0, atol=1e-12)
    assert scores[0, 0] == 3.0  # what was given stays as it was
