"""The tables are what the migrations make, on both databases, and are made once."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import inspect, text

from emonet.annotation.store import NoProjectError, open_store, read_project
from emonet.annotation.store import _migrate as migrate
from emonet.annotation.store._tables import Table
from emonet.errors import UsageError


def test_models_and_migrations_agree(database_url: str) -> None:
    """Nothing is left to migrate once the migrations have run."""
    with open_store(database_url, create=True) as store, store.reading() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, Table.metadata) == []


def test_head_is_the_newest_migration() -> None:
    """Whoever adds a migration moves HEAD along."""
    config = Config()
    config.set_main_option("script_location", str(Path(migrate.__file__).parent / "migrations"))
    assert ScriptDirectory.from_config(config).get_heads() == [migrate.HEAD]


def test_opening_again_changes_nothing(database_url: str) -> None:
    """A second opening finds the tables as they are."""
    open_store(database_url, create=True).close()
    with open_store(database_url) as store, store.reading() as connection:
        assert connection.execute(text("SELECT version_num FROM alembic_version")).scalars().all() == [migrate.HEAD]


def test_an_empty_database_is_no_project(database_url: str) -> None:
    """Without `create` nothing is made, and the message says what to do."""
    with pytest.raises(NoProjectError, match="emonet annotate init"):
        open_store(database_url)
    with open_store(database_url, create=True) as store, pytest.raises(NoProjectError, match="no project"):
        read_project(store)


def test_tables_of_a_newer_version_are_left_alone(database_url: str) -> None:
    """An old package does not touch what it does not know."""
    with open_store(database_url, create=True) as store, store.writing() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(UsageError, match="Update emonet"):
        open_store(database_url, create=True)


def test_an_interrupted_migration_leaves_nothing(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Tables are made in one transaction."""
    monkeypatch.setattr(migrate, "HEAD", "no such migration")
    with pytest.raises(Exception, match="no such migration"):
        open_store(database_url, create=True)
    monkeypatch.undo()
    with open_store(database_url, create=True) as store, store.reading() as connection:
        assert "events" in inspect(connection).get_table_names()


def test_servers_that_start_together_make_the_tables_once(database_url: str) -> None:
    """Four at once all get a store."""
    faults: list[BaseException] = []

    def start() -> None:
        try:
            open_store(database_url, create=True).close()
        except BaseException as error:
            faults.append(error)

    threads = [threading.Thread(target=start) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert faults == []


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("sqlite://", "in memory"),
        ("mysql://host/name", "kind 'mysql'"),
        ("nonsense", "no address"),
        ("postgresql://nobody@127.0.0.1:1/none", "cannot be opened"),
    ],
)
def test_addresses_that_cannot_be_used(url: str, told: str) -> None:
    """Each is refused with a reason."""
    with pytest.raises(UsageError, match=told):
        open_store(url, create=True)


def test_a_password_is_never_shown() -> None:
    """Messages and `Store.url` leave it out."""
    with pytest.raises(UsageError) as caught:
        open_store("postgresql://someone:secret@127.0.0.1:1/none")
    assert "secret" not in str(caught.value)
