"""`emonet doctor`: what is installed, what works here, and which runtime and precision to use."""

from __future__ import annotations

import platform
from importlib.util import find_spec
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table
from rich.text import Text

import emonet

if TYPE_CHECKING:
    from collections.abc import Sequence

    from emonet.models._remembered import Timing
    from emonet.models._trials import Skipped

# What each extra brings, by the package whose presence shows it.
_EXTRAS = {
    "video": ("av", "m4a, webm, mp4 and other video"),
    "openvino": ("openvino", "a second CPU runtime"),
    "torch": ("torch", "LAION's official checkpoints, training"),
}
_TITLES = {
    "face": "face models, crops",
    "voice": "voice models, clips of 3 s",
    "transformer": "LAION's encoders, layers",
}


def doctor(*models: str, seconds: float = 20.0, remember: bool = True, forget: bool = False) -> int:
    """Say what is installed, load both embedded models, find the fastest way to run models here and remember it.

    What is remembered is what the runtime and precision "auto" mean from then on, until the processor or a version
    changes. A precision is chosen only where its scores keep fp32's order (Spearman 0.995 in every dimension).

    Parameters
    ----------
    models
        More models to time, as `emonet estimate --model` takes them; these may need minutes to load.
    seconds
        Time for the timings; 0 leaves them out.
    remember
        Keep the answer for "auto".
    forget
        Forget an earlier answer, so that "auto" is ONNX Runtime in fp32 again, and time nothing.
    """
    from emonet.models import _remembered

    console = Console()
    console.print(_installed())
    failed = [modality for modality in ("face", "voice") if not _trial(console, modality)]
    if forget:
        _remembered.forget()
        console.print(Text("Forgotten: auto is onnxruntime fp32."))
    elif seconds > 0 and not failed:
        _advise(console, models, seconds, keep=remember)
    return 1 if failed else 0


def _installed() -> Table:
    from emonet.models._remembered import cores, package_version, processor, processor_flags

    table = Table(box=None, show_header=False, pad_edge=False)
    table.add_row("emonet", f"{emonet.__version__}, Python {platform.python_version()}, {platform.platform()}")
    table.add_row("processor", Text(f"{processor()}, {cores()} logical cores"))
    if flags := processor_flags():
        table.add_row("arithmetic", " ".join(flags))
    table.add_row("onnxruntime", package_version("onnxruntime") or "absent")
    for extra, (package, purpose) in _EXTRAS.items():
        table.add_row(Text(f"extra {extra}"), Text(_state(package, extra, purpose)))
    return table


def _state(package: str, extra: str, purpose: str) -> str:
    from emonet.models._remembered import package_version

    if find_spec(package) is None:
        return f"absent; for {purpose}: pip install 'emonet[{extra}]'"
    found = f"{package} {package_version(package) or '(version unknown)'}"
    if package == "openvino":
        import openvino

        abilities = openvino.Core().get_property("CPU", "OPTIMIZATION_CAPABILITIES")
        return f"{found} ({purpose}; computes {', '.join(abilities)})"
    return f"{found} ({purpose})"


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
    console.print(
        Text(
            f"{modality}: loads and scores with {model.session.name}; first {cold * 1e3:.0f} ms, then "
            f"{warm * 1e3:.1f} ms for {unit}"
        )
    )
    return True


def _advise(console: Console, models: Sequence[str], seconds: float, *, keep: bool) -> None:
    """Time, show, remember and say what follows."""
    from emonet.models._remembered import remember
    from emonet.models._trials import time_runtimes

    with console.status("timing") as status:
        timings, skipped = time_runtimes(("face", "voice", *models), seconds=seconds, say=status.update)
    console.print(_table(timings))
    console.print(Text("Ratios, correlations and differences are against the first line of each; items are generated."))
    for one in _distinct(skipped):
        console.print(Text(one, style="yellow"))
    if not keep:
        return
    try:
        path = remember(timings)
    except OSError as error:
        console.print(Text(f"Not remembered, auto stays as it was: {error}. Set EMONET_HOME to a folder that may be "
                           "written.", style="yellow"))  # fmt: skip
        return
    for line in advice(("face", "voice", *models), timings):
        console.print(Text(line))
    console.print(Text(f"Remembered in {path} until the processor or a version changes; undo with --forget."))


def _table(timings: Sequence[Timing]) -> Table:
    """Speed and accuracy of each way; ratios are to ONNX Runtime in fp32, differences from it."""
    table = Table(box=None, pad_edge=False)
    table.add_column("", no_wrap=True)
    for heading in ("runtime", "precision", "threads"):
        table.add_column(heading)
    for heading in ("per second", "times as fast", "lowest rank correlation", "largest difference"):
        table.add_column(heading, justify="right")
    base, before = 1.0, ""
    for timing in timings:
        title = timing.model.partition("@")[0] or _TITLES[timing.kind]
        if title != before:
            base = timing.per_second
        table.add_row(
            Text("" if title == before else title),
            timing.runtime,
            timing.precision,
            str(timing.threads or "all"),
            f"{timing.per_second:.1f}",
            f"{timing.per_second / base:.2f}",
            "" if timing.rank_correlation is None else f"{timing.rank_correlation:.4f}",
            "" if timing.max_difference is None else f"{timing.max_difference:.2g}",
        )
        before = title
    return table


def _distinct(skipped: Sequence[Skipped]) -> list[str]:
    """Each reason once, with the ways that it concerns."""
    reasons: dict[str, list[str]] = {}
    for one in skipped:
        reasons.setdefault(one.reason, []).append(f"{one.runtime} {one.precision} ({one.kind})")
    return [f"{', '.join(dict.fromkeys(ways))}: {reason}" for reason, ways in reasons.items()]


def advice(models: Sequence[str], timings: Sequence[Timing]) -> list[str]:
    """What auto means now for each model, and why; then what to do about LAION's suites."""
    from emonet.models import RANK_BOUND, read_card, resolve_model
    from emonet.models._remembered import choose, fastest, is_near, name_of

    lines = []
    for name in models:
        card = read_card(resolve_model(name))
        chosen = choose(card)
        own = [timing for timing in timings if timing.model == name_of(card)]
        quickest = max(own, key=lambda timing: timing.per_second)
        threads = "all threads" if chosen.threads is None else f"{chosen.threads} thread"
        line = f"auto for {name}: {chosen.runtime} {chosen.precision}, {threads}"
        taken = next(t for t in own if (t.runtime, t.precision, t.threads) == chosen)
        if taken is own[0]:
            line += "; nothing that keeps the order of the scores is a tenth faster."
        else:
            line += f"; {taken.per_second / own[0].per_second:.1f} times as fast as {own[0].runtime} fp32."
        if not is_near(card, quickest):
            line += (
                f" {quickest.runtime} {quickest.precision} is faster, but ranks items otherwise than fp32 (lowest "
                f"correlation {quickest.rank_correlation or 0:.4f}, {RANK_BOUND} is asked for)."
            )
        lines.append(line)
    layers = [timing for timing in timings if timing.kind == "transformer" and not timing.model]
    if layers:
        exact = fastest([timing for timing in layers if timing.precision == "fp32"])
        best = max(layers, key=lambda timing: timing.per_second)
        line = f"auto for LAION's suites: {exact.runtime} fp32"
        if best.precision != "fp32":
            gain = best.per_second / exact.per_second
            line += (
                f"; {best.runtime} {best.precision} ({gain:.1f} times as fast) or the fastest precision that a suite "
                "has, once `emonet models verify` has passed it on your files"
            )
        lines.append(f"{line}.")
    return lines
