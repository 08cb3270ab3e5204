"""Speech in recordings, cut into windows for the model."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from emonet.estimation._pieces import Check, Piece, VoiceOptions, go_on
from emonet.media import Region, WindowPolicy, WindowReport, speech_windows
from emonet.models import AudioPreprocessing, Card


def window_policy(card: Card, options: VoiceOptions) -> WindowPolicy:
    """The policy by which recordings are cut for the model of `card`."""
    spec = card.preprocessing
    longest = spec.window_s if isinstance(spec, AudioPreprocessing) else WindowPolicy().max_s
    return WindowPolicy(max_s=options.window_s or longest, detector="none" if options.whole_audio else "silero")


def voice_pieces(path: Path, policy: WindowPolicy, *, check: Check = go_on) -> Iterator[Piece]:
    """Windows of speech in the order of time, or one piece without an item that says why there is none."""
    report = WindowReport()
    for window in speech_windows(path, policy, report=report, check=check):
        yield Piece(window.region, window.samples)
    if not report.windows:
        yield Piece(Region(), status=report.status, message=report.message)
