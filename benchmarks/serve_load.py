"""A server at twice what it can do: who is served, who is refused, how long the accepted wait, does it grow.

Usage: python -m benchmarks.serve_load [--seconds 60] [--factor 2] [--json FILE]

Three clients with keys of their own send pictures and recordings of mixed sizes: "heavy" six of ten requests, "steady"
three, "light" one. First the capacity is measured with sixteen requests under way; then requests are sent at their
times, whether earlier ones were answered or not, at `factor` times that rate. Fair means that
the clients are served alike as long as they ask, whatever the others send. Streams are timed before and during the
load. Server and clients share the machine.
"""

from __future__ import annotations

import argparse
import asyncio
import io
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp
import numpy as np
import PIL.Image
import psutil
import soundfile
from numpy.typing import NDArray

BLOCK_S = 0.125  # of sound in one message of a stream
SHARES = {"heavy": 0.6, "steady": 0.3, "light": 0.1}


@dataclass
class Running:
    """`emonet serve` in a process of its own."""

    url: str
    process: subprocess.Popen[str]

    def memory_mb(self) -> float:
        """Resident memory."""
        return float(psutil.Process(self.process.pid).memory_info().rss) / 2**20


@contextmanager
def running_server(*options: str, keys: Sequence[str] = (), temporary: Path | None = None) -> Iterator[Running]:
    """Started on a free port, ended with the block. `temporary`: where its temporary files lie."""
    code = "import cyclopts; from emonet.cli._serve import serve; cyclopts.run(serve)"
    command = [sys.executable, "-c", code, "--port", "0", *options]
    environment = os.environ | {"EMONET_API_KEYS": ",".join(keys)}
    if temporary is not None:
        environment["TMPDIR"] = str(temporary)
    with (
        tempfile.TemporaryFile("w+") as log,
        subprocess.Popen(command, stderr=log, text=True, env=environment) as process,
    ):
        try:
            port = _port(log, process)
            yield Running(f"http://127.0.0.1:{port}", process)
        finally:
            process.terminate()
            process.wait(90)


def _port(log: io.TextIOBase, process: subprocess.Popen[str]) -> int:
    """Once it takes requests."""
    import httpx

    until = time.monotonic() + 60
    while time.monotonic() < until and process.poll() is None:
        log.seek(0)
        if first := log.readline():
            port = int(json.loads(first)["port"])
            try:
                if httpx.get(f"http://127.0.0.1:{port}/ready", timeout=10).status_code == 200:
                    log.seek(0, os.SEEK_END)
                    return port
            except httpx.TransportError:
                pass
        time.sleep(0.1)
    log.seek(0)
    sys.exit(f"The server did not start:\n{log.read()[-2000:]}")


@dataclass
class Seen:
    """Answers of one phase. `times`: seconds of accepted requests by client."""

    statuses: dict[str, Counter[int]] = field(default_factory=lambda: defaultdict(Counter))
    times: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    unwaited: int = 0  # 429 without Retry-After


