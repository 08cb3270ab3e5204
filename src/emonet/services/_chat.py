"""Bodies of chat requests, and the JSON of their answers."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from emonet.services._records import Reply

_FENCE = re.compile(r"```[a-zA-Z]*\s*\n?(.*?)```", re.DOTALL)


def chat_body(
    system: str,
    user: str,
    *,
    schema: Mapping[str, Any] | None = None,
    schema_name: str = "reply",
    temperature: float | None = None,
    max_tokens: int = 2000,
    seed: int | None = None,
) -> dict[str, Any]:
    """Body of a chat request. `schema`: of the JSON that is wanted, for servers that can hold a model to one."""
    body: dict[str, Any] = {
        "messages": [{"role": "system", "content": system}, {"role": "user", "content": user}],
        "max_tokens": max_tokens,
    }
    if temperature is not None:
        body["temperature"] = temperature
    if seed is not None:
        body["seed"] = seed
    if schema is not None:
        told = {"name": schema_name, "strict": True, "schema": dict(schema)}
        body["response_format"] = {"type": "json_schema", "json_schema": told}
    return body


def json_reply(reply: Reply | str) -> Any:
    """The JSON of an answer, also inside a code fence or after some words. Raises `ValueError` when there is none."""
    text = (reply if isinstance(reply, str) else reply.text).strip()
    fenced = _FENCE.search(text)
    for candidate in (text, fenced[1] if fenced else "", _from_first_bracket(text)):
        try:
            return json.loads(candidate)
        except (ValueError, RecursionError):
            continue
    raise ValueError(f"no JSON in the answer {text[:80]!r}")


def _from_first_bracket(text: str) -> str:
    starts = [place for place in (text.find("{"), text.find("[")) if place >= 0]
    if not starts:
        return ""
    start = min(starts)
    end = max(text.rfind("}"), text.rfind("]"))
    return text[start : end + 1]
