"""Every request to a service and its raw reply, in one SQLite file.

A row is written and committed before a request is sent, and again with the raw reply as soon as it is here, before
anybody reads it. So neither Ctrl-C nor a killed process loses a reply that arrived, and a row in state `sent` tells of
a request whose reply did not. Scores are always read from the raw replies.
"""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any, Literal

from emonet.errors import UsageError

State = Literal["sent", "reply", "http", "timeout", "connection"]
"""`sent`: nothing came back so far; `reply`: an answer (HTTP 200); `http`: another HTTP status; `timeout`;
`connection`: it could not be made or broke off."""

CACHE_FILE = "replies.sqlite"
_VERSION = 1
_COLUMNS = (
    "id, key, item, started, state, http_status, handle, body, message, seconds, status, tokens_in, tokens_out, cost"
)
_STARTED = 3  # column that is kept as text
_SCHEMA = """
CREATE TABLE IF NOT EXISTS attempts (
    id INTEGER PRIMARY KEY,
    key TEXT NOT NULL,       -- hash of the file, the configuration and the prompt
    configuration TEXT NOT NULL,
    content TEXT NOT NULL,   -- SHA-256 of the item's file
    prompt TEXT NOT NULL,    -- SHA-256 of the prompt
    item TEXT NOT NULL,
    started TEXT NOT NULL,   -- UTC, ISO 8601
    state TEXT NOT NULL,
    http_status INTEGER,
    handle TEXT,             -- a job's number at the service, by which its result can still be fetched
    body TEXT,               -- the raw reply
    message TEXT NOT NULL DEFAULT '',
    seconds REAL,
    status TEXT,             -- what the reply was read as; for people, never read back
    tokens_in INTEGER,
    tokens_out INTEGER,
    cost REAL
);
CREATE INDEX IF NOT EXISTS attempts_key ON attempts (key);
CREATE INDEX IF NOT EXISTS attempts_item ON attempts (configuration, item);
CREATE TABLE IF NOT EXISTS texts (sha256 TEXT PRIMARY KEY, text TEXT NOT NULL);
"""


