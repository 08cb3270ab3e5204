"""Bringing a database's tables up to date, by the migrations that come with the package."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Connection, inspect, text

from emonet.annotation.store._records import NoProjectError
from emonet.errors import UsageError, require

HEAD = "0001"
"""The newest migration; a test compares it with the folder."""
_ADVISORY = 0x656D6F6E6574
"""PostgreSQL: held while tables are made, so that two servers that start together do not do it both."""


def upgrade(connection: Connection, *, create: bool, shown: str) -> None:
    """Run the migrations that are missing, in the caller's transaction. shown: the address for messages.

    Raises `NoProjectError` for an empty database unless `create`, `UsageError` for tables of a newer version.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _ADVISORY})
    found = _revision(connection)
    if found == HEAD:
        return
    if found is None and not create:
        raise NoProjectError(f"The database {shown} holds no project. Make one with: emonet annotate init")
    require("alembic", extra="annotation", feature="Making a project's tables")
    from alembic import command
    from alembic.config import Config
    from alembic.script import ScriptDirectory

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations").replace("%", "%%"))
    known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
    if found is not None and found not in known:
        raise UsageError(
            f"The tables of {shown} are of version {found!r}; this version of emonet knows {', '.join(sorted(known))}. "
            "Update emonet."
        )
    config.attributes["connection"] = connection
    command.upgrade(config, HEAD)


def _revision(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    found = connection.execute(text("SELECT version_num FROM alembic_version")).scalar_one_or_none()
    return None if found is None else str(found)
