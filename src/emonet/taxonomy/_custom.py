"""The file of a taxonomy of one's own: reading with every check, and writing."""

from __future__ import annotations

import json
import os
import re
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields
from json.decoder import JSONObject  # type: ignore[attr-defined]
from json.scanner import py_make_scanner  # type: ignore[attr-defined]
from pathlib import Path
from types import MappingProxyType
from typing import Any, NoReturn

from emonet.errors import UsageError
from emonet.taxonomy._inherited import make_emotions, slug
from emonet.taxonomy._lookup import index_of
from emonet.taxonomy._records import Attribute, Emotion, Taxonomy, built_in

FORMAT = "emonet-taxonomy-1"
_MOST_BYTES = 16 * 2**20
_FIELDS = ("format", "version", "source", "groups", "emotions", "attributes", "emotion_levels")
_EMOTION_FIELDS = tuple(field.name for field in fields(Emotion))
_ATTRIBUTE_FIELDS = tuple(field.name for field in fields(Attribute))

Fault = Callable[[int, str, str], NoReturn]
"""Raises the error: line (0 when the whole file is meant), what is wrong, what to do."""


def read_taxonomy(path: str | Path, *, origin: str = "") -> Taxonomy:
    """The taxonomy of a JSON file, as `emonet taxonomy build` writes it.

    Needed are `groups` and `emotions`, each with `name`, `group` and `words`; `key` follows from the name. Attributes
    and the wording of levels are the built-in ones unless the file has its own. An emotion with the key of a built-in
    one is taken to be that emotion and inherits its spellings, coarse classes and Hume labels.

    `origin` is put behind the path in messages. Raises `UsageError` with file, line and remedy.
    """
    path = Path(path)

    def fault(line: int, what: str, remedy: str) -> NoReturn:
        where = f", line {line}" if line else ""
        raise UsageError(f"{path}{origin}{where}: {what} {remedy}")

    text = _text(path, fault)
    data, line_of = _parsed(text, fault)
    if not isinstance(data, dict):
        fault(1, f"a list or single value ({type(data).__name__}) where a taxonomy was expected.", _REMEDY)
    if unknown := sorted(set(data) - set(_FIELDS)):
        fault(line_of(data), f"unknown field {unknown[0]!r}.", f"A taxonomy has: {', '.join(_FIELDS)}.")
    if data.get("format", FORMAT) != FORMAT:
        fault(line_of(data), f"format {data['format']!r}.", f"This version reads {FORMAT!r}; update emonet.")
    groups = _groups(data, line_of(data), fault)
    emotions = _emotions(data, groups, line_of, fault)
    base = built_in()
    taxonomy = Taxonomy(
        version=_string(data, "version", "1.0", line_of(data), fault),
        source=_string(data, "source", "", line_of(data), fault),
        groups=groups,
        emotions=emotions,
        attributes=_attributes(data, line_of, fault) if "attributes" in data else base.attributes,
        emotion_levels=_levels(data, line_of(data), fault) if "emotion_levels" in data else base.emotion_levels,
    )
    lines = {record.key: line_of(item) for record, item in zip(emotions, data["emotions"], strict=True)}
    _check_spellings(taxonomy, lines, fault)
    return taxonomy


def write_taxonomy(taxonomy: Taxonomy, path: str | Path) -> None:
    """Write a file that `read_taxonomy` reads as the same taxonomy; what follows from the rest is left out."""
    path, base = Path(path), built_in()
    data: dict[str, Any] = {
        "format": FORMAT,
        "version": taxonomy.version,
        "source": taxonomy.source,
        "groups": list(taxonomy.groups),
        "emotions": _emotion_data(taxonomy.emotions),
    }
    if taxonomy.attributes != base.attributes:
        data["attributes"] = [_attribute_data(record) for record in taxonomy.attributes]
    if taxonomy.emotion_levels != base.emotion_levels:
        data["emotion_levels"] = {str(level): text for level, text in taxonomy.emotion_levels.items()}
    text = json.dumps(data, ensure_ascii=False, indent=1)
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, beside = tempfile.mkstemp(prefix=f".{path.name[:80]}.", dir=path.parent)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text + "\n")
        Path(beside).chmod(0o644)
        os.replace(beside, path)
    except BaseException:
        Path(beside).unlink(missing_ok=True)
        raise


_REMEDY = (
    'Expected {"groups": [...], "emotions": [{"name": ..., "group": ..., "words": [...]}, ...]}, as `emonet taxonomy '
    "build` writes it."
)


