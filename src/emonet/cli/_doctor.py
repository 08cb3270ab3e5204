"""`emonet doctor`: what is installed and what works here."""

from __future__ import annotations

import os
import platform
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec

from rich.console import Console
from rich.table import Table
from rich.text import Text

import emonet

# What each extra brings, by the package whose presence shows it.
_EXTRAS = {
    "video": ("av", "m4a, webm, mp4 and other video"),
    "openvino": ("openvino", "a second CPU runtime"),
    "torch": ("torch", "LAION's official checkpoints, training"),
}


def doctor() -> int:
    """Say what is installed, load both embedded models and time one estimate with each."""
    console = Console()
    table = Table(box=None, show_header=False, pad_edge=False)
    table.add_row("emonet", f"{emonet.__version__}, Python {platform.python_version()}, {platform.platform()}")
    table.add_row("processor", f"{os.cpu_count()} logical cores")
    table.add_row("onnxruntime", version("onnxruntime"))
    for extra, (package, purpose) in _EXTRAS.items():
        table.add_row(Text(f"extra {extra}"), Text(_state(package, extra, purpose)))
    console.print(table)
    failed = [modality for modality in ("face", "voice") if not _trial(console, modality)]
    return 1 if failed else 0


def _state(package: str, extra: str, purpose: str) -> str:
    if find_spec(package) is None:
        return f"absent; for {purpose}: pip install 'emonet[{extra}]'"
    try:
        return f"{package} {version(package)} ({purpose})"
    except PackageNotFoundError:
        return f"{package}, version unknown ({purpose})"


def _trial(console: Console, modality: str) -> bool:
    """Score generated input once cold and once warm; only speed is shown, the input means nothing."""
    import time

    import numpy as np

    from emonet.errors import EmonetError
    from emonet.models import load_model

    draw = np.random.default_rng(0)
    if modality == "face":
        item = draw.integers(0, 255, (128, 128, 3)).astype(np.uint8)
    else:
        item = draw.normal(0, 0.1, 5 * 16_000).astype(np.float32)
    try:
        start = time.perf_counter()
        model = load_model(modality)
        model.raw_scores([item])
        cold = time.perf_counter() - start
        start = time.perf_counter()
        model.raw_scores([item])
        warm = time.perf_counter() - start
    except EmonetError as error:
        console.print(Text(f"{modality}: {error}", style="red"))
        return False
    unit = "a face" if modality == "face" else "5 s of voice"
    console.print(Text(f"{modality}: loads and scores; first {cold * 1e3:.0f} ms, then {warm * 1e3:.1f} ms for {unit}"))
    return True
