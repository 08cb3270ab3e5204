"""From any spelling of an emotion or attribute to its one key, and back to the spelling of a release."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from urllib.parse import unquote

from emonet.errors import UnknownNameError
from emonet.taxonomy._records import ATTRIBUTES, EMOTIONS, Attribute, Emotion, Modality


def resolve(name: str, *, modality: Modality | None = None) -> Emotion | Attribute:
    """Emotion or attribute of any release's spelling.

    Case, punctuation, URL escapes, a `Group|` prefix, `model_`, `_best` and `.pth` do not matter. `arousal` and
    `valence` exist for faces and voices with different scales: without `modality` the voice's is returned.
    """
    plain = _plain(name)
    for kind in (modality,) if modality else ("voice", "face"):
        if found := _index(kind).get(plain):
            return found
    known = [record.name for record in EMOTIONS] + [record.name for record in ATTRIBUTES]
    raise UnknownNameError("emotion", name, known)


def emotion(name: str) -> Emotion:
    """One of the 40 emotions by any spelling; `UnknownNameError` with the nearest name otherwise."""
    found = _index("voice").get(_plain(name))
    if not isinstance(found, Emotion):
        raise UnknownNameError("emotion", name, [record.name for record in EMOTIONS])
    return found


def attribute(name: str, *, modality: Modality) -> Attribute:
    """An attribute of faces or voices by any spelling; `UnknownNameError` with the nearest name otherwise."""
    found = _index(modality).get(_plain(name))
    if not isinstance(found, Attribute):
        known = [record.name for record in ATTRIBUTES if record.modality == modality]
        raise UnknownNameError(f"{modality} attribute", name, known)
    return found


def dimension_key(name: str, modality: Modality | None = None) -> str:
    """Key of an emotion or attribute by any spelling, e.g. "model_Jealousy_%26_Envy_best.pth" → "jealousy_envy"."""
    return resolve(name, modality=modality).key


def display_name(key: str, modality: Modality | None = None) -> str:
    """Name for people: "jealousy_envy" → "Jealousy & Envy"."""
    return resolve(key, modality=modality).name


def checkpoint_name(key: str, modality: Modality) -> str:
    """Stem of the release's file name: ("jealousy_envy", "voice") → "Jealousy_&_Envy"."""
    return resolve(key, modality=modality).aliases[f"{modality}_checkpoint"]


def coarse_class(key: str, corpus: str = "ravdess") -> str | None:
    """Class of the corpus (`ravdess` or `emodb`) that LAION counts the emotion under, None when there is none."""
    if corpus not in ("ravdess", "emodb"):
        raise UnknownNameError("coarse corpus", corpus, ("ravdess", "emodb"))
    return emotion(key).coarse.get(corpus)


def _plain(name: str) -> str:
    """Letters and digits of the last `Group|Name` part, without the wrapping of a checkpoint file."""
    text = unquote(name).rpartition("|")[2].strip().casefold()
    text = re.sub(r"(_best)*(\.pth|\.safetensors)?$", "", text.removeprefix("model_"))
    return re.sub(r"[\W_]+", "", text)


@lru_cache(maxsize=2)
def _index(modality: Modality) -> Mapping[str, Emotion | Attribute]:
    """Every known spelling; two records that share one would be a fault of the data file."""
    index: dict[str, Emotion | Attribute] = {}
    records: list[Emotion | Attribute] = [*EMOTIONS, *(a for a in ATTRIBUTES if a.modality == modality)]
    for record in records:
        extra = record.spellings if isinstance(record, Emotion) else ()
        for spelling in {record.key, record.name, *record.aliases.values(), *extra}:
            if index.setdefault(_plain(spelling), record) is not record:
                other = index[_plain(spelling)].key
                raise ValueError(f"taxonomy.json: {spelling!r} names both {other} and {record.key}")
    return index
