"""`emonet train experts`: heads on a frozen encoder."""

from __future__ import annotations

from pathlib import Path

from rich.console import Console
from rich.text import Text


def experts(recipe: Path, *, output: Path) -> None:
    """Train expert heads on an encoder's features: weak intensities first, then people's labels.

    Goes on where an earlier run with the same recipe stopped.

    Parameters
    ----------
    recipe
        TOML file that names the encoder, the stages and their rated sets; docs/training-experts.md explains it.
    output
        Folder for features, checkpoints, the finished `bundle` and the heads in the `official` layout.
    """
    from emonet.training.experts import train_experts
    from emonet.training.experts._recipe import read_experts_recipe

    console = Console(stderr=True, highlight=False)
    read = read_experts_recipe(recipe)
    card = train_experts(
        read.encoder,
        read.stages,
        output,
        options=read.options,
        name=read.name,
        licence=read.licence,
        progress=lambda text: console.print(Text(text, style="dim")),
    )
    for metric in card.metrics:
        place = f"{metric.value:.3f} [{metric.low:.3f}, {metric.high:.3f}]"
        console.print(Text(f"{metric.dimension}: {metric.name} {place}, {metric.n} items"))
    Console().print(Text(f"bundle: {output / 'bundle'}"))
