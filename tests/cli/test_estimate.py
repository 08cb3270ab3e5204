"""`emonet estimate`: outputs, exit codes, standard input, interruption."""

from __future__ import annotations

import csv
import io
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pyarrow.parquet as pq
import pytest

from emonet.cli import main
from emonet.estimation import REGION_COLUMNS
from emonet.media import WindowPolicy

Make = Callable[..., Path]


@pytest.fixture
def run(
    capsys: pytest.CaptureFixture[str], face_bundle: Path, voice_bundle: Path
) -> Callable[..., tuple[int, str, str]]:
    """Runs the command with the tiny models; gives exit code, standard output and standard error."""

    def call(*arguments: object) -> tuple[int, str, str]:
        models = [
            "--model",
            f"face={face_bundle}",
            "--model",
            f"voice={voice_bundle}",
            "--whole-image",
            "--whole-audio",
        ]
        with pytest.raises(SystemExit) as end:
            main(["estimate", *map(str, arguments), *models])
        out, err = capsys.readouterr()
        assert "Traceback" not in err
        return int(end.value.code or 0), out, err

    return call


def test_terminal_shows_bars(run: Callable[..., tuple[int, str, str]], picture: Make, tone: Make) -> None:
    """Groups, bars, the mark of weak evidence and what is not judged; a summary on standard error."""
    code, out, err = run(picture(), tone(seconds=1.5))
    assert code == 0
    assert "Negative High-Energy Emotions" in out
    assert "█" in out
    assert "~Contempt" in out
    assert "not judged by test/face: " in out
    assert "2 files: 2 scored" in err


@pytest.mark.parametrize("values", ["relative", "raw", "softmax", "calibrated", "all"])
def test_tables_agree(
    run: Callable[..., tuple[int, str, str]], tmp_path: Path, picture: Make, tone: Make, values: str
) -> None:
    """CSV, JSON, JSON lines and Parquet hold the same rows, and unknown values are empty or null everywhere."""
    files = [picture(), tone(seconds=5.0), tmp_path / "gone.wav"]
    for ending in ("csv", "json", "jsonl", "parquet"):
        code, _, err = run(*files, "--output", tmp_path / f"t.{ending}", "--values", values, "-q")
        assert code == 1
        assert err.strip() == f"emonet: {tmp_path / 'gone.wav'}: no such file"
    parquet = pl.read_parquet(tmp_path / "t.parquet")
    document = json.loads((tmp_path / "t.json").read_text())
    lines = [json.loads(line) for line in (tmp_path / "t.jsonl").read_text().splitlines()]
    with (tmp_path / "t.csv").open(newline="") as file:
        table = list(csv.DictReader(file))
    assert parquet["status"].to_list() == ["ok", "ok", "ok", "ok", "unreadable"]
    assert document["estimates"] == lines
    assert document["models"][0]["id"] == "test/face"
    for row, line, text in zip(parquet.to_dicts(), lines, table, strict=True):
        assert list(row) == list(line) == list(text)
        for name, value in row.items():
            assert (value is None) == (line[name] is None)
            assert (text[name] == "") == (value is None or value == "")
            if isinstance(value, float):
                assert line[name] == pytest.approx(value, rel=1e-6)
                assert float(text[name]) == pytest.approx(value, rel=1e-6)
    names = ["awe", "awe.raw"] if values != "all" else ["awe.raw"]
    assert any(name in parquet.columns and parquet[name].null_count() == 5 for name in names)


def test_parquet_says_what_made_it(run: Callable[..., tuple[int, str, str]], tmp_path: Path, picture: Make) -> None:
    """The Arrow schema's metadata holds the models with their revisions and the taxonomy's version."""
    run(picture(), "--output", tmp_path / "t.parquet")
    schema = pq.read_schema(tmp_path / "t.parquet")
    models = json.loads(schema.metadata[b"emonet.models"])
    assert {model["id"] for model in models} == {"test/face", "test/voice"}
    assert all(len(model["revision"]) == 12 for model in models)
    assert schema.metadata[b"emonet.taxonomy_version"]
    assert schema.metadata[b"emonet.values"] == b"relative"
    assert schema.names[: len(REGION_COLUMNS)] == list(REGION_COLUMNS)


def test_format_without_output_goes_to_stdout(run: Callable[..., tuple[int, str, str]], picture: Make) -> None:
    """Only data is on standard output, so that it can be piped on."""
    code, out, _ = run(picture(), "--format", "jsonl")
    assert code == 0
    assert [json.loads(line)["status"] for line in out.splitlines()] == ["ok"]
    _, out, _ = run(picture(), "--format", "csv")
    assert next(csv.reader(io.StringIO(out)))[0] == "source"


def test_embeddings_file(run: Callable[..., tuple[int, str, str]], tmp_path: Path, picture: Make, tone: Make) -> None:
    """One row per scored region with a list of numbers."""
    run(picture(), tone(), "--embeddings", tmp_path / "e.parquet")
    frame = pl.read_parquet(tmp_path / "e.parquet")
    assert frame["embedding"].list.len().to_list() == [2, 2, 2]


