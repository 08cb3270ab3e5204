"""The text of captions: templates, seeds, baselines, and the scores of real estimates."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from captions.made_scores import made_baseline, made_scores
from emonet.captions import (
    TEMPLATES,
    Baseline,
    baseline_for,
    caption_estimate,
    caption_estimates,
    caption_scores,
    clip_seed,
    make_baseline,
    mentions,
    read_baseline,
    sentence_seed,
    write_baseline,
)
from emonet.captions._wording import attribute_phrase, wording
from emonet.errors import UnknownNameError, UsageError
from emonet.estimation import Estimate
from emonet.media import Region

BASELINE = made_baseline()


@pytest.mark.parametrize("template", TEMPLATES)
def test_every_phrase_is_in_the_text_in_the_order_of_the_record(template: str) -> None:
    for clip in range(40):
        caption = caption_scores(made_scores(clip), baseline=BASELINE, template=template, seed=clip)
        assert caption.template == template
        if template == "tags":
            continue
        text, reached = caption.text.casefold(), 0
        for said in caption.attributes:
            found = text.find(attribute_phrase(said).casefold(), reached)
            assert found >= 0, (said, caption.text)
            reached = found
        for trait in caption.traits.values():
            assert trait.casefold() in text


@pytest.mark.parametrize("template", TEMPLATES)
def test_a_clip_without_anything_unusual_says_so(template: str) -> None:
    said = caption_scores({"anger": 1.0}, baseline=BASELINE, template=template)
    assert said.text == "A voice that stands out in nothing that was measured."
    assert caption_scores({}, baseline=made_baseline("face"), template=template).text.startswith("A face")


def test_templates_differ() -> None:
    texts = {caption_scores(made_scores(4), baseline=BASELINE, template=name).text for name in TEMPLATES}
    assert len(texts) == len(TEMPLATES) == 11


def test_synonyms_rotate_with_the_seed() -> None:
    texts = {caption_scores({"anger": 9.0}, baseline=BASELINE, seed=seed).text for seed in range(50)}
    assert texts == {f"Heard in this voice: extremely {word}." for word in wording().emotions["anger"].adjectives}


def test_the_random_template_is_one_of_the_eleven_and_follows_the_seed() -> None:
    used = {caption_scores(made_scores(2), baseline=BASELINE, template="random", seed=s).template for s in range(300)}
    assert used == set(TEMPLATES)


def test_another_process_writes_the_same_text() -> None:
    code = "from emonet.captions import caption_scores as c; print(c({'anger': 3, 'awe': 2, 'pride': 2}, seed=7).text)"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == caption_scores({"anger": 3, "awe": 2, "pride": 2}, seed=7).text


def test_an_unknown_template_is_refused_with_the_known_ones() -> None:
    with pytest.raises(UnknownNameError, match="emotion_first"):
        caption_scores({}, template="emotion-first")


def test_named_bursts_are_said_and_are_no_emotions() -> None:
    caption = caption_scores({"sadness": 9.0}, baseline=BASELINE, bursts=("Nervous Giggle", "Sigh of Relief"))
    assert "Nervous Giggle" in caption.text
    assert caption.bursts == ("Nervous Giggle", "Sigh of Relief")
    assert mentions(caption.text).present[0] == "sadness"


def test_seeds_of_clips_and_sentences_follow_the_published_rule() -> None:
    assert clip_seed(3, 17) == 3 * 1_000_003 + 17
    assert sentence_seed(5, 0) == 5 ^ 0x9E3779B1
    assert sentence_seed(5, 1) == 5 ^ (2 * 0x9E3779B1)
    assert clip_seed(1, "a") != clip_seed(1, "b")


def test_no_word_belongs_to_two_emotions() -> None:
    owners: dict[str, str] = {}
    for key, words in wording().emotions.items():
        for word in (*words.adjectives, *words.nouns, *words.known):
            assert owners.setdefault(word, key) == key, word
    assert not set(owners) & set(wording().unclear)


def test_every_attribute_phrase_is_free_of_emotions() -> None:
    for words in wording().attributes.values():
        for phrase in (words.high, words.low, words.average, words.name, *words.bands):
            assert mentions(f"it is very {phrase}").places == (), phrase


def estimate(i: int, *, value: float | None = None, model: str = "test/voice", status: str = "ok") -> Estimate:
    """A window with three emotions, one of which the model cannot judge."""
    scores = np.array([value if value is not None else i / 10, 1 - i / 50, np.nan], np.float32)
    region = Region(start_s=float(i), end_s=i + 1.0, window=i)
    if status != "ok":
        return Estimate("a.wav", "voice", region, "too_short", "0.1 s")
    dimensions = ("anger", "sadness", "awe")
    return Estimate("a.wav", "voice", region, "ok", "", model, "r1", dimensions, scores, scores, scores, scores)


def test_a_baseline_of_ones_own_knows_what_the_model_judges(tmp_path: Path) -> None:
    usual = make_baseline([estimate(i) for i in range(30)], name="mine", source="thirty windows")
    assert set(usual.statistics) == {"anger", "sadness"}
    anger = usual.statistics["anger"]
    assert (anger.n, anger.median, anger.group) == (30, 1.45, "emotion")
    assert anger.spread == pytest.approx(1.4826 * 0.75, abs=1e-4)
    write_baseline(usual, tmp_path / "b.json")
    assert read_baseline(tmp_path / "b.json") == usual
    assert list(tmp_path.iterdir()) == [tmp_path / "b.json"]


def test_mostly_zero_scores_are_measured_by_their_standard_deviation() -> None:
    values = [0.0] * 18 + [2.0] * 4
    usual = make_baseline([estimate(i, value=value) for i, value in enumerate(values)])
    assert usual.statistics["anger"].spread == pytest.approx(np.std(values), abs=1e-4)


def test_a_baseline_needs_enough_of_one_model() -> None:
    with pytest.raises(UsageError, match="20 or more"):
        make_baseline([estimate(i) for i in range(5)])
    with pytest.raises(UsageError, match="several models"):
        make_baseline([estimate(i, model=f"m{i % 2}") for i in range(40)])


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"statistics": {"anger": ["emotion", 1]}}'])
def test_what_is_no_baseline_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "b.json").write_text(text)
    with pytest.raises(UsageError, match="is no baseline"):
        read_baseline(tmp_path / "b.json")
    with pytest.raises(UsageError, match="embedded-voice"):
        read_baseline(tmp_path / "absent.json")


def test_regions_become_captions_and_none_where_nothing_was_scored() -> None:
    usual = make_baseline([estimate(i) for i in range(30)])
    captions = caption_estimates([estimate(29), estimate(0, status="too_short"), estimate(15)], baseline=usual)
    assert captions[1] is None
    assert captions[0] is not None
    assert [said.key for said in captions[0].emotions] == ["anger", "sadness"]
    assert "awe" not in captions[0].text
    with pytest.raises(UsageError, match="nothing was scored"):
        caption_estimate(estimate(0, status="too_short"), baseline=usual)


def test_scores_are_never_held_against_another_models_baseline() -> None:
    with pytest.raises(UsageError, match="No baseline is known"):
        baseline_for(estimate(1))
    with pytest.raises(UsageError, match="embedded-face"):
        caption_estimate(estimate(1), baseline=read_baseline("embedded-face"))
    with pytest.raises(UsageError, match="not of"):
        caption_estimate(estimate(1), baseline=read_baseline("embedded-voice"))


@pytest.mark.parametrize(
    ("name", "least"),
    [
        ("published", 99),
        ("embedded-voice", 20),
        ("embedded-face", 20),
        ("embedded-voice-open", 15),
        ("embedded-face-open", 15),
    ],
)
def test_the_baselines_in_the_package_are_sound(name: str, least: int) -> None:
    usual: Baseline = read_baseline(name)
    assert len(usual.statistics) >= least
    assert usual.source
    for row in usual.statistics.values():
        assert row.p10 <= row.median <= row.p90
        spread = 1.4826 * row.mad if 1.4826 * row.mad >= row.std / 2 else row.std
        assert row.spread == pytest.approx(spread, abs=2e-3)


def test_the_embedded_models_have_the_baseline_of_their_dimensions() -> None:
    import emonet

    for name in ("voice", "face"):
        card = emonet.load(name).card
        usual = read_baseline(f"embedded-{name}")
        assert (usual.model, usual.revision) == (card.id, card.revision), "run recipes/caption_baselines.py again"
        assert set(usual.statistics) == set(card.dimensions) - set(card.missing)
