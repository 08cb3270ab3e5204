"""The local synthesiser: eSpeak NG, Debian's program or the wheel's library, in processes of its own."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from emonet.errors import MissingExtraError, UsageError
from emonet.synthesis.voices._data import accents_of, cast, challenge
from emonet.synthesis.voices._prosody import ssml_of
from emonet.synthesis.voices._records import Effort, Order, Script, Take

_TIMEOUT_S = 60.0
_SECONDS = 0.16
"""Synthesis, finishing and packing of one clip on one core of a server (benchmarks/voice_acting.py)."""
_AHEAD = 4  # orders under way for each process: bounds the memory


@dataclass(frozen=True, slots=True)
class EspeakGenerator:
    """Speaks with eSpeak NG. `program`: its path, or empty for the library of the wheel `espeakng-loader`; `workers`:
    processes at a time. Make one with `load_espeak`."""

    program: str
    version: str
    workers: int = 2

    @property
    def name(self) -> str:
        return self.version

    @property
    def licence(self) -> str:
        # The program's licence (GPL 3) does not reach what it speaks; the sentences are the package's.
        return "Apache-2.0"

    def accents(self, language: str) -> tuple[str, ...]:
        return tuple(one.name for one in accents_of(language) if one.espeak)

    def takes(self, orders: Sequence[Order]) -> Iterator[Take]:
        with ThreadPoolExecutor(self.workers) as threads:  # each waits for a process of the synthesiser
            under_way: list[Future[Take]] = []
            for order in orders:
                under_way.append(threads.submit(self._take, order))
                if len(under_way) >= _AHEAD * self.workers:
                    yield under_way.pop(0).result()
            for future in under_way:
                yield future.result()

    def effort(self, scripts: Sequence[Script]) -> Effort:
        return Effort(len(scripts), seconds=_SECONDS * len(scripts), remarks=(f"local: {self.version}, no costs",))

    def _take(self, order: Order) -> Take:
        with tempfile.TemporaryDirectory(prefix="emonet-espeak-") as folder:
            output = Path(folder) / "take.wav"
            voice = self.voice(order.script)
            if self.program:
                command = [self.program, "-m", "-b", "1", "-v", voice, "--stdin", "-w", str(output)]
            else:
                library = Path(__file__).with_name("_espeak_library.py")
                command = [sys.executable, str(library), voice, str(output)]
            try:
                done = subprocess.run(
                    command, input=ssml_of(order).encode(), capture_output=True, timeout=_TIMEOUT_S, check=False
                )
            except (OSError, subprocess.TimeoutExpired) as error:
                return Take(order, fault=f"eSpeak NG did not speak: {error}")
            said = done.stderr.decode(errors="replace").strip()
            if done.returncode or not output.is_file():
                return Take(order, fault=f"eSpeak NG ended with {done.returncode}: {said[-300:]}")
            return Take(order, output.read_bytes())

    def voice(self, script: Script) -> str:
        """eSpeak NG's name of the script's voice and accent, such as "en-gb+f2". Raises `UsageError` where it has no
        such accent."""
        part = script.part
        found = next((one for one in accents_of(part.language) if one.name == part.accent), None)
        if found is None or not found.espeak:
            known = ", ".join(self.accents(part.language))
            raise UsageError(f"eSpeak NG has no accent {part.accent!r} of {part.language}; it has {known}.")
        actor = cast(part.voice)
        if challenge(part.challenge).whisper:
            return f"{found.espeak}+{'whisperf' if actor.gender == 'female' else 'whisper'}"
        return f"{found.espeak}+{actor.espeak}"


def load_espeak(*, workers: int = 2) -> EspeakGenerator:
    """The synthesiser of this machine. Raises `MissingExtraError` when there is neither the program nor the wheel."""
    if workers < 1:
        raise UsageError(f"workers is {workers}; expected 1 or more.")
    program = shutil.which("espeak-ng")
    if program:
        said = subprocess.run([program, "--version"], capture_output=True, text=True, timeout=_TIMEOUT_S, check=False)
        words = said.stdout.replace(":", " ").split()
        number = next((word for word in words if word[:1].isdigit()), "")
        return EspeakGenerator(program, f"eSpeak NG {number}".strip(), workers)
    if find_spec("espeakng_loader"):
        from importlib.metadata import version

        return EspeakGenerator("", f"eSpeak NG (espeakng-loader {version('espeakng-loader')})", workers)
    raise MissingExtraError("Speaking offline (or Debian's package espeak-ng)", "demo", "espeakng-loader")
