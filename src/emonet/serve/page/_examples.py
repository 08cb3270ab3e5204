"""Media to try at once, made on this machine from wheels of the extra `demo`; without the extra there are none."""

from __future__ import annotations

import ctypes
import io
from dataclasses import dataclass
from functools import lru_cache
from importlib.util import find_spec
from threading import Lock

import numpy as np
from numpy.typing import NDArray

from emonet.errors import MediaError, require

SENTENCE = "Oh no, I am so sorry! I can not believe that this has happened. What a terrible day. I miss them so much."
_SYNCHRONOUS, _UTF8 = 2, 1  # espeak_AUDIO_OUTPUT, espeakCHARS: values of espeak-ng's speak_lib.h
_speaking = Lock()  # eSpeak NG keeps its state in the process


@dataclass(frozen=True, slots=True)
class Example:
    """A file that can be made here. `needs`: the package that makes it."""

    name: str
    title: str
    credit: str
    media_type: str
    needs: str

    def public(self) -> dict[str, str]:
        """What the page shows."""
        return {"name": self.name, "title": self.title, "credit": self.credit, "type": self.media_type}


_EXAMPLES = (
    Example("portrait.png", "A portrait", "Eileen Collins, NASA, public domain", "image/png", "skimage"),
    Example("sentence.wav", "A spoken sentence", "a synthetic voice, eSpeak NG", "audio/wav", "espeakng_loader"),
)


@lru_cache(maxsize=1)
def examples() -> tuple[Example, ...]:
    """The examples whose packages are installed."""
    return tuple(item for item in _EXAMPLES if find_spec(item.needs) is not None)


@lru_cache(maxsize=len(_EXAMPLES))
def make_example(name: str) -> bytes:
    """The file's bytes. `MissingExtraError` without the extra `demo`; `MediaError` when speech cannot be made."""
    return _portrait() if name == "portrait.png" else _sentence()


def _portrait() -> bytes:
    require("skimage", extra="demo", feature="The example portrait")
    import PIL.Image
    import skimage.data

    buffer = io.BytesIO()
    PIL.Image.fromarray(skimage.data.astronaut()).save(buffer, "PNG", optimize=True)
    return buffer.getvalue()


def _sentence() -> bytes:
    require("espeakng_loader", extra="demo", feature="The example sentence")
    import soundfile

    with _speaking:
        samples, rate = _spoken(SENTENCE)
    buffer = io.BytesIO()
    soundfile.write(buffer, samples, rate, format="WAV", subtype="PCM_16")
    return buffer.getvalue()


def _spoken(text: str) -> tuple[NDArray[np.int16], int]:
    """int16 [samples] and their rate in Hz, from eSpeak NG's library through its C interface."""
    import espeakng_loader

    espeak = ctypes.CDLL(espeakng_loader.get_library_path())
    rate: int = espeak.espeak_Initialize(_SYNCHRONOUS, 200, espeakng_loader.get_data_path().encode(), 0)
    if rate <= 0:
        raise MediaError(
            "sentence.wav",
            "eSpeak NG could not be started; reinstall it: pip install --force-reinstall espeakng-loader",
        )
    blocks: list[NDArray[np.int16]] = []

    @ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.c_void_p)
    def keep(samples, count, _events):  # type: ignore[no-untyped-def]  # called from C
        if count > 0:
            blocks.append(np.ctypeslib.as_array(samples, (count,)).copy())
        return 0

    espeak.espeak_SetSynthCallback(keep)
    espeak.espeak_SetVoiceByName(b"en-us")
    spoken = text.encode() + b"\0"
    espeak.espeak_Synth(spoken, ctypes.c_size_t(len(spoken)), 0, 0, 0, _UTF8, None, None)
    espeak.espeak_Synchronize()
    return np.concatenate(blocks), rate
