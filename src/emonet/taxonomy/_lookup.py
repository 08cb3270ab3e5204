"""From any spelling of an emotion or attribute to its one key, and back to the spelling of a release."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from urllib.parse import unquote

from emonet.errors import UnknownNameError
from emonet.taxonomy._records import Attribute, Emotion, Modality, Taxonomy, built_in, current


def resolve(name: str, *, modality: Modality | None = None) -> Emotion | Attribute:
    """Emotion or attribute of any release's spelling.

    Case, punctuation, URL escapes, a `Group|` prefix, `model_`, `_best` and `.pth` do not matter. `arousal` and
    `valence` exist for faces and voices with different scales: without `modality` the voice's is returned.
    """
    if found := _find(name, modality, custom=True):
        return found
    taxonomy = current()
    known = [record.name for record in taxonomy.emotions] + [record.name for record in taxonomy.attributes]
    raise UnknownNameError("emotion", name, known)


def dimension_record(key: str, *, modality: Modality | None = None) -> Emotion | Attribute:
    """Emotion or attribute that a model scores: as `resolve`, or else the built-in record.

    A model keeps the names of the taxonomy that it was trained on, whatever taxonomy is in use; so its reports can
    name dimensions that nobody is asked about. `UnknownNameError` for a name that neither has.
    """
    return _find(key, modality, custom=True) or _find(key, modality, custom=False) or resolve(key, modality=modality)


def emotion(name: str) -> Emotion:
    """One of the taxonomy's emotions by any spelling; `UnknownNameError` with the nearest name otherwise."""
    found = _index("voice", True).get(_plain(name))
    if not isinstance(found, Emotion):
        raise UnknownNameError("emotion", name, [record.name for record in current().emotions])
    return found


def attribute(name: str, *, modality: Modality) -> Attribute:
    """An attribute of faces or voices by any spelling; `UnknownNameError` with the nearest name otherwise."""
    found = _index(modality, True).get(_plain(name))
    if not isinstance(found, Attribute):
        known = [record.name for record in current().attributes if record.modality == modality]
        raise UnknownNameError(f"{modality} attribute", name, known)
    return found


def dimension_key(name: str, modality: Modality | None = None) -> str:
    """Key of an emotion or attribute by any spelling, e.g. "model_Jealousy_%26_Envy_best.pth" → "jealousy_envy"."""
    return resolve(name, modality=modality).key


def display_name(key: str, modality: Modality | None = None) -> str:
    """Name for people: "jealousy_envy" → "Jealousy & Envy"."""
    return dimension_record(key, modality=modality).name


def checkpoint_name(key: str, modality: Modality) -> str:
    """Stem of the release's file name: ("jealousy_envy", "voice") → "Jealousy_&_Envy"."""
    return dimension_record(key, modality=modality).aliases[f"{modality}_checkpoint"]


def coarse_class(key: str, corpus: str = "ravdess") -> str | None:
    """Class of the corpus (`ravdess` or `emodb`) that LAION counts the emotion under, None when there is none."""
    if corpus not in ("ravdess", "emodb"):
        raise UnknownNameError("coarse corpus", corpus, ("ravdess", "emodb"))
    record = dimension_record(key)
    return record.coarse.get(corpus) if isinstance(record, Emotion) else emotion(key).coarse.get(corpus)


def index_of(taxonomy: Taxonomy, modality: Modality) -> dict[str, Emotion | Attribute]:
    """Every known spelling, plain, of a taxonomy's emotions and of the attributes of a modality.

    Raises `ValueError` with both keys when two records share a spelling.
    """
    index: dict[str, Emotion | Attribute] = {}
    records: list[Emotion | Attribute] = [
        *taxonomy.emotions,
        *(a for a in taxonomy.attributes if a.modality == modality),
    ]
    for record in records:
        extra = record.spellings if isinstance(record, Emotion) else ()
        for spelling in dict.fromkeys([record.name, record.key, *record.aliases.values(), *extra]):
            if index.setdefault(_plain(spelling), record) is not record:
                kept = index[_plain(spelling)]
                both = " and ".join(f"the {type(one).__name__.casefold()} {one.key}" for one in (kept, record))
                raise ValueError(f"{spelling!r} names both {both}")
    return index


def _find(name: str, modality: Modality | None, *, custom: bool) -> Emotion | Attribute | None:
    plain = _plain(name)
    for kind in (modality,) if modality else ("voice", "face"):
        if found := _index(kind, custom).get(plain):
            return found
    return None


@lru_cache(maxsize=4)
def _index(modality: Modality, custom: bool) -> Mapping[str, Emotion | Attribute]:
    return index_of(current() if custom else built_in(), modality)


def _plain(name: str) -> str:
    """Letters and digits of the last `Group|Name` part, without the wrapping of a checkpoint file."""
    text = unquote(name).rpartition("|")[2].strip().casefold()
    text = re.sub(r"(_best)*(\.pth|\.safetensors)?$", "", text.removeprefix("model_"))
    return re.sub(r"[\W_]+", "", text)
