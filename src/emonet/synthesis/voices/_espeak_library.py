"""eSpeak NG from the wheel `espeakng-loader`, as a program: SSML on standard input, a WAV file as output.

Usage: python _espeak_library.py VOICE OUTPUT.wav
It is a process of its own, as the library (GPL 3) keeps global state; nothing of emonet is imported here.
"""

from __future__ import annotations

import ctypes
import sys
import wave
from typing import Any

_SYNCHRONOUS, _UTF8, _SSML = 2, 1, 0x10  # espeak_AUDIO_OUTPUT, espeakCHARS, espeakSSML: values of speak_lib.h


def main(voice: str, output: str) -> int:
    """Speak standard input with a voice; 0, or 1 after a message on standard error."""
    import espeakng_loader

    espeak: Any = ctypes.CDLL(espeakng_loader.get_library_path())
    rate = espeak.espeak_Initialize(_SYNCHRONOUS, 200, espeakng_loader.get_data_path().encode(), 0)
    if rate <= 0:
        print("eSpeak NG could not be started", file=sys.stderr)
        return 1
    blocks: list[bytes] = []

    def keep(samples: Any, count: int, _events: Any) -> int:
        if count > 0:
            blocks.append(ctypes.string_at(samples, 2 * count))
        return 0

    kind = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.c_void_p)
    callback = kind(keep)  # kept alive until the end
    espeak.espeak_SetSynthCallback(callback)
    if espeak.espeak_SetVoiceByName(voice.encode()):
        print(f"eSpeak NG has no voice {voice}", file=sys.stderr)
        return 1
    spoken = sys.stdin.buffer.read() + b"\0"
    espeak.espeak_Synth(spoken, ctypes.c_size_t(len(spoken)), 0, 0, 0, _UTF8 | _SSML, None, None)
    espeak.espeak_Synchronize()
    with wave.open(output, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(b"".join(blocks))
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:3]))
