"""Projects in a database. The pieces in `small_projects.py` are imported as a plain module."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from emonet.annotation.protocols import Item, Protocol, Unit, make_units
from emonet.annotation.store import Project, Store, create_project, open_store

sys.path.insert(0, str(Path(__file__).parent))


@pytest.fixture
def make_store(database_url: str) -> Iterator[Callable[..., Store]]:
    """Makes a project in the test's database and closes it afterwards; options are those of `Project`."""
    opened: list[Store] = []

    def make(
        asked: Protocol, items: Sequence[Item], *, units: Sequence[Unit] | None = None, seed: int = 3, **options: Any
    ) -> Store:
        store = open_store(database_url, create=True)
        opened.append(store)
        project = Project("a project", asked, seed, **options)
        create_project(store, project, items, make_units(asked, items, seed=seed) if units is None else units)
        return store

    yield make
    for store in opened:
        store.close()
