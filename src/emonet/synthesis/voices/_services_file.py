"""Services named in a TOML file: who speaks, who writes the scripts, who listens.

    [speaker]
    protocol = "speech"              # or "audio_chat"
    base_url = "https://api.example.com/v1"
    model = "a-speech-model"
    api_key_env = "EXAMPLE_KEY"      # name of an environment variable, never the key
    price_request = 0.015
    budget = 20.0
    terms = "as the service states them"
    voices = { alloy = "alloy" }     # the service's names, where they are others

    [writer]                         # a language model instead of the templates
    base_url = "..."
    model = "..."
    words = [12, 60]

    [listener]                       # speech recognition as a check of the words
    base_url = "..."
    model = "..."

Every other key is a field of `emonet.services.Endpoint`.
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from emonet.errors import UnknownNameError, UsageError
from emonet.services import Endpoint
from emonet.synthesis.voices._data import voice_names
from emonet.synthesis.voices._remote import PROTOCOLS, Protocol
from emonet.synthesis.voices._written import ScriptRules

_TABLES = ("speaker", "writer", "listener")
_OWN = {"speaker": ("protocol", "voices", "terms"), "writer": ("words", "name_emotion"), "listener": ()}


@dataclass(frozen=True, slots=True)
class VoiceServices:
    """Endpoints by role, None where the file names none; `protocol`, `voices` and `terms` are the speaker's, `rules`
    the writer's."""

    speaker: Endpoint | None = None
    protocol: Protocol = "speech"
    voices: Mapping[str, str] | None = None
    terms: str = ""
    writer: Endpoint | None = None
    rules: ScriptRules | None = None
    listener: Endpoint | None = None


def read_services(path: str | os.PathLike[str]) -> VoiceServices:
    """Read the file; `UsageError` names what does not fit and where."""
    try:
        given = tomllib.loads(Path(path).read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise UsageError(f"{path} cannot be read as a TOML file: {error}.") from error
    for name, table in given.items():
        if name not in _TABLES:
            raise UnknownNameError(f"table in {path}", name, _TABLES)
        if not isinstance(table, dict):
            raise UsageError(f"{path}: {name} is {table!r}; expected a table [{name}].")
    speaker, writer = given.get("speaker", {}), given.get("writer", {})
    return VoiceServices(
        speaker=_endpoint(path, given, "speaker"),
        protocol=_protocol(path, speaker),
        voices=_voices(path, speaker.get("voices")),
        terms=_text(path, speaker, "terms", ""),
        writer=_endpoint(path, given, "writer"),
        rules=_rules(path, writer) if writer else None,
        listener=_endpoint(path, given, "listener"),
    )


def _endpoint(path: str | os.PathLike[str], given: Mapping[str, Any], name: str) -> Endpoint | None:
    if name not in given:
        return None
    known = [one.name for one in fields(Endpoint)]
    settings = {key: value for key, value in given[name].items() if key not in _OWN[name]}
    for key in settings:
        if key not in known:
            raise UnknownNameError(f"key of [{name}] in {path}", key, [*known, *_OWN[name]])
    if missing := [key for key in ("base_url", "model") if key not in settings]:
        raise UsageError(f"{path}: [{name}] has no {missing[0]}; expected base_url and model.")
    try:
        return Endpoint(**settings)
    except (UsageError, TypeError, ValueError) as error:
        raise UsageError(f"{path}: [{name}]: {error}") from error


def _protocol(path: str | os.PathLike[str], table: Mapping[str, Any]) -> Protocol:
    name = _text(path, table, "protocol", "speech")
    for one in PROTOCOLS:
        if one == name:
            return one
    raise UnknownNameError(f"protocol in {path}", name, PROTOCOLS)


def _rules(path: str | os.PathLike[str], table: Mapping[str, Any]) -> ScriptRules:
    words, named = table.get("words", [12, 60]), table.get("name_emotion", False)
    whole = isinstance(words, list) and len(words) == 2 and all(isinstance(one, int) for one in words)
    if not whole or not isinstance(named, bool):
        raise UsageError(
            f"{path}: [writer]: words {words!r}, name_emotion {named!r}; expected [12, 60] and true or false."
        )
    return ScriptRules((words[0], words[1]), named)


def _voices(path: str | os.PathLike[str], table: Any) -> Mapping[str, str] | None:
    if table is None:
        return None
    if not isinstance(table, dict) or not all(isinstance(one, str) for one in table.values()):
        raise UsageError(f'{path}: [speaker]: voices is {table!r}; expected names such as {{ alloy = "alloy" }}.')
    for name in table:
        if name not in voice_names():
            raise UnknownNameError(f"voice in {path}", name, voice_names())
    return dict(table)


def _text(path: str | os.PathLike[str], table: Mapping[str, Any], name: str, default: str) -> str:
    value = table.get(name, default)
    if not isinstance(value, str):
        raise UsageError(f"{path}: {name} is {value!r}; expected a text.")
    return value
