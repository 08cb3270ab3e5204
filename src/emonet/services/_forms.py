"""In what form a server takes chats: whether it accepts a JSON schema, and what it calls the longest answer.

Servers of one protocol differ in these two fields, and only their refusals tell which form they want.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from emonet.services._replies import Received, error_message

_ABOUT_SCHEMAS = ("response_format", "json_schema", "structured", "guided", "grammar")


@dataclass(frozen=True, slots=True)
class Form:
    """`schema`: answers are asked for by JSON schema, otherwise in words. `new_length`: the longest answer is
    `max_completion_tokens` instead of `max_tokens`."""

    schema: bool = True
    new_length: bool = False


def in_form(body: Mapping[str, Any], form: Form) -> dict[str, Any]:
    """A chat's body as the server takes it. A schema that it does not take is put into the system message."""
    shaped = dict(body)
    if form.new_length and "max_tokens" in shaped:
        shaped["max_completion_tokens"] = shaped.pop("max_tokens")
    told = shaped.get("response_format")
    schema = told.get("json_schema", {}).get("schema") if isinstance(told, dict) else None
    if not form.schema and schema is not None:
        del shaped["response_format"]
        asked = f"Answer with nothing but JSON of this schema: {json.dumps(schema, ensure_ascii=False)}"
        shaped["messages"] = _with_instruction(shaped.get("messages", ()), asked)
    return shaped


def next_form(form: Form, received: Received, body: Mapping[str, Any]) -> tuple[Form, str] | None:
    """Another form after a refusal, and what changes in words; None where the form was not what was wrong.

    `body`: what was asked, as `in_form` takes it.
    """
    if received.http_status not in (400, 422):
        return None
    said = error_message(received.body).casefold()
    if not form.new_length and "max_tokens" in body and "max_completion_tokens" in said:
        return replace(form, new_length=True), "the server wants max_completion_tokens instead of max_tokens"
    if form.schema and "response_format" in body and any(mark in said for mark in _ABOUT_SCHEMAS):
        return replace(form, schema=False), "the server takes no JSON schema for answers; it is asked for in words"
    return None


def _with_instruction(messages: Any, text: str) -> list[dict[str, Any]]:
    first, *others = [dict(message) for message in messages] or [{}]
    if first.get("role") == "system" and isinstance(first.get("content"), str):
        return [{**first, "content": f"{first['content']}\n\n{text}"}, *others]
    return [{"role": "system", "content": text}, *([first] if first else []), *others]
