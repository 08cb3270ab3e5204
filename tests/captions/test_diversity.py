"""Diversity: repeated texts, varied texts, and whether a text betrays its template."""

from __future__ import annotations

import random

import pytest

from emonet.captions import TEMPLATES, caption_scores, diversity
from emonet.errors import UsageError


def test_repeating_is_not_diverse() -> None:
    """The same text again and again against texts without a common word."""
    same = diversity(["a very sad voice"] * 10)
    other = diversity([" ".join(f"word{4 * i + k}" for k in range(4)) for i in range(10)])
    assert same.distinct == pytest.approx((0.1, 0.1, 0.1))
    assert other.distinct == (1.0, 1.0, 1.0)
    assert same.self_bleu > 99
    assert other.self_bleu < 1


def test_templates_are_told_apart_and_shuffled_groups_are_not() -> None:
    """Captions made by rule give their template away; against random groups the classifier is near chance."""
    draw = random.Random(0)
    names = ("anger", "sadness", "fear", "amusement", "awe", "relief")
    texts, groups = [], []
    for number in range(240):
        scores = {name: draw.uniform(0, 4) for name in names}
        template = TEMPLATES[number % 6]
        texts.append(caption_scores(scores, template=template, seed=number, always=()).text)
        groups.append(template)
    told = diversity(texts, groups)
    draw.shuffle(groups)
    mixed = diversity(texts, groups)
    assert told.predictability is not None
    assert mixed.predictability is not None
    assert told.predictability.low > 0.8
    assert mixed.predictability.low < mixed.chance < told.predictability.low  # type: ignore[operator]


def test_several_texts_of_one_caption_betray_no_template() -> None:
    """Variants share what they say, which is no trace of a template: those of one caption must stay in one fold."""
    draw = random.Random(0)
    words = [f"word{i}" for i in range(300)]
    texts, groups, sources = [], [], []
    for caption in range(66):
        content = draw.sample(words, 6)
        for _ in range(3):
            texts.append(" ".join(draw.sample(content, 6)))
            groups.append(str(caption % 11))
            sources.append(str(caption))
    apart, together = diversity(texts, groups), diversity(texts, groups, sources=sources)
    assert apart.predictability is not None
    assert together.predictability is not None
    assert together.chance is not None
    assert apart.predictability.low > 0.9  # what ignoring the sources would tell
    assert together.predictability.low <= together.chance
    assert together.predictability.value < 0.25


@pytest.mark.parametrize(("texts", "groups"), [(["one"], None), (["a", "b"], ["x"]), (["a", "b"], ["x", "y"])])
def test_too_little_to_measure(texts: list[str], groups: list[str] | None) -> None:
    with pytest.raises(UsageError):
        diversity(texts, groups)
