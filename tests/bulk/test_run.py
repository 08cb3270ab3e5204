"""Runs: one row a key, resumption, failures, and what is refused."""

from __future__ import annotations

import json
import os
import shutil
import signal
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from emonet.bulk import Event, Executor, Failed, Finished, Summary, Totals, status
from emonet.datasets import Shard, read_samples
from emonet.errors import ModelError, UnknownNameError, UsageError
from made_shards import contents, scores, shard, tone_bytes, write_tar

Runner = Callable[..., Summary]


def test_every_key_gives_one_row(run: Runner, tmp_path: Path) -> None:
    """Damaged media are rows with their reason and without scores; all others are scored."""
    made = run()
    assert (made.ok, made.made, made.totals.shards, made.totals.samples) == (True, 4, 4, 24)
    table = scores(tmp_path / "output")
    assert table["key"].to_list() == [f"{n}-{i:03d}" for n in range(4) for i in range(6)]
    damaged = table.filter(table["status"] != "ok")
    assert damaged["key"].to_list() == ["0-002", "1-002"]
    assert set(damaged["status"]) == {"unreadable"}
    assert damaged["anger"].null_count() == 2
    assert all(damaged["message"])
    scored = table.filter(table["status"] == "ok")
    assert scored["anger"].null_count() == 0
    assert scored["duration_s"].to_list() == pytest.approx([1.0] * 22)
    assert dict(made.totals.statuses) == {"ok": 22, "unreadable": 2}


def test_a_row_is_the_mean_of_its_regions(run: Runner, tmp_path: Path) -> None:
    """A recording longer than the model's window has several regions; the row is their mean, weighted by length."""
    long = write_tar(tmp_path / "long.tar", {"a.wav": tone_bytes(0.5, 5.0)})
    run(long)
    row = scores(tmp_path / "output").row(0, named=True)
    assert row["n_regions"] == len(row["regions"]) > 1
    assert row["scored_s"] == pytest.approx(5.0)
    names = json.loads(pq.read_schema(tmp_path / "output/scores/long.parquet").metadata[b"emonet.dimensions"])
    at = names.index("anger")
    lengths = [region["end_s"] - region["start_s"] for region in row["regions"]]
    mean = sum(r["scores"][at] * n for r, n in zip(row["regions"], lengths, strict=True)) / sum(lengths)
    assert row["anger"] == pytest.approx(mean, rel=1e-5)


def test_statistics_are_what_the_tables_say(run: Runner, tmp_path: Path) -> None:
    """Counts, lengths and sums agree with the rows, and the outputs with their hashes."""
    run()
    found = status(tmp_path / "output", verify=True)
    assert found.problems == ()
    table = scores(tmp_path / "output")
    totals = found.totals
    assert totals.sound_s == pytest.approx(table["duration_s"].sum())
    assert totals.sums["anger"][0] == 22
    assert totals.sums["anger"][1] == pytest.approx(table["anger"].sum(), rel=1e-6)
    assert totals.bytes_in > 22 * 32_000
    assert (found.shards, found.left) == (4, 0)


def test_a_finished_run_makes_nothing(run: Runner, tmp_path: Path) -> None:
    """The same command again leaves every file as it is."""
    run()
    before = contents(tmp_path / "output")
    again = run()
    assert (again.made, again.totals.samples) == (0, 24)
    assert contents(tmp_path / "output") == before


def test_unfinished_shards_are_made_again(run: Runner, tmp_path: Path) -> None:
    """A table without statistics is no finished shard, and what a killed writer left goes away."""
    run()
    output = tmp_path / "output"
    before = contents(output)
    (output / "statistics/001.json").unlink()
    (output / "scores/001.parquet").write_bytes(b"half")
    (output / "scores/.001.parquet.abc.part").write_bytes(b"half")
    assert run().made == 1
    assert contents(output) == before


def test_outputs_do_not_depend_on_workers(run: Runner, tmp_path: Path) -> None:
    """One worker and more write the same bytes, tars included."""
    run(enrich=True)
    run(output=tmp_path / "other", workers=3, enrich=True)
    for folder in ("scores", "media"):
        assert contents(tmp_path / "output", folder) == contents(tmp_path / "other", folder)


def test_parts_make_the_whole(run: Runner, tmp_path: Path) -> None:
    """The parts of an array share the shards out, and together are the run."""
    run()
    for i in range(2):
        run(output=tmp_path / "parts", part=(i, 2))
    assert contents(tmp_path / "parts") == contents(tmp_path / "output")


