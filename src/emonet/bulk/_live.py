"""What a run tells while it goes on: a table in the terminal, or a line now and then elsewhere."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Any

from emonet.bulk._executor import Event, Executor, Failed, Finished, Progress
from emonet.bulk._statistics import Totals
from emonet.datasets import Shard

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

_LINE_S = 30.0  # between two lines where there is no terminal
_DRAW_S = 0.5


class Board:
    """Figures of a run as it goes on. Rates count from the moment the first worker stood; `now` is in seconds.

    `shards`: of this run; `before`: totals of those done earlier.
    """

    def __init__(self) -> None:
        self.shards = self.done = self.given_up = self.again = self.workers = 0
        self.statuses: Counter[str] = Counter()
        self.reasons: Counter[str] = Counter()
        self.before: Totals | None = None
        self._samples = self._sound_s = 0.0
        self._sizes: dict[str, int] = {}
        self._open: dict[str, Progress] = {}
        self._began: float | None = None

    def begin(self, todo: Sequence[Shard], done: Totals) -> None:
        """Take over what is to be done."""
        self.shards, self.before = len(todo), done
        self._sizes = {shard.name: max(1, shard.size or 0) for shard in todo}
        self._left = sum(self._sizes.values())

    def heard(self, event: Event, now: float) -> None:
        """Count an event."""
        if isinstance(event, Progress):
            self._open[event.shard] = event
        elif isinstance(event, Finished):
            one = event.statistics
            self._open.pop(one.shard, None)
            self.done += 1
            self._samples += one.samples
            self._sound_s += one.sound_s
            self._left -= self._sizes.get(one.shard, 0)
            self.statuses.update(one.statuses)
            self.reasons.update(one.reasons)
        elif isinstance(event, Failed):
            self._open.pop(event.shard, None)
            self.again += 1

    def stand(self, workers: int, now: float) -> None:
        """How many workers stand now."""
        self.workers = workers
        if workers and self._began is None:
            self._began = now

    def figures(self, now: float) -> dict[str, float | None]:
        """`samples` and `sound_s` so far, per second `rate` and `speed` (hours of sound an hour), `left_s`."""
        samples = self._samples + sum(progress.samples for progress in self._open.values())
        sound_s = self._sound_s + sum(progress.sound_s for progress in self._open.values())
        passed = 0.0 if self._began is None else now - self._began
        out: dict[str, float | None] = {"samples": samples, "sound_s": sound_s}
        out["rate"] = samples / passed if passed > 0 else None
        out["speed"] = sound_s / passed if passed > 0 and sound_s else None
        out["left_s"] = self._left_s(samples, passed)
        return out

    def _left_s(self, samples: float, passed: float) -> float | None:
        """By the bytes of shards that are done, their unfinished neighbours counted by their samples."""
        whole = sum(self._sizes.values())
        finished = whole - self._left
        if not self.done or not passed or not finished:
            return None
        reached = min(float(whole), finished * (samples / self._samples if self._samples else 1.0))
        return passed * (whole - reached) / reached


class LiveView:
    """The board in the terminal while the run goes on; a `Watch`. Use it in a `with` statement.

    Where the console is no terminal, a line every half minute. `quiet`: nothing but shards that failed.
    """

    def __init__(self, console: Console, *, quiet: bool = False) -> None:
        from rich.live import Live

        self.board = Board()
        self._console, self._quiet = console, quiet
        live = console.is_terminal and not quiet
        self._live = Live(console=console, auto_refresh=False, transient=True) if live else None
        self._drawn = time.monotonic()
        self._executor = ""

    def __enter__(self) -> LiveView:
        if self._live is not None:
            self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._live is not None:
            self._live.stop()

    def begin(self, todo: Sequence[Shard], done: Totals) -> None:
        """Take over what is to be done."""
        self.board.begin(todo, done)

    def heard(self, event: Event, executor: Executor) -> None:
        """Count an event; say at once when a shard failed."""
        self.board.heard(event, time.monotonic())
        if isinstance(event, Failed):
            text = f"emonet: shard {event.shard}: {event.reason}"
            self._console.print(text, style="yellow", markup=False, soft_wrap=True)

    def idle(self, executor: Executor) -> None:
        """Draw, if it is time to."""
        now = time.monotonic()
        self._executor = executor.name
        self.board.stand(executor.workers, now)
        if now - self._drawn < (_DRAW_S if self._live is not None else _LINE_S):
            return
        self._drawn = now
        if self._live is not None:
            self._live.update(self.render(now), refresh=True)
        elif not self._quiet:
            self._console.print(self.line(now), style="dim", markup=False, soft_wrap=True)

    def line(self, now: float) -> str:
        """All that matters in one line."""
        figures, board = self.board.figures(now), self.board
        parts = [f"{board.done} of {board.shards} shards", f"{figures['samples']:,.0f} samples"]
        parts += [f"{value:,.1f} {unit}" for value, unit in _rates(figures)]
        parts += [f"{sum(n for s, n in board.statuses.items() if s != 'ok'):,} without scores"]
        if figures["left_s"] is not None:
            parts.append(f"{duration(figures['left_s'])} left")
        return ", ".join([*parts, f"{board.workers} workers ({self._executor})"])

    def render(self, now: float) -> RenderableType:
        """The table for the terminal."""
        from rich.console import Group
        from rich.progress_bar import ProgressBar
        from rich.table import Table
        from rich.text import Text

        figures, board = self.board.figures(now), self.board
        table = Table.grid(padding=(0, 2))
        before = f" ({board.before.shards} were done before)" if board.before and board.before.shards else ""
        table.add_row(
            "shards", f"{board.done} of {board.shards}{before}", ProgressBar(max(1, board.shards), board.done)
        )
        speed = ", ".join(f"{value:,.1f} {unit}" for value, unit in _rates(figures))
        table.add_row("samples", f"{figures['samples']:,.0f}", speed or "waiting for the first worker")
        table.add_row("workers", f"{board.workers} {self._executor}", _left(figures["left_s"]))
        for status, count in sorted(board.statuses.items(), key=lambda pair: -pair[1]):
            table.add_row(status.replace("_", " "), f"{count:,}", "")
        for reason, count in board.reasons.most_common(5):
            table.add_row("", Text(f"{count:,}", style="dim"), Text(reason[:70], style="dim"))
        if board.again:
            table.add_row("", Text(f"{board.again} attempts at shards failed", style="yellow"), "")
        return Group(table)


def _rates(figures: dict[str, float | None]) -> list[tuple[float, str]]:
    rates = [(figures["rate"], "samples/s"), (figures["speed"], "hours of sound an hour")]
    return [(value, unit) for value, unit in rates if value is not None]


def _left(seconds: float | None) -> str:
    return "" if seconds is None else f"{duration(seconds)} left"


def duration(seconds: Any) -> str:
    """5400 → "1 h 30 min"."""
    minutes, rest = divmod(round(float(seconds)), 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    if days:
        return f"{days} d {hours} h"
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"
