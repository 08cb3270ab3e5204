"""`emonet train`: make the models that the package ships, from labelled media."""

from __future__ import annotations

from pathlib import Path

from cyclopts import App
from rich.console import Console
from rich.text import Text

from emonet.cli._train_experts import experts

app = App(name="train", help="Train the embedded models and the face detector from a recipe (extra `torch`).")
app.command(experts)


@app.command
def embedded(recipe: Path, *, data: Path, output: Path, resume: bool = True) -> None:
    """Train an embedded face or voice model and write its bundle with a measured card.

    Parameters
    ----------
    recipe
        A file of `recipes/`; it names the modality, seed, network, sources and the rules for supported emotions.
    data
        Folder with `manifest.csv` and the media it lists. The recipe names the public sources.
    output
        Folder for checkpoints, the cache of decoded media and the finished `bundle`.
    resume
        Go on from the last complete epoch found in `output`.
    """
    from emonet.training import train_embedded

    Console().print(Text(f"bundle: {train_embedded(recipe, data=data, output=output, resume=resume)}"))


@app.command
def detector(recipe: Path, *, data: Path, output: Path) -> None:
    """Train the small face detector and measure it.

    Parameters
    ----------
    recipe
        recipes/face-detector.toml or a copy of it.
    data
        Folder with `manifest.csv` and the pictures it lists.
    output
        Folder for checkpoints and the finished ONNX file with its card.
    """
    from emonet.training import train_detector

    Console().print(Text(f"detector: {train_detector(recipe, data=data, output=output)}"))
