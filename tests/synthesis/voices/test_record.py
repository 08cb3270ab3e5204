"""Recording: takes that fail are made again, and whatever stops the work, nothing is made twice."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("pyloudnorm", reason="the extra `synthesis` is not installed")

from emonet.errors import UsageError
from emonet.synthesis.voices import FinishPolicy, Heard, Order, Script, make_design, record_clips, write_scripts
from humming import Hummer

SCRIPTS = write_scripts(make_design(voices=2, emotions=["anger", "awe", "relief"]))


def test_every_script_gets_its_clip(tmp_path: Path, lenient: FinishPolicy) -> None:
    said: list[tuple[str, int, int]] = []
    session = record_clips(
        SCRIPTS, Hummer(), tmp_path, policy=lenient, workers=1, progress=lambda *step: said.append(step)
    )
    assert [clip.script for clip in session.clips] == list(SCRIPTS)
    assert (session.failures, session.pending, session.kept) == ((), (), 0)
    for clip in session.clips:
        assert clip.path == f"clips/{clip.script.part.emotion}/{clip.script.part.key}.wav"
        assert (tmp_path / clip.path).stat().st_size == pytest.approx(clip.duration_s * 48_000, rel=0.01)
        assert clip.loudness_lufs == pytest.approx(-23, abs=0.1)
        assert clip.cost == 0.01
    assert said[-1] == ("clips", 6, 6)


def test_processes_give_the_same_clips(tmp_path: Path, lenient: FinishPolicy) -> None:
    one = record_clips(SCRIPTS, Hummer(), tmp_path / "one", policy=lenient, workers=1)
    two = record_clips(SCRIPTS, Hummer(), tmp_path / "two", policy=lenient, workers=2)
    assert one == two
    for clip in one.clips:
        assert (tmp_path / "one" / clip.path).read_bytes() == (tmp_path / "two" / clip.path).read_bytes()


def test_a_failed_take_is_made_again_with_another_seed(tmp_path: Path, lenient: FinishPolicy) -> None:
    def spoil(order: Order, samples: np.ndarray) -> np.ndarray | str:
        if order.script == SCRIPTS[0] and order.attempt < 2:
            return np.clip(samples * 20, -1, 1) if order.attempt else "error: cut off"
        return samples

    hummer = Hummer(spoil)
    session = record_clips(SCRIPTS, hummer, tmp_path, policy=lenient, workers=1)
    first = session.clips[0]
    assert (first.attempt, len(session.clips)) == (2, 6)
    assert first.faults[0] == "error: cut off"
    assert first.faults[1].startswith("clipped")
    assert first.cost == pytest.approx(0.03)
    seeds = [order.seed for order in hummer.orders if order.script == SCRIPTS[0]]
    assert len(set(seeds)) == 3


def test_a_script_whose_takes_all_fail_is_logged_and_tried_again_later(tmp_path: Path, lenient: FinishPolicy) -> None:
    broken = Hummer(lambda order, samples: samples * 0 if order.script == SCRIPTS[1] else samples)
    session = record_clips(SCRIPTS, broken, tmp_path, policy=lenient, workers=1, attempts=2)
    (failure,) = session.failures
    assert failure.script == SCRIPTS[1]
    assert failure.faults == ("silent or empty", "silent or empty")
    assert failure.cost == pytest.approx(0.02)
    later = record_clips(SCRIPTS, Hummer(), tmp_path, policy=lenient, workers=1)
    assert (len(later.clips), later.kept, later.failures) == (6, 5, ())


def test_what_is_done_is_not_made_again(tmp_path: Path, lenient: FinishPolicy) -> None:
    record_clips(SCRIPTS[:4], Hummer(), tmp_path, policy=lenient, workers=1)
    again = Hummer()
    session = record_clips(SCRIPTS, again, tmp_path, policy=lenient, workers=1)
    assert session.kept == 4
    assert [order.script for order in again.orders] == list(SCRIPTS[4:])


def test_a_damaged_clip_or_a_torn_line_is_made_again(tmp_path: Path, lenient: FinishPolicy) -> None:
    first = record_clips(SCRIPTS, Hummer(), tmp_path, policy=lenient, workers=1)
    (tmp_path / first.clips[0].path).write_bytes(b"short")
    (tmp_path / first.clips[1].path).unlink()
    lines = (tmp_path / "takes.jsonl").read_bytes()
    (tmp_path / "takes.jsonl").write_bytes(lines[:-40])
    again = Hummer()
    session = record_clips(SCRIPTS, again, tmp_path, policy=lenient, workers=1)
    assert [order.script for order in again.orders] == [SCRIPTS[0], SCRIPTS[1], SCRIPTS[5]]
    assert session.clips == first.clips
    assert record_clips(SCRIPTS, Hummer(), tmp_path, policy=lenient, workers=1).kept == 6


def test_another_policy_makes_new_clips(tmp_path: Path, lenient: FinishPolicy) -> None:
    record_clips(SCRIPTS, Hummer(), tmp_path, policy=lenient, workers=1)
    quieter = FinishPolicy(min_speech=0.0, target_lufs=-30)
    session = record_clips(SCRIPTS, Hummer(), tmp_path, policy=quieter, workers=1)
    assert session.kept == 0
    assert {round(clip.loudness_lufs) for clip in session.clips} == {-30}


def test_what_a_spent_budget_leaves_is_pending_and_not_failed(tmp_path: Path, lenient: FinishPolicy) -> None:
    poor = Hummer(lambda order, samples: "not asked: budget" if order.script in SCRIPTS[2:] else samples)
    session = record_clips(SCRIPTS, poor, tmp_path, policy=lenient, workers=1)
    assert (len(session.clips), session.failures, session.pending) == (2, (), SCRIPTS[2:])
    assert len(poor.orders) == 6  # pending scripts are not tried again


def test_recognition_that_hears_other_words_asks_for_another_take(tmp_path: Path, lenient: FinishPolicy) -> None:
    heard_before: set[str] = set()

    def listen(clips: Sequence[tuple[Order, bytes]]) -> Iterator[tuple[Order, Heard]]:
        for order, wav in clips:
            assert wav.startswith(b"RIFF")
            first = order.script == SCRIPTS[0] and order.attempt == 0
            heard_before.add(order.script.part.key)
            yield order, Heard("la la" if first else order.script.text, 0.9 if first else 0.0, cost=0.001)

    session = record_clips(SCRIPTS, Hummer(), tmp_path, policy=lenient, listener=listen, workers=1)
    assert "differs in 90%" in session.clips[0].faults[0]
    assert session.clips[0].cost == pytest.approx(0.022)
    assert session.clips[1].transcript == SCRIPTS[1].text
    assert len(heard_before) == 6


_RECORD = """
import sys
sys.path.insert(0, {here!r})
from humming import Hummer
from emonet.synthesis.voices import FinishPolicy, make_design, record_clips, write_scripts
scripts = write_scripts(make_design(voices=11, emotions=["anger", "awe", "relief", "pain"]))
record_clips(scripts, Hummer(), {folder!r}, policy=FinishPolicy(min_speech=0.0), workers=1)
"""


def test_killed_in_the_middle_nothing_is_lost_and_nothing_made_twice(tmp_path: Path, lenient: FinishPolicy) -> None:
    code = _RECORD.format(here=str(Path(__file__).parents[2]), folder=str(tmp_path))
    work = subprocess.Popen([sys.executable, "-c", code], env=os.environ)
    takes = tmp_path / "takes.jsonl"
    deadline = time.monotonic() + 60
    while not (takes.exists() and takes.read_bytes().count(b"\n") >= 5):
        assert time.monotonic() < deadline
        assert work.poll() is None, "it ended before it was killed"
    work.send_signal(signal.SIGKILL)
    work.wait()
    done = {json.loads(line)["script"]["part"]["key"] for line in takes.read_bytes().splitlines()[:5]}
    scripts = write_scripts(make_design(voices=11, emotions=["anger", "awe", "relief", "pain"]))
    again = Hummer()
    session = record_clips(scripts, again, tmp_path, policy=lenient, workers=1)
    assert len(session.clips) == 44
    assert session.kept >= 5
    assert len(again.orders) == 44 - session.kept
    assert not done & {order.script.part.key for order in again.orders}


def test_arguments_that_make_no_sense_are_refused(tmp_path: Path) -> None:
    script: Script = SCRIPTS[0]
    for options in ({"attempts": 0}, {"workers": 0}, {"max_wer": -1}):
        with pytest.raises(UsageError, match="expected 1 or more"):
            record_clips([script], Hummer(), tmp_path, **options)
