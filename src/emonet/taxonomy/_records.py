"""The 40 emotions, their 7 groups and the attributes of faces and voices, read from `taxonomy.json`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from types import MappingProxyType
from typing import Any, Literal

Modality = Literal["face", "voice"]


@dataclass(frozen=True, slots=True)
class Emotion:
    """One of the 40 emotions.

    `aliases`: the spelling in each release: `paper`, `hq` ("Group|Name"), `binary`, `face_checkpoint`,
    `voice_checkpoint`, `voice_bench`, `emolia`, `voice_display`. `spellings`: others seen in the wild. `coarse`: the
    class of an eight-emotion corpus (`ravdess`, `emodb`) that LAION counts it under (arXiv 2506.09827, sim-to-real
    table). `hume`: labels of Hume's voice API that LAION maps to it.
    """

    key: str
    name: str
    group: str
    words: tuple[str, ...]
    aliases: Mapping[str, str]
    spellings: tuple[str, ...]
    coarse: Mapping[str, str]
    hume: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Attribute:
    """A graded property of a face or voice that is not an emotion.

    `low`, `high`: ends of the scale with their meanings `low_pole`, `high_pole`; `neutral`: the value that means
    neither, None when the scale has none. `levels`: wording of each whole number, empty where none is published.
    """

    key: str
    name: str
    modality: Modality
    kind: Literal["attribute", "quality"]
    low: float
    high: float
    neutral: float | None
    low_pole: str
    high_pole: str
    levels: Mapping[int, str]
    aliases: Mapping[str, str]


def _read() -> dict[str, Any]:
    text = files("emonet.taxonomy").joinpath("taxonomy.json").read_text(encoding="utf-8")
    data: dict[str, Any] = json.loads(text)
    return data


def _emotion(record: dict[str, Any]) -> Emotion:
    return Emotion(
        key=record["key"],
        name=record["name"],
        group=record["group"],
        words=tuple(record["words"]),
        aliases=MappingProxyType(record["aliases"]),
        spellings=tuple(record["spellings"]),
        coarse=MappingProxyType(record["coarse"]),
        hume=tuple(record["hume"]),
    )


def _attribute(record: dict[str, Any]) -> Attribute:
    levels = MappingProxyType({int(level): text for level, text in record["levels"].items()})
    return Attribute(**{**record, "levels": levels, "aliases": MappingProxyType(record["aliases"])})


_DATA = _read()
VERSION: str = _DATA["version"]
"""Version of the taxonomy, written into every table."""
SOURCE: str = _DATA["source"]
GROUPS: tuple[str, ...] = tuple(_DATA["groups"])
"""The 7 groups, in the order of LAION's rating page."""
EMOTIONS: tuple[Emotion, ...] = tuple(_emotion(record) for record in _DATA["emotions"])
"""All 40, in the order of the published word lists."""
ATTRIBUTES: tuple[Attribute, ...] = tuple(_attribute(record) for record in _DATA["attributes"])
"""15 attributes and 4 quality scores of voices, 4 attributes of faces."""
EMOTION_LEVELS: Mapping[int, str] = MappingProxyType({int(k): v for k, v in _DATA["emotion_levels"].items()})
"""Wording of the whole numbers of a voice emotion score, 0 (absent) to 4."""