def _text(path: Path, fault: Fault) -> str:
    try:
        if path.stat().st_size > _MOST_BYTES:
            fault(0, f"{path.stat().st_size:,} bytes.", f"A taxonomy file has at most {_MOST_BYTES:,}.")
        return path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        fault(0, "no such file.", "Make one with `emonet taxonomy build`, or unset the variable.")
    except UnicodeDecodeError as error:
        fault(0, f"byte {error.start} is not UTF-8.", "Save the file as UTF-8.")
    except OSError as error:
        fault(0, f"cannot be read ({error.strerror}).", "Name a file that `emonet taxonomy build` has written.")


def _parsed(text: str, fault: Fault) -> tuple[Any, Callable[[Any], int]]:
    """The JSON value, and a function from each of its objects to the line on which the object begins."""
    begins: dict[int, int] = {}

    class Decoder(json.JSONDecoder):
        def __init__(self) -> None:
            super().__init__()
            self.parse_object = self._located
            self.scan_once = py_make_scanner(self)

        def _located(self, text_end: tuple[str, int], *options: Any) -> Any:
            value, end = JSONObject(text_end, *options)
            begins[id(value)] = text.count("\n", 0, text_end[1]) + 1
            return value, end

    try:
        return Decoder().decode(text), lambda value: begins.get(id(value), 0)
    except json.JSONDecodeError as error:
        fault(error.lineno, f"not JSON: {error.msg} at column {error.colno}.", "Mend it or build the file again.")
    except RecursionError:
        fault(0, "lists in lists too deep.", _REMEDY)


def _groups(data: Mapping[str, Any], line: int, fault: Fault) -> tuple[str, ...]:
    found = data.get("groups")
    if not isinstance(found, list) or not found or not all(isinstance(g, str) and g.strip() for g in found):
        fault(line, f"`groups` is {_shown(found)}.", 'Expected a list of names, for example ["Pleasant"].')
    if twice := [name for name in found if found.count(name) > 1]:
        fault(line, f"the group {twice[0]!r} stands twice.", "Name each group once.")
    if barred := [name for name in found if "|" in name]:
        fault(line, f"the group {barred[0]!r} contains '|'.", 'Labels are written "Group|Name"; choose another name.')
    return tuple(found)


def _emotions(
    data: Mapping[str, Any], groups: tuple[str, ...], line_of: Callable[[Any], int], fault: Fault
) -> tuple[Emotion, ...]:
    found = data.get("emotions")
    if not isinstance(found, list) or not found:
        fault(line_of(data), f"`emotions` is {_shown(found)}.", _REMEDY)
    seen: dict[str, int] = {}
    out: list[dict[str, Any]] = []
    for number, item in enumerate(found, 1):
        if not isinstance(item, dict):
            fault(line_of(data), f"emotion {number} is {_shown(item)}.", _REMEDY)
        given = _emotion(item, groups, line_of(item), fault)
        if (key := given["key"]) in seen:
            fault(line_of(item), f"the key {key!r} is that of line {seen[key]} too.", "Give each its own key.")
        seen[key] = line_of(item)
        out.append(given)
    return make_emotions(out)


def _emotion(item: dict[str, Any], groups: tuple[str, ...], line: int, fault: Fault) -> dict[str, Any]:
    """The checked fields of an emotion."""
    if unknown := sorted(set(item) - set(_EMOTION_FIELDS)):
        fault(line, f"unknown field {unknown[0]!r}.", f"An emotion has: {', '.join(_EMOTION_FIELDS)}.")
    name = _string(item, "name", None, line, fault)
    key = _string(item, "key", slug(name), line, fault)
    if not re.fullmatch(r"[^\W_]+(_[^\W_]+)*", key) or key != key.casefold():
        fault(line, f"the key {key!r} of {name!r}.", "Keys are small letters and digits joined by '_', as anger_rage.")
    if "|" in name:
        fault(line, f"the name {name!r} contains '|'.", 'Labels are written "Group|Name"; choose another name.')
    group = _string(item, "group", None, line, fault)
    if group not in groups:
        fault(line, f"{name!r} is in the group {group!r}.", f"The file's groups are: {', '.join(groups)}.")
    words = _strings(item, "words", [name.casefold()], line, fault)
    given: dict[str, Any] = {f: _strings(item, f, [], line, fault) for f in ("spellings", "hume") if f in item}
    for field in ("aliases", "coarse"):
        if field in item:
            given[field] = _table(item, field, line, fault)
    return {"key": key, "name": name, "group": group, "words": words, **given}


