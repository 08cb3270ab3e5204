"""Training: goes on after being killed as if nothing had happened, draws captions anew, holds speakers out."""

from __future__ import annotations

import io
import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
import torch

from emonet.captions.whisper import CaptionerRecipe, TrainedCaptioner, read_captioner_recipe, train_captioner
from emonet.captions.whisper._clips import clip_number, list_clips
from emonet.captions.whisper._feed import Feed, draw_caption
from emonet.datasets import Sample, write_shards
from emonet.errors import UnknownNameError, UsageError
from emonet.media import SAMPLE_RATE
from emonet.models import AudioPreprocessing

RECIPE = CaptionerRecipe(
    epochs=3, batch=2, accumulation=2, learning_rate=1e-3, dropout=0.1, validation=0.2, checkpoint_steps=2, seed=5
)
ROOT = Path(__file__).parents[3]


def sound(pitch: float, seconds: float = 1.0) -> bytes:
    times = np.arange(round(seconds * SAMPLE_RATE)) / SAMPLE_RATE
    file = io.BytesIO()
    soundfile.write(file, 0.3 * np.sin(2 * np.pi * pitch * times), SAMPLE_RATE, format="WAV")
    return file.getvalue()


def sample(number: int, **facts: Any) -> Sample:
    said = {"captions": [f"A tone, number {number}.", f"Tone {number} is heard."], "speaker": f"s{number % 5}"}
    return Sample(f"tone{number}", sound(100 + 40 * number), "wav", "voice", said | facts)


