"""A project's database: opening it, and transactions."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, OperationalError

from emonet.annotation.store._migrate import upgrade
from emonet.annotation.store._records import NoProjectError, Project, ProjectItem
from emonet.annotation.store._tables import to_json
from emonet.errors import UsageError, require

POOL = 16
"""Connections to PostgreSQL that one process may hold."""
_WAIT_S = 30.0
"""How long a write waits for another to finish, and a request for a connection."""


@dataclass(slots=True, eq=False)
class Store:
    """An open database. Safe to share between threads; after a fork, open it anew. `url`: without its password.

    `known`: what never changes once a project is made and is therefore read once: the project and its items.
    """

    engine: Engine
    dialect: Literal["sqlite", "postgresql"]
    url: str
    known: Known

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A transaction that only reads."""
        with self.engine.begin() as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """A transaction that writes; on SQLite the only one at a time, from its start. It is durable once the block
        has ended, and undone when the block raises. Do not open another one inside."""
        with (
            self.known.turn or nullcontext(),
            self.engine.connect() as connection,
            connection.execution_options(emonet_writes=True).begin(),
        ):
            yield connection

    def close(self) -> None:
        """Give up all connections."""
        self.engine.dispose()

    def __enter__(self) -> Store:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


@dataclass(slots=True, eq=False)
class Known:
    """What a process remembers. `turn`: on SQLite, whose turn among this process's threads it is to write; waiting
    here is fair, waiting in SQLite is not. `swept`: when expired leases were last looked for."""

    turn: threading.Lock | None
    project: Project | None = None
    items: dict[str, ProjectItem] = field(default_factory=dict)
    swept: Any = None


def open_store(url: str, *, create: bool = False, pool: int = POOL) -> Store:
    """Open a project's database and bring its tables up to date.

    url: `sqlite:///path.db` or `postgresql+psycopg://user@host/database` (the database must exist). create: make the
    tables, and the SQLite file, where there are none. pool: connections to PostgreSQL.
    Raises `NoProjectError` where there is nothing and `create` is not given, `UsageError` for an address that cannot be
    used, and for tables of a newer version of the package.
    """
    address = _address(url)
    sqlite = address.get_backend_name() == "sqlite"
    if sqlite and not create and not Path(address.database or "").is_file():
        raise NoProjectError(f"There is no database {address.database}. Make a project with: emonet annotate init")
    engine = _sqlite(address) if sqlite else _postgresql(address, pool)
    shown = address.render_as_string(hide_password=True)
    store = Store(engine, "sqlite" if sqlite else "postgresql", shown, Known(threading.Lock() if sqlite else None))
    try:
        with store.writing() as connection:
            upgrade(connection, create=create, shown=shown)
    except OperationalError as error:
        store.close()
        reason = str(error.orig).strip().splitlines()[0]
        raise UsageError(
            f"The database {shown} cannot be opened: {reason}. Check that the server runs, that the database exists "
            "and that its user may use it."
        ) from error
    except BaseException:
        store.close()
        raise
    return store


def _address(url: str) -> URL:
    try:
        address = make_url(url)
    except ArgumentError as error:
        raise UsageError(
            f"{url!r} is no address of a database; expected sqlite:///path.db or postgresql://..."
        ) from error
    backend = address.get_backend_name()
    if backend == "sqlite":
        if not address.database or address.database == ":memory:":
            raise UsageError(
                "A project needs a file (sqlite:///path.db): a database in memory is lost with the process."
            )
        return address
    if backend != "postgresql":
        raise UsageError(f"The database is of kind {backend!r}; expected sqlite or postgresql.")
    require("psycopg", extra="annotation", feature="PostgreSQL")
    return address.set(drivername="postgresql+psycopg")


def _sqlite(address: URL) -> Engine:
    engine = create_engine(
        address,
        json_serializer=to_json,
        pool_size=POOL,
        pool_timeout=_WAIT_S,
        connect_args={"timeout": _WAIT_S, "check_same_thread": False},
    )

    @event.listens_for(engine, "connect")
    def prepare(connection: Any, _: object) -> None:
        # Transactions begin where `begin` below says, not where the driver thinks fit.
        connection.isolation_level = None
        cursor = connection.cursor()
        for setting in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
            cursor.execute(f"PRAGMA {setting}")
        cursor.close()

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        writes = connection.get_execution_options().get("emonet_writes", False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    return engine


def _postgresql(address: URL, pool: int) -> Engine:
    return create_engine(
        address,
        json_serializer=to_json,
        pool_size=pool,
        max_overflow=4,
        pool_timeout=_WAIT_S,
        pool_pre_ping=True,
        isolation_level="READ COMMITTED",
    )
