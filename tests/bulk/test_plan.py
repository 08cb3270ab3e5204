"""The planner: arithmetic on a made-up measure, and a prediction of a run that is then made."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emonet.bulk import Calibration, Summary, calibrate, plan
from emonet.errors import UsageError
from made_shards import shard

MEASURED = Calibration(
    model="test/voice", modality="voice", computed_by="onnxruntime", shards=10, units=2.0, unit_s=30.0, low_s=28.0,
    high_s=33.0, shard_s=0.5, start_s=4.0, samples=600.0, bytes_in=10e6, bytes_out=0.5e6, workers=2, threads=1, cores=2,
)  # fmt: skip


def test_time_is_turns_of_equal_shards() -> None:
    """1000 hours in 100 shards on 10 cores: ten turns of 10 h x 30 s + 0.5 s, and the start."""
    made = plan(MEASURED, hours=1000, cores=10, shards=100, price=0.05)
    assert made.seconds == pytest.approx(4 + 10 * (10 * 30 + 0.5))
    assert made.core_h == pytest.approx(made.seconds * 10 / 3600)
    assert made.cost == pytest.approx(made.core_h * 0.05)
    assert made.low_s < made.seconds < made.high_s
    assert made.bytes_out == pytest.approx(500e6)
    assert made.shard_samples == pytest.approx(6000)
    assert made.read_mb_s == pytest.approx(10 * 10 / 30)


def test_an_unlucky_number_of_shards_costs_a_turn() -> None:
    """11 shards on 10 workers take two turns."""
    ten, eleven = (plan(MEASURED, hours=11, cores=10, shards=n).seconds for n in (10, 11))
    assert eleven > 1.7 * ten


@given(hours=st.floats(1, 1e7), cores=st.integers(1, 5000))
def test_suggested_shards_suit(hours: float, cores: int) -> None:
    """Never too large, enough of them for every worker, and whole turns, unless there is too little to share out."""
    made = plan(MEASURED, hours=hours, cores=cores)
    assert made.shards >= 1
    assert made.shard_bytes <= 2.001e9
    if made.shard_samples >= 200:  # else cut as finely as is of use
        assert made.shards % made.workers == 0
        assert made.shards >= 20 * made.workers
        assert made.shard_s <= 601 + MEASURED.shard_s
    ideal = hours * MEASURED.unit_s / made.workers
    assert made.seconds >= ideal


def test_threads_of_a_worker_divide_the_cores() -> None:
    """192 cores at four threads a worker are 48 workers."""
    assert plan(replace(MEASURED, threads=4), hours=1e5, cores=192).workers == 48


def test_the_amount_fits_the_model() -> None:
    """Hours for voices, samples for faces; numbers must be positive."""
    with pytest.raises(UsageError, match="planned by hours"):
        plan(MEASURED, samples=1000, cores=8)
    with pytest.raises(UsageError, match="planned by samples"):
        plan(replace(MEASURED, modality="face"), hours=5, cores=8)
    with pytest.raises(UsageError, match="more than 0"):
        plan(MEASURED, hours=0, cores=8)
    with pytest.raises(UsageError, match="at least 1 cores"):
        plan(MEASURED, hours=1, cores=0)


def test_a_prediction_holds(run: Callable[..., Summary], tmp_path: Path) -> None:
    """From a small run, outputs of a larger one are predicted within 15 %, and its time with an interval around it. How
    near the time comes is measured by benchmarks/bulk_acceptance.py: here others may be at work."""
    for number in range(6):
        shard(tmp_path / f"more/{number}.tar", number, 60)
    run([tmp_path / f"more/{n}.tar" for n in range(2)], tmp_path / "small")
    measured = calibrate(tmp_path / "small")
    made = run(f"{tmp_path}/more/*.tar", tmp_path / "large")
    said = plan(measured, hours=made.totals.sound_s / 3600, cores=1, shards=6)
    assert said.bytes_out == pytest.approx(made.totals.bytes_out, rel=0.15)
    assert measured.start_s < said.low_s <= said.seconds <= said.high_s


def test_calibrating_measures_when_given_a_model(shards: Path, voice_bundle: Path) -> None:
    """Media and a model: the run is made and thrown away."""
    measured = calibrate(f"{shards}/*.tar", model=voice_bundle, workers=1, whole_audio=True)
    assert (measured.shards, measured.workers, measured.modality) == (4, 1, "voice")
    assert measured.samples == pytest.approx(24 * 3600 / 22, rel=0.01)
    assert measured.start_s > 0


def test_too_little_to_go_by(run: Callable[..., Summary], shards: Path, tmp_path: Path) -> None:
    """One shard tells nothing of the spread."""
    run(shards / "000.tar")
    with pytest.raises(UsageError, match="needs 2 or more"):
        calibrate(tmp_path / "output")