@pytest.fixture(scope="module")
def shards(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two shards of ten clips by five speakers."""
    folder = tmp_path_factory.mktemp("shards")
    write_shards([sample(i, scores={"anger": float(i), "sadness": -float(i)}) for i in range(10)], folder, per_shard=6)
    return folder


def train(shards: Path, base: Path, output: Path, recipe: CaptionerRecipe = RECIPE, **options: Any) -> TrainedCaptioner:
    return train_captioner(recipe, data=shards, base=base, output=output, **options)


class _KilledError(Exception):
    """Stands for the end of the process: nothing is saved on the way out."""


def weights(trained: TrainedCaptioner) -> bytes:
    return (trained.folder / "model.safetensors").read_bytes()


def test_a_killed_run_goes_on_in_the_same_bytes(shards: Path, base: Path, tmp_path: Path) -> None:
    """Killed in the middle of an epoch and started again: the same losses and the same weights, to the byte."""
    whole = train(shards, base, tmp_path / "whole")
    assert whole.steps == 6

    def kill(said: str) -> None:
        if "step 3 of" in said:
            raise _KilledError

    with pytest.raises(_KilledError):
        train(shards, base, tmp_path / "cut", progress=kill)
    assert not (tmp_path / "cut" / "model").exists()
    seen: list[str] = []
    resumed = train(shards, base, tmp_path / "cut", progress=seen.append)
    assert next(line for line in seen if "step" in line).startswith("epoch 2, step 3 of 6")
    assert resumed.losses == whole.losses
    assert resumed.validation == whole.validation
    assert weights(resumed) == weights(whole)


def test_a_finished_run_is_not_repeated(shards: Path, base: Path, tmp_path: Path) -> None:
    """Starting a finished run again trains nothing; other settings are refused; without resume it begins again."""
    first = train(shards, base, tmp_path / "run")
    seen: list[str] = []
    assert train(shards, base, tmp_path / "run", progress=seen.append).losses == first.losses
    assert not [line for line in seen if "step" in line]
    with pytest.raises(UsageError, match="other settings"):
        train(shards, base, tmp_path / "run", replace(RECIPE, seed=6))
    again = train(shards, base, tmp_path / "run", replace(RECIPE, seed=6, epochs=1), resume=False)
    assert again.steps == 2
    assert again.losses != first.losses[:2]


def test_accumulated_batches_are_one_batch(shards: Path, base: Path, tmp_path: Path) -> None:
    """Two batches of two give the gradient of one batch of four, whatever the lengths of the captions."""
    still = replace(RECIPE, dropout=0.0, spec_augment=False, validation=0.0, epochs=1)
    small = train(shards, base, tmp_path / "small", still)
    large = train(shards, base, tmp_path / "large", replace(still, batch=4, accumulation=1))
    np.testing.assert_allclose(small.losses, large.losses, rtol=1e-4)


def test_a_frozen_encoder_stays(shards: Path, base: Path, tmp_path: Path) -> None:
    """With `freeze_encoder` only the decoder changes."""
    from safetensors.torch import load_file

    trained = train(shards, base, tmp_path / "run", replace(RECIPE, freeze_encoder=True, epochs=1))
    before, after = load_file(base / "model.safetensors"), load_file(trained.folder / "model.safetensors")
    changed = {name.split(".")[1] for name in before if not torch.equal(before[name], after[name])}
    assert changed == {"decoder"}


def test_bfloat16_layers_train_float32_weights(shards: Path, base: Path, tmp_path: Path) -> None:
    """Asked for, bfloat16 works on a CPU too; losses are near those of float32 and the weights stay float32."""
    from safetensors.torch import load_file

    plain = train(shards, base, tmp_path / "plain", replace(RECIPE, epochs=1))
    trained = train(shards, base, tmp_path / "half", replace(RECIPE, epochs=1, precision="bfloat16"))
    np.testing.assert_allclose(trained.losses, plain.losses, rtol=0.05)
    assert trained.losses != plain.losses
    assert {tensor.dtype for tensor in load_file(trained.folder / "model.safetensors").values()} == {torch.float32}


def test_the_card_tells_the_training(shards: Path, base: Path, tmp_path: Path) -> None:
    """card.json and card.md hold clips, recipe, losses and what was measured on held-out speakers."""
    trained = train(shards, base, tmp_path / "run")
    card = json.loads((trained.folder / "card.json").read_text(encoding="utf-8"))
    assert (card["training_clips"], card["validation_clips"]) == (8, 2)
    assert card["steps"] == 6
    assert card["recipe"]["seed"] == 5
    assert card["evaluation"]["clips"] == 2
    assert card["evaluation"]["agreement"]["clips"] == 2
    page = (trained.folder / "card.md").read_text(encoding="utf-8")
    assert "8 clips" in page
    assert "text: chrf" in page
    history = json.loads((tmp_path / "run" / "history.json").read_text(encoding="utf-8"))
    assert history["losses"] == list(trained.losses)
    assert len(trained.validation) == 3


def test_a_fresh_caption_each_epoch(shards: Path) -> None:
    """Over the epochs a clip is trained on each of its captions; which one, only its number and the epoch decide."""
    assert draw_caption(("a", "b"), 3, 7) == draw_caption(("a", "b"), 3, 7)
    drawn = Counter(draw_caption(("a", "b", "c"), epoch, clip_number("x")) for epoch in range(300))
    assert min(drawn.values()) > 70
    feed = feed_of(shards)
    said = [{one.clip.key: one.caption for group in feed.epoch(epoch, 3) for one in group} for epoch in range(6)]
    assert len({caption for epoch in said for caption in epoch.values()}) > len(said[0])


def feed_of(data: Path, recipe: CaptionerRecipe = RECIPE) -> Feed:
    spec = AudioPreprocessing(front_end="whisper", n_mels=80, window_s=2.0)
    return Feed(list_clips([str(data)], recipe), spec, recipe)


@pytest.mark.parametrize("cache_mb", [0, 64])
@pytest.mark.parametrize("mix_shards", [1, 4])
def test_an_epoch_from_the_middle(shards: Path, cache_mb: int, mix_shards: int) -> None:
    """Skipping groups gives the rest of the same epoch; each clip comes once; the next epoch has another order."""
    feed = feed_of(shards, replace(RECIPE, cache_mb=cache_mb, mix_shards=mix_shards))

    def keys(epoch: int, done: int = 0) -> list[list[tuple[str, str]]]:
        return [[(one.clip.key, one.caption) for one in group] for group in feed.epoch(epoch, 3, done=done)]

    assert keys(0)[2:] == keys(0, done=2)
    assert sorted(key for group in keys(0) for key, _ in group) == sorted(
        {key for group in keys(1) for key, _ in group}
    )
    assert [key for group in keys(0) for key, _ in group] != [key for group in keys(1) for key, _ in group]


def test_speakers_are_in_one_half(shards: Path) -> None:
    """No speaker is trained on and held out."""
    clips = list_clips([str(shards)], RECIPE)
    held = {clip.group for clip in clips.validation}
    assert held
    assert not held & {clip.group for clip in clips.training}


def test_clips_of_the_caption_pipeline(tmp_path: Path) -> None:
    """Segments cut from recordings: no recording is in both halves, and their scores are found."""
    made = [
        sample(i, speaker="", emonet={"recording": f"talk {i // 4}", "scores": {"anger": float(i)}}) for i in range(8)
    ]
    write_shards(made, tmp_path / "s")
    clips = list_clips([str(tmp_path / "s")], RECIPE)
    assert {clip.key for clip in clips.validation} in (
        {f"tone{i}" for i in range(4)},
        {f"tone{i}" for i in range(4, 8)},
    )
    heard = {one.clip.key: one.scores for one in feed_of(tmp_path / "s").validation()}
    assert heard == {key: {"anger": float(key.removeprefix("tone"))} for key in heard}


def test_the_data_may_say_the_split(tmp_path: Path) -> None:
    """The fact `split` overrules the recipe's share."""
    write_shards([sample(i, split="validation" if i < 3 else "train") for i in range(6)], tmp_path / "s")
    clips = list_clips([str(tmp_path / "s")], RECIPE)
    assert [clip.key for clip in clips.validation] == ["tone0", "tone1", "tone2"]


def test_what_cannot_be_used_is_counted(base: Path, tmp_path: Path) -> None:
    """Clips without caption or sound, too long or broken, and captions too long for the model: left out, told why."""
    odd: Sequence[Sample] = [
        *(sample(i) for i in range(3)),
        sample(3, captions=[], caption=""),
        replace(sample(4), media=b"\0\1 no sound"),
        replace(sample(5), media=sound(200, seconds=4)),
        sample(6, captions=["very " * 400]),
    ]
    write_shards(odd, tmp_path / "s")
    recipe = replace(RECIPE, epochs=1, validation=0.0)
    trained = train(tmp_path / "s", base, tmp_path / "run", recipe)
    left_out = json.loads((trained.folder / "card.json").read_text(encoding="utf-8"))["left_out"]
    assert sum(left_out.values()) == 4
    assert left_out["without a caption"] == 1
    assert left_out["longer than the 2 s that the model hears"] == 1
    assert left_out["with a caption of more than 96 tokens"] == 1
    assert all(np.isfinite(trained.losses))


def test_no_clips(base: Path, tmp_path: Path) -> None:
    """Shards without captions say what is missing."""
    write_shards([sample(0, captions=[])], tmp_path / "s")
    with pytest.raises(UsageError, match="1 without a caption"):
        train(tmp_path / "s", base, tmp_path / "run")


def test_recipes(tmp_path: Path) -> None:
    """The shipped recipe is valid; unknown, ill-typed and impossible settings are named."""
    assert read_captioner_recipe(ROOT / "recipes" / "captioner.toml").batch == 20
    path = tmp_path / "recipe.toml"
    for text, says in (
        ("epoch = 3", "epochs"),
        ("epochs = 'x'", "epochs is 'x'"),
        ("epochs = 0", "1 or more"),
        ("=", "TOML"),
    ):
        path.write_text(text, encoding="utf-8")
        with pytest.raises(UsageError, match=says):
            read_captioner_recipe(path)
    path.write_text("sed = 3", encoding="utf-8")
    with pytest.raises(UnknownNameError) as caught:
        read_captioner_recipe(path)
    assert caught.value.nearest == "seed"
    with pytest.raises(UsageError, match="cannot read"):
        read_captioner_recipe(tmp_path / "absent.toml")
