"""Emotion, attribute and taxonomy records, and the taxonomy in use: the built-in one or the file of EMONET_TAXONOMY."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal

Modality = Literal["face", "voice"]

VARIABLE = "EMONET_TAXONOMY"
"""Environment variable with the path of a taxonomy file that is used instead of the built-in one."""


@dataclass(frozen=True, slots=True)
class Emotion:
    """One of the emotions, 40 in the built-in taxonomy.

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


@dataclass(frozen=True, slots=True)
class Taxonomy:
    """What is rated. `groups` in order of display; each emotion's group is one of them. `emotion_levels`: wording of
    the whole numbers of a voice emotion score, 0 (absent) to 4."""

    version: str
    source: str
    groups: tuple[str, ...]
    emotions: tuple[Emotion, ...]
    attributes: tuple[Attribute, ...]
    emotion_levels: Mapping[int, str]


@lru_cache(maxsize=1)
def built_in() -> Taxonomy:
    """The 40 emotions in 7 groups of LAION EmoNet, with 23 attributes, from `taxonomy.json`."""
    text = files("emonet.taxonomy").joinpath("taxonomy.json").read_text(encoding="utf-8")
    data: dict[str, Any] = json.loads(text)
    return Taxonomy(
        version=data["version"],
        source=data["source"],
        groups=tuple(data["groups"]),
        emotions=tuple(_emotion(record) for record in data["emotions"]),
        attributes=tuple(_attribute(record) for record in data["attributes"]),
        emotion_levels=MappingProxyType({int(level): text for level, text in data["emotion_levels"].items()}),
    )


@lru_cache(maxsize=1)
def current() -> Taxonomy:
    """The taxonomy in use: the file named by EMONET_TAXONOMY, the built-in one otherwise.

    It is read once in the life of a process; processes that this one starts inherit the variable. Raises `UsageError`
    naming the file, the line and the remedy when the file is no taxonomy.
    """
    path = os.environ.get(VARIABLE, "").strip()
    if not path:
        return built_in()
    from emonet.taxonomy._custom import read_taxonomy

    return read_taxonomy(Path(path).expanduser(), origin=f" (named by the environment variable {VARIABLE})")


@lru_cache(maxsize=1)
def known_emotions() -> tuple[Emotion, ...]:
    """Every emotion that a model may score: those of the taxonomy in use, then built-in ones that it does not have."""
    own = current().emotions
    keys = {record.key for record in own}
    return (*own, *(record for record in built_in().emotions if record.key not in keys))


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


if TYPE_CHECKING:
    VERSION: str
    """Version of the taxonomy, written into every table."""
    SOURCE: str
    GROUPS: tuple[str, ...]
    """The groups in order of display; 7 in the order of LAION's rating page."""
    EMOTIONS: tuple[Emotion, ...]
    """All emotions; the built-in 40 in the order of the published word lists."""
    ATTRIBUTES: tuple[Attribute, ...]
    """15 attributes and 4 quality scores of voices, 4 attributes of faces, unless the file names its own."""
    EMOTION_LEVELS: Mapping[int, str]
    """Wording of the whole numbers of a voice emotion score, 0 (absent) to 4."""

_FIELDS = {
    "VERSION": "version",
    "SOURCE": "source",
    "GROUPS": "groups",
    "EMOTIONS": "emotions",
    "ATTRIBUTES": "attributes",
    "EMOTION_LEVELS": "emotion_levels",
}


def __getattr__(name: str) -> Any:
    """The constants, read at first use, so that a faulty file is an error of the command and not of an import."""
    if name in _FIELDS:
        return getattr(current(), _FIELDS[name])
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
