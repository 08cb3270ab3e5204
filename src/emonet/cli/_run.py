"""One run of `emonet estimate`: rows to the outputs as files are finished, progress, and what became of the files."""

from __future__ import annotations

import signal
import sys
import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress

    from emonet.estimation import Estimate, Estimates, Estimators
    from emonet.reports import Writer

KEPT = 400
"""Rows remembered for the terminal."""
_FAILURES = 12  # files named in the summary


class Run:
    """Hands each file's rows to the writers, counts them, and remembers what is shown at the end."""

    def __init__(self, writers: Sequence[Writer], *, keep_all: bool, names: dict[str, str]) -> None:
        self.writers, self.names = tuple(writers), names
        self.rows: list[Estimate] = []
        self.cards: dict[str, Any] = {}
        self.statuses: Counter[str] = Counter()
        self.failures: list[tuple[str, str]] = []
        self.files = self.failed = 0
        self._keep_all = keep_all

    def add(self, estimates: Estimates) -> None:
        """Take the rows of one file."""
        from emonet.estimation import Estimates

        if self.names:
            estimates = Estimates([_renamed(item, self.names) for item in estimates], estimates.cards)
        for writer in self.writers:
            writer.write(estimates)
        self.files += 1
        self.statuses.update(item.status for item in estimates)
        bad = [(item.source, item.message) for item in estimates if item.status == "unreadable"]
        self.failed += bool(bad)
        self.failures += bad[: max(0, _FAILURES - len(self.failures))]
        self.cards.update(estimates.cards)
        if self._keep_all or len(self.rows) < KEPT:
            self.rows += estimates

    def kept(self) -> Estimates:
        """What was remembered."""
        from emonet.estimation import Estimates

        return Estimates(self.rows, self.cards)

    def close(self) -> None:
        """Put all outputs in place."""
        for writer in self.writers:
            writer.close()

    def abort(self) -> None:
        """Remove all unfinished outputs."""
        for writer in self.writers:
            writer.abort()


def consume(files: Sequence[Path], models: Estimators, run: Run, console: Console | None) -> bool:
    """Estimate all files; True when the user interrupted. Outputs then hold the files that were finished."""
    from emonet.estimation import stream_files

    keep_freed_memory()
    try:
        with _progress(console) as progress, _interruptions() as stop:
            task = progress.add_task("files", total=len(files))
            try:
                for estimates in stream_files(files, models, workers=models.workers, stop=stop):
                    run.add(estimates)
                    progress.advance(task)
            except KeyboardInterrupt:  # the second one
                stop.set()
    except BaseException:
        run.abort()
        raise
    run.close()
    return stop.is_set() and run.files < len(files)


@contextmanager
def _interruptions() -> Iterator[threading.Event]:
    """Set by the first Ctrl-C, so that no row is cut in two; a second one is raised where it strikes."""
    stop, before = threading.Event(), signal.getsignal(signal.SIGINT)
    if threading.current_thread() is not threading.main_thread() or not callable(before):
        yield stop  # another thread's business, or ignored, as under nohup
        return

    def on_interrupt(number: int, frame: object) -> None:
        signal.signal(signal.SIGINT, before)
        stop.set()

    signal.signal(signal.SIGINT, on_interrupt)
    try:
        yield stop
    finally:
        signal.signal(signal.SIGINT, before)


def keep_freed_memory() -> None:
    """Tell glibc to keep the memory of one picture for the next one.

    By default it gives every block of some megabytes back to the system and asks for it again; filling in new pages
    then takes a fifth of the time of a picture of a megapixel. This is for processes of our own only.
    """
    if sys.platform != "linux":
        return
    import ctypes

    trim_threshold, mmap_threshold = -1, -3  # of malloc.h
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)  # musl has none
    if mallopt is not None:
        mallopt(mmap_threshold, 32 * 2**20)
        mallopt(trim_threshold, 256 * 2**20)


def summarise(run: Run, console: Console, total: int, *, quiet: bool, interrupted: bool) -> None:
    """What became of the files, and which could not be read, on standard error."""
    for source, message in run.failures:
        console.print(f"emonet: {source}: {message}", style="red", markup=False, soft_wrap=True)
    if run.failed > _FAILURES:
        console.print(f"emonet: ... {run.failed} files could not be read; the output names them all", style="red")
    if interrupted:
        console.print(f"emonet: interrupted; {run.files} of {total} files are complete in the output", style="yellow")
    elif not quiet:
        parts = [f"{count} {status.replace('_', ' ')}" for status, count in run.statuses.items() if status != "ok"]
        said = ", ".join([f"{run.statuses['ok']} scored", *parts])
        console.print(f"{run.files} file{'s' if run.files != 1 else ''}: {said}", style="dim")


def _progress(console: Console | None) -> Progress:
    """A bar with rate and time left on standard error, which goes away at the end."""
    from rich.console import Console as RichConsole
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, ProgressColumn, TextColumn, TimeRemainingColumn
    from rich.text import Text

    class Rate(ProgressColumn):
        """Files a second."""

        def render(self, task: Any) -> Text:
            return Text(f"{task.speed:.1f}/s" if task.speed else "", style="dim")

    columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), Rate(), TimeRemainingColumn()
    quiet = console is None or not console.is_terminal
    return Progress(*columns, console=console or RichConsole(stderr=True), transient=True, disable=quiet)


def _renamed(item: Estimate, names: dict[str, str]) -> Estimate:
    """Rows of standard input say "-", not the name of a temporary file."""
    from dataclasses import replace

    return replace(item, source=names.get(item.source, item.source))
