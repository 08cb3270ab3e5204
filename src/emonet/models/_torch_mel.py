"""Whisper's log-mel of a batch of clips on the device that reads it; the same numbers as models/_logmel.py.

Shapes: n clips, S samples of a window, F = 201 frequency bins, M mel bands, T frames.
"""

from __future__ import annotations

from typing import Any

from emonet.errors import require
from emonet.models._logmel import HOP, N_FFT, mel_filterbank


def batch_log_mel(samples: Any, *, n_mels: int) -> Any:
    """float32 [n, S], each clip zero-padded to the window, → float32 [n, M, S // 160] on the same device."""
    torch = require("torch", extra="torch", feature="The runtime torch")
    window = torch.hann_window(N_FFT, device=samples.device)
    spectrum = torch.stft(samples, N_FFT, HOP, window=window, return_complex=True)[:, :, :-1]  # [n, F, T]
    bank = torch.from_numpy(mel_filterbank(n_mels)).to(samples.device)  # [F, M]
    power = bank.T @ spectrum.abs().square()  # [n, M, T]
    log = power.clamp(min=1e-10).log10()
    floor = log.amax(dim=(1, 2), keepdim=True) - 8.0
    return (log.maximum(floor) + 4.0) / 4.0
