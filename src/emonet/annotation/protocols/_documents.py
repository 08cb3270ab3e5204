"""A protocol as plain JSON and back, and what a sound protocol is."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import TypeAdapter, ValidationError

from emonet.annotation.protocols._records import Protocol
from emonet.errors import UsageError

FORMAT = 1
"""Version of the document; a later one is refused rather than guessed at."""
_ADAPTER: TypeAdapter[Protocol] = TypeAdapter(Protocol)


def protocol_to_dict(protocol: Protocol) -> dict[str, Any]:
    """Everything as JSON types; `protocol_from_dict` gives an equal protocol back."""
    return {"format": FORMAT, **_ADAPTER.dump_python(protocol, mode="json")}


def protocol_from_dict(document: object) -> Protocol:
    """The protocol of a document; `UsageError` naming the field that is missing, unknown or wrong."""
    if not isinstance(document, Mapping):
        raise UsageError(f"A protocol document is of type {type(document).__name__}; expected a JSON object.")
    content = {str(name): value for name, value in document.items()}
    if (version := content.pop("format", None)) != FORMAT:
        raise UsageError(f"A protocol document has format {version!r}; this version of emonet reads {FORMAT}.")
    try:
        found = _ADAPTER.validate_python(content)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"])) or "document"
        raise UsageError(f"Protocol document, field {where!r}: {first['msg']}.") from error
    # A misspelled optional field would otherwise be dropped, and its default change the protocol unseen.
    if unknown := next(_unknown(content, _ADAPTER.dump_python(found, mode="json")), None):
        raise UsageError(f"Protocol document: unknown field {unknown!r}. Check its spelling.")
    return check_protocol(found)


def check_protocol(protocol: Protocol) -> Protocol:
    """The same protocol, or `UsageError` naming what makes it unusable."""
    for faults in (_question_faults, _rule_faults, _scale_faults):
        if fault := next(faults(protocol), None):
            raise UsageError(f"Protocol {protocol.name!r}: {fault}.")
    return protocol


def _unknown(given: object, read: object, path: str = "") -> Iterator[str]:
    """Paths of the fields of `given` that `read`, the same document after reading, does not have."""
    if isinstance(given, Mapping) and isinstance(read, Mapping):
        for name, value in given.items():
            if name not in read:
                yield f"{path}{name}"
            else:
                yield from _unknown(value, read[name], f"{path}{name}.")
    elif isinstance(given, list | tuple) and isinstance(read, list):
        for at, (one, other) in enumerate(zip(given, read, strict=True)):
            yield from _unknown(one, other, f"{path}{at}.")


def _question_faults(protocol: Protocol) -> Iterator[str]:
    sizes = {"pair": (2, 2), "best-worst": (3, 12)}
    low, high = sizes.get(protocol.question, (1, 1))
    if not low <= protocol.set_size <= high:
        yield f"set_size is {protocol.set_size}; a question of kind {protocol.question!r} takes {low} to {high}"
    if not protocol.dimensions and protocol.question in ("levels", "sliders"):
        yield f"it names no dimensions, which a question of kind {protocol.question!r} needs"
    if len(set(protocol.dimensions)) < len(protocol.dimensions):
        yield "a dimension is named twice"
    one_asked = protocol.question in ("levels", "pair", "best-worst")
    if one_asked and len(protocol.dimensions) > 1 and "{emotion}" not in protocol.prompt:
        yield "its prompt has no {emotion}, so raters could not tell which dimension is asked"
    if protocol.question == "form" and not protocol.form:
        yield "it is a form without fields"
    names = [field.name for field in protocol.form]
    if len(set(names)) < len(names):
        yield "two form fields have one name"
    for field in protocol.form:
        if field.kind == "select" and not field.options:
            yield f"form field {field.name!r} is a select without options"
    for name, other in protocol.contrast.items():
        if name not in protocol.dimensions or other not in protocol.dimensions or name == other:
            yield f"the contrast of {name!r} is {other!r}; both must be different dimensions of the protocol"


def _rule_faults(protocol: Protocol) -> Iterator[str]:
    needed = ["target"] if protocol.question == "levels" else ["plain"]
    if protocol.contrast:
        needed.append("contrast")
    for role in needed:
        if role not in protocol.rules:
            yield f"it has no rule for units of the role {role!r}"
    for role, stages in protocol.rules.items():
        if not stages or stages[0].enter != "always":
            yield f"the first stage of role {role!r} must be entered 'always'"
        if any(stage.raters < 1 for stage in stages):
            yield f"a stage of role {role!r} asks for fewer than one rater"
    if protocol.gold_every < 0 or protocol.training < 0:
        yield f"gold_every is {protocol.gold_every} and training {protocol.training}; expected 0 or more"


def _scale_faults(protocol: Protocol) -> Iterator[str]:
    low, high = protocol.scale
    if not (math.isfinite(low) and math.isfinite(high) and low < high):
        yield f"its scale is {low!r} to {high!r}; expected two finite numbers, the lower first"
        return
    steps = (high - low) / protocol.step if protocol.step > 0 else math.nan
    if not abs(steps - round(steps) if math.isfinite(steps) else math.nan) < 1e-6:
        yield f"its step {protocol.step!r} does not divide the scale {low:g} to {high:g}"
    if protocol.question != "levels":
        return
    values = [choice.value for choice in protocol.choices]
    keys = [choice.key for choice in protocol.choices]
    if len(values) < 2 or len(set(values)) < len(values) or len(set(keys)) < len(keys):
        yield "it needs at least two choices, with different values and different keys"
    if not all(low <= value <= high for value in values):
        yield f"a choice lies outside its scale {low:g} to {high:g}"
    if not any(value <= 0 for value in values) or not any(value > 0 for value in values):
        yield "one choice must mean absent (0) and another present (above 0)"
