"""`emonet paraphrase`: what it writes, what it tells, and every way in which the service can fail."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cyclopts import App

from emonet.captions import TEMPLATES, caption_scores, mentions
from emonet.cli._paraphrase import paraphrase
from emonet.errors import ModelError, UsageError
from emonet.services import read_account
from openai_server import Failure, openai_server

Run = Callable[..., tuple[int, str, str]]
LEADS = ("On a second hearing", "To most ears", "In short", "By and large")


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs the command; gives exit code, standard output and standard error."""
    app = App(default_command=paraphrase, result_action="return_value", exit_on_error=False)

    def call(*arguments: object) -> tuple[int, str, str]:
        code = app([*map(str, arguments)])
        out, err = capsys.readouterr()
        return int(code), out, err

    return call


@pytest.fixture
def captions(tmp_path: Path) -> Path:
    """Four captions made by rule, and a region that has none."""
    path = tmp_path / "captions.jsonl"
    scores = ({"anger": 9.0, "sadness": 5.0}, {"fear": 6.0}, {"amusement": 7.0, "awe": 4.0}, {"relief": 5.0})
    rows: list[dict[str, Any]] = [
        {"key": f"clip{i}", "text": caption_scores(one, seed=i, always=()).text} for i, one in enumerate(scores)
    ]
    rows.insert(2, {"key": "silent", "status": "no_speech", "message": "nobody speaks"})
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def caption_of(body: dict[str, Any]) -> str:
    return str(body["messages"][1]["content"].split("Description:\n")[1].split("\n\n")[0])


def good(_: str, body: dict[str, Any]) -> str:
    return json.dumps({"captions": [f"{lead}: {caption_of(body)}" for lead in LEADS[:3]]})


def service(url: str, output: Path) -> tuple[object, ...]:
    return ("--base-url", url, "--model", "made-1", "--output", output)


