"""The comparison on corpora left out, with made-up corpora whose emotions are pitches."""

from __future__ import annotations

import csv
import tomllib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

pytest.importorskip("torch")
pytest.importorskip("sklearn")

from benchmarks.cross_corpus_voices import CORPORA, FIVE, LINEAR, NETWORK, TOLD, Study
from benchmarks.voice_machines import by_speaker, standardised

from benchmarks import cross_corpus_voices as benchmark
from emonet.taxonomy import display_name
from emonet.training._manifest import COLUMNS
from emonet.training._voice_targets import KEYS

SPEAKERS = 6  # of each corpus; the last one is a test speaker, one more is held back


def recipe() -> dict[str, Any]:
    """The shipped recipe with a tiny network, few epochs and the three corpora."""
    path = Path(__file__).resolve().parents[2] / "recipes/embedded-voice.toml"
    settings = tomllib.loads(path.read_text(encoding="utf-8"))
    settings["network"] |= {"width": 32, "heads": 2, "inner": 48, "layers": 1, "channels": 24, "embedding": 16}
    del settings["pretrained"]
    settings["training"] |= {"epochs": 1, "batch": 16, "seconds": [0.5], "bfloat16": False}
    settings["support"]["min_positives"] = 1
    settings["sources"] = {name: settings["sources"][name] | {"validation_speakers": 1} for name in CORPORA}
    return settings


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Study:
    """Half a second of a buzz per speaker and emotion: the emotion is its pitch, the corpus its level and hiss."""
    folder = tmp_path_factory.mktemp("voices")
    random = np.random.default_rng(0)
    rows = []
    for place, corpus in enumerate(CORPORA):
        for speaker in range(SPEAKERS):
            for number, key in enumerate(FIVE):
                hz = 110 * 2 ** (number / 2) * (1 + 0.02 * speaker)
                time = np.arange(8000) / 16000
                wave = sum(np.sin(2 * np.pi * k * hz * time) / k for k in range(1, 6))
                wave = 0.1 * (wave + 0.02 * (1 + place) * random.standard_normal(len(time)))
                path = f"{corpus}-{speaker}-{key}.wav"
                soundfile.write(folder / path, wave, 16000)
                rows.append(
                    {"path": path, "modality": "voice", "source": corpus, "licence": "CC0-1.0", "label": key}
                    | {"emonet40": display_name(key), "split": "test" if speaker == SPEAKERS - 1 else "train"}
                    | {"subject": str(speaker), "language": "", "duration_s": "0.5"}
                )
    with (folder / "manifest.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, COLUMNS)
        writer.writeheader()
        writer.writerows(rows)
    return benchmark.open_study(recipe(), folder, tmp_path_factory.mktemp("compared"))


def test_nothing_of_the_corpus_left_out_is_learnt(study: Study) -> None:
    """The network gets the clips of the others' training speakers, and is asked about every clip left out."""
    seen: list[tuple[set[str], ...]] = []

    def scorer(study: Study, learnt: Any, held: Any, asked: Any, folder: Path) -> np.ndarray:
        folder.mkdir(exist_ok=True)
        assert not (study.test[learnt] | study.validation[learnt]).any()
        assert study.validation[held].all()
        seen.append(tuple({str(study.source[i]) for i in rows} for rows in (learnt, held, asked)))
        return np.eye(len(KEYS))[[KEYS.index(FIVE[study.answer[i]]) for i in asked]]

    asked, answers, counts = benchmark.left_out(study, "nemo", scorer)
    assert seen == [({"emogator", "ravdess"}, {"emogator", "ravdess"}, {"nemo"})]
    assert len(asked) == SPEAKERS * 5
    assert counts.startswith("40 clips taught the network, 40")
    for words in ("", TOLD):
        np.testing.assert_array_equal(answers[NETWORK + words], study.answer[asked])
    assert (answers[LINEAR] == study.answer[asked]).mean() > 0.8  # pitch carries over


def test_network_is_trained_and_scaled_by_the_recipe(study: Study) -> None:
    """The hook gives relative scores of the forty emotions, finite for the five that the corpora name."""
    other = study.source != "ravdess"
    learnt, held, asked = (
        np.flatnonzero(rows) for rows in (other & ~study.test & ~study.validation, other & study.validation, ~other)
    )
    scores = benchmark.network_scores(study, learnt, held, asked, study.output / "hook")
    assert scores.shape == (SPEAKERS * 5, len(KEYS))
    assert np.isnan(scores[:, KEYS.index("awe")]).all()
    named = scores[:, [KEYS.index(key) for key in FIVE]]
    assert np.isfinite(named).any()
    assert (np.isfinite(named).all(axis=0) | np.isnan(named).all(axis=0)).all()


def test_recall_is_averaged_over_emotions_and_resampled_by_speaker() -> None:
    """A frequent emotion weighs no more than a rare one; one speaker who is always right widens the interval."""
    actual = np.asarray([0] * 8 + [1] * 2)
    value, draws = benchmark.recall_draws(actual, np.zeros(10, int), ["a", "b"] * 5)
    assert value == 0.5
    assert set(np.round(draws, 9)) == {0.5}
    guess = np.where(np.arange(10) % 2 == 0, actual, 1 - actual)
    value, draws = benchmark.recall_draws(actual, guess, ["a", "b"] * 5)
    assert value == 0.5
    assert set(np.round(draws, 9)) == {0.0, 0.5, 1.0}


def test_missing_features_are_the_mean() -> None:
    """Standardised by the clips learnt from; a missing figure says nothing, an outlier not more than 5."""
    table = np.asarray([[0.0], [2.0], [np.nan], [1000.0]], np.float32)
    out = standardised(table, np.asarray([0, 1]))
    assert out[:, 0].tolist() == [-1, 1, 0, 5]


def test_told_who_speaks() -> None:
    """Voices that differ as a whole become alike; what a speaker lacks stays missing."""
    table = np.asarray([[1.0, 5.0], [3.0, 5.0], [100.0, np.nan], [104.0, np.nan]])
    out = by_speaker(table, ["a", "a", "b", "b"])
    np.testing.assert_array_equal(out, [[-1, 0], [1, 0], [-1, np.nan], [1, np.nan]])


def test_page(study: Study) -> None:
    """Every direction, their mean and EmoGator's own test in one page; figures as JSON holds them."""
    text, figures = benchmark.cross_corpus(study, None)
    assert [f"## Without {corpus}" in text for corpus in CORPORA] == [True] * 3
    value, low, high = figures["mean"]["recall"][LINEAR]
    assert low <= value <= high
    inside, own = benchmark.within_emogator(study)
    assert "5 clips of 1 speakers" in inside
    assert 0 <= own[LINEAR][0] <= 1