def _attributes(data: Mapping[str, Any], line_of: Callable[[Any], int], fault: Fault) -> tuple[Attribute, ...]:
    found = data["attributes"]
    if not isinstance(found, list):
        fault(line_of(data), f"`attributes` is {_shown(found)}.", "Expected a list, or leave it out.")
    out = []
    for item in found:
        line = line_of(item) if isinstance(item, dict) else line_of(data)
        if not isinstance(item, dict) or set(item) != set(_ATTRIBUTE_FIELDS):
            fault(line, f"the attribute is {_shown(item)}.", f"An attribute has: {', '.join(_ATTRIBUTE_FIELDS)}.")
        if item["modality"] not in ("face", "voice") or item["kind"] not in ("attribute", "quality"):
            fault(
                line, f"modality {item['modality']!r}, kind {item['kind']!r}.", "Face or voice; attribute or quality."
            )
        low, high, neutral = item["low"], item["high"], item["neutral"]
        if (
            not _is_number(low)
            or not _is_number(high)
            or not low < high
            or not (neutral is None or _is_number(neutral))
        ):
            fault(
                line, f"low {low!r}, high {high!r}, neutral {neutral!r}.", "Numbers with low below high; null if none."
            )
        texts = {f: _string(item, f, None, line, fault) for f in ("key", "name", "low_pole", "high_pole")}
        levels = MappingProxyType(_whole(_table(item, "levels", line, fault), line, fault))
        aliases = MappingProxyType(_table(item, "aliases", line, fault))
        out.append(Attribute(**{**item, **texts, "levels": levels, "aliases": aliases}))
    return tuple(out)


def _levels(data: dict[str, Any], line: int, fault: Fault) -> Mapping[int, str]:
    return MappingProxyType(_whole(_table(data, "emotion_levels", line, fault), line, fault))


def _whole(table: Mapping[str, str], line: int, fault: Fault) -> dict[int, str]:
    if odd := [level for level in table if not re.fullmatch(r"-?\d+", level)]:
        fault(line, f"the level {odd[0]!r}.", "Levels are whole numbers in quotation marks.")
    return {int(level): text for level, text in table.items()}


def _check_spellings(taxonomy: Taxonomy, lines: Mapping[str, int], fault: Fault) -> None:
    for modality in ("voice", "face"):
        try:
            index_of(taxonomy, modality)
        except ValueError as error:
            named = [lines[key] for key in lines if re.search(rf"\b{re.escape(key)}\b", str(error))]
            remedy = "A spelling leads to one emotion or attribute; rename one of them or change its aliases."
            fault(max(named, default=0), f"the spelling {error}.", remedy)


def _string(item: Mapping[str, Any], field: str, default: str | None, line: int, fault: Fault) -> str:
    found = item.get(field, default)
    if not isinstance(found, str) or (default is None and not found.strip()):
        fault(line, f"`{field}` is {_shown(found)}.", "Expected a text in quotation marks.")
    return found


def _strings(item: Mapping[str, Any], field: str, default: list[str], line: int, fault: Fault) -> tuple[str, ...]:
    found = item.get(field, default)
    if not isinstance(found, list) or not all(isinstance(word, str) and word.strip() for word in found):
        fault(line, f"`{field}` is {_shown(found)}.", 'Expected a list of texts, for example ["anger", "angry"].')
    return tuple(found)


def _table(item: Mapping[str, Any], field: str, line: int, fault: Fault) -> dict[str, str]:
    found = item.get(field)
    if not isinstance(found, dict) or not all(isinstance(value, str) for value in found.values()):
        fault(line, f"`{field}` is {_shown(found)}.", 'Expected texts by name, for example {"ravdess": "angry"}.')
    return found


def _emotion_data(records: Sequence[Emotion]) -> list[dict[str, Any]]:
    """What a file says of emotions: fields that do not follow from the key and the name alone."""
    needed: list[dict[str, Any]] = [
        {"key": r.key, "name": r.name, "group": r.group, "words": list(r.words)} for r in records
    ]
    for out, record, plain in zip(needed, records, make_emotions(needed), strict=True):
        if changed := {k: v for k, v in record.aliases.items() if plain.aliases.get(k) != v}:
            out["aliases"] = changed
        for field in ("spellings", "coarse", "hume"):
            value = getattr(record, field)
            if value != getattr(plain, field):
                out[field] = dict(value) if isinstance(value, Mapping) else list(value)
    return needed


def _attribute_data(record: Attribute) -> dict[str, Any]:
    out = {field: getattr(record, field) for field in _ATTRIBUTE_FIELDS}
    levels = {str(level): text for level, text in record.levels.items()}
    return {**out, "levels": levels, "aliases": dict(record.aliases)}


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _shown(value: object) -> str:
    return "missing" if value is None else f"{value!r:.80}"
