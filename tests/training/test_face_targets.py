"""Expressions to emotions: votes, the published teacher and the rule that keeps an emotion out."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from emonet.training import read_recipe
from emonet.training._face_targets import KEYS, compose, holm, vote_shares
from emonet.training._manifest import Item

_RECIPE = read_recipe(Path(__file__).parents[2] / "recipes" / "embedded-face.toml")


def _item(label: str, votes: dict[str, int] | None) -> Item:
    extra = {} if votes is None else {"votes": votes}
    return Item(Path("a.jpg"), "a.jpg", "s", "", label, (), "train", "", "", None, extra)


@given(st.lists(st.integers(0, 10), min_size=8, max_size=8), st.integers(0, 10), st.integers(0, 10))
def test_votes_become_shares(counts: list[int], unknown: int, no_face: int) -> None:
    """Shares sum to one and follow the votes; pictures that people could not judge are left out."""
    classes = _RECIPE["targets"]["classes"]
    votes = dict(zip(classes, counts, strict=True)) | {"unknown": unknown, "NF": no_face}
    shares = vote_shares(_item("ambiguous", votes), _RECIPE)
    if shares is None:
        assert sum(counts) < 3 or sum(counts) <= max(unknown, no_face)
    else:
        assert shares.sum() == pytest.approx(1)
        assert shares.argmax() == np.argmax(counts)


def test_a_single_label_is_not_certain() -> None:
    """One labeller's word leaves a little for the other expressions; unknown labels are left out."""
    shares = vote_shares(_item("fear", None), _RECIPE)
    assert shares is not None
    assert shares.max() == pytest.approx(0.86)
    assert shares.sum() == pytest.approx(1)
    assert vote_shares(_item("boredom", None), _RECIPE) is None


def _table(folder: Path, means: dict[str, list[float]]) -> None:
    """A teacher's table with 19 faces of each expression."""
    draw = np.random.default_rng(0)
    names = list(_RECIPE["support"]["intended"].values())
    lines = ["image,intended," + ",".join(means)]
    for number, name in enumerate(names):
        for face in range(19):
            values = [f"{values[number] + draw.normal(0, 0.3):.4f}" for values in means.values()]
            lines.append(f"{face}.jpg,{name}," + ",".join(values))
    path = folder / _RECIPE["support"]["teacher_scores"]
    path.parent.mkdir(parents=True)
    path.write_text("\n".join(lines))


def test_only_emotions_that_the_teacher_tells_apart_are_scored(tmp_path: Path) -> None:
    """An emotion that differs between expressions gets their means; a flat one and an absent one get reasons."""
    _table(tmp_path, {"amusement": [0, 4, 0, 0, 0, 0, 0, 0], "longing": [1.0] * 8})
    composition = compose(_RECIPE, tmp_path)
    happiness = _RECIPE["targets"]["classes"].index("happiness")
    assert composition.weights[:, KEYS.index("amusement")].argmax() == happiness
    assert composition.weights[happiness, KEYS.index("amusement")] == pytest.approx(4, abs=0.3)
    assert composition.evidence["amusement"].kind == "teacher"
    assert composition.evidence["elation"].kind == "direct"
    assert composition.weights[happiness, KEYS.index("elation")] == 7
    assert "longing" in composition.missing
    assert "no such column" in composition.missing["triumph"]
    assert set(composition.evidence) | set(composition.missing) == set(KEYS)


def test_holm_agrees_with_its_definition() -> None:
    """The textbook example: p-values 0.01, 0.02, 0.04 become 0.03, 0.04, 0.04."""
    assert holm({"a": 0.02, "b": 0.01, "c": 0.04}) == pytest.approx({"b": 0.03, "a": 0.04, "c": 0.04})


@pytest.mark.shared
def test_the_published_teacher_supports_what_the_card_says(shared: Path) -> None:
    """The dead heads of LAION's model are left out, the clear ones are in."""
    composition = compose(_RECIPE, shared / "data")
    assert {"longing", "relief", "sourness", "intoxication_altered_states_of_consciousness"} <= set(composition.missing)
    assert {"amusement", "affection", "confusion", "distress"} <= set(composition.evidence)
