"""The job script of a Slurm array, run as Slurm would."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from emonet.bulk import Summary, script
from emonet.errors import UsageError
from made_shards import contents


def test_directives_are_slurms() -> None:
    """Array, cores, memory, cards and time as asked; the call names what every task makes."""
    text = script("in dir/*.tar", "out", model="voice", tasks=8, cores=4, memory_gb=16, gpus=1, time="2-00:00:00",
                  partition="main", setup=["module load python"])  # fmt: skip
    lines = text.splitlines()
    assert lines[0] == "#!/bin/bash"
    for wanted in ("array=0-7", "cpus-per-task=4", "mem=16G", "gres=gpu:1", "time=2-00:00:00", "partition=main"):
        assert f"#SBATCH --{wanted}" in lines
    assert "module load python" in lines
    assert "'in dir/*.tar'" in text
    assert '--part "${SLURM_ARRAY_TASK_ID}/8"' in text


def test_the_tasks_make_the_run(run: Callable[..., Summary], shards: Path, tmp_path: Path, voice_bundle: Path) -> None:
    """Each task of the array run by a shell with Slurm's variables: together the same bytes as the process pool."""
    run()
    scripts = Path(sys.executable).parent
    text = script(
        f"{shards}/*.tar", tmp_path / "array", model=voice_bundle, tasks=2, cores=1, arguments=["--whole-audio"]
    )
    path = tmp_path / "job.sh"
    path.write_text(text.replace("exec emonet ", f"exec {sys.executable} -m emonet.cli "))
    for task in range(2):
        environment = {**os.environ, "SLURM_ARRAY_TASK_ID": str(task), "PATH": f"{scripts}:{os.environ['PATH']}"}
        done = subprocess.run(["bash", str(path)], env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
    assert contents(tmp_path / "array") == contents(tmp_path / "output")


@pytest.mark.parametrize("options", [{"tasks": 0}, {"tasks": 1, "cores": 0}, {"tasks": 1, "time": "tomorrow"}])
def test_numbers_out_of_range(options: dict[str, object]) -> None:
    """Refused before Slurm sees them."""
    with pytest.raises(UsageError, match="expected"):
        script("in", "out", model="voice", **options)  # type: ignore[arg-type]
