"""`emonet annotate`: from a folder of media to a filled project and its export, as somebody types it."""

from __future__ import annotations

import json
import re
import sys
import time
from collections.abc import Callable
from pathlib import Path

import PIL.Image
import pytest

pytest.importorskip("sqlalchemy", reason="the annotation extra is not installed")

from emonet.annotation.accounts import read_invitation
from emonet.annotation.store import open_store, read_project
from emonet.cli import main

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs a command line: exit code, output, messages."""

    def command(*arguments: str) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as ended:
            main(["annotate", *arguments])
        said = capsys.readouterr()
        return int(ended.value.code or 0), said.out, said.err

    return command


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    """Twelve pictures in folders of two emotions."""
    for emotion in ("anger", "fear"):
        (tmp_path / "images" / emotion).mkdir(parents=True)
        for k in range(6):
            PIL.Image.new("RGB", (8, 8), (20 * k, 90, 90)).save(tmp_path / "images" / emotion / f"{k}.png")
    return tmp_path / "images"


def test_one_command_makes_a_project_and_an_invitation(pictures: Path, run: Run) -> None:
    """The link that it prints is good for an admin's account."""
    code, out, _ = run("init", "--protocol", "binary", str(pictures))
    assert code == 0
    assert "12 items, 24 units, protocol binary" in out
    token = re.search(r"http://127\.0\.0\.1:8765/join/(\S+)", out)
    assert token is not None
    store = open_store(f"sqlite:///{pictures.parent / 'images-annotation' / 'annotation.db'}")
    assert read_invitation(store, token[1]).role == "admin"
    store.close()


def test_simulate_status_export(pictures: Path, run: Run, tmp_path: Path) -> None:
    """A newcomer's first minutes: synthetic raters, the state as a table and as JSON, the data."""
    project = str(pictures.parent / "images-annotation")
    run("init", "--protocol", "presence", "--name", "Try", str(pictures))
    code, out, _ = run("simulate", project, "--raters", "4", "--careless", "1", "--seed", "2")
    assert (code, "answers; look at the desk" in out) == (0, True)
    code, out, _ = run("status", project)
    assert code == 0
    assert "Try: 12 of 12 units settled" in out
    assert "agreement" in out
    document = json.loads(run("status", project, "--json")[1])
    assert document["settled"] == document["units"] == 12
    assert len(document["raters"]) == 5
    assert document["answers_wanted"] == 0
    code, out, _ = run("export", project, str(tmp_path / "out"))
    assert code == 0
    written = [Path(line) for line in out.split("\n") if line]
    assert {path.name for path in written} == {"rated", "ratings.csv", "items.csv", "units.csv", "events.jsonl"}
    assert all(path.exists() for path in written)


def test_simulation_is_the_same_for_the_same_seed(pictures: Path, run: Run, tmp_path: Path) -> None:
    """Two projects made and filled alike come to the same figures."""
    found = []
    for name in ("one", "two"):
        run("init", str(pictures), "--into", str(tmp_path / name), "--protocol", "presence")
        run("simulate", str(tmp_path / name), "--seed", "5")
        found.append(json.loads(run("status", str(tmp_path / name), "--json")[1]))
    assert found[0]["answers"] == found[1]["answers"]
    assert found[0]["alpha"] == found[1]["alpha"]


def test_status_of_an_empty_project(pictures: Path, run: Run) -> None:
    """It says what to do first; unknown figures are null."""
    run("init", str(pictures))
    project = str(pictures.parent / "images-annotation")
    assert "emonet annotate invite" in run("status", project)[1]
    assert json.loads(run("status", project, "--json")[1])["alpha"] == [None, None, None]


def test_invitations(pictures: Path, run: Run) -> None:
    """As many links as asked for, all different."""
    run("init", str(pictures), "--public-url", "https://rate.example/")
    code, out, _ = run("invite", str(pictures.parent / "images-annotation"), "--role", "lead", "--count", "3")
    assert code == 0
    assert len(set(re.findall(r"https://rate\.example/join/\S+", out))) == 3
    assert run("invite", str(pictures.parent / "images-annotation"), "--count", "0")[0] == 2


def test_options_reach_the_protocol(pictures: Path, run: Run) -> None:
    """Emotions and raters of a slider project."""
    run("init", str(pictures), "--protocol", "hq", "--emotions", "anger", "--emotions", "Fear", "--raters", "2")
    store = open_store(f"sqlite:///{pictures.parent / 'images-annotation' / 'annotation.db'}")
    protocol = read_project(store).protocol
    assert protocol.dimensions == ("anger", "fear")
    assert protocol.rules["plain"][0].raters == 2
    store.close()


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("init", "nowhere"), "is not a folder"),
        (("init", "{media}", "--raters", "2"), "says itself"),
        (("init", "{media}", "--emotions", "angre"), "Did you mean"),
        (("init", "{media}", "--audit", "2"), "share from 0 to 1"),
        (("init", "{media}", "--database", "mysql://x/y"), "expected sqlite or postgresql"),
        (("status", "{media}"), "emonet annotate init"),
        (("simulate", "{media}"), "emonet annotate init"),
        (("serve", "{media}"), "emonet annotate init"),
    ],
)
def test_wrong_usage_says_what_is_right(pictures: Path, run: Run, arguments: tuple[str, ...], told: str) -> None:
    """Exit code 2 and one sentence; no project is left behind."""
    code, _, err = run(*(part.format(media=pictures) for part in arguments))
    assert code == 2
    assert told in err
    assert not (pictures.parent / "images-annotation" / "project.toml").exists()


def test_the_store_says_the_name_it_was_given(pictures: Path, run: Run) -> None:
    """--name is the title that raters see; without it the folder's name."""
    run("init", str(pictures), "--name", "Gesichter – erste Runde")
    store = open_store(f"sqlite:///{pictures.parent / 'images-annotation' / 'annotation.db'}")
    assert read_project(store).name == "Gesichter – erste Runde"
    store.close()


def test_serve_until_interrupted(pictures: Path, run: Run) -> None:
    """The pages answer at the address that is printed, and Ctrl C ends the command."""
    import signal
    import socket
    import subprocess
    import urllib.request
    from contextlib import closing

    run("init", str(pictures))
    with closing(socket.socket()) as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    project = str(pictures.parent / "images-annotation")
    command = [sys.executable, "-m", "emonet.cli", "annotate", "serve", project, "--port", str(port)]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as server:
        assert server.stderr is not None
        assert f"http://127.0.0.1:{port}" in server.stderr.readline()
        for _ in range(100):
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{port}/sign-in", timeout=5) as answer:
                    assert answer.status == 200
                break
            except OSError:
                time.sleep(0.1)
        else:
            pytest.fail("no answer within 10 s")
        server.send_signal(signal.SIGINT)
        assert server.wait(20) in (0, 130)


def test_help_loads_nothing_heavy() -> None:
    """The command's file imports neither the web framework nor the database."""
    import subprocess

    code = (
        "import sys, emonet.cli._annotate; print([m for m in ('fastapi', 'sqlalchemy', 'numpy') if m in sys.modules])"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"
