"""`emonet caption`: formats, outputs, subtitles, shards, reports, exit codes."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import pytest

from emonet.captions import TEMPLATES, mentions, read_baseline
from emonet.cli import main
from emonet.datasets import read_samples
from made_shards import shard

Make = Callable[..., Path]
Call = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Call:
    """Runs the command; gives exit code, standard output and standard error."""

    def call(*arguments: object) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as end:
            main(["caption", *map(str, arguments)])
        out, err = capsys.readouterr()
        assert "Traceback" not in err
        return int(end.value.code or 0), out, err

    return call


@pytest.fixture
def voice(tone: Make) -> Path:
    """Nine seconds of a tone, which the embedded model takes whole."""
    return tone("clip.wav", seconds=9.0)


def test_one_command_describes_a_recording(run: Call, voice: Path) -> None:
    code, out, err = run(voice, "--whole-audio")
    assert code == 0
    assert out.startswith(f"{voice}\n  voice 0:00.0-0:09.0: Heard in this voice: ")
    assert "not what the person feels" in out
    assert "1 file: 1 scored" in err


def test_a_picture_and_a_video_are_described(run: Call, picture: Make, video: Make) -> None:
    code, out, _ = run(picture(), video(seconds=7.0, sound=False), "--whole-image", "--format", "jsonl", "-q")
    rows = [json.loads(line) for line in out.splitlines()]
    assert code == 0
    assert rows[0]["subject"] == "face"
    assert rows[0]["start_s"] is None
    faces = [row for row in rows[1:] if row["subject"] == "face"]
    assert [(row["start_s"], row["end_s"]) for row in faces] == [(0.0, 5.0), (5.0, 7.0)]
    assert {row["status"] for row in faces} == {"ok"}


def test_json_tells_what_the_text_rests_on(run: Call, voice: Path, tmp_path: Path) -> None:
    code, out, _ = run(voice, "--whole-audio", "--output", tmp_path / "c.json", "--window-s", "4", "-q")
    assert (code, out) == (0, "")
    document = json.loads((tmp_path / "c.json").read_text())
    assert document["models"][0]["id"] == "emonet/embedded-voice"
    assert "not what the person feels" in document["note"]
    assert len(document["captions"]) == 3
    for row in document["captions"]:
        assert mentions(row["text"]).said == tuple((said["key"], said["strength"]) for said in row["emotions"])


@pytest.mark.parametrize("template", [*TEMPLATES, "random"])
def test_every_template_can_be_asked_for(run: Call, voice: Path, template: str) -> None:
    words = ("--template", template, "--seed", "3", "--shuffle", "--format", "jsonl", "-q")
    first = run(voice, "--whole-audio", *words)
    assert first[0] == 0
    assert first == run(voice, "--whole-audio", *words)
    assert json.loads(first[1])["template"] in (TEMPLATES if template == "random" else (template,))


def test_subtitles_have_the_times_of_the_windows(run: Call, voice: Path, tone: Make, tmp_path: Path) -> None:
    code, out, _ = run(voice, "--whole-audio", "--window-s", "3", "--format", "srt", "-q")
    assert code == 0
    assert "1\n00:00:00,000 --> 00:00:03,000\n" in out
    other = tone("other.wav", seconds=2.0)
    code, _, _ = run(voice, other, "--whole-audio", "--format", "vtt", "--output", tmp_path / "subtitles", "-q")
    assert code == 0
    assert sorted(path.name for path in (tmp_path / "subtitles").iterdir()) == ["clip.vtt", "other.vtt"]
    assert (tmp_path / "subtitles" / "other.vtt").read_text().startswith("WEBVTT\n\nNOTE\n")


def test_the_report_shows_the_captions(run: Call, voice: Path, picture: Make, tmp_path: Path) -> None:
    files = (voice, picture())
    code, out, _ = run(
        *files, "--whole-audio", "--whole-image", "--report", tmp_path / "r.html", "--format", "jsonl", "-q"
    )
    assert code == 0
    page = (tmp_path / "r.html").read_text()
    assert page.count("<h4>In words</h4>") == 2
    for line in out.splitlines():
        assert json.loads(line)["text"] in page


def test_samples_of_a_shard_get_captions(run: Call, tmp_path: Path) -> None:
    shard(tmp_path / "in.tar", 1, count=4, damaged=[2])
    code, out, err = run(tmp_path / "in.tar", "--whole-audio", "--enrich", tmp_path / "out.tar")
    assert (code, out) == (1, "")
    assert "emonet: in: 1-002: " in err
    assert "3 of 4 samples have a caption" in err
    for i, sample in enumerate(read_samples(tmp_path / "out.tar")):
        details = sample.facts["procedural_caption_details"]
        if i == 2:
            assert "procedural_caption" not in sample.facts
            assert details["status"] == "unreadable"
        else:
            assert sample.facts["procedural_caption"] == details["subjects"][0]["text"]
    code, _, err = run(tmp_path / "out.tar", "--whole-audio", "--enrich", tmp_path / "again.tar")
    assert code == 2
    assert "already" in err


def test_a_baseline_of_ones_own(run: Call, tone: Make, tmp_path: Path) -> None:
    files = [tone(f"{i}.wav", seconds=9.0) for i in range(3)]
    code, _, _ = run(*files, "--whole-audio", "--window-s", "1", "--make-baseline", tmp_path / "own.json", "-q")
    assert code == 0
    assert read_baseline(tmp_path / "own.json").model == "emonet/embedded-voice"
    code, out, _ = run(files[0], "--whole-audio", "--baseline", tmp_path / "own.json", "-q")
    assert code == 0
    assert "Heard in this voice" in out or "stands out in nothing" in out


def test_a_model_without_a_known_baseline_asks_for_one(run: Call, voice: Path, voice_bundle: Path) -> None:
    code, _, err = run(voice, "--whole-audio", "--model", voice_bundle)
    assert code == 2
    assert "--make-baseline" in err


def test_a_file_that_cannot_be_read_is_said(run: Call, voice: Path, tmp_path: Path) -> None:
    code, out, err = run(voice, tmp_path / "gone.wav", "--whole-audio")
    assert code == 1
    assert "(unreadable: no such file)" in out
    assert "gone.wav: no such file" in err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--template", "haiku"], "Unknown caption template 'haiku'"),
        (["--emotions", "-1"], "0 or more"),
        (["--baseline", "nowhere.json"], "cannot be read as a baseline"),
        (["--output", "x.docx"], "ends in"),
        (["--output", "nowhere/x.json"], "does not exist"),
        (["--report", "x.pdf"], "ends in .html"),
        (["--captioner", "x", "--model", "voice"], "does not go with"),
        (["--captioner", "x", "--report", "r.html"], "does not go with"),
        (["--enrich", "x.tar", "--format", "json"], "does not go with"),
        (["--runtime", "ctranslate2"], "--captioner"),
    ],
)
def test_wrong_usage_is_said_before_any_work(run: Call, voice: Path, arguments: list[str], message: str) -> None:
    code, out, err = run(voice, *arguments)
    assert (code, out) == (2, "")
    assert message in err


def test_subtitles_of_a_picture_make_no_sense(run: Call, picture: Make) -> None:
    code, _, err = run(picture(), "--format", "srt")
    assert code == 2
    assert "without times" in err


@pytest.mark.shared
def test_acted_anger_is_called_angry_more_often_than_calm(run: Call, shared: Path) -> None:
    with (shared / "data" / "manifest.csv").open(newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["source"] == "ravdess" and row["split"] == "test"]
    files = {
        label: [shared / "data" / row["path"] for row in rows if row["label"] == label] for label in ("angry", "calm")
    }
    named = {}
    for label, paths in files.items():
        _, out, _ = run(*paths, "--format", "jsonl", "-q")
        told = [json.loads(line) for line in out.splitlines()]
        read = [mentions(row["text"]).present for row in told if row["status"] == "ok"]
        assert len(read) >= 15
        named[label] = sum("anger" in keys for keys in read) / len(read)
    assert named["angry"] > named["calm"] + 0.2


def test_a_captioning_model_writes_in_place_of_the_rules(run: Call, tone: Make, tmp_path: Path) -> None:
    """An untrained Whisper: what it writes means nothing, but times, fields and formats are those of a real one."""
    pytest.importorskip("transformers")
    from tiny_whisper import tiny_whisper

    texts = ["A woman sounds very sad.", "A man sounds somewhat angry."]
    model, voice = tiny_whisper(tmp_path / "whisper", texts, positions=32), tone("long.wav", seconds=3.0)
    options = ("--captioner", model, "--whole-audio", "-q")
    code, out, _ = run(voice, *options, "--format", "json")
    assert code == 0
    document = json.loads(out)
    rows = document["captions"]
    assert document["captioner"]
    assert rows[0]["start_s"] == 0.0
    assert all(one["end_s"] <= other["start_s"] for one, other in pairwise(rows))
    assert {"tone", "bursts"} <= set(rows[0])
    shard(tmp_path / "in.tar", 1, count=2, damaged=[1])
    code, _, err = run(tmp_path / "in.tar", *options, "--enrich", tmp_path / "out.tar")
    assert code == 1
    assert "1-001" in err
    good, bad = read_samples(tmp_path / "out.tar")
    assert good.facts["caption_details"]["status"] == "ok"
    assert bad.facts["caption_details"]["status"] == "unreadable"
    code, _, err = run(voice, tmp_path / "gone.wav", *options)
    assert code == 1
    assert "gone.wav" in err
