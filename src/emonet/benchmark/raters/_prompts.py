"""The words in which a model is asked. They are ours; the emotions and their example words are the taxonomy's.

Unlike the prompts behind the published figures, the answer may name any number of emotions: a fixed number of non-zero
entries, demanded there, is what made several models score zero.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from emonet.benchmark.raters._examples import EXAMPLES, Example
from emonet.benchmark.raters._questions import AnswerScale, Question
from emonet.taxonomy import GROUPS, Emotion, Modality, display_name, resolve

Style = Literal["zero-shot", "multi-shot"]

_SUBJECT = {"face": "face", "voice": "voice"}
_ROLE = {
    "face": (
        "You rate facial expressions for a scientific study of how emotions are read from faces. You see one picture "
        "of a face and say which emotions its expression conveys to an observer, and how strongly. Judge the "
        "expression alone: not age, sex, skin, clothes or setting. Nobody is to be identified, and nothing is asked "
        "about the person's character or true feelings."
    ),
    "voice": (
        "You rate vocal expressions for a scientific study of how emotions are heard in voices. You hear one recording "
        "and say which emotions the voice conveys to a listener, and how strongly. Judge how it sounds - tone, pitch, "
        "pace, loudness, breath, laughs and sighs - and not what the words say. Nobody is to be identified, and "
        "nothing is asked about the speaker's character or true feelings."
    ),
}
_FURTHER = "Further qualities"


@dataclass(frozen=True, slots=True)
class Prompt:
    """`system` and `user` are texts; the item's file goes before `user`. `schema`: JSON schema of the answer."""

    system: str
    user: str
    schema: Mapping[str, Any]

    @property
    def sha256(self) -> str:
        """Hash of all that the model is told beside the file."""
        text = json.dumps([self.system, self.user, self.schema], sort_keys=True, ensure_ascii=False)
        return hashlib.sha256(text.encode()).hexdigest()


def prompt(
    question: Question, scale: AnswerScale, *, modality: Modality, style: Style, instructions: str | None = None
) -> Prompt:
    """The prompt for a question. `instructions` replaces the text on the rater's role."""
    alone = question.dimension is not None
    parts = [_task_of_one(question, scale, modality) if alone else _task_of_all(question, scale, modality)]
    if style == "multi-shot":
        parts.append(_worked(question, scale, modality))
    return Prompt(instructions or _ROLE[modality], "\n\n".join(parts), answer_schema(question, scale, modality))


def correction(fault: str) -> str:
    """What a model is told after an answer that could not be read."""
    return (
        f"That answer cannot be used: {fault}. Please answer again with the JSON object that was described and nothing "
        "else, using only the names that were listed."
    )


def answer_schema(question: Question, scale: AnswerScale, modality: Modality) -> dict[str, Any]:
    """JSON schema of the answer, within what every service's strict mode supports: ranges are checked on arrival."""
    number = {
        "type": "integer" if scale.whole else "number",
        "description": f"{scale.describe()}",
    }
    if question.dimension is not None:
        return _object({"intensity": number})
    names = [display_name(key, modality) for key in question.dimensions]
    entry = _object({"emotion": {"type": "string", "enum": names}, "intensity": number})
    return _object({"emotions": {"type": "array", "items": entry}})


def _object(properties: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def _task_of_all(question: Question, scale: AnswerScale, modality: Modality) -> str:
    subject = _SUBJECT[modality]
    return (
        f"Which of these does the {subject} convey? The words in brackets say what each name covers.\n\n"
        f"{_listed(question.dimensions, modality)}\n\n"
        f"{_on_scale(scale)}\n"
        "Several may be present together, or a single one, or none. Name every one that is present and leave out those "
        f"that are absent; an absent one counts as {scale.absent:g}. Do not fill up the list: there is no right number "
        "of entries.\n\n"
        "Answer with one JSON object and nothing else, with the names exactly as above:\n"
        '{"emotions": [{"emotion": "<name>", "intensity": <number>}, ...]}\n'
        'If none is present, answer {"emotions": []}.'
    )


def _task_of_one(question: Question, scale: AnswerScale, modality: Modality) -> str:
    (key,) = question.dimensions
    return (
        f"How strongly does the {_SUBJECT[modality]} convey {_described(key, modality)}?\n\n"
        f"{_on_scale(scale)} It is quite possible that it is absent: then answer {scale.absent:g}.\n\n"
        "Answer with one JSON object and nothing else:\n"
        '{"intensity": <number>}'
    )


def _on_scale(scale: AnswerScale) -> str:
    if scale.share:
        return (
            f"Give {scale.describe()}: the share of attentive people who would say that it is present, "
            f"{scale.low:g} for nobody and {scale.high:g} for everybody."
        )
    return (
        f"Give {scale.describe()}: {scale.absent:g} is absent, {scale.high:g} is as strong as it can be, with equal "
        "steps between."
    )


def _listed(keys: Sequence[str], modality: Modality) -> str:
    """Names with their words, by group in the taxonomy's order."""
    groups: dict[str, list[str]] = {group: [] for group in (*GROUPS, _FURTHER)}
    for key in keys:
        record = resolve(key, modality=modality)
        group = record.group if isinstance(record, Emotion) else _FURTHER
        groups[group].append(f"- {_described(key, modality)}")
    return "\n".join("\n".join([group, *lines]) for group, lines in groups.items() if lines)


def _described(key: str, modality: Modality) -> str:
    record = resolve(key, modality=modality)
    if isinstance(record, Emotion):
        words = dict.fromkeys(word for word in record.words if word.casefold() != record.name.casefold())
        return f"{record.name} ({', '.join(words)})" if words else record.name
    return f"{record.name} (from {record.low_pole} to {record.high_pole})"


def _worked(question: Question, scale: AnswerScale, modality: Modality) -> str:
    shown = [
        f"Example {number}: {example.description}\nAnswer: {_answer(example, question, scale, modality)}"
        for number, example in enumerate(EXAMPLES[modality], start=1)
    ]
    return "Some examples, described in words, to show how the scale is meant:\n\n" + "\n\n".join(shown)


def _answer(example: Example, question: Question, scale: AnswerScale, modality: Modality) -> str:
    def value(key: str) -> float:
        fraction = example.strength.get(key, 0.0)
        exact = scale.absent + fraction * (scale.high - scale.absent)
        return round(exact) if scale.whole else round(exact, 2)

    if question.dimension is not None:
        return json.dumps({"intensity": value(question.dimension)})
    present = [key for key in question.dimensions if value(key) != scale.absent]
    entries = [{"emotion": display_name(key, modality), "intensity": value(key)} for key in present]
    return json.dumps({"emotions": entries}, ensure_ascii=False)
