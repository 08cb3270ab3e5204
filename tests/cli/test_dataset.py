"""`emonet dataset` from a recipe to a commit on a Hub of this machine."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile

from datasets_curation_hub import Hub, local_hub
from datasets_curation_media import RATE, speech
from emonet.cli._dataset import app
from emonet.errors import UsageError

_RECIPE = """
name = "six-voices"
modality = "voice"

[[source]]
name = "made"
input = ["clips/manifest.csv"]
licence = "CC0 1.0"
consent = "generated"

[split]
shares = { train = 0.5, test = 0.5 }
by = ["speaker"]
"""

_MAIN = """
from emonet.cli._dataset import app
from emonet.errors import EmonetError
try:
    app(result_action="return_value")
except EmonetError as error:
    raise SystemExit(f"emonet: {error}")
"""


@pytest.fixture
def made(tmp_path: Path) -> Path:
    """A folder with six clips of three speakers, their manifest and a recipe."""
    clips = tmp_path / "clips"
    clips.mkdir()
    rows = ["path,speaker,label"]
    for k in range(6):
        soundfile.write(clips / f"c{k}.wav", np.clip(speech(k, 1.0), -1, 1), RATE)
        rows.append(f"c{k}.wav,s{k // 2},fear")
    (clips / "manifest.csv").write_text("\n".join(rows) + "\n")
    (tmp_path / "recipe.toml").write_text(_RECIPE)
    return tmp_path


def _run(*arguments: object) -> object:
    return app([str(argument) for argument in arguments], result_action="return_value", exit_on_error=False)


def test_from_recipe_to_card(made: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Build, inspect, validate, card and a dry run, each saying what it did."""
    folder = made / "set"
    assert _run("build", made / "recipe.toml", folder) == 0
    assert "parts: train" in capsys.readouterr().out
    assert _run("inspect", folder) == 0
    shown = capsys.readouterr().out
    assert "6 samples" in shown
    assert "CC0 1.0 6" in shown
    assert _run("validate", folder) == 0
    assert "fit" in capsys.readouterr().out
    assert _run("card", folder, "--no-figures") == 0
    assert "license: cc0-1.0" in (folder / "README.md").read_text()
    assert _run("push", folder, "me/set") == 0
    assert "dry run: nothing was sent" in capsys.readouterr().out


def test_an_unfit_set_is_an_exit_code(made: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """No licence, no consent: 1, and the findings are named."""
    assert _run("validate", made / "clips" / "manifest.csv") == 1
    shown = capsys.readouterr().out
    assert "error: licence: 6 samples tell no licence" in shown
    assert shown.rstrip().endswith("unfit")


def test_split_writes_a_table(made: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Shares by name; a share that is none is refused."""
    arguments = ("split", made / "clips" / "manifest.csv", made / "parts.csv", "--by", "speaker")
    assert _run(*arguments, "--share", "a=0.67", "--share", "b=0.33") == 0
    assert "66.7%" in capsys.readouterr().out
    with pytest.raises(UsageError, match=r"train=0\.8"):
        _run(*arguments, "--share", "all")


def _push(folder: Path, hub: Hub, *options: str) -> subprocess.CompletedProcess[str]:
    """The real command in a process of its own, which may reach this machine's Hub and no other."""
    environment = {
        **os.environ, "HF_HUB_OFFLINE": "0", "HF_ENDPOINT": hub.address, "HF_TOKEN": "hf_test",
        "HF_HUB_DISABLE_XET": "1", "HF_HUB_DISABLE_PROGRESS_BARS": "1", "HF_HUB_DISABLE_TELEMETRY": "1",
        "NO_PROXY": "127.0.0.1",
    }  # fmt: skip
    arguments = ["dataset", "push", str(folder), "me/set", "--endpoint", hub.address, *options]
    return subprocess.run(
        [sys.executable, "-c", _MAIN, *arguments[1:]], capture_output=True, text=True, env=environment, timeout=120
    )


def test_a_set_reaches_the_hub_whole(made: Path) -> None:
    """What lies on the Hub afterwards is, byte for byte, what was listed; shards of an earlier commit go; a dry run
    sends no request."""
    folder = made / "set"
    _run("build", made / "recipe.toml", folder)
    _run("validate", folder)
    _run("card", folder, "--no-figures")
    with local_hub() as hub:
        hub.files["data/train/train-000099.tar"] = b"of an earlier version"
        assert _push(folder, hub).returncode == 0
        assert hub.requests == []
        done = _push(folder, hub, "--send")
        assert done.returncode == 0, done.stderr
        assert hub.created[0].get("private") is True or hub.created[0]["visibility"] == "private"
        assert hub.created[0]["type"] == "dataset"
        assert len(hub.commits) == 1
        here = {
            path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
            for path in folder.rglob("*")
            if path.is_file() and ".survey" not in path.parts
        }
        assert {name: hashlib.sha256(content).hexdigest() for name, content in hub.files.items()} == here


def test_a_hub_that_refuses_is_said_plainly(made: Path) -> None:
    """No traceback; the repository and the reason."""
    folder = made / "set"
    _run("build", made / "recipe.toml", folder)
    with local_hub() as hub:
        hub.refuse = True
        done = _push(folder, hub, "--send", "--force")
        assert done.returncode == 1
        assert "me/set: the Hub did not take the set" in done.stderr
        assert "Traceback" not in done.stderr
        assert hub.files == {}