def test_an_enriched_tar_holds_media_facts_and_scores(run: Runner, shards: Path, tmp_path: Path) -> None:
    """Read back as a shard, it has the same media, the facts it came with, and the row."""
    run(enrich=True)
    own = {sample.key: sample for sample in read_samples(str(shards / "000.tar"))}
    found = {sample.key: sample for sample in read_samples(str(tmp_path / "output/media/000.tar"))}
    assert found.keys() == own.keys()
    row = scores(tmp_path / "output").row(1, named=True)
    sample = found["0-001"]
    assert sample.media == own["0-001"].media
    assert sample.facts["number"] == 1
    assert sample.facts["emonet"]["anger"] == pytest.approx(row["anger"])
    assert sample.licence == own["0-001"].licence == row["licence"]


def test_an_enriched_tar_keeps_every_key(run: Runner, tmp_path: Path) -> None:
    """Also those with dots and folders, of samples without media, and of an enriched tar that is scored again."""
    samples = [("a/b.1.2.wav", tone_bytes(0.2)), ("only.json", b'{"text": "x"}'), ("é.wav", b"noise")]
    run(write_tar(tmp_path / "odd.tar", samples), enrich=True)
    tar = tmp_path / "output/media/odd.tar"
    own = {s.key: s.media for s in read_samples(str(tmp_path / "odd.tar"))}
    assert {s.key: s.media for s in read_samples(str(tar))} == own
    run(tar, tmp_path / "again", enrich=True)
    first, again = scores(tmp_path / "output"), scores(tmp_path / "again")
    assert again.drop("source").equals(first.drop("source"))


def test_repeated_keys_are_counted(run: Runner, tmp_path: Path) -> None:
    """The first sample of a key gives its row; others are left out and counted."""
    twice = [("a.wav", tone_bytes(0.2)), ("b.wav", tone_bytes(0.3)), ("a.wav", tone_bytes(0.9))]
    made = run(write_tar(tmp_path / "twice.tar", twice))
    assert scores(tmp_path / "output")["key"].to_list() == ["a", "b"]
    assert made.totals.repeated == 1


