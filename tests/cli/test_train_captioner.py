"""`emonet train captioner`: from shards to a folder that captions, with the settings that were asked for."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from emonet.captions.whisper import load_captioner
from emonet.cli import main
from emonet.datasets import Sample, write_shards
from made_shards import tone_bytes
from tiny_whisper import tiny_whisper


def test_train_captioner(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The command trains as the recipe and the options say, tells each step, and goes on when run again."""
    captions = [f"A tone of loudness {i}." for i in range(4)]
    write_shards(
        [Sample(f"t{i}", tone_bytes(0.2 * (i + 1)), "wav", "voice", {"caption": c}) for i, c in enumerate(captions)],
        tmp_path / "shards",
    )
    base = tiny_whisper(tmp_path / "base", captions)
    (tmp_path / "recipe.toml").write_text("learning_rate = 1e-3\nepochs = 9\nvalidation = 0.25\n", encoding="utf-8")
    call = ["train", "captioner", "--data", str(tmp_path / "shards"), "--base", str(base), "--output"]
    call += [str(tmp_path / "run"), "--recipe", str(tmp_path / "recipe.toml"), "--epochs", "2", "--batch", "2"]
    for _ in range(2):
        with pytest.raises(SystemExit) as end:
            main(call)
        assert not end.value.code
    said = capsys.readouterr().out
    assert "3 clips to train on, 1 held out" in said
    assert said.count("step 4 of 4") == 1
    card = json.loads((tmp_path / "run" / "model" / "card.json").read_text(encoding="utf-8"))
    assert (card["recipe"]["epochs"], card["recipe"]["learning_rate"]) == (2, 1e-3)
    assert load_captioner(tmp_path / "run" / "model").window_s == 2.0


def test_wrong_base(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A base that is no Whisper ends with its message, not with a traceback."""
    with pytest.raises(SystemExit) as end:
        main(
            ["train", "captioner", "--data", str(tmp_path), "--base", str(tmp_path), "--output", str(tmp_path / "run")]
        )
    assert end.value.code
    assert "config.json" in capsys.readouterr().err
