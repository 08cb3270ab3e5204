"""What must hold of bulk runs, tried at full size: same tables, nothing lost by kill -9, flat memory, honest plans.

Usage: python -m benchmarks.bulk_acceptance [--folder FOLDER] [--clips 5000] [--kills 20] [--only PART ...] [--again]

Parts, in order; each leaves its result in FOLDER/results.json and is not made again unless `--again` is given:

pool     a run by two processes over all clips, 3 % of them damaged: one row a key, the right statuses, flat memory
ray      the same by Ray, a head without cores and two nodes of one core each, all on this machine: same bytes
kills    the same again, killed with -9 (driver, a worker, or whoever is writing a file) until `--kills` moments are
         reached, and resumed after each: same bytes, no key lost or doubled, nothing left over
ray-kills  the same under Ray, half as often
plan     from a quarter of the shards, predict the run by one worker over another quarter, and by two over all;
         compare with runs that are then made
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import random
import secrets
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
import pyarrow.parquet as pq

from benchmarks.bulk import tables_of
from benchmarks.bulk_shards import write_tars
from emonet.bulk import calibrate, plan, run, status
from emonet.models._cache import home

PARTS = ("pool", "ray", "kills", "ray-kills", "plan")
Result = dict[str, Any]


def command(shards: Path, output: Path, model: str, *more: str) -> list[str]:
    """The command line of a run, as a user would give it."""
    return [
        sys.executable,
        "-m",
        "emonet.cli",
        "bulk",
        "run",
        str(shards / "*.tar"),
        str(output),
        "--model",
        model,
        *more,
    ]


def rows_of(output: Path) -> list[tuple[str, str]]:
    """(key, status) of every row of every table."""
    found = []
    for path in sorted(output.glob("scores/*.parquet")):
        table = pq.read_table(path, columns=["key", "status"])
        found += list(zip(table["key"].to_pylist(), table["status"].to_pylist(), strict=True))
    return found


def check_rows(output: Path, keys: dict[str, bool]) -> Result:
    """Every key once; what was damaged has no scores, what was not is not called unreadable."""
    rows = rows_of(output)
    names = [key for key, _ in rows]
    assert len(names) == len(set(names)), "a key occurs twice"
    assert set(names) == set(keys), f"{len(set(keys) - set(names))} keys are lost"
    damaged = [status for key, status in rows if keys[key]]
    whole = [status for key, status in rows if not keys[key]]
    assert "ok" not in damaged, "a damaged file was scored"
    assert "unreadable" not in whole, "a sound file was called unreadable"
    return {
        "rows": len(rows),
        "damaged": len(damaged),
        "unreadable": damaged.count("unreadable"),
        "ok": whole.count("ok"),
    }


def memory_of(output: Path) -> Result:
    """Each worker's memory after its second shard, which all buffers are in, and at its end; largest growth."""
    by_worker: dict[str, list[tuple[str, float]]] = defaultdict(list)
    for one in status(output).done:
        by_worker[one.worker].append((one.finished, one.memory_mb))
    series = [[mb for _, mb in sorted(marks)] for marks in by_worker.values() if len(marks) > 3]
    growth = [statistics.median(marks[-3:]) - statistics.median(marks[1:4]) for marks in series]
    return {
        "workers": len(series),
        "first_mb": [m[1] for m in series],
        "last_mb": [m[-1] for m in series],
        "growth_mb": growth,
    }


def pool(work: Path, shards: Path, keys: dict[str, bool], arguments: argparse.Namespace) -> Result:
    """The run that others are compared with."""
    output = work / "pool"
    start = time.perf_counter()
    subprocess.run(command(shards, output, arguments.model, "--workers", "2"), check=True)
    seconds = time.perf_counter() - start
    found = status(output, verify=True)
    assert not found.left, f"{found.left} shards are left"
    assert not found.problems, found.problems
    return {
        "seconds": seconds,
        **check_rows(output, keys),
        "memory": memory_of(output),
        "sound_h": found.totals.sound_s / 3600,
    }


def ray(work: Path, shards: Path, keys: dict[str, bool], arguments: argparse.Namespace) -> Result:
    """A head and two nodes as processes of this machine."""
    output = work / "ray"
    with cluster(work, nodes=2) as address:
        start = time.perf_counter()
        subprocess.run(
            command(shards, output, arguments.model, "--executor", "ray", "--address", address, "--workers", "2"),
            check=True,
        )
        seconds = time.perf_counter() - start
    workers = {one.worker for one in status(output).done}
    same = tables_of(output) == tables_of(work / "pool")
    assert same, "Ray's tables are not the pool's"
    assert len(workers) >= 2, f"only {workers} took part"
    return {
        "seconds": seconds,
        **check_rows(output, keys),
        "same_bytes": same,
        "workers": len(workers),
        "memory": memory_of(output),
    }


