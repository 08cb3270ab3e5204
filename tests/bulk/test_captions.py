"""Captions beside scores, and training data for captions from whole recordings."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
import soundfile

from emonet.bulk import Summary, caption_data, paraphrasing_cost
from emonet.captions import TEMPLATES, make_baseline, mentions, write_baseline
from emonet.datasets import read_samples
from emonet.errors import UnknownNameError, UsageError
from emonet.estimation import load
from emonet.services import Endpoint
from openai_server import Failure, openai_server

Runner = Callable[..., Summary]


@pytest.fixture
def recordings(tmp_path: Path) -> Path:
    """A folder of three recordings of five seconds: three windows each for the tiny model."""
    folder = tmp_path / "recordings"
    folder.mkdir()
    times = np.arange(5 * 16_000) / 16_000
    for number in range(3):
        tone = 0.2 * (number + 1) * np.sin(2 * np.pi * (150 + 90 * number) * times)
        soundfile.write(folder / f"talk-{number}.wav", tone, 16_000)
    return folder


@pytest.fixture
def baseline(voice_bundle: Path, tmp_path: Path) -> Path:
    """What is usual for the tiny model: tones of many levels."""
    model = load(voice_bundle, whole_audio=True)
    times = np.arange(16_000) / 16_000
    folder = tmp_path / "usual"
    folder.mkdir()
    for number in range(40):
        soundfile.write(folder / f"{number}.wav", (number + 1) / 50 * np.sin(2 * np.pi * 220 * times), 16_000)
    path = tmp_path / "baseline.json"
    write_baseline(make_baseline(model([*folder.iterdir()])), path)
    return path


def rewritten(body: dict[str, Any]) -> str:
    """What a good language model answers: the caption between other words."""
    question = body["messages"][1]["content"]
    caption = question.split("Description:\n")[1].split("\n\nEmotions in it")[0].strip()
    return json.dumps(
        {"captions": [f"{lead}, one would say: {caption}" for lead in ("Heard twice", "At first", "On tape")]}
    )


def test_captions_are_a_column(run: Runner, baseline: Path, tmp_path: Path) -> None:
    """Of each row and each window; rows without scores have none."""
    run(captions=1, caption_baseline=baseline)
    table = pl.read_parquet(tmp_path / "output" / "scores")
    assert table.filter(pl.col("status") == "ok")["caption"].str.len_chars().min() > 10
    assert table.filter(pl.col("status") != "ok")["caption"].is_null().all()
    first = table.filter(pl.col("status") == "ok")["regions"][0].to_list()
    assert all(region["caption"] for region in first)


def test_captions_are_the_same_wherever_they_are_made(run: Runner, baseline: Path, tmp_path: Path) -> None:
    """One worker or two, the same bytes; another seed, other words."""
    run(captions=2, segments=True, caption_baseline=baseline)
    run(output=tmp_path / "two", captions=2, segments=True, caption_baseline=baseline, workers=2)
    run(output=tmp_path / "seed", captions=2, segments=True, caption_baseline=baseline, caption_seed=1)
    for folder in ("scores", "segments"):
        for path in sorted((tmp_path / "output" / folder).iterdir()):
            assert path.read_bytes() == (tmp_path / "two" / folder / path.name).read_bytes()
    own, other = (pl.read_parquet(tmp_path / name / "scores")["caption"].drop_nulls() for name in ("output", "seed"))
    assert (own != other).any()


def test_segments_are_clips_with_all_they_need(run: Runner, recordings: Path, baseline: Path, tmp_path: Path) -> None:
    """Sound, scores, captions in different templates, and where each came from."""
    run(recordings, captions=3, segments=True, caption_baseline=baseline)
    (tar,) = (tmp_path / "output" / "segments").iterdir()
    samples = list(read_samples(tar))
    assert [sample.key for sample in samples[:3]] == ["talk-0_00000", "talk-0_00001", "talk-0_00002"]
    for sample in samples:
        about = sample.facts["emonet"]
        assert (sample.extension, sample.modality) == ("flac", "voice")
        assert about["recording"] == sample.key[:-6]
        assert about["scores"]
        assert len(set(sample.facts["captions"])) == len(sample.facts["captions"]) >= 2
        assert sample.facts["caption"] == sample.facts["captions"][0]
    starts = [sample.facts["emonet"]["start_s"] for sample in samples[:3]]
    assert starts == sorted(starts)


def test_paraphrases_make_training_data(voice_bundle: Path, recordings: Path, baseline: Path, tmp_path: Path) -> None:
    """One call from recordings to shards; again, and nothing is asked or made."""
    output = tmp_path / "data"
    with openai_server(lambda _, body: rewritten(body)) as server:
        endpoint = Endpoint(server.url, "made-1", backoff_s=0.01)
        options: dict[str, Any] = {
            "model": voice_bundle,
            "whole_audio": True,
            "workers": 1,
            "caption_baseline": baseline,
            "endpoint": endpoint,
        }
        made = caption_data(recordings, output, **options)
        asked = len(server.requests)
        again = caption_data(recordings, output, **options)
        assert len(server.requests) == asked
    (shard,) = made.shards
    assert again.shards == made.shards
    assert (shard.paraphrased, shard.paraphrases, shard.failed) == (shard.clips, 3 * shard.clips, {})
    (tar,) = (output / "training").glob("*.tar")
    samples = list(read_samples(tar))
    assert len(samples) == shard.clips == 9
    for sample in samples:
        rule = sample.facts["rule_captions"][0]
        assert len(sample.facts["captions"]) == 3
        assert all(mentions(text).strengths == mentions(rule).strengths for text in sample.facts["captions"])


def test_a_paraphrase_that_says_something_else_is_dropped(
    voice_bundle: Path, recordings: Path, baseline: Path, tmp_path: Path
) -> None:
    """The clip keeps its captions made by rule, and the statistics say why."""
    wrong = json.dumps({"captions": ["An extremely jealous, very triumphant voice."] * 3})
    with openai_server(lambda *_: wrong) as server:
        endpoint = Endpoint(server.url, "made-1", max_attempts=2, backoff_s=0.01)
        made = caption_data(
            recordings,
            tmp_path / "data",
            model=voice_bundle,
            whole_audio=True,
            workers=1,
            caption_baseline=baseline,
            endpoint=endpoint,
        )
    (shard,) = made.shards
    assert (shard.paraphrased, shard.clips) == (0, 9)
    assert shard.dropped
    (tar,) = (tmp_path / "data" / "training").glob("*.tar")
    assert all(sample.facts["captions"] == sample.facts["rule_captions"] for sample in read_samples(tar))


def test_a_spent_budget_leaves_the_shard_open(
    voice_bundle: Path, recordings: Path, baseline: Path, tmp_path: Path
) -> None:
    """What was paid for is kept; with more money the same call finishes."""
    options: dict[str, Any] = {"model": voice_bundle, "whole_audio": True, "workers": 1, "caption_baseline": baseline}
    with openai_server(lambda _, body: rewritten(body)) as server:
        poor = Endpoint(server.url, "made-1", price_request=1.0, budget=4.0)
        made = caption_data(recordings, tmp_path / "data", endpoint=poor, **options)
        assert (made.shards, len(made.unfinished), len(server.requests)) == ((), 1, 4)
        rich = Endpoint(server.url, "made-1", price_request=1.0, budget=20.0)
        assert paraphrasing_cost(tmp_path / "data", rich).requests == 9
        assert caption_data(recordings, tmp_path / "data", endpoint=rich, **options).shards[0].paraphrased == 9
        assert len(server.requests) == 9


def test_a_service_that_fails_leaves_the_shard_open(
    voice_bundle: Path, recordings: Path, baseline: Path, tmp_path: Path
) -> None:
    """Nothing is written as if it were finished; when the service is back, the same call finishes."""
    down = True
    options: dict[str, Any] = {"model": voice_bundle, "whole_audio": True, "workers": 1, "caption_baseline": baseline}
    with openai_server(lambda _, body: Failure(500, "down") if down else rewritten(body)) as server:
        endpoint = Endpoint(server.url, "made-1", max_attempts=2, backoff_s=0.01)
        made = caption_data(recordings, tmp_path / "data", endpoint=endpoint, **options)
        assert (made.shards, len(made.unfinished)) == ((), 1)
        down = False
        assert caption_data(recordings, tmp_path / "data", endpoint=endpoint, **options).shards[0].paraphrased == 9


def test_what_a_model_refuses_keeps_rule_captions(
    voice_bundle: Path, recordings: Path, baseline: Path, tmp_path: Path
) -> None:
    """Counted by the reason; asking again would change nothing."""
    options: dict[str, Any] = {"model": voice_bundle, "whole_audio": True, "workers": 1, "caption_baseline": baseline}
    with openai_server(lambda *_: {"refusal": "I would rather not."}) as server:
        endpoint = Endpoint(server.url, "made-1", max_attempts=2, backoff_s=0.01)
        made = caption_data(recordings, tmp_path / "data", endpoint=endpoint, **options)
    assert dict(made.shards[0].failed) == {"refused: I would rather not.": 9}


@pytest.mark.parametrize(
    ("options", "error"),
    [({"captions": 99}, UsageError), ({"captions": 1, "caption_template": "no such"}, UnknownNameError)],
)
def test_wrong_options_are_told(run: Runner, options: dict[str, Any], error: type[Exception]) -> None:
    with pytest.raises(error):
        run(**options, caption_baseline="published")
    assert "default" in TEMPLATES


def test_a_model_without_a_baseline_is_refused_at_once(run: Runner) -> None:
    """Before anything is scored."""
    with pytest.raises(UsageError, match="No baseline is known"):
        run(captions=1)


def test_faces_have_no_segments(run: Runner, face_bundle: Path) -> None:
    with pytest.raises(UsageError, match="windows of recordings"):
        run(model=face_bundle, segments=True)
