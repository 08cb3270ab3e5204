"""Events and the audit log can be added to and not changed, whatever program connects."""

from __future__ import annotations

import pytest
from small_projects import MakeStore, answer_next, faces, yes_or_no
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from emonet.annotation.store import add_person, audit_log, events, record


@pytest.mark.parametrize("statement", ["UPDATE {} SET id = id + 100", "DELETE FROM {}"])
@pytest.mark.parametrize("table", ["events", "audit"])
def test_rows_cannot_be_changed(make_store: MakeStore, table: str, statement: str) -> None:
    """The database itself refuses, and what was there stays."""
    store = make_store(yes_or_no(), faces(2))
    person = add_person(store)
    answer_next(store, person.id)
    record(store, "looked", person=person.id)
    with pytest.raises(DBAPIError, match="append-only"), store.writing() as connection:
        connection.execute(text(statement.format(table)))
    assert len(list(events(store))) == 1
    assert [entry.action for entry in audit_log(store)] == ["looked"]


def test_tables_cannot_be_emptied_at_once(make_store: MakeStore) -> None:
    """PostgreSQL's TRUNCATE goes past triggers on rows; there is one for it."""
    store = make_store(yes_or_no(), faces(2))
    if store.dialect == "sqlite":
        return  # it has no such statement
    answer_next(store, add_person(store).id)
    with pytest.raises(DBAPIError, match="append-only"), store.writing() as connection:
        connection.execute(text("TRUNCATE events CASCADE"))
    assert len(list(events(store))) == 1


def test_the_audit_log_reads_backwards_in_pages(make_store: MakeStore) -> None:
    """Newest first; a number continues."""
    store = make_store(yes_or_no(), faces(2))
    person = add_person(store, role="admin")
    for number in range(5):
        record(store, f"act {number}", person=person.id if number % 2 else None, target="x", details={"n": number})
    first = audit_log(store, limit=3)
    assert [entry.action for entry in first] == ["act 4", "act 3", "act 2"]
    assert [entry.action for entry in audit_log(store, before=first[-1].id)] == ["act 1", "act 0"]
    assert [entry.person for entry in first] == [None, "admin-1", None]
