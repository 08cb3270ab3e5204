"""A hundred raters at once over HTTP, against PostgreSQL, while the server is killed again and again.

Usage: python -m benchmarks.annotation_load [--raters 100] [--seconds 120] [--kills 10] [--pause 2.0] [--database URL]

Every rater does what the rating page does: keeps the next units in hand, fetches their pictures, answers, and sends an
answer again under the same identifier until the server has acknowledged it. The server is ended with SIGKILL at random
moments and started anew. At the end the database is held against what the raters were told: each acknowledged answer
must be there exactly once, and nothing else. Raters and server share the machine; latencies are those of answered
requests, as the raters saw them.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
import uuid
from collections import Counter, defaultdict
from collections.abc import Awaitable, Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import aiohttp
import numpy as np
import PIL.Image

from benchmarks.postgresql import running_postgresql, server_programs
from emonet.annotation import ProjectFolder, init_project
from emonet.annotation.accounts import start_session
from emonet.annotation.protocols import decide, presence
from emonet.annotation.store import add_person, events, read_project, rebuild, units, valid_judgements

EMOTIONS = ("anger", "elation", "sadness", "fear")
LIMIT_S = 0.2  # the 95th percentile that is aimed at


@dataclass
class Seen:
    """What the raters saw. `times`: seconds by kind of request; `told`: acknowledged answers by client id and event."""

    times: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    statuses: Counter[int] = field(default_factory=Counter)
    failures: int = 0
    given: int = 0
    told: dict[str, int] = field(default_factory=dict)
    repeated: int = 0


class Server:
    """`emonet annotate serve` in a process of its own."""

    def __init__(self, project: ProjectFolder, port: int, log: Path) -> None:
        self.command = [
            sys.executable,
            "-m",
            "emonet.cli",
            "annotate",
            "serve",
            str(project.folder),
            "--port",
            str(port),
        ]
        self.health, self.log = f"http://127.0.0.1:{port}/health", log
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(self.command, stdout=log, stderr=log)
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            try:
                with urllib.request.urlopen(self.health, timeout=1):
                    return
            except OSError:
                time.sleep(0.05)
        raise RuntimeError(f"The server does not answer: {self.log.read_text(encoding='utf-8')[-2000:]}")

    def kill(self) -> None:
        assert self.process is not None
        self.process.kill()
        self.process.wait()


class RaterClient:
    """One person at the rating page."""

    def __init__(self, address: str, cookie: str, csrf: str, seen: Seen, pause_s: float, seed: int) -> None:
        self.address, self.seen, self.pause_s = address, seen, pause_s
        self.headers = {"Cookie": f"emonet={cookie}", "X-CSRF-Token": csrf}
        self.draw = random.Random(seed)

    async def work(self, session: aiohttp.ClientSession, until: float) -> None:
        """Answer until the time is up; an answer once given is delivered whatever it takes."""
        await asyncio.sleep(self.draw.uniform(0, self.pause_s))
        while time.monotonic() < until:
            held = await self._ask(session, "assignments", "POST", "/api/assignments", {"count": 3})
            for unit in held["assignments"]:
                await self._ask(session, "media", "GET", f"/media/{unit['items'][0]['id']}")
            if not held["assignments"]:
                await asyncio.sleep(1)
            for unit in held["assignments"]:
                took = self.draw.expovariate(1 / self.pause_s)
                await asyncio.sleep(took)
                await self._answer(session, unit, took)
                if time.monotonic() > until:
                    return

    async def _answer(self, session: aiohttp.ClientSession, unit: dict[str, Any], took: float) -> None:
        given = {
            "client_id": str(uuid.uuid4()),
            "unit": unit["unit"],
            "lease": unit["lease"],
            "values": {unit["dimensions"][0]: float(self.draw.choice((0, 1, 2)))},
            "duration_ms": round(took * 1000),
            "time": datetime.now(UTC).isoformat(),
        }
        self.seen.given += 1
        receipt = await self._ask(session, "answers", "POST", "/api/answers", given)
        self.seen.told[given["client_id"]] = receipt["event"]
        self.seen.repeated += receipt["duplicate"]

    async def _ask(
        self, session: aiohttp.ClientSession, kind: str, method: str, path: str, body: dict[str, Any] | None = None
    ) -> Any:
        """Until it is answered, as the page does after a lost connection."""
        while True:
            start = time.monotonic()
            try:
                async with session.request(method, self.address + path, json=body, headers=self.headers) as answer:
                    content = await answer.read()
            except (aiohttp.ClientError, TimeoutError, OSError):
                self.seen.failures += 1
                await asyncio.sleep(self.draw.uniform(0.3, 1.0))
                continue
            self.seen.times[kind].append(time.monotonic() - start)
            self.seen.statuses[answer.status] += 1
            if answer.status < 300:
                return json.loads(content) if kind != "media" else None
            raise RuntimeError(f"{method} {path}: {answer.status} {content[:300]!r}")


async def drive(clients: Sequence[RaterClient], seconds: float, between: Callable[[], Awaitable[None]]) -> None:
    """All raters for so long, and what happens to the server meanwhile."""
    until = time.monotonic() + seconds
    limit = aiohttp.ClientTimeout(total=30)
    async with aiohttp.ClientSession(timeout=limit, connector=aiohttp.TCPConnector(limit=0)) as session:
        await asyncio.gather(between(), *(client.work(session, until) for client in clients))


def killer(server: Server, kills: int, seconds: float, seed: int) -> Callable[[], Awaitable[None]]:
    """End the server at so many random moments, and start it again."""

    async def run() -> None:
        draw = random.Random(seed)
        start = time.monotonic()
        for moment in sorted(draw.uniform(0.05, 0.9) * seconds for _ in range(kills)):
            await asyncio.sleep(max(0.0, start + moment - time.monotonic()))
            server.kill()
            await asyncio.to_thread(server.start)

    return run


def make_project(folder: Path, database: str, items: int) -> ProjectFolder:
    """Small pictures in folders named by emotion, each asked about by up to three people."""
    draw = np.random.default_rng(0)
    for number in range(items):
        target = folder / "media" / EMOTIONS[number % len(EMOTIONS)] / f"{number:05}.jpg"
        target.parent.mkdir(parents=True, exist_ok=True)
        PIL.Image.fromarray(draw.integers(0, 255, (64, 64, 3), np.uint8)).save(target)
    made = init_project(folder / "media", presence(), folder=folder / "project", database=database, modality="face")
    return made.project


def check(project: ProjectFolder, seen: Seen) -> dict[str, int]:
    """The database against what the raters were told. Raises `AssertionError` naming what is wrong."""
    with project.open() as store:
        stored = [event for event in events(store) if event.kind == "rating"]
        ids = Counter(event.client_id for event in stored)
        twice = Counter((event.person, event.unit) for event in stored)
        assert max(ids.values(), default=0) <= 1, "an answer was stored twice"
        assert ids.keys() == seen.told.keys(), f"{len(seen.told.keys() ^ ids.keys())} answers lost or invented"
        assert max(twice.values(), default=0) <= 1, "one person judged a unit twice"
        by_unit = defaultdict(list)
        for judgement in valid_judgements(store):
            by_unit[judgement.unit].append(judgement)
        protocol = read_project(store).protocol
        known = {unit.key: unit for unit in units(store)}
        for key, judged in by_unit.items():
            before = decide(protocol, known[key], judged[:-1])
            assert before.wanted > 0, f"{key} was judged by more people than its protocol asks"
        assert rebuild(store) == 0, "derived columns differ from the events"
    return {"answers": len(stored), "units": len(by_unit)}


def main() -> None:
    """Run, check, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--raters", type=int, default=100)
    parser.add_argument("--seconds", type=float, default=120)
    parser.add_argument("--kills", type=int, default=10)
    parser.add_argument("--pause", type=float, default=2.0, help="mean seconds a rater looks at an item")
    parser.add_argument("--items", type=int, default=3000)
    parser.add_argument("--database", help="address of an empty database; by default a PostgreSQL of its own")
    arguments = parser.parse_args()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="emonet-load-")))
        database = arguments.database
        if database is None:
            if (programs := server_programs()) is None:
                sys.exit("No PostgreSQL server found: install it (Debian: postgresql) or name a --database.")
            database = stack.enter_context(running_postgresql(programs))
        if run(arguments, folder, database) > LIMIT_S:
            sys.exit(f"The 95th percentile is over {LIMIT_S * 1000:.0f} ms.")


