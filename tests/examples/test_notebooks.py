"""The notebooks of examples/ run from top to bottom, offline, and show what their texts promise."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

FOLDER = Path(__file__).parents[2] / "examples"
_RUN = """
import sys
import nbformat
from nbclient import NotebookClient

book = nbformat.read(sys.argv[1], as_version=4)
NotebookClient(book, timeout=120, resources={"metadata": {"path": sys.argv[2]}}).execute()
nbformat.write(book, sys.argv[3])
"""


def _run(name: str, tmp_path: Path) -> list[Any]:
    """The outputs of one notebook, run by a kernel of its own so that its sockets and threads stay out of the tests."""
    for package, extra in (("nbclient", "dev"), ("ipykernel", "dev"), ("skimage", "demo"), ("espeakng_loader", "demo")):
        pytest.importorskip(package, reason=f"{package} is not installed (extra or group `{extra}`)")
    import nbformat

    made = tmp_path / "run.ipynb"
    environment = os.environ | {"OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1", "IPYTHONDIR": str(tmp_path / "ipython")}
    call = [sys.executable, "-c", _RUN, str(FOLDER / f"{name}.ipynb"), str(FOLDER), str(made)]
    done = subprocess.run(call, capture_output=True, text=True, env=environment, timeout=120, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    book = nbformat.read(made, as_version=4)
    return [output for cell in book.cells if cell.cell_type == "code" for output in cell.outputs]


def _text(outputs: list[Any]) -> str:
    return "\n".join(str(output.get("text", "") or output.get("data", {}).get("text/plain", "")) for output in outputs)


def test_face(tmp_path: Path) -> None:
    """A smiling portrait is called elated, with the figure of the card, and a chart is drawn."""
    outputs = _run("face", tmp_path)
    text = _text(outputs)
    assert "Elation" in text.splitlines()[1]
    assert "AUC 0.98" in text
    assert "11 emotions are not judged" in text
    assert any("image/png" in output.get("data", {}) for output in outputs)


def test_voice(tmp_path: Path) -> None:
    """A sentence is scored as a whole and in windows of at most 2 s."""
    text = _text(_run("voice", tmp_path))
    assert "probability" in text
    assert "calibrated" in text
    assert "start_s" in text


def test_benchmark(tmp_path: Path) -> None:
    """The good model comes before the poor one, by more than chance."""
    text = _text(_run("benchmark", tmp_path))
    assert 0 < text.index("good model") < text.index("poor model")
    assert "verdict" in text


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.ipynb")), ids=lambda path: path.stem)
def test_notebooks_are_kept_without_outputs(path: Path) -> None:
    """What a run prints depends on the machine; the files hold text and code alone."""
    import json

    book = json.loads(path.read_text(encoding="utf-8"))
    assert all(not cell["outputs"] and cell["execution_count"] is None for cell in book["cells"] if "outputs" in cell)
