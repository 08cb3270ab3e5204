"""The job script for a Slurm array: each task makes every n-th shard with a process pool of its own."""

from __future__ import annotations

import re
import shlex
from collections.abc import Sequence
from pathlib import Path

from emonet.errors import UsageError

_TIME = re.compile(r"^(\d+-)?\d{1,3}(:\d{2}){0,2}$")


def script(
    input: str | Path | Sequence[str | Path],
    output: str | Path,
    *,
    model: str | Path,
    tasks: int,
    cores: int = 8,
    time: str = "24:00:00",
    memory_gb: int | None = None,
    gpus: int = 0,
    partition: str | None = None,
    account: str | None = None,
    setup: Sequence[str] = (),
    arguments: Sequence[str] = (),
) -> str:
    """Text of a job script for `sbatch`.

    `tasks`: length of the array; `cores`, `memory_gb`, `gpus`: of each task; `time`: Slurm's limit. `setup`: shell
    lines before the work, such as the activation of an environment. `arguments`: further options of `emonet bulk run`.

    A task that is stopped, or fails, is submitted again as it is: it makes what is left. Raises `UsageError` for
    numbers below 1 and a time that Slurm does not know.
    """
    if tasks < 1 or cores < 1 or gpus < 0 or (memory_gb is not None and memory_gb < 1):
        raise UsageError(
            f"tasks is {tasks}, cores {cores}, memory_gb {memory_gb} and gpus {gpus}; expected 1 or more (gpus: 0)."
        )
    if not _TIME.match(time):
        raise UsageError(f"time is {time!r}; expected Slurm's minutes, HH:MM:SS or D-HH:MM:SS.")
    inputs = [str(one) for one in ([input] if isinstance(input, str | Path) else input)]
    asked = {
        "job-name": "emonet-bulk",
        "array": f"0-{tasks - 1}",
        "cpus-per-task": str(cores),
        "time": time,
        "mem": f"{memory_gb}G" if memory_gb else None,
        "gres": f"gpu:{gpus}" if gpus else None,
        "partition": partition,
        "account": account,
        "output": "emonet-bulk-%A_%a.log",
        "requeue": "",
    }
    lines = [f"#SBATCH --{name}{f'={value}' if value else ''}" for name, value in asked.items() if value is not None]
    call = ["emonet", "bulk", "run", *inputs, str(output), "--model", str(model), *arguments]
    workers = ["--gpus", str(gpus)] if gpus else []
    return "\n".join(
        [
            "#!/bin/bash",
            *lines,
            "# Submit with sbatch. Shards that are done stay done: after a failure submit this script again as it is.",
            "# When all tasks are through, `emonet bulk status OUTPUT --verify --page` checks and sums up.",
            "set -euo pipefail",
            *setup,
            f"exec {shlex.join(call)} \\",
            f'  --part "${{SLURM_ARRAY_TASK_ID}}/{tasks}" '
            + (shlex.join(workers) if gpus else '--workers "${SLURM_CPUS_PER_TASK:-' + str(cores) + '}"'),
            "",
        ]
    )
