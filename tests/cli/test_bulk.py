"""`emonet bulk`: exit codes, what is printed, and that it is the twin of the functions."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from emonet.cli import main
from made_shards import scores, shard

Call = Callable[..., tuple[int, str, str]]


@pytest.fixture
def shards(tmp_path: Path) -> Path:
    """Three tars; one tone of the first is damaged."""
    for number in range(3):
        shard(tmp_path / f"in/{number}.tar", number, damaged=(1,) if not number else ())
    return tmp_path / "in"


@pytest.fixture
def call(capsys: pytest.CaptureFixture[str]) -> Call:
    """Runs `emonet bulk ...`; gives exit code, standard output and standard error."""

    def run(*arguments: object) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as end:
            main(["bulk", *map(str, arguments)])
        out, err = capsys.readouterr()
        assert "Traceback" not in err
        return int(end.value.code or 0), out, err

    return run


@pytest.fixture
def made(call: Call, shards: Path, tmp_path: Path, voice_bundle: Path) -> Path:
    """The output of a run over the shards."""
    output = tmp_path / "out"
    code, _, err = call("run", f"{shards}/*.tar", output, "--model", voice_bundle, "--whole-audio", "--workers", 1)
    assert code == 0, err
    assert "3 shards made" in err
    assert "17 ok" in err
    return output


def test_run_scores_and_says_so(made: Path) -> None:
    """A damaged clip is a row; the exit code is 0."""
    table = scores(made)
    assert len(table) == 18
    assert table["status"].to_list().count("unreadable") == 1


def test_status_counts_and_verifies(call: Call, made: Path) -> None:
    """How far it is; with --verify an altered output is a problem and the exit code 1."""
    code, out, _ = call("status", made, "--verify", "--page")
    assert code == 0
    assert "3 of 3 shards done, 0 failed; 18 samples" in out
    assert "verified: the outputs of 3 shards" in out
    (made / "scores/1.parquet").write_bytes(b"x")
    code, out, _ = call("status", made, "--verify")
    assert code == 1
    assert "problem: scores/1.parquet" in out


def test_plan_from_a_run(call: Call, made: Path) -> None:
    """Time, cost, shards and storage of a larger run."""
    code, out, _ = call("plan", made, "--hours", 500_000, "--cores", 192, "--price", 0.04)
    assert code == 0
    for told in ("time", "core hours", "costs", "shards", "outputs", "192 of 1 thread"):
        assert told in out


def test_script_is_written(call: Call, tmp_path: Path) -> None:
    """To standard output or a file."""
    code, out, _ = call("script", "in/*.tar", "out", "--model", "voice", "--tasks", 4, "--argument", "--whole-audio")
    assert code == 0
    assert "#SBATCH --array=0-3" in out
    assert "--whole-audio" in out
    call("script", "in/*.tar", "out", "--model", "voice", "--tasks", 4, "--file", tmp_path / "job.sh")
    assert "--array=0-3" in (tmp_path / "job.sh").read_text()


def test_wrong_usage(call: Call, tmp_path: Path) -> None:
    """Exit code 2 and a sentence."""
    for arguments, told in (
        (("run", "only-one", "--model", "voice"), "name one input or more"),
        (("run", "in", "out", "--model", "voice", "--part", "x"), "expected i/n"),
        (("status", tmp_path / "nothing"), "no run here"),
    ):
        code, _, err = call(*arguments)
        assert code == 2
        assert told in err


def test_a_failed_shard_is_exit_code_1(call: Call, shards: Path, tmp_path: Path, voice_bundle: Path) -> None:
    """And it is named with its reason."""
    whole = (shards / "1.tar").read_bytes()
    (shards / "1.tar").write_bytes(whole[: len(whole) // 2 + 100])
    code, _, err = call(
        "run", f"{shards}/*.tar", tmp_path / "out", "--model", voice_bundle, "--whole-audio", "--workers", 1,
        "--retries", 0,
    )  # fmt: skip
    assert code == 1
    assert "shard 1 was given up" in err


def test_help_is_light() -> None:
    """The command group costs nothing until it is used."""
    code = "import sys, emonet.cli; print([m for m in ('ray', 'numpy', 'fsspec', 'pyarrow') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