def test_a_broken_shard_does_not_stop_the_others(run: Runner, shards: Path, tmp_path: Path) -> None:
    """It is named with its reason, and made once it is whole again."""
    whole = (shards / "002.tar").read_bytes()
    (shards / "002.tar").write_bytes(whole[: len(whole) // 2 + 100])
    made = run(retries=1)
    assert [event.shard for event in made.failed] == ["002"]
    assert made.totals.shards == 3
    note = json.loads((tmp_path / "output/failures/002.json").read_text())
    assert note["attempts"] == 2
    assert note["reason"]
    (shards / "002.tar").write_bytes(whole)
    assert run().ok
    assert not list((tmp_path / "output/failures").iterdir())
    assert status(tmp_path / "output", verify=True).problems == ()


class Killer:
    """A `Watch` that kills a worker when it hears of the first finished shard."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.killed = 0

    def begin(self, todo: Sequence[Shard], done: Totals) -> None: ...

    def heard(self, event: Event, executor: Executor) -> None:
        self.events.append(event)
        if isinstance(event, Finished) and not self.killed:
            self.killed = int(event.statistics.worker.rpartition(":")[2])
            os.kill(self.killed, signal.SIGKILL)

    def idle(self, executor: Executor) -> None: ...


def test_a_killed_worker_is_replaced(run: Runner, tmp_path: Path) -> None:
    """Its shard is tried again by another one; nothing is lost."""
    run()
    killer = Killer()
    made = run(output=tmp_path / "other", watch=killer)
    assert made.ok
    assert killer.killed
    workers = {event.statistics.worker for event in killer.events if isinstance(event, Finished)}
    assert len(workers) == 2
    assert contents(tmp_path / "other") == contents(tmp_path / "output")


def test_an_interrupted_run_ends_its_workers(run: Runner, tmp_path: Path) -> None:
    """Ctrl-C reaches the caller, no worker is left, and the next run makes the rest."""

    class Interrupt(Killer):
        def heard(self, event: Event, executor: Executor) -> None:
            if isinstance(event, Finished):
                self.killed = int(event.statistics.worker.rpartition(":")[2])
                raise KeyboardInterrupt

    watch = Interrupt()
    with pytest.raises(KeyboardInterrupt):
        run(watch=watch)
    with pytest.raises(ProcessLookupError):
        os.kill(watch.killed, 0)
    assert run().made == 3


def test_a_model_that_cannot_be_loaded_ends_the_run(run: Runner, voice_bundle: Path, tmp_path: Path) -> None:
    """Before any shard is tried: workers say why, and nothing is marked as failed."""
    broken = tmp_path / "broken"
    shutil.copytree(voice_bundle, broken)
    (broken / "encoder.onnx").write_bytes(b"nothing")
    with pytest.raises(ModelError, match="No worker can begin"):
        run(model=broken)
    assert not (tmp_path / "output/failures").exists()


def test_other_settings_need_another_output(run: Runner) -> None:
    """Rows of different settings are not mixed; the message names the difference."""
    run()
    with pytest.raises(UsageError, match="values was 'relative' and is now 'raw'"):
        run(values="raw")


def test_two_shards_of_one_name_are_refused(run: Runner, shards: Path, tmp_path: Path) -> None:
    """Also when one of them was done in an earlier run."""
    run()
    other = shard(tmp_path / "more/000.tar", 9)
    with pytest.raises(UsageError, match=r"000.*same name"):
        run(other)


def test_a_shard_that_changed_is_made_again(run: Runner, shards: Path, tmp_path: Path) -> None:
    """Another size means other content: its old rows are replaced."""
    run()
    shard(shards / "003.tar", 3, 9)
    made = run()
    assert (made.made, made.totals.samples) == (1, 27)
    assert status(tmp_path / "output", verify=True).problems == ()


def test_a_folder_of_media_in_parts(run: Runner, tmp_path: Path) -> None:
    """A folder with more files than a shard holds; once its parts are others, the run is refused."""
    for i in range(7):
        (tmp_path / "clips").mkdir(exist_ok=True)
        (tmp_path / f"clips/{i}.wav").write_bytes(tone_bytes(0.3))
    run(f"{tmp_path}/clips#part=0/2")
    run(f"{tmp_path}/clips#part=1/2")
    assert sorted(scores(tmp_path / "output")["key"]) == [str(i) for i in range(7)]
    with pytest.raises(UsageError, match=r"in 2 parts .* in 3 now"):
        run(f"{tmp_path}/clips#part=0/3")


def test_a_run_at_work_is_left_alone(run: Runner, tmp_path: Path) -> None:
    """A second driver on the same output is refused."""
    refused: list[str] = []

    class Second(Killer):
        def begin(self, todo: Sequence[Shard], done: Totals) -> None:
            with pytest.raises(UsageError, match="at work") as error:
                run()
            refused.append(str(error.value))

    run(watch=Second())
    assert refused


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"workers": 0}, "workers is 0"),
        ({"part": (2, 2)}, "part is 2/2"),
        ({"retries": -1}, "retries is -1"),
        ({"threads": 0}, "threads is 0"),
        ({"batch_size": 0}, "batch_size is 0"),
    ],
)
def test_numbers_out_of_range(run: Runner, options: dict[str, object], message: str) -> None:
    """Refused before anything is made."""
    with pytest.raises(UsageError, match=message):
        run(**options)


def test_unknown_executor(run: Runner) -> None:
    """The known ones are named."""
    with pytest.raises(UnknownNameError, match="processes, ray"):
        run(executor="proceses")


def test_altered_outputs_are_found(run: Runner, tmp_path: Path) -> None:
    """`verify` names a table that is not what was written, and one that is gone."""
    run()
    (tmp_path / "output/scores/000.parquet").write_bytes(b"x")
    (tmp_path / "output/scores/003.parquet").unlink()
    problems = status(tmp_path / "output", verify=True).problems
    assert len(problems) == 2
    assert "scores/000.parquet is not what was written" in problems[0]
    assert "scores/003.parquet is missing" in problems[1]


def test_failed_events_of_a_dead_worker_say_how(run: Runner, tmp_path: Path) -> None:
    """A worker that is killed in the middle of its shard: the failure tells the signal, and the shard is made."""
    big = shard(tmp_path / "big.tar", 5, 400)

    class Middle(Killer):
        def idle(self, executor: Executor) -> None:
            if not self.killed and executor.workers and not executor.free:
                self.killed = executor._workers[0].process.pid  # type: ignore[attr-defined]
                threading.Thread(target=self._kill).start()

        def _kill(self) -> None:
            time.sleep(0.05)
            os.kill(self.killed, signal.SIGKILL)

        def heard(self, event: Event, executor: Executor) -> None:
            self.events.append(event)

    watch = Middle()
    made = run(big, watch=watch)
    failures = [event for event in watch.events if isinstance(event, Failed)]
    assert made.ok
    assert [event.died for event in failures] == [True]
    assert "SIGKILL" in failures[0].reason
    assert made.totals.samples == 400
