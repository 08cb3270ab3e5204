"""A model's words to numbers: strict about names and ranges, tolerant of code fences and text around the answer."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from emonet.benchmark.raters._questions import AnswerScale, Question
from emonet.benchmark.raters._records import Status
from emonet.errors import UnknownNameError
from emonet.taxonomy import Modality, resolve

_FENCE = re.compile(r"```[a-zA-Z]*\s*\n?(.*?)```", re.DOTALL)
# Apologies and denials in the first person, as chat models word them. Only looked for where no answer was found.
_REFUSAL = re.compile(
    r"\b(i\s*(am|'m|’m)\s+(sorry|unable|not\s+able|not\s+comfortable)"
    r"|i\s*(can\s*not|cannot|can't|can’t|won't|won’t|must\s+decline|have\s+to\s+decline|do\s+not|don't|don’t)\s+"
    r"(\w+\s+){0,3}?(help|assist|identify|analy[sz]e|infer|determine|provide|comply|rate|judge|evaluate|assess|describe"
    r"|comment|do\s+that|process|listen|hear|see|view)"
    r"|unable\s+to\s+(help|assist|comply|provide|analy[sz]e|process|rate)"
    r"|as\s+an\s+ai\b|against\s+(my|our|the)\s+(policy|policies|guidelines))",
    re.IGNORECASE,
)
_LONGEST_NAME = 100
_MOST_OBJECTS = 20  # objects looked for in one text; a text with more holds no single answer anyway


@dataclass(frozen=True, slots=True)
class Parsed:
    """`values`: one number for every dimension asked when `status` is ok, else empty. `message`: what is wrong."""

    status: Status
    values: Mapping[str, float] = field(default_factory=dict)
    message: str = ""


class _FormError(Exception):
    """The answer is not of the agreed form; the message completes "That answer cannot be used: ..."."""


def parse_reply(text: str | None, question: Question, scale: AnswerScale, modality: Modality) -> Parsed:
    """Numbers for all dimensions of `question`, or why there are none. Never raises, and never gives a dimension that
    was not asked.

    An emotion that the answer leaves out is absent. A name may have any spelling that the taxonomy knows. Numbers
    outside the scale, unknown names and names given twice make the whole answer `malformed`.
    """
    if text is None or not text.strip():
        return Parsed("malformed", message="it is empty")
    try:
        found = _one_object(text)
        if question.dimension is not None:
            return Parsed("ok", {question.dimension: _number(_single(found), scale)})
        values = _named_values(_entries(found), question, scale, modality)
    except _FormError as error:
        if "{" not in text and _REFUSAL.search(text[:2000]):
            return Parsed("refused", message=_short(text))
        return Parsed("malformed", message=str(error))
    return Parsed("ok", {key: values.get(key, scale.absent) for key in question.dimensions})


def _one_object(text: str) -> dict[str, Any]:
    """The JSON object of the text: the whole of it, that of its code fence, or the only one among other words."""
    candidates = [text.strip(), *(match.strip() for match in _FENCE.findall(text))]
    for candidate in candidates:
        try:
            found = _decoder().decode(candidate)
        except (ValueError, RecursionError):
            continue
        if isinstance(found, dict):
            return found
        raise _FormError(f"it is a JSON {type(found).__name__} and no object")
    objects = list(_objects(text))
    if len(objects) != 1:
        raise _FormError("it holds no JSON object" if not objects else f"it holds {len(objects)} JSON objects")
    return objects[0]


def _objects(text: str) -> Iterator[dict[str, Any]]:
    """Outermost JSON objects anywhere in a text."""
    at, found = text.find("{"), 0
    while at >= 0 and found < _MOST_OBJECTS:
        found += 1
        try:
            value, end = _decoder().raw_decode(text, at)
            yield value
        except (ValueError, RecursionError):
            end = at + 1
        at = text.find("{", end)


def _decoder() -> json.JSONDecoder:
    return json.JSONDecoder(object_pairs_hook=_unique, parse_constant=_no_constant)


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """A JSON object; a key that comes twice with different values leaves open which one is meant."""
    out: dict[str, Any] = {}
    for key, value in pairs:
        if key in out and out[key] != value:
            raise ValueError(f"{key!r} comes twice")
        out[key] = value
    return out


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is no JSON number")


def _single(found: dict[str, Any]) -> Any:
    if set(found) != {"intensity"}:
        raise _FormError(f'its keys are {_keys(found)}; expected only "intensity"')
    return found["intensity"]


def _entries(found: dict[str, Any]) -> list[tuple[str, Any]]:
    """(name, value) pairs of {"emotions": [...]}, {"emotions": {name: value}} or {name: value}."""
    listed = found
    if "emotions" in found:
        if len(found) > 1:
            raise _FormError(f'its keys are {_keys(found)}; expected only "emotions"')
        listed = found["emotions"]
    elif not found:
        raise _FormError('it lacks the key "emotions"')
    if isinstance(listed, dict):
        return list(listed.items())
    if not isinstance(listed, list):
        raise _FormError('"emotions" is neither a list nor an object')
    for entry in listed:
        whole = isinstance(entry, dict) and set(entry) == {"emotion", "intensity"}
        if not whole or not isinstance(entry["emotion"], str):
            raise _FormError('an entry of "emotions" has not exactly the keys "emotion" and "intensity"')
    return [(entry["emotion"], entry["intensity"]) for entry in listed]


def _named_values(
    entries: list[tuple[str, Any]], question: Question, scale: AnswerScale, modality: Modality
) -> dict[str, float]:
    values: dict[str, float] = {}
    for name, value in entries:
        key = _key(name, question, modality)
        number = _number(value, scale, name)
        if values.setdefault(key, number) != number:
            raise _FormError(f'"{_short(name)}" comes twice with different numbers')
    return values


def _key(name: str, question: Question, modality: Modality) -> str:
    try:
        if len(name) > _LONGEST_NAME:
            raise UnknownNameError("emotion", "", ())
        key = resolve(name, modality=modality).key
    except UnknownNameError:
        key = ""
    if key not in question.dimensions:
        raise _FormError(f'"{_short(name)}" is none of the listed names')
    return key


def _number(value: Any, scale: AnswerScale, name: str = "intensity") -> float:
    # A bool is an int to Python; a comparison first, since a whole number may be too long for a float.
    if isinstance(value, bool) or not isinstance(value, int | float) or not scale.low <= value <= scale.high:
        shown = type(value).__name__ if isinstance(value, dict | list) else json.dumps(value)
        raise _FormError(f'"{_short(name)}" is {_short(shown)}; expected {scale.describe()}')
    number = float(value)
    if not scale.holds(number):
        raise _FormError(f'"{_short(name)}" is {number:g}; expected {scale.describe()}')
    return number


def _keys(found: Mapping[str, Any]) -> str:
    return _short(", ".join(f'"{key}"' for key in found) or "none")


def _short(text: str, most: int = 200) -> str:
    line = " ".join(text.split())
    return line if len(line) <= most else line[: most - 3] + "..."
