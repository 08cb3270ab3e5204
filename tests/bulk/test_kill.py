"""Runs killed with -9; `benchmarks/bulk_acceptance.py` does the same over thousands of recordings."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil

from emonet.bulk import Summary, status
from made_shards import contents, scores, shard

_DRIVER = """
import sys
from emonet.bulk import run

if __name__ == "__main__":
    source, output, model = sys.argv[1:]
    run(source, output, model=model, workers=2, whole_audio=True, enrich=True)
"""


def test_killed_drivers_and_workers_lose_nothing(
    run: Callable[..., Summary], tmp_path: Path, voice_bundle: Path
) -> None:
    """Driver and workers killed in turns at random moments, and the run begun again each time: the same bytes as of
    an undisturbed run, no worker outlives its driver, nothing is left over."""
    for number in range(8):
        shard(tmp_path / f"many/{number}.tar", number, 60)
    source, output = f"{tmp_path}/many/*.tar", tmp_path / "killed"
    run(source, enrich=True)
    program = tmp_path / "driver.py"
    program.write_text(_DRIVER)
    draw = random.Random(3)
    for turn in range(3):
        driver = subprocess.Popen([sys.executable, str(program), source, str(output), str(voice_bundle)])
        workers = _workers(driver)
        time.sleep(draw.uniform(0.0, 1.2))
        if turn % 2 and workers:
            _kill(draw.choice(workers).pid)
            time.sleep(draw.uniform(0.0, 0.3))
        _kill(driver.pid)
        driver.wait()
        assert not psutil.wait_procs(workers, timeout=20)[1]
    made = run(source, output, enrich=True, workers=2)
    assert made.ok
    for folder in ("scores", "media"):
        assert contents(output, folder) == contents(tmp_path / "output", folder)
    assert len(scores(output)) == scores(output)["key"].n_unique() == 480
    assert not list(output.rglob("*.part"))
    assert status(output, verify=True).problems == ()


def _workers(driver: subprocess.Popen[bytes]) -> list[psutil.Process]:
    """The driver's two workers once they are there; fewer when it has ended."""
    found: list[psutil.Process] = []
    while len(found) < 2 and driver.poll() is None:
        time.sleep(0.05)
        found = [child for child in psutil.Process(driver.pid).children() if "spawn_main" in " ".join(_words(child))]
    return found


def _words(process: psutil.Process) -> list[str]:
    try:
        words: list[str] = process.cmdline()
    except psutil.Error:
        return []
    return words


def _kill(pid: int) -> None:
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return
