"""`emonet serve` as a process of its own."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time

import httpx
import pytest

from emonet.cli._serve import serve
from emonet.errors import UsageError


def test_a_public_address_without_keys_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is loaded or opened."""
    monkeypatch.delenv("EMONET_API_KEYS", raising=False)
    with pytest.raises(UsageError, match="--open"):
        serve(host="0.0.0.0")
    with pytest.raises(UsageError, match="port"):
        serve(port=70_000)


def test_it_serves_and_ends_with_the_signal() -> None:
    """The log is JSON and tells the port; SIGTERM ends the process with 0."""
    code = "import sys; from emonet.cli._serve import serve; sys.exit(serve(model=['face'], port=0))"
    with subprocess.Popen(
        [sys.executable, "-c", code], stderr=subprocess.PIPE, text=True, env=os.environ | {"OMP_NUM_THREADS": "1"}
    ) as process:
        assert process.stderr is not None
        first = json.loads(process.stderr.readline())
        url = f"http://{first['host']}:{first['port']}"
        for _ in range(200):
            try:
                if httpx.get(f"{url}/ready", timeout=10).status_code == 200:
                    break
            except httpx.TransportError:
                time.sleep(0.05)
        assert httpx.get(f"{url}/v1/models").json()["models"][0]["modality"] == "face"
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0
        events = [json.loads(line)["event"] for line in process.stderr.read().splitlines()]
    assert events[-2:] == ["draining", "stopped"]
