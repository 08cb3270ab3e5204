"""A training from a file, by the command: what is written, and what a wrong file is told."""

from __future__ import annotations

from pathlib import Path

import pytest

from emonet.cli import app
from emonet.datasets import write_rated
from emonet.errors import EmonetError
from emonet.models import read_card
from emonet.training.experts._recipe import read_experts_recipe
from made_rated_pictures import WEAK, labelled

RECIPE = """
encoder = "{encoder}"
name = "lab/experts"
licence = "CC0-1.0"
[options]
hidden = [8]
shares = [0.2, 0.2, 0.2]
[[stage]]
name = "weak"
losses = {{ ordinal = 1.0, rank = 0.2 }}
epochs = 3
[[stage.set]]
kind = "rated"
folder = "weak"
"""


@pytest.fixture
def recipe(tmp_path: Path, face_bundle: Path) -> Path:
    """A recipe beside a folder of rated pictures."""
    made = labelled("weak", WEAK, count=120)
    write_rated(made, tmp_path / "weak", media=True)
    path = tmp_path / "experts.toml"
    path.write_text(RECIPE.format(encoder=face_bundle))
    return path


def test_a_recipe_makes_a_bundle(recipe: Path, tmp_path: Path) -> None:
    """One command, from rated pictures to a bundle whose card says where it comes from."""
    app(["train", "experts", str(recipe), "--output", str(tmp_path / "made")])
    card = read_card(tmp_path / "made" / "bundle")
    assert (card.id, card.licence, card.dimensions) == ("lab/experts", "CC0-1.0", ("amusement", "anger"))
    assert card.training_data[0].items == 120
    assert {metric.name for metric in card.metrics} == {"spearman"}


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('name = "weak"\n', "", r"needs a `name`"),
        ("epochs = 3", 'epochs = "many"', "epochs"),
        ("epochs = 3", "epoch = 3", "epochs"),
        ('kind = "rated"', 'kind = "raded"', "rated"),
        ("hidden = [8]", "hiden = [8]", "hidden"),
        ("encoder", "encodr", "encoder"),
    ],
)
def test_wrong_recipes_are_told(recipe: Path, old: str, new: str, message: str) -> None:
    """The place, and the nearest known name."""
    recipe.write_text(recipe.read_text().replace(old, new, 1))
    with pytest.raises(EmonetError, match=message):
        read_experts_recipe(recipe)
