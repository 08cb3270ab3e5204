"""Make the demo's two inputs from wheels: a public-domain portrait and one synthesised sentence.

Usage: python examples/demo_media.py FOLDER
Writes FOLDER/astronaut.png (NASA, public domain, from scikit-image's wheel) and FOLDER/sentence.wav (eSpeak NG).
"""

from __future__ import annotations

import ctypes
import os
import sys
from pathlib import Path

import espeakng_loader
import numpy as np
import PIL.Image
import skimage.data
import soundfile

SENTENCE = "Oh no, I am so sorry! I can not believe that this has happened. What a terrible day. I miss them so much."
_SYNCHRONOUS, _UTF8 = 2, 1  # espeak_AUDIO_OUTPUT, espeakCHARS: values of espeak-ng's speak_lib.h


def portrait(path: Path) -> None:
    """Astronaut Eileen Collins, NASA, public domain, 512 x 512."""
    PIL.Image.fromarray(skimage.data.astronaut()).save(path)


def sentence(path: Path, text: str = SENTENCE) -> None:
    """`text` spoken by eSpeak NG into a 16-bit wav file."""
    espeak = ctypes.CDLL(espeakng_loader.get_library_path())
    rate = espeak.espeak_Initialize(_SYNCHRONOUS, 200, espeakng_loader.get_data_path().encode(), 0)
    if rate <= 0:
        sys.exit(
            "demo_media: eSpeak NG could not be started; reinstall with: pip install --force-reinstall espeakng-loader"
        )
    blocks: list[np.ndarray] = []

    @ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.c_void_p)
    def keep(samples, count, _events):
        if count > 0:
            blocks.append(np.ctypeslib.as_array(samples, (count,)).copy())
        return 0

    espeak.espeak_SetSynthCallback(keep)
    espeak.espeak_SetVoiceByName(b"en-us")
    spoken = text.encode() + b"\0"
    espeak.espeak_Synth(spoken, ctypes.c_size_t(len(spoken)), 0, 0, 0, _UTF8, None, None)
    espeak.espeak_Synchronize()
    temporary = path.with_suffix(".part.wav")
    soundfile.write(temporary, np.concatenate(blocks), rate, subtype="PCM_16")
    os.replace(temporary, path)


if __name__ == "__main__":
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    portrait(folder / "astronaut.png")
    sentence(folder / "sentence.wav")
