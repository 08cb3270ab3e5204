"""Interruptions of a long run, and the memory that is kept between files."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from textwrap import dedent

from emonet.cli._run import keep_freed_memory


def _in_a_process(code: str) -> None:
    """Run code in a process of its own: an interruption must not reach the one that runs the tests."""
    imports = "import os, signal, threading\nfrom emonet.cli._run import _interruptions\n"
    done = subprocess.run([sys.executable, "-c", imports + dedent(code)], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr


def test_first_interruption_is_noted_and_the_second_one_raised() -> None:
    """Ctrl-C once: an event, at a moment when nothing is cut in two. Twice: as Python does. Afterwards: as before."""
    _in_a_process(
        """
        before = signal.getsignal(signal.SIGINT)
        with _interruptions() as stop:
            os.kill(os.getpid(), signal.SIGINT)
            assert stop.wait(5)
            try:
                os.kill(os.getpid(), signal.SIGINT)
                threading.Event().wait(5)
            except KeyboardInterrupt:
                pass
            else:
                raise AssertionError("the second interruption was not raised")
        assert signal.getsignal(signal.SIGINT) is before
        """
    )


def test_ignored_interruptions_stay_ignored() -> None:
    """A process that was told to ignore Ctrl-C, as under nohup, goes on doing so."""
    _in_a_process(
        """
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        with _interruptions() as stop:
            os.kill(os.getpid(), signal.SIGINT)
            assert not stop.wait(0.05)
        """
    )


_IMPATIENT = """
import sys
from pathlib import Path
from emonet.cli._run import Run, consume
from emonet.estimation import Estimators


class Impatient:
    # A writer during whose third call the user presses Ctrl-C twice.
    written, closed = [], False

    def write(self, estimates):
        if len(self.written) == 2:
            os.kill(os.getpid(), signal.SIGINT)
            os.kill(os.getpid(), signal.SIGINT)
        self.written.append(estimates[0].source)

    def close(self):
        self.closed = True

    def abort(self):
        raise AssertionError("rows were thrown away")


writer = Impatient()
run = Run([writer], keep_all=False, names={{}})
files = sorted(Path({media!r}).iterdir())
assert consume(files, Estimators({{"face": {bundle!r}}}, workers=2), run, None)
assert writer.closed
assert 2 <= run.files < 50
assert writer.written == [str(file) for file in files[: len(writer.written)]]
assert not [thread for thread in threading.enumerate() if thread.name.startswith("emonet-")]
"""


def test_impatience_loses_no_finished_file(tmp_path: Path, face_bundle: Path) -> None:
    """Even after a second Ctrl-C the outputs are put in place with what was finished."""
    media = tmp_path / "media"
    media.mkdir()
    for i in range(50):
        (media / f"{i:02}.png").write_bytes(b"\x89PNG\r\n\x1a\n broken")
    _in_a_process(_IMPATIENT.format(media=str(media), bundle=str(face_bundle)))


def test_memory_may_be_kept_anywhere() -> None:
    """The hint to the allocator is harmless where there is none to take it."""
    keep_freed_memory()
