"""An emotion of one's own: what follows from its name, and what it inherits from the built-in one of the same key."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

from emonet.taxonomy._records import Emotion, built_in

_RELEASES = (
    "paper", "hq", "binary", "face_checkpoint", "voice_checkpoint", "voice_bench", "emolia", "voice_display",
)  # fmt: skip


def slug(name: str) -> str:
    """Key of a name: "Jealousy & Envy" → "jealousy_envy"; empty when there is no letter or digit."""
    return re.sub(r"[\W_]+", "_", name.casefold()).strip("_")


def make_emotions(items: Sequence[Mapping[str, Any]]) -> tuple[Emotion, ...]:
    """Emotions of one's own from `key`, `name`, `group`, `words` and any other fields of `Emotion`.

    What is not given is inherited from the built-in emotion of the same key, except spellings that are the key or
    name of another of these emotions, or else follows from the name.
    """
    names = {item["key"]: {slug(item["key"]), slug(item["name"])} for item in items}
    return tuple(
        _made(item, frozenset().union(*(own for key, own in names.items() if key != item["key"]))) for item in items
    )


def _made(item: Mapping[str, Any], taken: frozenset[str]) -> Emotion:
    key, name, group = item["key"], item["name"], item["group"]
    stem = re.sub(r"[\s/]+", "_", name)
    aliases = dict.fromkeys(_RELEASES, name)
    aliases |= {"face_checkpoint": stem.casefold(), "voice_checkpoint": stem, "emolia": f"{stem}_best"}
    base = next((record for record in built_in().emotions if record.key == key), None)
    if base:
        aliases |= {k: v for k, v in base.aliases.items() if slug(v.removesuffix("_best")) not in taken}
    aliases |= {"hq": f"{group}|{name}"} | dict(item.get("aliases") or {})
    inherited = tuple(word for word in base.spellings if slug(word) not in taken) if base else ()
    return Emotion(
        key=key,
        name=name,
        group=group,
        words=tuple(item["words"]),
        aliases=MappingProxyType(aliases),
        spellings=tuple(item.get("spellings", inherited)),
        coarse=MappingProxyType(dict(item.get("coarse", base.coarse if base else {}))),
        hume=tuple(item.get("hume", base.hume if base else ())),
    )
