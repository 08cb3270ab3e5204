"""Databases for the tests of the annotation platform: every test that takes `database_url` runs on SQLite and on a real
PostgreSQL server, which is started once a session and skipped with the reason where there is none."""

from __future__ import annotations

import itertools
import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

_numbers = itertools.count(1)


@dataclass(frozen=True)
class PostgresServer:
    """A running server on which every user may do everything. `port` on 127.0.0.1; `folder` of its data."""

    port: int
    folder: Path
    user: str = "postgres"
    made: list[str] = field(default_factory=list)

    def url(self, database: str = "postgres") -> str:
        return f"postgresql+psycopg://{self.user}@127.0.0.1:{self.port}/{database}"

    def emptied_database(self) -> str:
        """The URL of one database that is emptied each time; much faster than a new one."""
        import psycopg

        if not self.made:
            self.made.append(self.new_database().rpartition("/")[2])
        name = self.made[0]
        with psycopg.connect(
            host="127.0.0.1", port=self.port, user=self.user, dbname=name, autocommit=True
        ) as connection:
            connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s AND pid <> pg_backend_pid()",
                [name],
            )
            connection.execute("DROP SCHEMA public CASCADE")
            connection.execute("CREATE SCHEMA public")
        return self.url(name)

    def new_database(self) -> str:
        """The URL of a new, empty database."""
        import psycopg

        name = f"test_{os.getpid()}_{next(_numbers)}"
        with psycopg.connect(host="127.0.0.1", port=self.port, user=self.user, autocommit=True) as connection:
            connection.execute(f'CREATE DATABASE "{name}"')
        return self.url(name)


def _programs() -> Path:
    """Folder with initdb and pg_ctl, or a skip."""
    for folder in (os.environ.get("PGBIN", ""), *_installed(), str(Path(shutil.which("initdb") or "/none").parent)):
        if folder and (Path(folder) / "initdb").is_file() and (Path(folder) / "pg_ctl").is_file():
            return Path(folder)
    pytest.skip("no PostgreSQL server program (initdb, pg_ctl) on the path or in /usr/lib/postgresql; set PGBIN")


def _installed() -> list[str]:
    return [str(path) for path in sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)]


def _unprivileged() -> str | None:
    """The server refuses to run as root; then somebody else who has an account. None for ourselves."""
    if os.geteuid() != 0:
        return None
    known = {entry.pw_name for entry in pwd.getpwall()}
    for name in ("postgres", "nobody"):
        if name in known:
            return name
    pytest.skip("PostgreSQL does not run as root, and there is no user 'postgres' or 'nobody' to run it as")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    """One server for the session, in a folder of its own that is removed afterwards."""
    pytest.importorskip("psycopg", reason="no PostgreSQL driver (psycopg)")
    programs, user = _programs(), _unprivileged()
    # Not below pytest's own folder, into which only we ourselves may look.
    folder = Path(tempfile.mkdtemp(prefix="emonet-postgres-"))
    if user is not None:
        shutil.chown(folder, user)

    def run(*command: str) -> None:
        done = subprocess.run(command, user=user, cwd=folder, capture_output=True, text=True, timeout=120)
        if done.returncode:
            raise RuntimeError(f"{command[0]} failed: {done.stdout}{done.stderr}")

    data, port = folder / "data", _free_port()
    settings = f"-c port={port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={folder} -c fsync=off"
    run(str(programs / "initdb"), "-D", str(data), "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-sync")
    try:
        log = str(folder / "log")
        run(
            str(programs / "pg_ctl"),
            "-D",
            str(data),
            "-w",
            "-l",
            log,
            "-o",
            f"{settings} -c max_connections=200",
            "start",
        )
        yield PostgresServer(port, folder)
    finally:
        stop = [str(programs / "pg_ctl"), "-D", str(data), "-m", "immediate", "stop"]
        subprocess.run(stop, user=user, cwd=folder, capture_output=True, timeout=60)
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of an empty database, on SQLite and on PostgreSQL."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'annotation.db'}"
    server: PostgresServer = request.getfixturevalue("postgres_server")
    return server.emptied_database()
