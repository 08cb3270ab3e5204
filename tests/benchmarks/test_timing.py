"""Timing in turns and the tables that come of it, on calls whose times are known."""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping
from pathlib import Path

import pytest
from benchmarks.roofline import Limits
from benchmarks.shapes import FACE, VOICE, Work
from benchmarks.timing import Candidate, Stopwatch, Table, finish, interleave, markdown, split_stages


def steady(**stages: float) -> Mapping[str, float]:
    """Seconds of a call that always takes as long."""
    return stages


def test_ratios_are_formed_within_rounds() -> None:
    """A machine that gets four times slower does not change who is how much faster."""
    slow = [1.0, 4.0, 2.0]
    rows = interleave(
        [
            Candidate("first", lambda number: steady(encoder=slow[number], heads=slow[number])),
            Candidate("second", lambda number: steady(encoder=slow[number]), items=2, facts={"batch": 2}),
        ],
        rounds=3,
    )
    assert rows[0]["ms"] == 4000
    assert (rows[0]["ms_low"], rows[0]["ms_high"]) == (2000, 8000)
    assert rows[1]["ratio"] == rows[1]["ratio_low"] == rows[1]["ratio_high"] == 4
    assert rows[1]["batch"] == 2
    assert rows[1]["stages"] == {"encoder": 1000}


def test_each_round_starts_with_another() -> None:
    """Nobody always comes after a slow one."""
    order: list[str] = []

    def run(name: str) -> Mapping[str, float]:
        order.append(name)
        return steady(encoder=1.0)

    interleave([Candidate(name, lambda _, name=name: run(name)) for name in "abc"], rounds=3)  # type: ignore[misc]
    assert "".join(order) == "abcbcacab"


def test_a_stopwatch_adds_up_until_taken() -> None:
    """Stages that happen several times in a call are summed."""
    watch = Stopwatch()
    double = watch.around("double", lambda x: 2 * x)
    assert double(1) + double(2) == 6
    assert watch.take()["double"] > 0
    assert watch.take() == {}


def test_tables_show_what_their_rows_have() -> None:
    """Columns in a fixed order, empty where a row lacks one, stages as they follow one another."""
    rows = [
        {"name": "a", "ms": 1234.5, "ms_low": 1000.0, "ms_high": 2000.0, "ratio": 1.0, "ratio_low": 1.0,
         "ratio_high": 1.0, "stages": {"heads": 2.0, "decode": 11.0}},
        {"name": "b", "ms": 0.5, "ms_low": 0.4, "ms_high": 0.6, "ratio": 2.0, "ratio_low": 1.5, "ratio_high": 2.5,
         "floor_share": 0.5, "stages": {"heads": 0.25, "prepare": 3.0}},
    ]  # fmt: skip
    assert markdown(Table("key", "title", "clip", rows, "A note.")).splitlines() == [
        "|  | ms per clip | range | times as fast | range | of the machine's limit | decode | prepare | heads |",
        "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |",
        "| a | 1234 | 1000..2000 | 1.00 | 1.00..1.00 |  | 11.0 |  | 2.00 |",
        "| b | 0.500 | 0.400..0.600 | 2.00 | 1.50..2.50 | 50% |  | 3.00 | 0.250 |",
        "",
        "A note.",
    ]
    speed, stages = split_stages(Table("key", "title", "clip", rows), "stages")
    assert "decode" not in markdown(speed)
    assert stages.key == "key-stages"
    assert "times as fast" not in markdown(stages)


def test_floors_follow_from_rates() -> None:
    """Arithmetic of the encoder, then the heads' bytes, which several items share."""
    limits = Limits(threads=2, fp32=100, bf16=200, int8=400, read=10)
    encoder, heads = Work(linear=300, rest=100, weights=0.1), Work(linear=1, rest=0, weights=1)
    assert limits.floor_s(encoder, heads, "fp32", heads_bytes=4) == pytest.approx(4 + 0.4)
    assert limits.floor_s(encoder, heads, "bf16", batch=4, heads_bytes=2) == pytest.approx(2 + 0.05)
    assert limits.floor_s(encoder, heads, "int8", batch=100, heads_bytes=1) == pytest.approx(0.75 + 0.5 + 0.0025)


def test_the_work_of_the_published_shapes() -> None:
    """Operations by hand: 344 and 519 billion for the encoders, 8.1 for the voice heads, 16.2 GB of them in fp32."""
    assert VOICE.encoder.linear + VOICE.encoder.rest == pytest.approx(344, abs=1)
    assert FACE.encoder.linear + FACE.encoder.rest == pytest.approx(519, abs=2)
    assert VOICE.heads.linear == pytest.approx(8.1, abs=0.05)
    assert VOICE.heads.weights * 4 == pytest.approx(16.2, abs=0.1)
    assert len(VOICE.dimensions) == 55
    assert FACE.heads.weights * 4 == pytest.approx(0.294, abs=0.001)


def test_results_are_written_whole(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The file has the tables and what they were measured on."""
    target = tmp_path / "new" / "x.json"
    table = Table("key", "A title", "clip", [{"name": "a", "ms": 1.0}])
    finish("x", [table], argparse.Namespace(json=target, quick=True), limits=[1])
    content = json.loads(target.read_text())
    assert content["tables"][0]["key"] == "key"
    assert content["quick"] is True
    assert content["limits"] == [1]
    assert content["machine"]["cores"] >= 1
    assert "## A title" in capsys.readouterr().out
    assert [path.name for path in target.parent.iterdir()] == ["x.json"]
