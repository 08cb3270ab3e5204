"""Items of the largest disagreement, and their media."""

from __future__ import annotations

import base64
import io
from dataclasses import replace

import numpy as np
import PIL.Image
import pytest
import soundfile

from emonet.benchmark import Results
from emonet.benchmark.report._media import SIDE, Embedded
from emonet.benchmark.report._worst import worst_items
from emonet.errors import UnreadableMediaError
from made_ratings import made_raters, made_set


def _picture(item: str) -> bytes:
    buffer = io.BytesIO()
    PIL.Image.effect_noise((640, 480), 50).save(buffer, "PNG")
    return buffer.getvalue()


def _sound(item: str) -> bytes:
    buffer = io.BytesIO()
    soundfile.write(buffer, 0.1 * np.sin(np.arange(16_000) / 20), 16_000, format="WAV")
    return buffer.getvalue()


def test_the_worst_item_is_the_furthest(results: Results) -> None:
    """The poor rater's first item has the largest distance there is, computed from the tables by hand."""
    made, raters = made_set(), made_raters()
    votes = made.ratings.cube(list(made.items["item"]), made.dimensions)
    values = raters.cube(list(made.items["item"]), made.dimensions, raters=["poor"])[0]
    counts = (~np.isnan(votes)).sum(axis=0)
    distance = np.where(counts > 1, np.abs(values - np.nanmean(votes, axis=0)), 0)
    gaps = [gap for item in worst_items(results) for gap in item.gaps if gap.rater.startswith("<script>")]
    assert len(gaps) == 6
    assert max(abs(gap.said - gap.people) for gap in gaps) == pytest.approx(distance.max())
    assert all(gap.people == pytest.approx(np.mean(gap.votes)) for gap in gaps)


def test_scales_are_put_on_one(results: Results) -> None:
    """A rater on 0..1 is shown on the people's scale and is as far off as the one that it copies."""
    by_rater: dict[str, set[float]] = {}
    for item in worst_items(results):
        for gap in item.gaps:
            by_rater.setdefault(gap.rater, set()).add(round(abs(gap.said - gap.people), 6))
    assert by_rater["copy"] == by_rater["good"]


def test_rules_have_no_worst_items(results: Results, bare: Results) -> None:
    """Null raters do not judge; without ratings nothing is found; facts of the item come along."""
    found = worst_items(results, per_rater=2, most=5)
    assert len(found) <= 5
    assert not any(gap.rater.startswith("null:") for item in found for gap in item.gaps)
    assert set(found[0].facts) == {"age"}
    assert worst_items(bare) == []
    assert worst_items(replace(results, facts={**results.facts, "people": []})) == []


def test_pictures_become_thumbnails() -> None:
    """A JPEG of the stated side as data URI; nothing without a reader."""
    found = Embedded(_picture, "face").uri("a")
    assert found is not None
    kind, uri = found
    head, _, content = uri.partition(",")
    assert (kind, head) == ("image", "data:image/jpeg;base64")
    assert PIL.Image.open(io.BytesIO(base64.b64decode(content))).size == (SIDE, SIDE * 480 // 640)
    assert Embedded(None, "face").uri("a") is None


def test_recordings_become_opus() -> None:
    """Ogg Opus that decodes to about a second."""
    found = Embedded(_sound, "voice").uri("a")
    assert found is not None
    samples, rate = soundfile.read(io.BytesIO(base64.b64decode(found[1].partition(",")[2])))
    assert len(samples) / rate == pytest.approx(1.0, abs=0.1)


def test_media_have_a_limit_and_gaps_are_counted() -> None:
    """What does not fit and what cannot be read is counted, not dropped silently."""
    few = Embedded(_picture, "face", most_bytes=12_000)
    assert [few.uri(item) is not None for item in "abc"] == [True, False, False]
    assert (few.left_out, few.unreadable) == (2, 0)

    def missing(item: str) -> bytes:
        raise UnreadableMediaError(item, "this item names no media file")

    for reader in (missing, lambda item: b"no picture"):
        broken = Embedded(reader, "face")
        assert broken.uri("a") is None
        assert broken.unreadable == 1