@dataclass(frozen=True, slots=True)
class Key:
    """What makes two requests the same: the file's content, the configuration (service, model, parameters) and the
    prompt. `item` is only a name by which rows can be found when the files are not at hand."""

    content: str
    configuration: str
    prompt: str
    item: str

    @property
    def sha256(self) -> str:
        """The three as one hash."""
        return sha256("\n".join((self.content, self.configuration, self.prompt)).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Attempt:
    """One request. `body`: the raw reply, None when there is none. `cost`: in the currency of the prices, None when
    unknown."""

    id: int
    key: str
    item: str
    started: datetime
    state: State
    http_status: int | None
    handle: str | None
    body: str | None
    message: str
    seconds: float | None
    status: str | None
    tokens_in: int | None
    tokens_out: int | None
    cost: float | None


class ReplyCache:
    """The file; safe to use from several threads and processes at once. Use it in a `with` statement."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = threading.Lock()
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._connection = sqlite3.connect(path, timeout=60, check_same_thread=False, isolation_level=None)
        except (OSError, sqlite3.Error) as error:
            raise UsageError(
                f"{path}: the replies cannot be kept there ({error}); choose a folder to write to."
            ) from error
        try:
            (version,) = self._connection.execute("PRAGMA user_version").fetchone()
            if version not in (0, _VERSION):
                raise UsageError(f"{path} is of format {version}; this version of emonet reads {_VERSION}.")
            self._connection.execute("PRAGMA journal_mode = WAL")
            self._connection.execute("PRAGMA synchronous = FULL")  # what is paid for outlives a power cut
            self._connection.executescript(_SCHEMA)
            self._connection.execute(f"PRAGMA user_version = {_VERSION}")
        except sqlite3.Error as error:
            self._connection.close()
            raise UsageError(
                f"{path} is no cache of replies ({error}); move it away or name another folder."
            ) from error
        except UsageError:
            self._connection.close()
            raise

    def __enter__(self) -> ReplyCache:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the file. What was kept is in it already."""
        with self._lock:
            self._connection.close()

    def begin(self, key: Key) -> int:
        """Note that a request is about to be sent; its id."""
        started = datetime.now(UTC).isoformat()
        row = (key.sha256, key.configuration, key.content, key.prompt, key.item, started)
        return self._write(
            "INSERT INTO attempts (key, configuration, content, prompt, item, started, state) "
            "VALUES (?, ?, ?, ?, ?, ?, 'sent')",
            row,
        )

    def keep_handle(self, attempt: int, handle: str) -> None:
        """Note the number under which the service keeps a job."""
        self._write("UPDATE attempts SET handle = ? WHERE id = ?", (handle, attempt))

    def receive(
        self, attempt: int, state: State, *, body: str | None, http_status: int | None, message: str, seconds: float
    ) -> None:
        """Keep what came back, as it came."""
        self._write(
            "UPDATE attempts SET state = ?, body = ?, http_status = ?, message = ?, seconds = ? WHERE id = ?",
            (state, _storable(body), http_status, _storable(message), seconds, attempt),
        )

    def account(
        self, attempt: int, *, status: str, tokens_in: int | None, tokens_out: int | None, cost: float | None
    ) -> None:
        """Note what a kept reply was read as and what it cost."""
        self._write(
            "UPDATE attempts SET status = ?, tokens_in = ?, tokens_out = ?, cost = ? WHERE id = ?",
            (status, tokens_in, tokens_out, cost, attempt),
        )

    def keep_text(self, digest: str, text: Mapping[str, Any]) -> None:
        """Keep a prompt or configuration under its hash, so that the file explains itself."""
        readable = json.dumps(text, ensure_ascii=False, sort_keys=True, indent=1)
        self._write("INSERT OR IGNORE INTO texts VALUES (?, ?)", (digest, readable))

    def attempts(self, key: Key) -> list[Attempt]:
        """All requests for a key, oldest first."""
        return self._read("WHERE key = ?", (key.sha256,))

    def attempts_of_item(self, configuration: str, prompt: str, item: str) -> list[Attempt]:
        """All requests for an item by its name, oldest first; for when its file is not at hand."""
        return self._read("WHERE configuration = ? AND prompt = ? AND item = ?", (configuration, prompt, item))

    def unaccounted(self, configuration: str) -> list[Attempt]:
        """Replies that were kept, but not priced: the process ended between the two."""
        return self._read("WHERE configuration = ? AND state = 'reply' AND status IS NULL", (configuration,))

    def spent(self, configuration: str) -> float:
        """Sum of the known costs of a configuration."""
        with self._lock:
            row = self._connection.execute(
                "SELECT coalesce(sum(cost), 0) FROM attempts WHERE configuration = ?", (configuration,)
            ).fetchone()
        return float(row[0])

    def spent_of_model(self, base_url: str, model: str) -> float:
        """Sum of the known costs of all configurations that name this address and model."""
        with self._lock:
            rows = self._connection.execute(
                "SELECT texts.text, sum(cost) FROM attempts JOIN texts ON texts.sha256 = configuration "
                "WHERE cost IS NOT NULL GROUP BY configuration"
            ).fetchall()
        own = (base_url, model)
        about = ((json.loads(text), float(cost)) for text, cost in rows)
        return sum(cost for told, cost in about if (told.get("base_url"), told.get("model")) == own)

    def totals(self) -> tuple[int, int, int, int, float]:
        """Requests, replies, tokens in, tokens out and cost, as far as they are known."""
        with self._lock:
            row = self._connection.execute(
                "SELECT count(*), coalesce(sum(state = 'reply'), 0), coalesce(sum(tokens_in), 0), "
                "coalesce(sum(tokens_out), 0), coalesce(sum(cost), 0) FROM attempts"
            ).fetchone()
        return int(row[0]), int(row[1]), int(row[2]), int(row[3]), float(row[4])

    def _read(self, where: str, values: tuple[Any, ...]) -> list[Attempt]:
        with self._lock:
            rows = self._connection.execute(f"SELECT {_COLUMNS} FROM attempts {where} ORDER BY id", values).fetchall()
        return [replace(Attempt(*row), started=datetime.fromisoformat(row[_STARTED])) for row in rows]

    def _write(self, statement: str, values: tuple[Any, ...]) -> int:
        # Each statement is a transaction of its own (isolation_level None), on disk when `execute` returns.
        with self._lock:
            return int(self._connection.execute(statement, values).lastrowid or 0)


def _storable(text: str | None) -> str | None:
    """SQLite keeps no lone surrogates, which a careless server may send."""
    return None if text is None else text.encode("utf-8", "replace").decode("utf-8")
