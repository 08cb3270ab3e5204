"""Ten thousand damaged files against a running server.

Usage: python -m benchmarks.serve_fuzz [--files 10000] [--seed 1]

Pictures, recordings and a video are cut, repeated and overwritten at random places and sent under misleading names.
Every answer must be rows or a typed refusal; no temporary file may stay; memory is read along the way.
"""

from __future__ import annotations

import argparse
import io
import os
import random
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import httpx
import numpy as np
import PIL.Image
import soundfile

from benchmarks.serve_load import running_server

ALLOWED = (200, 413, 415, 422)


def seeds() -> list[bytes]:
    """Small sound files of many formats."""
    found = []
    picture = PIL.Image.fromarray(np.random.default_rng(0).integers(0, 256, (48, 48, 3), np.uint8))
    for kind in ("PNG", "JPEG", "WEBP", "GIF", "TIFF", "BMP", "ICO", "TGA", "PPM"):
        buffer = io.BytesIO()
        picture.save(buffer, kind)
        found.append(buffer.getvalue())
    sound = np.random.default_rng(0).normal(0, 0.1, 8000)
    for kind in ("WAV", "FLAC", "OGG", "MP3", "AIFF", "AU", "CAF", "W64"):
        buffer = io.BytesIO()
        soundfile.write(buffer, sound, 8000, format=kind)
        found.append(buffer.getvalue())
    return [*found, video()]


def video() -> bytes:
    """An MP4 of half a second."""
    import av

    buffer = io.BytesIO()
    with av.open(buffer, "w", format="mp4") as container:
        stream = container.add_stream("mpeg4", rate=10)
        stream.width = stream.height = 64
        for level in range(0, 250, 50):
            frame = av.VideoFrame.from_ndarray(np.full((64, 64, 3), level, np.uint8), format="rgb24")
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return buffer.getvalue()


def damaged(content: bytes, rng: random.Random) -> bytes:
    """With a few bytes changed, cut, repeated or replaced, most of them near the start."""
    body = bytearray(content)
    for _ in range(rng.choice((1, 1, 4, 40))):
        at = rng.randrange(max(1, min(len(body), rng.choice((32, 256, len(body) or 1)))))
        action = rng.randrange(5)
        if action == 0 and body:
            body[at] ^= 1 << rng.randrange(8)
        elif action == 1 and rng.random() < 0.3:
            del body[at:]
        elif action == 2:
            body[at:at] = body[at : at + rng.randrange(64)]
        elif action == 3:
            body[at : at + 4] = rng.choice((b"\xff" * 4, b"\0" * 4, b"\x7f\xff\xff\xff"))
        else:
            body[at : at + 8] = rng.randbytes(8)
    return bytes(body)


def main() -> None:
    """Send, count, exit with what must not be."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--files", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    rng, sound = random.Random(arguments.seed), seeds()
    names = ("a.png", "a.wav", "a.mp4", "a.jpg", "../../x", "a.webm", "")
    statuses: Counter[int] = Counter()
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as folder, running_server(temporary=Path(folder)) as server:
        before = set(os.listdir(folder))  # ONNX Runtime leaves a file of its own when it is loaded
        memory = []
        with httpx.Client(base_url=server.url, timeout=120) as client:
            for number in range(arguments.files):
                content = damaged(rng.choice(sound), rng)
                answer = client.post("/v1/estimate", files={"file": (rng.choice(names) or "x", content)})
                statuses[answer.status_code] += 1
                if answer.status_code not in ALLOWED:
                    print(answer.status_code, answer.text[:300], content[:48])
                if number % max(1, arguments.files // 10) == 0:
                    memory.append(server.memory_mb())
            memory.append(server.memory_mb())
        left = sorted(set(os.listdir(folder)) - before)
    print(f"{arguments.files} files in {time.monotonic() - began:.0f} s: {dict(sorted(statuses.items()))}")
    print(f"Memory in MB along the way: {', '.join(f'{value:.0f}' for value in memory)}. Files left: {left}.")
    if left or set(statuses) - set(ALLOWED):
        sys.exit("The server failed, or left files.")


if __name__ == "__main__":
    main()
