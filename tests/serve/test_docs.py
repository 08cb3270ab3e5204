"""The commands in docs/serve.md work as they stand."""

from __future__ import annotations

import json
import re
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest
from served import served

from emonet.serve import ServeSettings

PAGE = Path(__file__).resolve().parents[2] / "docs" / "serve.md"


def test_the_examples_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every curl command gives JSON without an error, and the Python example runs."""
    pytest.importorskip("skimage")
    pytest.importorskip("espeakng_loader")
    if shutil.which("curl") is None:
        pytest.skip("curl is not installed")
    from emonet.serve.page._examples import make_example

    for name in ("portrait.png", "sentence.wav"):
        (tmp_path / name).write_bytes(make_example(name))
    monkeypatch.chdir(tmp_path)
    text = PAGE.read_text(encoding="utf-8")
    commands = re.findall(r"^curl .*$", text, re.MULTILINE)
    assert len(commands) >= 7
    with served(ServeSettings()) as server:
        for command in commands:
            here = shlex.split(command.replace("http://127.0.0.1:8022", server.url))
            out = subprocess.run([*here, "--fail-with-body"], capture_output=True, text=True, timeout=60)
            assert out.returncode == 0, (command, out.stdout)
            assert "error" not in json.loads(out.stdout)
        (example,) = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
        found: dict[str, object] = {}
        exec(compile(example.replace("http://127.0.0.1:8022", server.url), str(PAGE), "exec"), found)  # noqa: S102
        assert found["captions"][0].text  # type: ignore[index]
        assert found["reply"].rows  # type: ignore[attr-defined]
