"""`emonet taxonomy derive`, `review` and `build`, as somebody types them, offline."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

pytest.importorskip("textblob", reason="the taxonomy extra is not installed")
pytest.importorskip("sklearn", reason="the taxonomy extra is not installed")
from emonet.cli import main
from emonet.taxonomy import read_taxonomy
from made_books import TEXT

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs a command line: exit code, output, messages."""

    def command(*arguments: object) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as ended:
            main(["taxonomy", *map(str, arguments)])
        said = capsys.readouterr()
        assert "Traceback" not in said.err
        return int(ended.value.code or 0), said.out, said.err

    return command


def test_from_a_book_to_a_taxonomy_file(run: Run, tmp_path: Path) -> None:
    """Derive, look, edit by command and by hand, look again, build."""
    out = tmp_path / "out"
    code, said, progress = run("derive", TEXT, "--output", out, "--chunk-words", 250, "--resamples", 2)
    assert code == 0
    assert "3,063 words, 13 chunks" in said
    assert "of the 248 published words" in said
    assert "the lexicon has" in said
    assert "stability: adjusted Rand" in said
    assert "3,063 words in 13 chunks" in progress
    code, said, _ = run("review", out)
    assert code == 0
    assert "nothing changed since the proposal" in said
    code, said, _ = run(
        "review", out / "review.md", "--merge", "Sadness", "Loneliness", "--split", "Fear", "Nerves", "tension, unease",
        "--move", "awe", "Love", "--rename", "Pride", "Self-Regard", "--drop", "Intoxication",
    )  # fmt: skip
    assert code == 0
    for line in (
        "merged Sadness and Loneliness into Sadness",
        "split Nerves off Fear",
        "moved awe from Surprise to Love",
        "renamed Pride to Self-Regard",
        "dropped Intoxication",
    ):
        assert line in said
    review = out / "review.md"
    review.write_text(review.read_text(encoding="utf-8") + "\n// mine\n## Saudade\ngroup: Other Feelings\n- saudade\n")
    code, said, _ = run("review", review)
    assert "new category Saudade (saudade)" in said
    code, said, _ = run("build", out, "--output", tmp_path / "mine.json")
    assert code == 0
    assert "export EMONET_TAXONOMY=" in said
    names = [emotion.name for emotion in read_taxonomy(tmp_path / "mine.json").emotions]
    assert {"Nerves", "Self-Regard", "Saudade"} <= set(names)
    assert {"Loneliness", "Intoxication"}.isdisjoint(names)


def test_a_dry_run_writes_nothing(run: Run, tmp_path: Path) -> None:
    """Chunks, calls, cost and time; the folder is not made."""
    code, out, _ = run("derive", TEXT, "--output", tmp_path / "out", "--dry-run")
    assert code == 0
    assert [line.split() for line in out.splitlines()][3:] == [
        ["chunks", "7"],
        ["calls", "none,", "offline"],
        ["cost", "nothing,", "offline"],
        ["time", "about", "2", "s"],
    ]
    assert not (tmp_path / "out").exists()


def test_a_service_finds_the_words_and_a_dry_run_tells_its_cost(run: Run, tmp_path: Path) -> None:
    """Calls and cost beforehand, nothing sent; then one call for each chunk."""
    pytest.importorskip("openai", reason="the services extra is not installed")
    from openai_server import openai_server

    reply = {"words": [{"word": word, "kind": "noun"} for word in ("fear", "joy", "anger", "grief", "shame", "envy")]}

    def answer(path: str, body: dict) -> str:
        said = body["messages"][1]["content"].casefold()
        return json.dumps({"words": [item for item in reply["words"] if f" {item['word']} " in said]})

    with openai_server(answer) as server:
        asked = ("--words", "service", "--url", server.url, "--model", "tiny", "--price-in", 1, "--price-out", 2)
        code, out, _ = run("derive", TEXT, "-o", tmp_path / "out", *asked, "--dry-run")
        assert code == 0
        assert "at most about 0.0" in out
        assert [line.split()[1] for line in out.splitlines() if line.startswith("calls")] == ["7"]
        assert not server.requests
        code, out, err = run("derive", TEXT, "-o", tmp_path / "out", *asked, "--resamples", 0)
        assert code == 0
        assert "words: 7 of 7 chunks" in err
        assert len(server.requests) == 7


