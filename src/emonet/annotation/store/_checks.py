"""What may not get into the database, said in time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from emonet.annotation.protocols import Unit
from emonet.annotation.store._tables import to_json
from emonet.errors import UsageError

LARGEST_CLIENT = 4096
"""Bytes of the facts on a browser, as JSON."""


def checked_text(text: str, what: str, most: int, *, needed: bool = False) -> str:
    """The text, or `UsageError` for one that is too long, needed and empty, or that no database can hold."""
    if needed and not text.strip():
        raise UsageError(f"{what} is empty; expected a text.")
    if len(text) > most:
        raise UsageError(f"{what} has {len(text)} characters; expected at most {most}.")
    if "\x00" in text or any("\ud800" <= letter <= "\udfff" for letter in text):
        raise UsageError(f"{what} holds characters that are no text (NUL or half of a pair).")
    return text


def checked_client(client: Mapping[str, Any]) -> dict[str, Any]:
    """Facts on a browser, or `UsageError` where they are no JSON or too large."""
    try:
        text = to_json(dict(client))
        size = len(text.encode())
    except (TypeError, ValueError, RecursionError) as error:
        raise UsageError(f"client is no plain JSON: {error}") from error
    if size > LARGEST_CLIENT:
        raise UsageError(f"client takes {size} bytes; expected at most {LARGEST_CLIENT}.")
    if "\\u0000" in text:
        raise UsageError("client holds NUL characters.")
    return dict(client)


def number(value: int, *, big: bool = False) -> int:
    """A number that a column can hold; others are those of no row, so that 0 stands for them."""
    return value if 0 < value < 2 ** (63 if big else 31) else 0


def by_item(unit: Unit, item_ids: Sequence[str], values: Mapping[str, float]) -> dict[str, float]:
    """Values of pairs and sets by the items' keys, where they came by opaque ids."""
    if len(unit.items) < 2:
        return dict(values)
    keys = dict(zip(item_ids, unit.items, strict=True))
    return {keys.get(name, name): value for name, value in values.items()}
