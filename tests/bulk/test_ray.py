"""The same run on a Ray cluster of one machine."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from emonet.bulk import Summary
from emonet.errors import UsageError
from made_shards import contents

pytest.importorskip("ray", reason="the extra `bulk` is not installed")

_DRIVER = """
import json, os, signal, sys
from emonet.bulk import Failed, Finished, run

class Watch:
    events, killed = [], 0
    def begin(self, todo, done): pass
    def idle(self, executor): pass
    def heard(self, event, executor):
        self.events.append(event)
        if isinstance(event, Finished) and not self.killed:
            self.killed = int(event.statistics.worker.rpartition(":")[2])
            os.kill(self.killed, signal.SIGKILL)

source, output, model = sys.argv[1:]
watch = Watch()
made = run(source, output, model=model, executor="ray", address="local", workers=2, whole_audio=True, watch=watch)
workers = {event.statistics.worker for event in watch.events if isinstance(event, Finished)}
print(json.dumps({"made": made.made, "ok": made.ok, "workers": len(workers), "killed": watch.killed}))
"""
"""In a process of its own: Ray starts threads and handlers that outlive it."""


@pytest.mark.slow
def test_actors_write_the_same_bytes(
    run: Callable[..., Summary], shards: Path, tmp_path: Path, voice_bundle: Path
) -> None:
    """Two actors, one of them killed with -9 on the way: tables as from the process pool."""
    run(enrich=False)
    environment = {**os.environ, "RAY_USAGE_STATS_ENABLED": "0"}
    arguments = [sys.executable, "-c", _DRIVER, f"{shards}/*.tar", str(tmp_path / "ray"), str(voice_bundle)]
    done = subprocess.run(arguments, env=environment, capture_output=True, text=True, check=False, timeout=180)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout.strip().splitlines()[-1])
    assert told["ok"]
    assert told["made"] == 4
    assert told["killed"]
    assert told["workers"] >= 2
    assert contents(tmp_path / "ray") == contents(tmp_path / "output")


@pytest.mark.filterwarnings("ignore")  # those of Ray's import
def test_no_cluster_at_the_address(run: Callable[..., Summary]) -> None:
    """The message says how to start one."""
    with pytest.raises(UsageError, match="ray start --head"):
        run(executor="ray", address="127.0.0.1:1")