def media() -> list[tuple[str, bytes]]:
    """Pictures of 0.1 to 4 megapixels and recordings of 2 to 30 s."""
    rng, made = np.random.default_rng(0), []
    for side in (320, 640, 1280, 2000):
        buffer = io.BytesIO()
        noise = rng.integers(0, 256, (side // 8, side // 8, 3), np.uint8)
        PIL.Image.fromarray(noise).resize((side, side)).save(buffer, "JPEG")
        made.append((f"{side}.jpg", buffer.getvalue()))
    for seconds in (2, 5, 10, 30):
        buffer = io.BytesIO()
        soundfile.write(buffer, rng.normal(0, 0.1, seconds * 16_000), 16_000, format="WAV")
        made.append((f"{seconds}.wav", buffer.getvalue()))
    return made


async def ask(
    http: aiohttp.ClientSession, url: str, client: str, key: str, file: tuple[str, bytes], seen: Seen
) -> None:
    """One request. Recordings are scored whole, so that every one costs the model something."""
    form = aiohttp.FormData({"whole_audio": "true", "whole_image": "true"})
    form.add_field("file", file[1], filename=file[0])
    began = time.perf_counter()
    try:
        async with http.post(f"{url}/v1/estimate", data=form, headers={"X-API-Key": key}) as answer:
            await answer.read()
            status, wait = answer.status, answer.headers.get("Retry-After")
    except (aiohttp.ClientError, TimeoutError):
        status, wait = 0, None
    seen.statuses[client][status] += 1
    if status == 200:
        seen.times[client].append(time.perf_counter() - began)
    elif status == 429 and wait is None:
        seen.unwaited += 1


async def capacity(http: aiohttp.ClientSession, url: str, key: str, seconds: float) -> float:
    """Accepted requests a second with sixteen under way."""
    seen, rng, files = Seen(), random.Random(0), media()
    until = time.perf_counter() + seconds

    async def again() -> None:
        while time.perf_counter() < until:
            await ask(http, url, "one", key, rng.choice(files), seen)

    began = time.perf_counter()
    await asyncio.gather(*(again() for _ in range(16)))
    return len(seen.times["one"]) / (time.perf_counter() - began)


async def overload(http: aiohttp.ClientSession, url: str, keys: dict[str, str], rate: float, seconds: float) -> Seen:
    """Requests at random times, `rate` a second."""
    seen, rng, files = Seen(), random.Random(1), media()
    tasks: set[asyncio.Task[None]] = set()
    start, at = time.perf_counter(), 0.0
    while at < seconds:
        at += rng.expovariate(rate)
        await asyncio.sleep(max(0.0, start + at - time.perf_counter()))
        client = rng.choices(list(SHARES), list(SHARES.values()))[0]
        task = asyncio.create_task(ask(http, url, client, keys[client], rng.choice(files), seen))
        tasks.add(task)
        task.add_done_callback(tasks.discard)
    await asyncio.gather(*tasks)
    return seen


async def stream(http: aiohttp.ClientSession, url: str, key: str, seconds: float) -> list[float]:
    """Seconds from sending the last sound of an estimate to having it; a synthetic voice at its own pace."""
    sound, lags, sent = voice(seconds), list[float](), list[float]()
    async with http.ws_connect(f"{url}/v1/stream?sample_rate=16000&key={key}") as socket:
        await socket.receive()

        async def listen() -> None:
            async for message in socket:
                body = json.loads(message.data)
                if body["type"] == "estimate" and body["estimate"]["status"] == "ok":
                    lags.append(time.perf_counter() - sent[round(body["estimate"]["end_s"] / BLOCK_S) - 1])
                elif body["type"] == "error":
                    sys.exit(f"The stream was refused: {body}")

        hearing = asyncio.create_task(listen())
        size = round(BLOCK_S * 16_000)
        for at in range(0, len(sound) - size + 1, size):
            await socket.send_bytes(sound[at : at + size].tobytes())
            sent.append(time.perf_counter())
            await asyncio.sleep(BLOCK_S)
        await socket.send_str('{"type": "end"}')
        await asyncio.wait_for(hearing, 20)
    return lags


def voice(seconds: float) -> NDArray[np.int16]:
    """A spoken sentence again and again, int16 [samples] at 16 kHz. Needs the extra `demo`."""
    import soxr

    from emonet.serve.page._examples import make_example

    samples, rate = soundfile.read(io.BytesIO(make_example("sentence.wav")), dtype="float32")
    spoken = (soxr.resample(samples, rate, 16_000) * 32767).clip(-32768, 32767).astype("<i2")
    return np.tile(spoken, int(seconds * 16_000 / len(spoken)) + 1)[: round(seconds * 16_000)]


async def measure(server: Running, keys: dict[str, str], seconds: float, factor: float) -> dict[str, object]:
    """Everything, as one record."""
    timeout = aiohttp.ClientTimeout(total=180)
    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(timeout=timeout, connector=connector) as http:
        calm = await stream(http, server.url, keys["light"], min(8.0, seconds))
        able = await capacity(http, server.url, keys["steady"], min(10.0, seconds))
        before = server.memory_mb()
        work = overload(http, server.url, keys, factor * able, seconds)
        seen, loaded = await asyncio.gather(work, stream(http, server.url, keys["light"], seconds))
        after = server.memory_mb()
    waited = sorted(value for times in seen.times.values() for value in times)
    return {
        "capacity_per_s": round(able, 1),
        "offered_per_s": round(factor * able, 1),
        "seconds": seconds,
        "clients": {
            name: {
                "sent": seen.statuses[name].total(),
                "accepted": seen.statuses[name][200],
                "refused_429": seen.statuses[name][429],
                "other": {str(k): v for k, v in seen.statuses[name].items() if k not in (200, 429)},
                "p95_s": _p95(seen.times[name]),
            }
            for name in SHARES
        },
        "p50_s": round(float(np.median(waited)), 3) if waited else None,
        "p95_s": _p95(waited),
        "without_retry_after": seen.unwaited,
        "memory_mb": {"before": round(before), "after": round(after)},
        "stream_p95_ms": {"calm": _ms(calm), "loaded": _ms(loaded)},
        "alive": server.process.poll() is None,
    }


def _p95(values: Sequence[float]) -> float | None:
    return round(float(np.percentile(values, 95)), 3) if len(values) else None


def _ms(values: Sequence[float]) -> int | None:
    return round(1000 * float(np.percentile(values, 95))) if values else None


def main() -> None:
    """Run and print; exits with what must not be."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--factor", type=float, default=2)
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    keys = {name: f"{name}-{'k' * 20}" for name in SHARES}
    with running_server("--queue", "48", keys=list(keys.values())) as server:
        found = asyncio.run(measure(server, keys, arguments.seconds, arguments.factor))
    print(json.dumps(found, indent=1))
    if arguments.json:
        arguments.json.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    others = [record["other"] for record in found["clients"].values()]  # type: ignore[attr-defined]
    if any(others) or not found["alive"] or found["without_retry_after"]:
        sys.exit("Some requests failed, or were refused without a time to wait.")


if __name__ == "__main__":
    main()
