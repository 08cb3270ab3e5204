"""Malicious uploads: never an error of the server's own, never a file left."""

from __future__ import annotations

import io
import os
import random
import struct
import zipfile
import zlib
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from made_uploads import grey, hum

REFUSED = (413, 415, 422)


def png_of(width: int, height: int) -> bytes:
    """A PNG whose header promises so many pixels, with highly compressed zeros."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    rows = zlib.compress(b"\0" * 1_000_000, 9)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


def zip_bomb() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("a.png", b"\0" * 5_000_000)
    return buffer.getvalue()


def wav_of(seconds: int) -> bytes:
    """A WAV header that promises so many seconds."""
    made = bytearray(hum(1))
    made[40:44] = struct.pack("<I", min(seconds * 32_000, 2**32 - 100))
    return bytes(made)


ATTACKS = {
    "pixel bomb": ("a.png", png_of(60_000, 60_000)),
    "pixels beyond 32 bits": ("a.png", png_of(2**31 - 1, 2**31 - 1)),
    "zip bomb": ("a.zip", zip_bomb()),
    "zip bomb as a picture": ("a.png", zip_bomb()),
    "script": ("a.svg", b"<svg onload='alert(1)' xmlns='http://www.w3.org/2000/svg'/>"),
    "playlist that names another file": ("a.mp4", b"#EXTM3U\n#EXTINF:1,\nfile:///etc/passwd\n"),
    "concat script": ("a.mkv", b"ffconcat version 1.0\nfile /etc/passwd\n"),
    "playlist behind a tag": ("a.m3u8", b"ID3\x03\0\0\0\0\0\0#EXTM3U\n#EXTINF:1,\nfile:///etc/passwd\n"),
    "empty": ("a.wav", b""),
    "PostScript": ("a.eps", b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n(/etc/passwd) (r) file\n"),
}


@pytest.mark.parametrize("attack", ATTACKS)
def test_attacks_are_refused(api: TestClient, attack: str, temporary: Path) -> None:
    """A typed refusal that tells nothing of this machine, and no file left."""
    answer = api.post("/v1/estimate", files={"file": ATTACKS[attack]})
    assert answer.status_code in REFUSED, answer.text
    assert "root:" not in answer.text
    assert os.listdir(temporary) == []


def test_polyglots_are_what_their_first_bytes_say(api: TestClient, png: bytes) -> None:
    """A picture with an archive behind it is a picture; a recording named .png is a recording."""
    both = api.post("/v1/estimate", files={"file": ("a.zip", png + zip_bomb())}, data={"whole_image": "true"})
    assert both.json()["estimates"][0]["modality"] == "face"
    sound = api.post("/v1/estimate", files={"file": ("a.png", hum(3), "image/png")}, data={"whole_audio": "true"})
    assert sound.json()["estimates"][0]["modality"] == "voice"


def test_headers_that_promise_too_much(api: TestClient) -> None:
    """A short file that promises days is refused or read as what is there."""
    assert api.post("/v1/estimate", files={"file": ("a.wav", wav_of(86_400))}).status_code in (200, *REFUSED)


def mutated(seeds: list[tuple[str, bytes]], count: int, seed: int) -> list[tuple[str, bytes]]:
    """Files with flipped, cut, repeated and foreign bytes."""
    rng = random.Random(seed)
    made = []
    for _ in range(count):
        name, content = rng.choice(seeds)
        body = bytearray(content)
        for _ in range(rng.choice((1, 4, 30))):
            at = rng.randrange(max(1, min(len(body), rng.choice((64, 512, len(body) or 1)))))
            action = rng.randrange(4)
            if action == 0 and body:
                body[at] = rng.randrange(256)
            elif action == 1:
                del body[at:]
            elif action == 2:
                body[at:at] = body[at : at + rng.randrange(64)]
            else:
                body[at : at + 8] = rng.randbytes(8)
        made.append((rng.choice((name, "x.png", "x.wav", "x.mp4", "../../x")), bytes(body)))
    return made


def test_mutated_files_never_fail_the_server(api: TestClient, temporary: Path) -> None:
    """Three hundred damaged files: rows or typed refusals, no file left."""
    seeds = [("a.png", grey((32, 32))), ("a.wav", hum(0.5, rate=8000)), ("a.gif", b"GIF89a" + bytes(60))]
    for name, content in mutated(seeds, 300, 7):
        answer = api.post("/v1/estimate", files={"file": (name, content)}, data={"whole_image": "true"})
        assert answer.status_code in (200, *REFUSED), (answer.status_code, answer.text, content[:64])
    assert os.listdir(temporary) == []
