"""Many files at once: the same rows for any number of workers, in order, with bounded memory and a clean end."""

from __future__ import annotations

import itertools
import threading
import time
import tracemalloc
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

import emonet
from emonet.errors import ModelError, UnreadableMediaError, UsageError
from emonet.estimation import Estimate, Estimates, Piece, _files, estimate_files, stream_files
from emonet.media import Face, Region

Make = Callable[..., Path]


class Counter:
    """Stands for an estimator: a file named "7-3" falls into three pieces, each scored with its own number.

    `broken`: files that break off after their pieces; `delay_s`: of reading, by file; `fails`: the file whose score
    raises. `batches`: what was scored together, in any order.
    """

    def __init__(self, batch_size: int = 4, **how: Any) -> None:
        self.batch_size = batch_size
        self.how = how
        self.card = type("Card", (), {"id": "m", "revision": "r", "modality": "voice", "dimensions": ("anger",)})()
        self.batches: list[tuple[str, ...]] = []

    def pieces(self, path: Path, *, check: Callable[[], None]) -> Iterator[Piece]:
        name, count = path.name.split("-")
        time.sleep(self.how.get("delay_s", {}).get(name, 0.0))
        for i in range(int(count)):
            check()
            yield Piece(Region(window=i), np.full(self.how.get("size", 1), 1000 * int(name) + i, np.float32))
        if name in self.how.get("broken", ()):
            raise UnreadableMediaError(str(path), "breaks off")
        if name in self.how.get("buggy", ()):
            raise ZeroDivisionError(name)

    def score(self, pieces: Sequence[tuple[str, Piece]], *, check: Callable[[], None]) -> list[Estimate]:
        check()
        time.sleep(self.how.get("score_s", 0.0))
        self.batches.append(tuple(f"{Path(source).name}.{piece.region.window}" for source, piece in pieces))
        if any(Path(source).name.startswith(self.how.get("fails", "-")) for source, _ in pieces):
            raise ModelError("broken heads")
        values = [(source, piece.region, np.float32(piece.item[0])) for source, piece in pieces]  # type: ignore[index]
        return [Estimate(source, "voice", region, "ok", raw=np.array([value])) for source, region, value in values]


@pytest.fixture
def named(tmp_path: Path) -> Callable[..., list[Path]]:
    """Files with the given numbers of pieces."""

    def make(*counts: int) -> list[Path]:
        files = [tmp_path / f"{i}-{count}" for i, count in enumerate(counts)]
        for file in files:
            file.write_bytes(b"x")
        return files

    return make


def _stream(estimator: Counter, files: Any, **options: Any) -> Iterator[Estimates]:
    return stream_files(files, lambda _: (estimator,), **options)  # type: ignore[arg-type,return-value]


def _take_all(stream: Iterator[Estimates], got: list[Estimates]) -> None:
    for rows in stream:
        got.append(rows)


def _workers() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name.startswith("emonet-")]


@settings(max_examples=40, deadline=None)
@given(
    counts=st.lists(st.integers(0, 9), max_size=30),
    batch=st.integers(1, 8),
    workers=st.integers(2, 5),
    broken=st.sets(st.integers(0, 29)),
)
def test_every_piece_gets_its_own_row(
    tmp_path_factory: pytest.TempPathFactory, counts: list[int], batch: int, workers: int, broken: set[int]
) -> None:
    """Any files, batch size and number of workers: one result a file, in order, each row with its own score."""
    folder = tmp_path_factory.mktemp("files")
    files = [folder / f"{i}-{count}" for i, count in enumerate(counts)]
    for file in files:
        file.write_bytes(b"x")
    bad = {str(i) for i in broken}
    estimators = [Counter(batch, broken=bad) for _ in range(2)]
    both = [list(_stream(one, files, workers=count)) for one, count in zip(estimators, (1, workers), strict=True)]
    for results in both:
        assert len(results) == len(files)
        for i, (rows, count) in enumerate(zip(results, counts, strict=True)):
            assert [float(row.raw[0]) for row in rows if row.ok] == [1000 * i + k for k in range(count)]
            assert [row.status for row in rows][count:] == ["unreadable"] * (str(i) in bad)
    assert sorted(estimators[0].batches) == sorted(estimators[1].batches)
    assert not _workers()