def test_report_and_chart(run: Callable[..., tuple[int, str, str]], tmp_path: Path, picture: Make, tone: Make) -> None:
    """Both files are written; the report holds the face and the sound."""
    code, _, _ = run(picture(), tone(seconds=7.0), "--report", tmp_path / "r.html", "--chart", tmp_path / "c.png")
    assert code == 0
    text = (tmp_path / "r.html").read_text()
    assert "data:image/jpeg;base64," in text
    assert "data:audio/ogg;base64," in text
    assert (tmp_path / "c.png").read_bytes().startswith(b"\x89PNG")


def test_laion_folder(run: Callable[..., tuple[int, str, str]], tmp_path: Path, picture: Make, tone: Make) -> None:
    """One JSON per file in LAION's layouts; a file that failed has none."""
    code, _, err = run(
        picture("p.png"), tone("s.wav"), tmp_path / "no.wav", "--format", "laion", "-o", tmp_path / "out"
    )
    assert code == 2
    assert "Unknown option" in err
    code, _, err = run(
        picture("p.png"), tone("s.wav"), tmp_path / "no.wav", "--format", "laion", "--output", tmp_path / "out"
    )
    assert code == 1
    assert "no.wav: no such file" in err
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["p.json", "s.json"]
    face = json.loads((tmp_path / "out" / "p.json").read_text())
    voice = json.loads((tmp_path / "out" / "s.json").read_text())
    assert set(face["model_anger_best"]) == {"raw", "mean_subtracted", "softmax"}
    assert list(voice) == ["emotions", "source_audio_file"]
    assert voice["source_audio_file"] == "s.wav"


def test_exit_codes(run: Callable[..., tuple[int, str, str]], tmp_path: Path, picture: Make, tone: Make) -> None:
    """0 for no speech, 1 for an unreadable file, 2 for wrong usage; nothing is written in the last case."""
    assert run(tone(level=0.0))[0] == 0
    assert run(picture(), tmp_path / "no.png")[0] == 1
    assert run("https://example.org/a.wav")[0] == 2
    assert run(picture(), "--output", tmp_path / "t.xls")[0] == 2
    assert run(picture(), "--output", tmp_path / "nowhere" / "t.csv")[0] == 2
    assert run(picture(), "--report", tmp_path / "r.txt")[0] == 2
    assert run(picture(), "--format", "laion")[0] == 2
    assert run(picture(), "--values", "raww")[0] == 2
    assert run(picture(), "--fps", "0")[0] == 2
    code, _, err = run(picture(), "--ouput", tmp_path / "t.csv")
    assert code == 2
    assert "Did you mean '--output'" in err
    assert run()[0] == 2
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.png", "a.wav"]


def test_failed_run_leaves_the_old_output(
    run: Callable[..., tuple[int, str, str]], tmp_path: Path, picture: Make
) -> None:
    """An existing file is replaced only by a finished one."""
    output = tmp_path / "t.csv"
    output.write_text("old")
    assert run(picture(), "--output", output, "--report", tmp_path / "no" / "r.html")[0] == 2
    assert output.read_text() == "old"
    assert run(picture(), "--output", output)[0] == 0
    assert output.read_text().startswith("source,")


def _command(face_bundle: Path, *arguments: object) -> list[str]:
    return [sys.executable, "-m", "emonet.cli", "estimate", *map(str, arguments), "--model", str(face_bundle)]


def test_standard_input(face_bundle: Path, picture: Make) -> None:
    """`-` reads one file from standard input, and its rows say so."""
    command = _command(face_bundle, "-", "--whole-image", "--format", "jsonl")
    done = subprocess.run(command, input=picture().read_bytes(), capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()
    row = json.loads(done.stdout)
    assert (row["source"], row["status"]) == ("-", "ok")


def test_interrupt_keeps_finished_files(face_bundle: Path, tmp_path: Path, picture: Make) -> None:
    """Ctrl-C: exit code 130, and the output is whole and holds complete files only."""
    path = picture(size=(1500, 1500))
    files = [tmp_path / f"{i:04}.png" for i in range(3000)]
    for file in files:
        os.link(path, file)
    output = tmp_path / "t.csv"
    command = _command(face_bundle, *files, "--whole-image", "--batch-size", 2, "--output", output)
    process = subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True)
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and not _has_rows(tmp_path):
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130, err
    assert "interrupted" in err
    assert "Traceback" not in err
    with output.open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert 0 < len(rows) < 3000
    assert [row["source"] for row in rows] == [str(file) for file in files[: len(rows)]]
    assert not list(tmp_path.glob(".t.csv*"))


def _has_rows(folder: Path) -> bool:
    """Whether the temporary output holds anything but its header."""
    return any(path.stat().st_size > 5000 for path in folder.glob(".t.csv.*"))


def test_help_states_the_window_policy(capsys: pytest.CaptureFixture[str]) -> None:
    """The help tells how recordings are cut, in line with the policy that is used."""
    with pytest.raises(SystemExit):
        main(["estimate", "--help"])
    text = " ".join(capsys.readouterr().out.split())
    assert WindowPolicy().describe().replace(" of at most 30 s", "") in text
