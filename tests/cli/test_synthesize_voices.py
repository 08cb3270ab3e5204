"""`emonet synthesize voices`: lists, the dry run, a release, and what is refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from cyclopts import App

from emonet.cli._synthesize_voices import voices
from emonet.datasets import describe, list_shards, read_samples
from emonet.errors import MissingExtraError, UnknownNameError, UsageError
from emonet.synthesis.voices import Order, load_espeak, make_design, write_scripts

app = App(name="emonet", result_action="return_value")
app.command(voices)


@pytest.fixture(autouse=True)
def _espeak() -> None:
    try:
        load_espeak()
    except MissingExtraError as error:
        pytest.skip(str(error))


def command(*words: str) -> int:
    return int(app(["voices", *words], exit_on_error=False))


def test_a_dry_run_shows_count_balance_and_time_and_makes_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    output = tmp_path / "talent"
    words = ("--voices", "11", "--emotions", "all", "--languages", "en", "--output", str(output), "--dry-run")
    assert command(*words) == 0
    said = capsys.readouterr().out
    assert "440 clips by eSpeak NG" in said
    assert "voice" in said
    assert "with 2 processes" in said
    assert "no price known" in said
    assert not output.exists()


def test_a_dry_run_needs_no_output_and_counts_everything(capsys: pytest.CaptureFixture[str]) -> None:
    assert command("--languages", "all", "--challenges", "all", "--takes", "2", "--dry-run") == 0
    assert "3,520 clips" in capsys.readouterr().out


def test_one_command_makes_a_release_and_the_same_again_makes_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("pyloudnorm", reason="the extra `synthesis` is not installed")
    output = tmp_path / "talent"
    words = (
        "--voices", "nova,onyx", "--emotions", "anger", "--emotions", "Jealousy & Envy", "--languages", "en,fr",
        "--accents", "none", "--workers", "1", "--output", str(output),
    )  # fmt: skip
    assert command(*words) == 0
    assert "8 clips (0 were there), 0 failed, 0 retakes" in capsys.readouterr().out
    told = [describe(sample) for shard in list_shards(output / "enhanced") for sample in read_samples(shard.address)]
    assert sorted((one.emotion or "", one.language or "", one.speaker or "") for one in told) == sorted(
        (emotion, language, voice)
        for emotion in ("anger", "jealousy_envy")
        for language in ("en", "fr")
        for voice in ("nova", "onyx")
    )
    assert command(*words) == 0
    assert "8 clips (8 were there)" in capsys.readouterr().out


def test_quiet_prints_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("pyloudnorm", reason="the extra `synthesis` is not installed")
    words = ("--voices", "1", "--emotions", "relief", "--layout", "packed", "--licence", "CC0-1.0", "--workers", "1")
    assert command(*words, "--quiet", "--output", str(tmp_path / "talent")) == 0
    assert capsys.readouterr().out == ""
    (shard,) = list_shards(tmp_path / "talent" / "raw")
    (sample,) = read_samples(shard.address)
    assert sample.licence == "CC0-1.0"
    assert json.loads((tmp_path / "talent" / "report.json").read_text())["licence"] == ["CC0-1.0"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--voices", "2"), "no --output"),
        (("--voices", "12", "--dry-run"), "1 to 11"),
        (("--voices", "aloy", "--dry-run"), "Did you mean 'alloy'"),
        (("--languages", "it", "--dry-run"), "language 'it'"),
        (("--accents", "Texan", "--dry-run"), "no accent 'Texan'"),
        (("--intensities", "strong", "--dry-run"), "whole numbers"),
        (("--workers", "0", "--dry-run"), "workers is 0"),
    ],
)
def test_what_does_not_fit_is_named(words: tuple[str, ...], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        command(*words)


def test_an_unknown_challenge_is_answered_with_the_nearest() -> None:
    with pytest.raises(UnknownNameError, match="Did you mean 'whisper'"):
        command("--challenges", "wisper", "--dry-run")


def test_services_speak_write_and_listen(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A dry run prices it all; the run is paid for once, and a clip without a passing take gives exit code 1."""
    for package, extra in (("openai", "services"), ("pyloudnorm", "synthesis"), ("jiwer", "synthesis")):
        pytest.importorskip(package, reason=f"the extra `{extra}` is not installed")
    from openai_server import Failure, openai_server

    said = {
        "scene": "A room.",
        "sentences": ["You took it from me, and you never told me that you would."],
        "bursts": [],
    }

    def answer(path: str, body: dict[str, Any]) -> Any:
        if path == "/chat/completions":
            return json.dumps(said)
        if path == "/audio/transcriptions":
            return said["sentences"][0]
        return Failure(400, "this voice is on holiday") if body["voice"] == "ash" else recording

    (script,) = write_scripts(make_design(voices=["nova"], emotions=["anger"]))
    (take,) = load_espeak().takes([Order(script, 0, 1)])
    recording = take.audio
    output = tmp_path / "talent"
    with openai_server(answer) as server:
        keys = f'base_url = "{server.url}"\nmodel = "m"\napi_key_env = ""\nprice_request = 0.5\n'
        tables = "\n".join(f"[{name}]\n{keys}" for name in ("speaker", "writer", "listener"))
        services = tmp_path / "services.toml"
        services.write_text(tables, encoding="utf-8")
        words = ("--voices", "alloy,ash", "--emotions", "anger", "--accents", "none", "--services", str(services))
        assert command(*words, "--dry-run") == 0
        told = capsys.readouterr().out
        assert "recording: 2 requests; 1.00 USD" in told
        assert "scripts: 2 requests; 1.00 USD" in told
        assert server.requests == []
        assert command(*words, "--workers", "1", "--output", str(output)) == 1
        told = capsys.readouterr().out
        assert "1 clips (0 were there), 1 failed" in told
        assert "on holiday" in told
        assert "2.0000 spent" in told  # two scripts, one take, one transcription
        before = len([path for path, body in server.requests if body.get("voice") != "ash"])
        assert command(*words, "--workers", "1", "--output", str(output)) == 1
        assert len([path for path, body in server.requests if body.get("voice") != "ash"]) == before
