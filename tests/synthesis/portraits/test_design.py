"""Designs: even by construction, whatever the numbers; prompts that say what the design asks for."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emonet.errors import UsageError
from emonet.synthesis.portraits import (
    Factor,
    Level,
    audit_design,
    design_portraits,
    measure_balance,
    read_factors,
    write_prompts,
)
from emonet.taxonomy import EMOTIONS


def made_factors(sizes: list[int]) -> tuple[Factor, ...]:
    return tuple(
        Factor(f"f{i}", tuple(Level(f"{i}.{level}", f"{i}.{level}") for level in range(size)))
        for i, size in enumerate(sizes)
    )


@settings(max_examples=40)
@given(count=st.integers(1, 150), sizes=st.lists(st.integers(1, 7), min_size=2, max_size=5), seed=st.integers(0, 100))
def test_every_level_and_every_pair_with_an_anchor_is_even(count: int, sizes: list[int], seed: int) -> None:
    """For any number of portraits and levels: no two counts differ by more than one."""
    factors = made_factors(sizes)
    design = design_portraits(count, factors, seed=seed)
    balance = measure_balance(design.names, design.rows, factors)
    assert len(design.rows) == count
    assert max(balance.spread.values()) <= 1
    anchored = [value for (one, other), value in balance.pairs.items() if one in ("f0", "f1")]
    assert max(anchored) <= 1


def test_the_published_grid_of_1260_portraits() -> None:
    """40 emotions, 14 ethnicities, 7 ages, 3 genders and four more factors: the audit proves the balance."""
    design = design_portraits(1260, read_factors(), seed=7)
    audit = audit_design(design)
    assert set(audit.designed.counts["ethnicity"].values()) == {90}
    assert set(audit.designed.counts["age"].values()) == {180}
    assert set(audit.designed.counts["gender"].values()) == {420}
    assert set(audit.designed.counts["emotion"].values()) == {31, 32}
    assert all(value <= 1 for pair, value in audit.designed.pairs.items() if {"emotion", "ethnicity"} & set(pair))
    assert max(audit.designed.pairs.values()) <= 3
    demographic = [value for pair, value in audit.association.items() if "emotion" not in pair]
    assert max(demographic) < 0.05
    assert all(empty == 0 for empty in audit.empty.values())


def test_designs_follow_from_their_seed() -> None:
    factors = read_factors()
    assert design_portraits(100, factors, seed=1) == design_portraits(100, factors, seed=1)
    assert design_portraits(100, factors, seed=1).rows != design_portraits(100, factors, seed=2).rows


def test_prompts_say_what_the_design_asks_for() -> None:
    """Person, emotion, intensity and setting in words; one whole face; no prompt twice."""
    design = design_portraits(240, read_factors(), seed=3)
    prompts = write_prompts(design)
    words = {emotion.key: emotion.words for emotion in EMOTIONS}
    factors = {factor.name: factor for factor in design.factors}
    for prompt in prompts:
        text = prompt.text.casefold()
        for name in ("ethnicity", "gender", "age"):
            assert prompt.levels[name].casefold() in text
        for name in ("camera", "light", "background"):
            assert factors[name].words(prompt.levels[name]).casefold() in text
        assert set(prompt.words) <= set(words[prompt.levels["emotion"]])
        assert all(word.casefold() in text for word in prompt.words)
        assert "face" in text
        assert "{" not in text
    assert len({prompt.text for prompt in prompts}) > 200
    assert write_prompts(design) == prompts


def test_factors_of_ones_own(tmp_path: Path) -> None:
    """A file in place of the package's; its words stand in the prompts."""
    path = tmp_path / "factors.toml"
    path.write_text(
        '[[factor]]\nname = "emotion"\nlevels = ["Anger", "awe"]\n'
        '[[factor]]\nname = "hat"\nlevels = ["none", { name = "red", words = "wearing a red hat" }]\n'
    )
    design = design_portraits(8, read_factors(path))
    assert {row[0] for row in design.rows} == {"anger", "awe"}
    assert sum("wearing a red hat" in prompt.text for prompt in write_prompts(design)) == 4


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "two .*tables or more"),
        ('[[factor]]\nname = "age"\nlevels = [1]\n[[factor]]\nname = "hat"\nlevels = [1]\n', "`emotion` is missing"),
        ('[[factor]]\nname = "emotion"\n[[factor]]\nname = "hat"\nlevels = []\n', "'hat' needs levels"),
        ('[[factor]]\nname = "emotion"\n[[factor]]\nname = "hat"\nlevels = [1, 1]\n', "a name of its own"),
        ("[[factor", "not valid TOML"),
    ],
)
def test_wrong_factor_files_are_told(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "factors.toml"
    path.write_text(text)
    with pytest.raises(UsageError, match=message):
        read_factors(path)
