"""Media for the page's tests, made from wheels: a portrait, two people, speech, a film, and what fake devices play."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import PIL.Image
import pytest
import soundfile

from emonet.serve.page._examples import examples, make_example


def portrait(path: Path) -> Path:
    """Eileen Collins, NASA, public domain, 512 x 512."""
    path.write_bytes(_example("portrait.png"))
    return path


def two_people(path: Path) -> Path:
    """The same face twice, the second one smaller and turned round."""
    face = PIL.Image.open(io.BytesIO(_example("portrait.png"))).convert("RGB").crop((120, 20, 330, 240))
    picture = PIL.Image.new("RGB", (640, 300), "#8fa3b5")
    picture.paste(face, (40, 40))
    picture.paste(face.transpose(PIL.Image.Transpose.FLIP_LEFT_RIGHT).resize((168, 176)), (400, 70))
    picture.save(path, quality=92)
    return path


def speech(path: Path, *, times: int = 1) -> Path:
    """One synthetic sentence of about 6 s as a 16 bit wav file, `times` in a row."""
    samples, rate = soundfile.read(io.BytesIO(_example("sentence.wav")), dtype="int16")
    pause = np.zeros(rate // 4, np.int16)
    soundfile.write(path, np.concatenate([part for _ in range(times) for part in (samples, pause)]), rate, "PCM_16")
    return path


def film(path: Path, *, seconds: float = 3.0) -> Path:
    """A webm film of the portrait slowly moving, with the sentence as its sound."""
    av = pytest.importorskip("av", reason="the extra `video` is not installed")
    face = PIL.Image.open(io.BytesIO(_example("portrait.png"))).convert("RGB")
    samples, rate = soundfile.read(io.BytesIO(_example("sentence.wav")), dtype="int16")
    with av.open(str(path), "w") as container:
        pictures = container.add_stream("libvpx", rate=8)
        pictures.width, pictures.height, pictures.pix_fmt = 320, 240, "yuv420p"
        pictures.options = {"deadline": "realtime", "cpu-used": "8"}
        sound = container.add_stream("libopus", rate=48000, layout="mono")
        for number in range(int(seconds * 8)):
            shift = number * 2
            frame = face.crop((60 + shift, 0, 380 + shift, 240))
            container.mux(pictures.encode(av.VideoFrame.from_image(frame)))
        container.mux(pictures.encode(None))
        resampler = av.AudioResampler(format="s16", layout="mono", rate=48000)
        block = av.AudioFrame.from_ndarray(samples[None, : int(seconds * rate)], format="s16", layout="mono")
        block.sample_rate = rate
        for part in [*resampler.resample(block), *resampler.resample(None)]:
            container.mux(sound.encode(part))
        container.mux(sound.encode(None))
    return path


def camera_film(path: Path) -> Path:
    """Motion JPEG for Chromium's fake camera: the portrait, 480 x 360."""
    face = PIL.Image.open(io.BytesIO(_example("portrait.png"))).convert("RGB").crop((40, 0, 440, 300))
    buffer = io.BytesIO()
    face.resize((480, 360)).save(buffer, "JPEG", quality=90)
    path.write_bytes(buffer.getvalue() * 4)
    return path


def _example(name: str) -> bytes:
    if name not in {item.name for item in examples()}:
        pytest.skip("the extra `demo` is not installed")
    return make_example(name)
