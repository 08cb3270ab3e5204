"""The steps of Containerfile and spaces/Dockerfile in a clean virtual environment, without a container engine.

Usage: python -m benchmarks.serve_install

Each file's `pip install` and CMD are read from it, so that the check cannot drift from what is built. The user and the
base image are left out; the server listens on a free port of this machine. Needs a package index.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def steps(file: Path) -> tuple[str, list[str]]:
    """What is installed and the command that is started."""
    text = file.read_text(encoding="utf-8")
    install = re.search(r"^RUN pip install (.*?) &&", text, re.MULTILINE)
    command = re.search(r"^CMD (\[.*\])$", text, re.MULTILINE)
    assert install is not None
    assert command is not None
    return install[1], json.loads(command[1])


def check(file: Path, folder: Path) -> None:
    """Install and start; exits when the server does not answer."""
    wanted, command = steps(file)
    subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
    programs = folder / "bin"
    if "whl" in wanted:
        made = [str(programs / "pip"), "wheel", "-q", "--no-deps", "-w", str(folder), str(ROOT)]
        subprocess.run(made, check=True)
        wanted = shlex.quote(f"{next(folder.glob('emonet-*.whl'))}[serve,video]")
    subprocess.run([str(programs / "pip"), "install", "-q", *shlex.split(wanted)], check=True, cwd=ROOT)
    command[0] = str(programs / command[0])
    command[command.index("--port") + 1] = "0"
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, cwd=folder,
                          env=os.environ | {"EMONET_API_KEYS": "k" * 32}) as server:  # fmt: skip
        try:
            assert server.stderr is not None
            port = json.loads(server.stderr.readline())["port"]
            print(f"{file.relative_to(ROOT)}: {answered(port)}")
        finally:
            server.terminate()


def answered(port: int) -> str:
    """The models that the server has loaded, once it is ready."""
    for _ in range(300):
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/ready", timeout=5):
                break
        except OSError:
            time.sleep(0.1)
    request = urllib.request.Request(f"http://127.0.0.1:{port}/v1/models", headers={"X-API-Key": "k" * 32})
    with urllib.request.urlopen(request, timeout=10) as reply:
        return ", ".join(card["id"] for card in json.load(reply)["models"])


def main() -> None:
    """Both files."""
    for file in (ROOT / "Containerfile", ROOT / "spaces" / "Dockerfile"):
        with tempfile.TemporaryDirectory(prefix="emonet-install-") as folder:
            check(file, Path(folder))


if __name__ == "__main__":
    main()