@contextmanager
def cluster(work: Path, *, nodes: int) -> Iterator[str]:
    """A Ray head without cores and `nodes` of one core each; its address."""
    ray_command = str(Path(sys.executable).with_name("ray"))
    os.environ |= {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": secrets.token_hex(32)}  # for the driver as well
    environment = {**os.environ, "RAY_USAGE_STATS_ENABLED": "0", "RAY_raylet_start_wait_time_s": "180"}
    address = f"127.0.0.1:{free_port()}"
    common = ["--disable-usage-stats", "--object-store-memory", str(100 * 2**20)]
    head = ["start", "--head", "--port", address.rpartition(":")[2], "--num-cpus", "0", "--include-dashboard", "false"]
    started: list[subprocess.Popen[bytes]] = []
    temporary = Path("/tmp") / f"emonet-ray-{os.getpid()}"  # its sockets' names must be short
    try:
        calls = [[*head, "--temp-dir", str(temporary)]] + [["start", "--address", address, "--num-cpus", "1"]] * nodes
        for number, call in enumerate(calls):
            told = work / f"ray-{number}.log"
            with told.open("wb") as log:
                process = subprocess.Popen(
                    [ray_command, *call, *common, "--block"],
                    env=environment,
                    stdout=log,
                    stderr=log,
                    start_new_session=True,
                )
            started.append(process)
            if not wait_for(lambda told=told: b"runtime started" in told.read_bytes(), 180):  # type: ignore[misc]
                raise SystemExit(f"Ray does not start: {told.read_text()}")
        yield address
    finally:
        for process in reversed(started):
            end_tree(process.pid)
            process.wait()
        shutil.rmtree(temporary, ignore_errors=True)


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def wait_for(true: Callable[[], bool], seconds: float) -> bool:
    """Whether it became true in time."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if true():
            return True
        time.sleep(0.05)
    return False


def end_tree(pid: int) -> None:
    """Kill a process and all it started."""
    with contextlib.suppress(psutil.NoSuchProcess):
        root = psutil.Process(pid)
        for process in [*root.children(recursive=True), root]:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()


def kills(work: Path, shards: Path, keys: dict[str, bool], arguments: argparse.Namespace) -> Result:
    """Kill the driver, a worker, or whoever is writing, at random moments; go on each time."""
    output = work / "kills"
    words = command(shards, output, arguments.model, "--workers", "2", "--quiet")
    return disturbed(words, children_of, work, output, keys, arguments.kills, arguments)


def ray_kills(work: Path, shards: Path, keys: dict[str, bool], arguments: argparse.Namespace) -> Result:
    """The same under Ray, half as often: its drivers take longer to start."""
    output = work / "ray-kills"
    with cluster(work, nodes=2) as address:
        own = psutil.Process().children(recursive=True)  # the cluster; other ones are not ours to kill

        def actors(_: int) -> list[psutil.Process]:
            found = [child for process in own if alive(process) for child in process.children()]
            return [process for process in found if command_line(process).startswith("ray::_Actor")]

        ray_options = ["--executor", "ray", "--address", address, "--workers", "2", "--quiet"]
        words = command(shards, output, arguments.model, *ray_options)
        return disturbed(words, actors, work, output, keys, (arguments.kills + 1) // 2, arguments)


def disturbed(
    words: Sequence[str],
    workers_of: Callable[[int], list[psutil.Process]],
    work: Path,
    output: Path,
    keys: dict[str, bool],
    count: int,
    arguments: argparse.Namespace,
) -> Result:
    """Run a command to its end in spite of `count` kills; a run that ends before is compared and begun anew."""
    draw, done = random.Random(arguments.seed), list[Result]()
    shutil.rmtree(output, ignore_errors=True)
    while len(done) < count:
        process = subprocess.Popen(words)
        wait_for(lambda p=process: len(workers_of(p.pid)) == 2 or p.poll() is not None, 60)  # type: ignore[misc]
        while process.poll() is None and len(done) < count:
            time.sleep(draw.uniform(0.0, arguments.pause))
            kind = ("driver", "worker", "write")[len(done) % 3]
            before = workers_of(process.pid)
            victim = choose(kind, process.pid, before, draw)
            if victim is None or process.poll() is not None:
                break
            made = len(list(output.glob("statistics/*.json")))
            with contextlib.suppress(ProcessLookupError):
                os.kill(victim, signal.SIGKILL)
                done.append({"kind": kind, "driver": victim == process.pid, "shards_done": made})
            if victim == process.pid:
                gone = wait_for(lambda before=before: not any(map(alive, before)), 30)  # type: ignore[misc]
                assert gone, "workers outlive their driver"
        process.wait()
        if process.returncode == 0 and len(done) < count:
            compare(output, work / "pool")
            shutil.rmtree(output)
    subprocess.run(words, check=True)
    compare(output, work / "pool")
    left = [str(path) for path in output.rglob("*.part")] + [str(path) for path in output.glob("failures/*")]
    assert not left, f"left over: {left}"
    found = status(output, verify=True)
    assert not found.problems, found.problems
    return {"kills": done, "count": len(done), **check_rows(output, keys), "same_bytes": True}


def compare(output: Path, other: Path) -> None:
    """Raise unless the tables are the same to the last byte."""
    assert tables_of(output) == tables_of(other), "the tables differ from those of the undisturbed run"


def children_of(pid: int) -> list[psutil.Process]:
    """Worker processes of a driver of the process pool."""
    with contextlib.suppress(psutil.NoSuchProcess):
        children = psutil.Process(pid).children()
        return [child for child in children if "spawn_main" in command_line(child)]
    return []


def command_line(process: psutil.Process) -> str:
    """Words of a process; empty when it has ended."""
    with contextlib.suppress(psutil.Error):
        return " ".join(process.cmdline())
    return ""


def choose(kind: str, driver: int, workers: list[psutil.Process], draw: random.Random) -> int | None:
    """Whom to kill. For "write": a worker that has an unfinished table or statistics file open, once there is one, or
    with even chance its driver at that moment."""
    if kind == "driver":
        return driver
    if kind == "worker":
        return draw.choice(workers).pid if workers else driver
    end = time.monotonic() + 20
    while time.monotonic() < end:
        if writing := writers(workers):
            return draw.choice([writing[0], driver])
        time.sleep(0.02)
    return None


def writers(workers: Sequence[psutil.Process]) -> list[int]:
    """Workers that have an unfinished output open."""
    found = []
    for worker in workers:
        with contextlib.suppress(psutil.Error):
            if any(file.path.endswith(".part") for file in worker.open_files()):
                found.append(worker.pid)
    return found


def alive(process: psutil.Process) -> bool:
    """Whether it runs, and is no mere zombie."""
    with contextlib.suppress(psutil.NoSuchProcess):
        return bool(process.is_running() and process.status() != psutil.STATUS_ZOMBIE)
    return False


def plan_part(work: Path, shards: Path, keys: dict[str, bool], arguments: argparse.Namespace) -> Result:
    """Predict, then make the run and compare."""
    paths = sorted(shards.glob("*.tar"))
    quarter = max(2, len(paths) // 4)
    calibration = calibrate_by(paths[:quarter], work / "plan-calibration", arguments.model)
    found = []
    for name, chosen, workers in (
        ("one worker, another quarter", paths[quarter : 2 * quarter], 1),
        ("two workers, half of them", paths[quarter : 3 * quarter], 2),
        ("two workers, all", paths, 2),
    ):
        output = work / "plan-run"
        shutil.rmtree(output, ignore_errors=True)
        made = run(chosen, output, model=arguments.model, workers=workers, page=False)
        hours = made.totals.sound_s / 3600
        said = plan(calibration, hours=hours, cores=workers, shards=len(chosen))
        bytes_out = made.totals.bytes_out
        found.append(
            {
                "run": name,
                "hours": hours,
                "predicted_s": said.seconds,
                "interval_s": [said.low_s, said.high_s],
                "took_s": made.seconds,
                "time_error": said.seconds / made.seconds - 1,
                "predicted_bytes": said.bytes_out,
                "bytes": bytes_out,
                "bytes_error": said.bytes_out / bytes_out - 1,
            }
        )
    return {"unit_s": calibration.unit_s, "start_s": calibration.start_s, "runs": found}


def calibrate_by(paths: Sequence[Path], output: Path, model: str) -> Any:
    """The measure of a run by two workers over some shards."""
    shutil.rmtree(output, ignore_errors=True)
    run(paths, output, model=model, workers=2, page=False)
    return calibrate(output)


def main() -> None:
    """Make the parts that have no result yet."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, default=home() / "benchmarks" / "bulk-acceptance")
    parser.add_argument("--data", type=Path, default=Path("../shared/data"), help="real recordings, if at hand")
    parser.add_argument("--clips", type=int, default=5000)
    parser.add_argument("--per-shard", type=int, default=50)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--pause", type=float, default=6.0, help="most seconds between two kills")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--model", default="voice")
    parser.add_argument("--only", choices=PARTS, nargs="+", default=PARTS)
    parser.add_argument("--again", action="store_true", help="make parts again that have a result")
    arguments = parser.parse_args()
    work = arguments.folder / f"{arguments.clips}"
    shards = work / "shards"
    _, keys = write_tars(
        shards, data=arguments.data, clips=arguments.clips, per_shard=arguments.per_shard, damaged=0.03
    )
    results_file = work / "results.json"
    results = json.loads(results_file.read_text()) if results_file.exists() else {}
    parts = {"pool": pool, "ray": ray, "kills": kills, "ray-kills": ray_kills, "plan": plan_part}
    for name in arguments.only:
        if name in results and not arguments.again:
            print(f"== {name}: has a result")
            continue
        print(f"== {name}", flush=True)
        if name == "pool" or arguments.again:
            shutil.rmtree(work / name, ignore_errors=True)
        results[name] = parts[name](work, shards, keys, arguments)
        results_file.write_text(json.dumps(results, indent=1))
    print(json.dumps(results, indent=1))


if __name__ == "__main__":
    main()
