"""A PostgreSQL server of one's own in a temporary folder, for as long as it is needed."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

_DEBIAN = Path("/usr/lib/postgresql")


def server_programs() -> Path | None:
    """Folder of `initdb` and `postgres`, newest first where Debian has several; None without a server."""
    found = sorted(_DEBIAN.glob("*/bin/initdb"), key=lambda path: -int(path.parts[-3]))
    on_path = shutil.which("initdb")
    return found[0].parent if found else Path(on_path).parent if on_path else None


@contextmanager
def running_postgresql(programs: Path) -> Iterator[str]:
    """Address of an empty database on the loopback, fully durable as a fresh installation is. The server refuses to run
    as root, which is exchanged for the user `postgres`."""
    as_user: Sequence[str] = (
        ("setpriv", "--reuid=postgres", "--regid=postgres", "--init-groups") if os.geteuid() == 0 else ()
    )
    with tempfile.TemporaryDirectory(prefix="emonet-pg-") as text:
        folder, port = Path(text), _free_port()
        folder.chmod(0o755)
        data = folder / "data"
        data.mkdir()
        if as_user:
            shutil.chown(data, "postgres")
        options = ["-D", str(data), "-p", str(port), "-k", str(data), "-c", "listen_addresses=127.0.0.1"]
        made = [str(programs / "initdb"), "-D", str(data), "-U", "emonet", "--auth=trust", "-E", "UTF8"]
        subprocess.run([*as_user, *made], check=True, capture_output=True, cwd=folder)
        with (folder / "log").open("wb") as log:
            server = subprocess.Popen(
                [*as_user, str(programs / "postgres"), *options], stdout=log, stderr=log, cwd=folder
            )
        try:
            _wait(programs, port, server)
            yield f"postgresql+psycopg://emonet@127.0.0.1:{port}/postgres"
        finally:
            server.terminate()
            server.wait(30)


def _wait(programs: Path, port: int, server: subprocess.Popen[bytes]) -> None:
    ready = [str(programs / "pg_isready"), "-q", "-h", "127.0.0.1", "-p", str(port), "-t", "1"]
    for _ in range(100):
        if server.poll() is not None:
            raise RuntimeError(f"PostgreSQL ended with code {server.returncode} at its start.")
        if subprocess.run(ready).returncode == 0:
            return
    raise RuntimeError("PostgreSQL does not accept connections after 100 tries.")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