def run(arguments: argparse.Namespace, folder: Path, database: str) -> float:
    """One load on one project, checked and printed. Returns the 95th percentile of answered requests, in seconds."""
    project = make_project(folder, database, arguments.items)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    seen, clients = Seen(), []
    with project.open() as store:
        for number in range(arguments.raters):
            person = add_person(store, name=f"Rater {number}", login=f"rater{number}@example.org")
            with store.writing() as connection:
                made = start_session(connection, person.id, lasts=timedelta(days=1))
            clients.append(
                RaterClient(f"http://127.0.0.1:{port}", made.token, made.csrf, seen, arguments.pause, number)
            )
    server = Server(project, port, folder / "server.log")
    server.start()
    start = time.monotonic()
    try:
        asyncio.run(drive(clients, arguments.seconds, killer(server, arguments.kills, arguments.seconds, seed=1)))
    finally:
        server.kill()
    took = time.monotonic() - start
    found = check(project, seen)
    print(f"{arguments.raters} raters for {took:.0f} s, server killed {arguments.kills} times: "
          f"{found['answers']} answers to {found['units']} units, each stored once; {seen.repeated} arrived again, "
          f"{seen.failures} requests failed and were repeated; {found['answers'] / took:.1f} answers/s")  # fmt: skip
    print("| request | number | median ms | p95 ms | p99 ms | largest ms |\n| --- | ---: | ---: | ---: | ---: | ---: |")
    everything = [one for times in seen.times.values() for one in times]
    for kind, times in (*seen.times.items(), ("all", everything)):
        at = [np.quantile(times, q) * 1000 for q in (0.5, 0.95, 0.99, 1.0)]
        print(f"| {kind} | {len(times)} | {at[0]:.0f} | {at[1]:.0f} | {at[2]:.0f} | {at[3]:.0f} |")
    return float(np.quantile(everything, 0.95))


if __name__ == "__main__":
    main()
