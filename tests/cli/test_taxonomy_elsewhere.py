"""A taxonomy of six emotions in place of the built-in one: annotation, benchmark and reports take it as it is."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import PIL.Image
import pytest

pytest.importorskip("sqlalchemy", reason="the annotation extra is not installed")

_KEYS = ("anger", "saudade", "schadenfreude", "fear", "cosiness", "quiet_joy")


@pytest.fixture
def six(tmp_path: Path) -> Path:
    """Four are new, two have keys of the built-in taxonomy."""
    emotions = [
        {"name": "Anger", "group": "Cold", "words": ["anger", "angry"]},
        {"name": "Saudade", "group": "Warm", "words": ["saudade", "longing"]},
        {"name": "Schadenfreude", "group": "Cold", "words": ["schadenfreude"]},
        {"name": "Fear", "group": "Cold", "words": ["fear", "afraid"]},
        {"name": "Cosiness", "group": "Warm", "words": ["cosiness", "cosy"]},
        {"name": "Quiet Joy", "group": "Warm", "words": ["quiet joy"]},
    ]
    path = tmp_path / "six.json"
    path.write_text(json.dumps({"version": "six-1", "groups": ["Warm", "Cold"], "emotions": emotions}))
    return path


_SEVERAL = """
import json, sys
from emonet.cli import main
for arguments in json.loads(sys.argv[1]):
    try:
        main(arguments)
    except SystemExit as end:
        if end.code:
            raise
"""


def _emonet(six: Path | str, *commands: list[object], code: int = 0) -> str:
    """Command lines, one after the other in a process of their own; their output and messages."""
    env = {**os.environ, "EMONET_TAXONOMY": str(six), "OMP_NUM_THREADS": "1", "COLUMNS": "200"}
    call = [sys.executable, "-c", _SEVERAL, json.dumps([list(map(str, command)) for command in commands])]
    done = subprocess.run(call, capture_output=True, text=True, env=env, check=False)
    assert done.returncode == code, done.stderr
    assert "Traceback" not in done.stderr
    return done.stdout + done.stderr


def _python(six: Path, code: str, *arguments: object) -> str:
    env = {**os.environ, "EMONET_TAXONOMY": str(six), "OMP_NUM_THREADS": "1"}
    call = [sys.executable, "-W", "error", "-c", code, *map(str, arguments)]
    done = subprocess.run(call, capture_output=True, text=True, env=env, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    """Twelve pictures."""
    (tmp_path / "media").mkdir()
    for k in range(12):
        PIL.Image.new("RGB", (8, 8), (20 * k, 90, 90)).save(tmp_path / "media" / f"{k:02d}.png")
    return tmp_path / "media"


def test_people_rate_it_and_the_benchmark_reads_their_ratings(
    six: Path, pictures: Path, face_bundle: Path, tmp_path: Path
) -> None:
    """Sliders of six emotions, synthetic raters, the export, and a benchmark in the two groups.

    A model that was trained on the built-in taxonomy takes part with the emotions that both have.
    """
    project, config = tmp_path / "media-annotation", tmp_path / "run.toml"
    rater = '[[rater]]\ntype = "baseline"\nname = "dice"\nrule = "random"\n'
    rater += f'[[rater]]\ntype = "bundle"\nname = "tiny"\nmodel = "{face_bundle}"\nwhole_image = true\n'
    config.write_text(f'[set]\nkind = "rated"\nfolder = "out/rated"\n{rater}[analysis]\nresamples = 100\n')
    out = _emonet(
        six,
        ["annotate", "init", pictures, "--protocol", "hq"],
        ["annotate", "simulate", project],
        ["annotate", "export", project, tmp_path / "out"],
        ["benchmark", "run", config, "--no-report"],
    )
    assert "12 items, 12 units, protocol hq" in out
    assert "dice" in out
    header = (tmp_path / "out" / "hq.csv").read_text()
    assert "Cold|" in header or "Warm|" in header
    code = (
        "import sys\nfrom emonet.benchmark import read_results\nfrom emonet.benchmark._score import groups_of\n"
        "results = read_results(sys.argv[1])\n"
        "from emonet.datasets import read_rated\nprint(*read_rated(sys.argv[2]).dimensions)\n"
        "for rater in ('dice', 'tiny'):\n"
        "    said = results.ratings.filter(results.ratings['rater'] == rater)\n"
        "    print(*sorted(set(said['dimension'])))\n"
        "print(groups_of(results.facts['dimensions']))"
    )
    read, dice, tiny, groups = _python(six, code, tmp_path / "run", tmp_path / "out" / "rated").splitlines()
    assert read.split() == list(_KEYS)
    assert dice.split() == sorted(_KEYS)
    assert tiny.split() == ["anger", "fear"]
    assert groups == "{'Warm': ['saudade', 'cosiness', 'quiet_joy'], 'Cold': ['anger', 'schadenfreude', 'fear']}"


def test_ratings_of_other_emotions_are_refused(six: Path, pictures: Path, tmp_path: Path) -> None:
    """An emotion of the built-in taxonomy is not one of this; the message names those that are."""
    out = _emonet(six, ["annotate", "init", pictures, "--protocol", "hq", "--emotions", "contempt"], code=2)
    assert "Unknown emotion 'contempt'" in out
    assert "Schadenfreude" in out


def test_prompts_for_models_list_it(six: Path) -> None:
    """Names with their words by group, as a language model is asked."""
    code = (
        "from emonet.benchmark.raters._prompts import _listed\nfrom emonet.taxonomy import EMOTIONS\n"
        "print(_listed([e.key for e in EMOTIONS], 'face'))"
    )
    assert _python(six, code).splitlines() == [
        "Warm", "- Saudade (longing)", "- Cosiness (cosy)", "- Quiet Joy",
        "Cold", "- Anger (angry)", "- Schadenfreude", "- Fear (afraid)",
    ]  # fmt: skip


def test_a_model_keeps_its_own_emotions(six: Path, face_bundle: Path, pictures: Path, tmp_path: Path) -> None:
    """Its scores, ranking and softmax are what they are without the file, and the report names all of them."""
    command = ["estimate", pictures / "05.png", "--model", f"face={face_bundle}", "--whole-image"]
    texts = []
    for file in (six, Path("/dev/null")):
        report, table = tmp_path / f"{file.stem}.html", tmp_path / f"{file.stem}.csv"
        given = [*command, "--output", table, "--report", report, "--values", "softmax"]
        said = _emonet(six if file == six else "", given)
        assert "Contempt" in said
        assert "Negative Low-Energy Emotions" in said
        assert "Contempt" in report.read_text(encoding="utf-8")
        rows = [line.split(",") for line in table.read_text().splitlines()]
        texts.append(dict(zip(rows[0], rows[1], strict=True)))
    assert texts[0] == texts[1]
    assert float(texts[0]["contempt"]) > 0
