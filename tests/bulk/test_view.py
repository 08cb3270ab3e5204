"""What is told of a run: the board, its line and table, and the summary page."""

from __future__ import annotations

import io
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path

from rich.console import Console

from emonet.bulk import Failed, Finished, Progress, ShardStatistics, Summary, Totals
from emonet.bulk._live import Board, LiveView, duration
from emonet.bulk._statistics import plain_reason
from emonet.datasets import Shard


def finished(name: str, samples: int = 100, sound_s: float = 500.0) -> Finished:
    """A shard that is done."""
    return Finished(
        ShardStatistics(
            shard=name, address=name, size=1000, samples=samples, repeated=0,
            statuses={"ok": samples - 3, "unreadable": 3}, reasons={"empty": 3},
            regions=samples, sound_s=sound_s, speech_s=sound_s, bytes_in=1, sums={}, outputs=(),
            wall_s=10, cpu_s=10, wait_s=0, write_s=0, load_s=0, memory_mb=100, worker="here:1", computed_by="x",
            finished="",
        )
    )  # fmt: skip


def board() -> Board:
    """A board of four equal shards, its workers up since second 100."""
    made = Board()
    made.begin([Shard(address=n, kind="webdataset", size=1000, name=n) for n in "abcd"], Totals.of([]))
    made.stand(0, 90.0)
    made.stand(2, 100.0)
    return made


def test_rates_count_from_the_first_worker() -> None:
    """Finished and half-finished shards both count; the time left follows from them."""
    made = board()
    made.heard(finished("a"), 110.0)
    made.heard(Progress("b", 50, 250.0, {"ok": 50}), 110.0)
    figures = made.figures(120.0)
    assert figures["samples"] == 150
    assert figures["rate"] == 150 / 20
    assert figures["speed"] == 750 / 20
    assert figures["left_s"] == 20 * 2.5 / 1.5


def test_nothing_is_promised_before_a_shard_is_done() -> None:
    """Without a finished shard there is no time left to tell."""
    made = board()
    made.heard(Progress("b", 50, 250.0, {"ok": 50}), 110.0)
    assert made.figures(120.0)["left_s"] is None


def test_a_failed_shard_is_not_counted_twice() -> None:
    """What it had reached is taken back: it will be made again."""
    made = board()
    made.heard(Progress("b", 50, 250.0, {"ok": 50}), 110.0)
    made.heard(Failed("b", "died", died=True), 111.0)
    assert made.figures(120.0)["samples"] == 0
    assert made.again == 1


def test_line_and_table_tell_the_same() -> None:
    """Shards, rates, failures by reason, time left."""
    console = Console(file=io.StringIO(), force_terminal=False, width=120)
    view = LiveView(console)
    view.board = board()
    view.board.heard(finished("a"), 110.0)
    line = view.line(120.0)
    assert "1 of 4 shards, 100 samples, 5.0 samples/s, 25.0 hours of sound an hour, 3 without scores" in line
    console.print(view.render(120.0))
    table = console.file.getvalue()  # type: ignore[attr-defined]
    for told in ("1 of 4", "5.0 samples/s", "unreadable", "empty", "1 min 0 s left"):
        assert told in table


def test_durations_are_for_people() -> None:
    """From seconds to days."""
    assert [duration(s) for s in (5, 65, 5400, 200_000)] == ["5 s", "1 min 5 s", "1 h 30 min", "2 d 7 h"]


def test_reasons_are_counted_without_their_numbers() -> None:
    """Two files that break off at different places have the same reason."""
    assert plain_reason("breaks off at 12.5 s") == plain_reason("breaks off at 7.25 s") == "breaks off at # s"


class _Strict(HTMLParser):
    """Every opened element is closed."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.text = ""

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        if tag != "meta":
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


def test_the_page_sums_up(run: Callable[..., Summary], tmp_path: Path) -> None:
    """Well-formed, without scripts, with counts, reasons and means."""
    run()
    page = (tmp_path / "output/summary.html").read_text(encoding="utf-8")
    parser = _Strict()
    parser.feed(page)
    assert parser.open == []
    assert "<script" not in page
    for told in ("4 of 4 shards done", "22 ok", "2 unreadable", "Anger", "test/voice"):
        assert told in parser.text
