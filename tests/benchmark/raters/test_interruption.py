"""What a run that ends early leaves behind: nothing that was paid for is lost or paid for again."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from benchmark.raters.made_items import answer, chat_rater, faces
from benchmark.raters.model_server import TOKENS_IN, TOKENS_OUT, ModelServer, Reply

ITEMS = 12
_CHILD = """
import sys
from pathlib import Path
from benchmark.raters.made_items import chat_rater, faces
chat_rater(sys.argv[1], Path(sys.argv[2]), concurrency=2).rate(faces({items}), progress=print)
"""


@pytest.fixture
def server() -> Iterator[ModelServer]:
    with ModelServer().running() as running:
        yield running


def started(server: ModelServer, cache: Path) -> subprocess.Popen[str]:
    """A process that rates, with this process's modules."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    return subprocess.Popen(
        [sys.executable, "-c", _CHILD.format(items=ITEMS), server.url, str(cache)],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def wait_until(condition: Callable[[], bool], seconds: float = 20) -> None:
    """Wait, but not for ever."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.01)


def kept(cache: Path) -> int:
    """Replies in the cache."""
    if not (cache / "replies.sqlite").exists():
        return 0
    connection = sqlite3.connect(cache / "replies.sqlite", timeout=10)
    try:
        return int(connection.execute("SELECT count(*) FROM attempts WHERE state = 'reply'").fetchone()[0])
    except sqlite3.OperationalError:  # the table is not made yet
        return 0
    finally:
        connection.close()


def test_a_killed_run_goes_on_where_it_was(server: ModelServer, tmp_path: Path) -> None:
    """After kill -9 the next run asks only for what has no reply; the accounts hold both runs."""
    server.default = lambda _: Reply(answer(anger=3), delay_s=0.05)
    server.script = {"f6": [Reply(answer(anger=3), delay_s=30), Reply(answer(anger=3))]}
    child = started(server, tmp_path)
    wait_until(lambda: kept(tmp_path) >= 8)  # one thread hangs at f6
    os.kill(child.pid, signal.SIGKILL)
    child.communicate()
    before, here = len(server.requests), kept(tmp_path)
    assert 8 <= here < ITEMS
    rated = chat_rater(server.url, tmp_path, concurrency=2).rate(faces(ITEMS))
    assert rated.replies["status"].to_list() == ["ok"] * ITEMS
    assert len(server.requests) - before == ITEMS - here
    asked_again = {item for item, _, _ in server.requests[before:]}
    asked_before = [item for item, _, _ in server.requests[:before]]
    assert "f6" in asked_again
    assert len(asked_again & set(asked_before)) <= 2  # only what was under way in the two threads
    row = rated.replies.row(6, named=True)
    assert row["attempts"] == 2  # the one whose reply never came is told, too
    assert rated.replies["tokens_in"].sum() == ITEMS * TOKENS_IN
    assert rated.replies["cost"].sum() == pytest.approx(ITEMS * (TOKENS_IN * 2e-6 + TOKENS_OUT * 1e-5))


def test_ctrl_c_keeps_the_replies_under_way(server: ModelServer, tmp_path: Path) -> None:
    """On Ctrl-C no request is begun any more, and those under way are waited for and kept."""
    server.default = lambda _: Reply(answer(anger=3), delay_s=0.5)
    child = started(server, tmp_path)
    wait_until(lambda: len(server.requests) >= 3)
    os.kill(child.pid, signal.SIGINT)
    output, errors = child.communicate(timeout=20)
    assert child.returncode != 0
    assert "KeyboardInterrupt" in errors
    assert "waiting for the replies under way" in output
    assert kept(tmp_path) == len(server.requests) < ITEMS
    before = len(server.requests)
    chat_rater(server.url, tmp_path).rate(faces(ITEMS))
    assert len(server.requests) == ITEMS
    assert before < ITEMS


def test_a_reply_kept_but_not_priced_counts_for_the_budget(server: ModelServer, tmp_path: Path) -> None:
    """A process killed between keeping and pricing a reply hides no money from the next run."""
    one = TOKENS_IN * 2e-6 + TOKENS_OUT * 1e-5
    chat_rater(server.url, tmp_path).rate(faces(2))
    with sqlite3.connect(tmp_path / "replies.sqlite") as connection:
        connection.execute("UPDATE attempts SET status = NULL, cost = NULL, tokens_in = NULL, tokens_out = NULL")
    connection.close()
    rated = chat_rater(server.url, tmp_path, budget=2.1 * one, max_tokens=2000).rate(faces(4))
    assert len(server.requests) == 2
    assert rated.replies["status"].to_list() == ["ok", "ok", "error", "error"]
    assert rated.replies["cost"].sum() == pytest.approx(2 * one)