def test_two_derivations_are_compared(run: Run, tmp_path: Path) -> None:
    """By mutual information and common words."""
    for name, more in (("a", ()), ("b", ("--lexicon-weight", 0, "--categories", 20))):
        run("derive", TEXT, "-o", tmp_path / name, "--resamples", 0, "--quiet", *more)
    code, out, _ = run("review", tmp_path / "a", "--compare", tmp_path / "b")
    assert code == 0
    assert "jaccard: 1.000" in out
    assert "adjusted mutual information: 0." in out


def test_a_faulty_review_is_not_built(run: Run, tmp_path: Path) -> None:
    """`review` lists every fault and ends with 1; `build` names the first and writes nothing."""
    review = tmp_path / "review.md"
    review.write_text("# T\n## Fear\n- fear\n## Joy\ngroup: g\n")
    code, out, _ = run("review", review)
    assert code == 1
    assert "line 2: 'Fear' has no group" in out
    assert "line 4: 'Joy' has no words" in out
    code, _, err = run("build", review, "--output", tmp_path / "t.json")
    assert code == 2
    assert f"{review}, line 2: 'Fear' has no group" in err
    assert not (tmp_path / "t.json").exists()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("derive", "gone.txt", "-o", "out"), "cannot be read"),
        (("derive", TEXT, "-o", "out", "--words", "service"), "needs --url and --model"),
        (("derive", TEXT, "-o", "out", "--vectors", "service", "--url", "http://x/v1"), "--embedding-model"),
        (("derive", TEXT, "-o", "out", "--lexicon", "emphat"), "Expected general, empath or the path"),
        (("review", "gone.md"), "`emonet taxonomy derive` writes review.md"),
        (("build", "gone.md", "-o", "a.json"), "no such file"),
        (("build", "gone.md", "-o", "a.toml"), "ends with .json"),
    ],
)
def test_wrong_usage_is_one_line_that_helps(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: tuple[object, ...], said: str
) -> None:
    """Exit code 2 (1 for a file that cannot be read)."""
    monkeypatch.chdir(tmp_path)
    code, _, err = run(*arguments)
    assert code in (1, 2)
    assert said in err


def test_nothing_heavy_is_loaded_for_help(tmp_path: Path) -> None:
    """Nor for listing a taxonomy of one's own; a faulty file is one line, help works all the same."""
    import os
    import subprocess
    import sys

    path = tmp_path / "t.json"
    path.write_text(json.dumps({"groups": ["g"], "emotions": [{"name": "Saudade", "group": "g"}]}))
    code = (
        "import sys\nfrom emonet.cli import main\ntry:\n    main(sys.argv[1:])\nexcept SystemExit as end:\n"
        "    print(end.code, [m for m in ('numpy', 'sklearn', 'textblob', 'polars') if m in sys.modules])"
    )

    def call(file: Path, *arguments: str) -> tuple[str, str]:
        env = {**os.environ, "EMONET_TAXONOMY": str(file)}
        done = subprocess.run(
            [sys.executable, "-c", code, *arguments], capture_output=True, text=True, env=env, check=True
        )
        return done.stdout, done.stderr

    assert call(path, "taxonomy", "list", "--plain")[0] == "saudade\n0 []\n"
    assert call(path, "taxonomy", "derive", "--help")[0].endswith("0 []\n")
    assert call(tmp_path / "gone.json", "--help")[0].endswith("0 []\n")
    out, err = call(tmp_path / "gone.json", "taxonomy", "list")
    assert out == "2 []\n"
    assert err.count("\n") == 1
    assert "EMONET_TAXONOMY): no such file" in err