def rows_of(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_each_line_gets_its_paraphrases(run: Run, captions: Path, tmp_path: Path) -> None:
    """In the order of the input; a line without a caption stays as it is."""
    output = tmp_path / "out.jsonl"
    with openai_server(good) as server:
        code, _, err = run(captions, *service(server.url, output))
        again = run(captions, *service(server.url, output))
        assert len(server.requests) == 4
    assert (code, again[0]) == (0, 0)
    before, after = rows_of(captions), rows_of(output)
    assert [row["key"] for row in after] == [row["key"] for row in before]
    assert [len(row["paraphrases"]) for row in after] == [3, 3, 0, 3, 3]
    for row in after:
        assert all(mentions(text).strengths == mentions(row["text"]).strengths for text in row["paraphrases"])
    assert "12 paraphrases of 4 captions" in err
    assert "1 lines have no caption" in err


def test_a_service_that_stumbles_costs_nothing_but_time(
    run: Run, captions: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A 429, a 500, a cut connection and words instead of JSON come before each good answer."""
    monkeypatch.setattr("emonet.services._ask.backoff_s", lambda *_: 0.01)
    first: list[Any] = [Failure(429, headers={"Retry-After": "0.01"}), Failure(500), Failure(0), "A sad voice."]

    def answer(path: str, body: dict[str, Any]) -> Any:
        return first.pop() if first else good(path, body)

    output = tmp_path / "out.jsonl"
    with openai_server(answer) as server:
        code, _, _ = run(captions, *service(server.url, output), "--concurrency", 1)
    assert code == 0
    assert sum(len(row["paraphrases"]) for row in rows_of(output)) == 12


def test_a_refused_caption_is_told_and_leaves_exit_code_1(run: Run, captions: Path, tmp_path: Path) -> None:
    """The others are written."""

    def answer(path: str, body: dict[str, Any]) -> Any:
        hers = caption_of(body) == rows_of(captions)[0]["text"]
        return {"refusal": "I would rather not."} if hers else good(path, body)

    output = tmp_path / "out.jsonl"
    with openai_server(answer) as server:
        code, _, err = run(captions, *service(server.url, output))
    rows = rows_of(output)
    assert code == 1
    assert rows[0]["paraphrases_message"] == "refused: I would rather not."
    assert "no answer for 1 captions" in err
    assert len(rows[1]["paraphrases"]) == 3


def test_what_says_something_else_is_dropped_and_counted(run: Run, captions: Path, tmp_path: Path) -> None:
    """One of three adds an emotion, however often it is told."""

    def answer(path: str, body: dict[str, Any]) -> str:
        texts = json.loads(good(path, body))["captions"]
        return json.dumps({"captions": [*texts[:2], f"{texts[2]} It is very jealous."]})

    output = tmp_path / "out.jsonl"
    with openai_server(answer) as server:
        code, _, err = run(captions, *service(server.url, output), "--max-attempts", 2)
        assert len(server.requests) == 8
    rows = [row for row in rows_of(output) if row["key"] != "silent"]
    assert code == 0
    assert all(len(row["paraphrases"]) == 2 and sum(row["paraphrases_dropped"].values()) == 1 for row in rows)
    assert "dropped 4 times" in err


def test_a_wrong_key_ends_it_and_writes_nothing(run: Run, captions: Path, tmp_path: Path) -> None:
    output = tmp_path / "out.jsonl"
    with openai_server(lambda *_: Failure(401, "bad key")) as server, pytest.raises(ModelError, match="Check key"):
        run(captions, *service(server.url, output))
    assert not output.exists()


def test_the_budget_ends_it_and_more_of_it_goes_on(run: Run, captions: Path, tmp_path: Path) -> None:
    """What was paid for is not asked for again. An answer takes 650 tokens at most and 10 in fact."""
    output = tmp_path / "out.jsonl"
    prices = ("--price-in", 0, "--price-out", 1_000_000, "--concurrency", 1, "--budget")
    with openai_server(good) as server:
        code, _, err = run(captions, *service(server.url, output), *prices, 665)
        assert (code, len(server.requests)) == (1, 2)
        assert "the budget does not allow it" in err
        code, _, _ = run(captions, *service(server.url, output), *prices, 1000)
        assert (code, len(server.requests)) == (0, 4)


def test_a_dry_run_sends_and_writes_nothing(run: Run, captions: Path, tmp_path: Path) -> None:
    address = ("--base-url", "http://127.0.0.1:9/v1", "--model", "m")
    code, out, _ = run(captions, *address, "--price-in", 1, "--price-out", 4, "--dry-run")
    assert code == 0
    assert out.startswith("4 requests, ")
    assert "USD" in out
    assert "unknown without prices" in run(captions, *address, "--dry-run")[1]
    assert [path.name for path in tmp_path.iterdir()] == ["captions.jsonl"]


def test_measured_diversity_tells_template_from_wording(run: Run, tmp_path: Path) -> None:
    """Captions give their template away; texts without any trace of it do not, though three share one content."""
    path, output = tmp_path / "captions.jsonl", tmp_path / "out.jsonl"
    names = ("anger", "sadness", "fear", "amusement", "awe")
    rows = []
    for i in range(40):
        scores = {name: 2.0 + ((i // 2) * (k + 1) * 7 % 13) / 3 for k, name in enumerate(names)}
        template = TEMPLATES[i % 2]
        rows.append({"text": caption_scores(scores, template=template, seed=i, always=()).text, "template": template})
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))

    degree = {"slight": "slight", "moderate": "moderate", "strong": "strong", "extreme": "extreme", "none": "no"}

    def answer(_: str, body: dict[str, Any]) -> str:
        said = mentions(caption_of(body)).said
        named = "; ".join(f"{degree[strength]} {key.replace('_', ' ')}" for key, strength in sorted(said))
        return json.dumps({"captions": [f"{lead}: {named}." for lead in LEADS[:3]]})

    with openai_server(answer) as server:
        code, out, err = run(path, *service(server.url, output), "--measure", "--max-attempts", 1)
    assert code == 0, err
    by_rule, other = (float(line.split("told right ")[1].split()[0]) for line in out.splitlines())
    assert by_rule > 0.9
    assert other < 0.75


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "holds no caption"),
        ('{"status": "no_face"}\n', "holds no caption"),
        ("not json\n", "line 1"),
        ('{"text": "a"}\n[1]\n', "line 2"),
        ('{"text": 5}\n', "line 1"),
        ('{"caption": "a"}\n', "line 1"),
        ('{"key": "a", "text": "a"}\n{"key": "a", "text": "b"}\n', "line 2: line 1 has the key 'a'"),
    ],
)
def test_wrong_input_is_told_by_line(run: Run, tmp_path: Path, text: str, told: str) -> None:
    path = tmp_path / "captions.jsonl"
    path.write_text(text)
    with pytest.raises(UsageError, match=told):
        run(path, "--base-url", "http://127.0.0.1:9/v1", "--model", "m", "--dry-run")


def test_an_output_is_wanted(run: Run, captions: Path) -> None:
    with pytest.raises(UsageError, match="--output"):
        run(captions, "--base-url", "http://127.0.0.1:9/v1", "--model", "m")
    with pytest.raises(UsageError, match="cannot be read"):
        run(captions.with_name("none"), "--base-url", "http://127.0.0.1:9/v1", "--model", "m")


def test_a_killed_run_loses_no_reply(run: Run, captions: Path, tmp_path: Path) -> None:
    """SIGKILL after the second answer was kept: the next run asks only for what had not arrived."""
    output, cache = tmp_path / "out.jsonl", tmp_path / "kept.sqlite"
    answered = 0
    slow = [True]

    def answer(path: str, body: dict[str, Any]) -> Any:
        nonlocal answered
        answered += 1
        return Failure(delay_s=30.0, then="late") if slow[0] and answered > 2 else good(path, body)

    with openai_server(answer) as server:
        arguments = [
            *map(str, (captions, *service(server.url, output), "--cache", cache, "--concurrency", 1, "--quiet"))
        ]
        code = "import cyclopts; from emonet.cli._paraphrase import paraphrase; cyclopts.run(paraphrase)"
        with subprocess.Popen([sys.executable, "-c", code, *arguments]) as process:
            deadline = time.monotonic() + 60
            while answered < 3 and time.monotonic() < deadline:  # the third is on its way: two are kept
                assert process.poll() is None
                time.sleep(0.02)
            os.kill(process.pid, signal.SIGKILL)
        assert read_account(cache).replies == 2
        assert not output.exists()
        slow[0] = False
        assert run(*arguments)[0] == 0
        assert answered == 5
    assert sum(len(row["paraphrases"]) for row in rows_of(output)) == 12
