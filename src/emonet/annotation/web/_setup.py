"""What the pages' scripts need to know of the protocol, as JSON in the page."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from markupsafe import Markup

from emonet.annotation.protocols import Protocol
from emonet.errors import UnknownNameError
from emonet.taxonomy import EMOTIONS, GROUPS, Emotion, resolve

SKIP_REASONS: Mapping[str, str] = {
    "unclear": "I cannot tell",
    "broken": "It does not show or play properly",
    "nobody": "There is no face or voice in it, or several",
    "known": "I know this person",
    "sensitive": "I would rather not see or hear this",
}
"""Why a unit is skipped: what is stored, and how it is put to the rater."""


def dimensions_of(protocol: Protocol) -> dict[str, dict[str, Any]]:
    """Name, number of the group and example words of each dimension that the protocol asks."""
    return {key: _dimension(key) for key in protocol.dimensions}


def groups_of(protocol: Protocol) -> list[dict[str, Any]]:
    """The groups of the taxonomy with the emotions that the protocol asks, for the guide."""
    asked = set(protocol.dimensions)
    found = [
        {"number": number, "name": group, "emotions": [e for e in EMOTIONS if e.group == group and e.key in asked]}
        for number, group in enumerate(GROUPS)
    ]
    return [group for group in found if group["emotions"]]


def setup_of(protocol: Protocol, **more: Any) -> Markup:
    """The JSON for a page's `<script type="application/json">`; "<" is escaped so that no text can end it."""
    choices = [{"value": c.value, "label": c.label, "key": c.key} for c in protocol.choices]
    form = [
        {"name": f.name, "label": f.label, "kind": f.kind, "options": list(f.options), "required": f.required}
        for f in protocol.form
    ]
    told = {
        "protocol": {
            "name": protocol.name,
            "question": protocol.question,
            "scale": list(protocol.scale),
            "step": protocol.step,
            "choices": choices,
            "form": form,
        },
        "dimensions": dimensions_of(protocol),
        "groups": list(GROUPS),
        "reasons": dict(SKIP_REASONS),
        **more,
    }
    return Markup(json.dumps(told, ensure_ascii=False).replace("<", "\\u003c"))


def keys_hint(protocol: Protocol) -> str:
    """One sentence on how the protocol is answered by keyboard."""
    if protocol.question == "levels":
        listed = ", ".join(f"{choice.key.upper()} for {choice.label}" for choice in protocol.choices)
        return f"Press {listed}."
    return {
        "sliders": "Type to find an emotion, a digit to set it, Enter to send.",
        "pair": "Press the left or the right arrow.",
        "best-worst": "Press the number of the most, then of the least, then Enter.",
        "form": "Move with Tab, send with Enter.",
    }[protocol.question]


def _dimension(key: str) -> dict[str, Any]:
    try:
        found = resolve(key)
    except UnknownNameError:
        return {"name": key, "group": 0, "words": []}
    if isinstance(found, Emotion):
        return {"name": found.name, "group": GROUPS.index(found.group), "words": list(found.words)}
    return {"name": found.name, "group": 0, "words": [f"{found.low_pole} to {found.high_pole}"]}