def test_batches_are_full_within_a_file_and_cross_borders_with_the_rest(named: Callable[..., list[Path]]) -> None:
    """Nine pieces are two batches of four; what remains of each file is put together in the order of the files."""
    estimator = Counter(4)
    list(_stream(estimator, named(9, 1, 1, 3), workers=3))
    assert sorted(estimator.batches) == [
        ("0-9.0", "0-9.1", "0-9.2", "0-9.3"),
        ("0-9.4", "0-9.5", "0-9.6", "0-9.7"),
        ("0-9.8", "1-1.0", "2-1.0", "3-3.0"),
        ("3-3.1", "3-3.2"),
    ]


def test_slow_file_holds_up_the_order_but_not_the_work(named: Callable[..., list[Path]]) -> None:
    """While the first file is read slowly the others are read; all results still come in order."""
    files = named(*[4] * 12)
    estimator = Counter(4, delay_s={"0": 0.5})
    results = list(_stream(estimator, files, workers=2))
    assert [rows[0].source for rows in results] == [str(file) for file in files]
    assert estimator.batches[-1][0].startswith("0-"), "the slow file was scored last"


def test_reading_ahead_is_bounded(named: Callable[..., list[Path]], monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever does not ask for results stops the reading after a while."""
    monkeypatch.setattr(_files, "_AHEAD_FILES", 8)
    begun = itertools.count()
    files = named(*[4] * 60)
    stream = _stream(Counter(4), (file for file in files if next(begun) >= 0), workers=3)
    next(stream)
    time.sleep(0.3)
    assert next(begun) <= 1 + 8 + 3
    assert len(list(stream)) == 59


def test_waiting_pieces_are_bounded(named: Callable[..., list[Path]], monkeypatch: pytest.MonkeyPatch) -> None:
    """Behind a slow file only so many bytes of pieces wait; the work still comes to its end."""
    monkeypatch.setattr(_files, "_AHEAD_BYTES", 10_000)
    begun = itertools.count()
    files = named(*[1] * 60)
    estimator = Counter(4, delay_s={"0": 0.5}, size=1000)  # 4 kB a piece
    stream = _stream(estimator, (file for file in files if next(begun) >= 0), workers=2)
    taken = threading.Thread(target=lambda: next(stream))
    taken.start()
    time.sleep(0.3)
    assert next(begun) <= 6
    taken.join()
    assert len(list(stream)) == 59


def test_files_without_pieces_do_not_end_a_batch_early(
    named: Callable[..., list[Path]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file that waits for its batch does not stop at the limit of files that are read ahead."""
    monkeypatch.setattr(_files, "_AHEAD_FILES", 4)
    estimator = Counter(2)
    results = list(_stream(estimator, named(1, *[0] * 40, 1), workers=3))
    assert estimator.batches == [("0-1.0", "41-1.0")]
    assert len(results) == 42


@pytest.mark.parametrize("workers", [1, 3])
def test_error_is_raised_in_its_turn(named: Callable[..., list[Path]], workers: int) -> None:
    """What no row can tell is raised when its file is due; the files before it are handed out, and no thread stays."""
    got: list[Estimates] = []
    with pytest.raises(ZeroDivisionError):
        _take_all(_stream(Counter(1, buggy=("5",)), named(*[1] * 40), workers=workers), got)
    assert [Path(rows[0].source).name for rows in got] == [f"{i}-1" for i in range(5)]
    assert not _workers()


@pytest.mark.parametrize("workers", [1, 3])
def test_error_of_the_model_ends_the_stream(named: Callable[..., list[Path]], workers: int) -> None:
    """A model that cannot score raises, however many files are under way."""
    with pytest.raises(ModelError, match="broken heads"):
        list(_stream(Counter(4, fails="3"), named(*[2] * 40), workers=workers))
    assert not _workers()


def test_error_of_the_list_of_files_is_raised(named: Callable[..., list[Path]]) -> None:
    """An iterator that fails ends the stream after the files it gave."""

    def given() -> Iterator[Path]:
        yield from named(4, 4)
        raise OSError("folder gone")

    got: list[Estimates] = []
    with pytest.raises(OSError, match="folder gone"):
        _take_all(_stream(Counter(4), given(), workers=2), got)
    assert len(got) == 2


def test_leaving_early_ends_the_threads(named: Callable[..., list[Path]]) -> None:
    """A caller who stops asking leaves no thread behind."""
    stream = _stream(Counter(4), named(*[4] * 200), workers=3)
    next(stream)
    stream.close()  # type: ignore[attr-defined]
    assert not _workers()


@pytest.mark.parametrize("workers", [1, 2])
def test_stop_hands_out_what_is_complete(named: Callable[..., list[Path]], workers: int) -> None:
    """After `stop` the finished files still come, then the stream ends quickly."""
    stop, files = threading.Event(), named(*[4] * 1000)
    results = []
    began = time.monotonic()
    for rows in _stream(Counter(4, score_s=0.01), files, workers=workers, stop=stop):
        results.append(rows)
        if len(results) == 5:
            stop.set()
            began = time.monotonic()
    assert time.monotonic() - began < 1
    assert 5 <= len(results) < 500
    assert all(len(rows) == 4 for rows in results)
    assert not _workers()


def test_wrong_number_of_workers() -> None:
    """Less than one is told before anything begins."""
    with pytest.raises(UsageError, match="workers is 0"):
        stream_files([], lambda _: (), workers=0)
    with pytest.raises(UsageError, match="workers is -1"):
        next(estimate_files(["a.wav"], workers=-1))


def _bytes(results: list[Estimates]) -> list[tuple[Any, ...]]:
    """Everything that is written of each row, scores to the last bit."""
    return [
        (row.source, row.region, row.status, row.message, row.raw.tobytes(), row.relative.tobytes())
        for rows in results
        for row in rows
    ]


def test_rows_do_not_depend_on_the_workers(
    tmp_path: Path, face_bundle: Path, voice_bundle: Path, picture: Make, tone: Make, video: Make, centre_faces: Any
) -> None:
    """Pictures, recordings, a video and broken files give the same bytes with one worker and with several."""
    (tmp_path / "bad.wav").write_bytes(b"no sound")
    (tmp_path / "bad.png").write_bytes(picture("good.png").read_bytes()[:60])
    files = [video(), tmp_path / "bad.wav", tmp_path / "gone.mp3", tmp_path / "bad.png"]
    files += [tone(f"{i}.wav", seconds=0.2 + i, level=0.1) for i in range(8)]
    files += [picture(f"{i}.png", size=(64 + 40 * i, 64), level=20 * i) for i in range(12)]
    models: Any = {"face": face_bundle, "voice": voice_bundle}
    options: dict[str, Any] = {"whole_audio": True, "detector": centre_faces, "batch_size": 3}
    alone, *others = (list(estimate_files(files, models=models, workers=count, **options)) for count in (1, 2, 4))
    assert [rows[0].source for rows in alone] == [str(file) for file in files]
    assert all(_bytes(results) == _bytes(alone) for results in others)


def test_long_recording_is_not_held(voice_bundle: Path, tone: Make) -> None:
    """Four minutes (15 MB of samples) are scored in their windows with a few megabytes."""
    path = tone(seconds=240.0)
    voice = emonet.load(voice_bundle, whole_audio=True, workers=2)
    voice(tone("short.wav"))
    tracemalloc.start()
    rows = voice(path)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(rows) == 120
    assert peak < 10e6


class _Watched:
    """A detector that notices when two threads are in it at once."""

    def __init__(self) -> None:
        self.inside, self.most = 0, 0

    def detect(self, pixels: NDArray[np.uint8]) -> tuple[Face, ...]:
        self.inside += 1
        self.most = max(self.most, self.inside)
        time.sleep(0.002)
        self.inside -= 1
        return (Face((8.0, 8.0, 40.0, 40.0), 0.9),)


def test_own_detector_is_called_by_one_thread_at_a_time(face_bundle: Path, picture: Make) -> None:
    """Nothing is known of a caller's detector, so its calls never overlap."""
    detector = _Watched()
    rows = emonet.load(face_bundle, detector=detector, workers=4)([picture(f"{i}.png") for i in range(20)])
    assert all(row.ok for row in rows)
    assert detector.most == 1


def test_media_errors_stay_rows_in_threads(face_bundle: Path, tmp_path: Path) -> None:
    """A worker that meets broken files goes on with the next ones."""
    for i in range(20):
        (tmp_path / f"{i}.png").write_bytes(b"\x89PNG\r\n\x1a\n broken")
    rows = emonet.load(face_bundle, workers=3)(tmp_path)
    assert [row.status for row in rows] == ["unreadable"] * 20
