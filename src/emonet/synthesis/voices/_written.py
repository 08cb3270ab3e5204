"""Scripts by a language model: JSON by a schema, checked for language, length and words that name the emotion."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from emonet.errors import UsageError
from emonet.services import Endpoint, Reply, Request, ask, chat_body, estimate_cost, json_reply
from emonet.synthesis.voices._data import burst_names, played
from emonet.synthesis.voices._records import NONE, Burst, Effort, Part, Script
from emonet.synthesis.voices._remote import effort_of
from emonet.synthesis.voices._scripts import names_emotion, stage_direction, told_language, write_scripts
from emonet.taxonomy import emotion

_NAMES = {"en": "English", "de": "German", "es": "Spanish", "fr": "French"}
_LEVELS = {1: "just noticeable", 2: "clear", 3: "strong", 4: "overwhelming"}
_SYSTEM = (
    "You write lines for voice actors who audition for film roles. What is said must make the emotion plain by the "
    "situation, in natural spoken language of one person, without saying the emotion's name or a word of its family. "
    "No stage directions and no sounds inside the sentences."
)


@dataclass(frozen=True, slots=True)
class WrittenScripts:
    """`scripts`: one for each part, in order. `replaced`: key → why the model's script was refused and one from the
    templates stands there instead. `cost`: money spent, None where no price is known."""

    scripts: tuple[Script, ...]
    replaced: dict[str, str]
    cost: float | None


@dataclass(frozen=True, slots=True)
class ScriptRules:
    """What is asked of a written script. `words`: fewest and most; `name_emotion`: it may name the emotion."""

    words: tuple[int, int] = (12, 60)
    name_emotion: bool = False

    def __post_init__(self) -> None:
        if not 1 <= self.words[0] <= self.words[1] <= 200:
            raise UsageError(f"words is {self.words}; expected the fewest and the most, between 1 and 200.")


def ask_for_scripts(
    parts: Sequence[Part],
    endpoint: Endpoint,
    *,
    cache: Path,
    rules: ScriptRules | None = None,
    seed: int = 0,
    progress: Callable[[str, int, int], None] | None = None,
) -> WrittenScripts:
    """A script for each part by the model; where none of its answers passes, one from the templates, which is told."""
    kept = rules or ScriptRules()
    spare = {script.part.key: script for script in write_scripts(parts, seed=seed)}
    by_key = {part.key: part for part in parts}
    written: dict[str, Script] = {}
    replaced: dict[str, str] = {}
    costs = []
    requests = [script_request(part, kept, seed) for part in parts]
    for count, reply in enumerate(ask(requests, endpoint, cache=cache), start=1):
        part = by_key[reply.key]
        if reply.cost is not None:
            costs.append(reply.cost)
        fault = script_fault(reply, part, kept) if reply.status == "ok" else f"{reply.status}: {reply.message}"
        if fault:
            replaced[part.key] = fault
        else:
            written[part.key] = _script(json_reply(reply), part, endpoint.model)
        if progress is not None:
            progress("scripts", count, len(parts))
    scripts = tuple(written.get(part.key, spare[part.key]) for part in parts)
    return WrittenScripts(scripts, replaced, sum(costs) if costs else None)


def scripts_effort(parts: Sequence[Part], endpoint: Endpoint, *, rules: ScriptRules | None = None) -> Effort:
    """What writing them is likely to cost; nothing is sent."""
    found = estimate_cost([script_request(part, rules or ScriptRules(), 0) for part in parts], endpoint)
    return effort_of(found, endpoint)


def script_request(part: Part, rules: ScriptRules, seed: int) -> Request:
    """What is sent for a part."""
    record = emotion(part.emotion)
    low, high = rules.words
    lines = [
        f"Language: {_NAMES[part.language]}.",
        f"Emotion: {record.name} ({', '.join(record.words)}), {_LEVELS[part.intensity]}.",
        f"Length: {low} to {high} words in two to five sentences.",
        f"Invent a scene of your own, unlike: {played(part.emotion).scenes[0]}",
        f"Choose one or two vocal bursts that fit, such as {', '.join(played(part.emotion).bursts)}.",
        f"Number of this script: {part.take + 1} for {part.voice}.",
    ]
    if part.accent != NONE:
        lines.append(f"The actor speaks with the accent {part.accent}; keep standard spelling.")
    if part.challenge != NONE:
        lines.append(f"Acting challenge: {part.challenge}.")
    if rules.name_emotion:
        lines.append("For once the emotion may be named.")
    schema = {
        "type": "object",
        "properties": {
            "scene": {"type": "string", "description": "one English sentence"},
            "sentences": {"type": "array", "items": {"type": "string"}},
            "bursts": {
                "type": "array",
                "items": {
                    "type": "object",
                    "properties": {
                        "name": {"type": "string", "enum": list(burst_names())},
                        "place": {"type": "string", "enum": ["start", "middle", "end"]},
                    },
                    "required": ["name", "place"],
                    "additionalProperties": False,
                },
            },
        },
        "required": ["scene", "sentences", "bursts"],
        "additionalProperties": False,
    }
    body = chat_body(
        _SYSTEM, "\n".join(lines), schema=schema, schema_name="script", temperature=1.0, max_tokens=600, seed=seed
    )
    return Request(part.key, "chat", body, check=lambda reply: script_fault(reply, part, rules))


def script_fault(reply: Reply, part: Part, rules: ScriptRules) -> str:
    """Why the reply is no script of the part; empty when it is."""
    try:
        script = _script(json_reply(reply), part, "")
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        return f"no script by the schema ({error!r}); expected scene, sentences and bursts"
    low, high = rules.words
    if not low <= script.words <= high:
        return f"{script.words} words; expected {low} to {high}"
    if any(mark in script.text for mark in "[]<>*{}"):
        return "stage directions inside the sentences; expected spoken words only"
    if (found := told_language(script.text)) not in ("", part.language):
        return f"the words look like {_NAMES[found]}; expected {_NAMES[part.language]}"
    if not rules.name_emotion and (word := names_emotion(script.text, part.emotion, part.language)):
        return f"the word {word!r} names the emotion; expected a situation that shows it"
    return ""


def _script(said: Any, part: Part, writer: str) -> Script:
    """The reply's script; raises for anything that is none."""
    sentences = tuple(" ".join(text.split()) for text in said["sentences"] if text.strip())
    scene = " ".join(said["scene"].split())
    bursts = tuple(Burst(one["name"], one["place"]) for one in said["bursts"])
    if not 1 <= len(sentences) <= 8 or not scene or len(bursts) > 3:
        raise ValueError(f"{len(sentences)} sentences, {len(bursts)} bursts")
    for burst in bursts:
        if burst.name not in burst_names() or burst.place not in ("start", "middle", "end"):
            raise ValueError(f"burst {burst.name!r} at {burst.place!r}")
    return Script(part, sentences, bursts, scene, stage_direction(part, scene, bursts), writer)
