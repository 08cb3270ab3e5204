"""`emonet train`: make the models that the package ships, from labelled media."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from cyclopts import App
from rich.console import Console
from rich.text import Text

from emonet.cli._train_experts import experts

app = App(name="train", help="Train the embedded models, the face detector, expert heads and voice captioners.")
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


@app.command
def captioner(
    *,
    data: list[str],
    base: str,
    output: Path,
    recipe: Path | None = None,
    revision: str | None = None,
    epochs: int | None = None,
    batch: int | None = None,
    seed: int | None = None,
    device: str = "auto",
    resume: bool = True,
) -> None:
    """Fine-tune a Whisper that describes voices (extra `caption`); go on from the checkpoint in `output`.

    Parameters
    ----------
    data
        Shards with sound files and captions (`captions` or `caption` in each sample's JSON), folders or patterns.
    base
        The Whisper to begin with: a Hub id such as openai/whisper-small or laion/BUD-E-Whisper, or a folder.
    output
        Folder for checkpoints and the finished `model` with its card.
    recipe
        recipes/captioner.toml or a copy of it; without it the built-in settings.
    revision
        Commit, tag or branch of `base` on the Hub.
    epochs, batch, seed
        In place of the recipe's.
    device
        auto, cpu or cuda.
    resume
        Go on from the checkpoint found in `output`; --no-resume begins again.
    """
    from dataclasses import replace

    from emonet.captions.whisper import CaptionerRecipe, read_captioner_recipe, train_captioner

    console = Console()
    settings = read_captioner_recipe(recipe) if recipe else CaptionerRecipe()
    given: dict[str, Any] = {"epochs": epochs, "batch": batch, "seed": seed}
    settings = replace(settings, **{name: value for name, value in given.items() if value is not None})
    trained = train_captioner(
        settings,
        data=data,
        base=base,
        output=output,
        revision=revision,
        resume=resume,
        device=device,
        progress=lambda said: console.print(Text(said)),
    )
    console.print(Text(f"captioner: {trained.folder}"))
