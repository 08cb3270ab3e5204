"""The same in other words: paraphrases of captions by a language model, kept only where they say the same emotions.

Captions made by rule come in eleven shapes, which a model trained on them would learn instead of voices; paraphrases
break the shapes (EmoNet-Voice, section on training). Each one is read back by `mentions`.
"""

from __future__ import annotations

import hashlib
import random
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from emonet.captions._mentions import mentions
from emonet.errors import UsageError
from emonet.services import CostEstimate, Endpoint, Reply, Request, ask, chat_body, estimate_cost, json_reply
from emonet.taxonomy import display_name

_MOST_WORDS = 160
_STYLES = (
    "a note to an actor", "one flowing sentence", "two short sentences", "a line in a casting file",
    "what a careful listener would jot down", "a radio producer's remark", "plain spoken English",
    "an audio describer's wording", "a sentence that begins with the strongest impression",
    "a sentence that ends with the strongest impression", "a terse studio log", "a novelist's aside",
)  # fmt: skip
_SYSTEM = """You rewrite descriptions of how a voice or face comes across. Each rewriting says exactly the same in other
words and another order: the same emotions, each as strong or as absent as before, the same traits, nothing more. Never
add an emotion, a cause, a story or advice; never leave an emotion out, make it stronger or weaker, or turn it into
another one. Name every emotion by the word given or a form of it, with the degree that is asked for. Do not say that
this is a rewriting. Answer with JSON only: {"captions": ["...", ...]}."""
_DEGREES = {
    "none": "absent (say that there is none of it)",
    "slight": "slight",
    "moderate": "notable",
    "strong": "strong (very)",
    "extreme": "extreme",
}


@dataclass(frozen=True, slots=True)
class Paraphrases:
    """Usable paraphrases of one caption. `dropped`: fault → how many were not usable in the last answer; `message`: why
    there is no answer at all. `cost`: of all requests, None where unknown."""

    key: str
    caption: str
    texts: tuple[str, ...]
    dropped: Mapping[str, int] = field(default_factory=dict)
    message: str = ""
    cost: float | None = None


def paraphrase(
    captions: Iterable[tuple[str, str]],
    endpoint: Endpoint,
    *,
    cache: str | Path,
    variants: int = 3,
    seed: int = 0,
    progress: Callable[[str], None] = lambda _: None,
) -> Iterator[Paraphrases]:
    """Paraphrases of captions, pairs of key and text, as they come.

    A variant that adds, drops, strengthens or weakens an emotion is sent back with what is wrong; what is still wrong
    after the endpoint's `max_attempts` is dropped and counted. seed: of the styles that are asked for. cache: as in
    `emonet.services.ask`; a killed run loses nothing that was paid for, and the same call goes on.
    """
    texts = _by_key(captions)
    for reply in ask(_requests(texts, variants, seed), endpoint, cache=cache, progress=progress):
        yield _result(reply, texts[reply.key])


def paraphrase_cost(
    captions: Iterable[tuple[str, str]], endpoint: Endpoint, *, variants: int = 3, seed: int = 0
) -> CostEstimate:
    """What `paraphrase` would take if every first answer is usable."""
    return estimate_cost(_requests(_by_key(captions), variants, seed), endpoint)


def paraphrase_fault(caption: str, text: str) -> str:
    """What is wrong with a paraphrase: an emotion that was added, dropped, strengthened or weakened; "" when nothing.

    Emotions are read by `mentions` from both texts. Attributes (pace, pitch, age, ...) are not compared.
    """
    if not text.strip() or len(text.split()) > _MOST_WORDS:
        return f"a caption has 1 to {_MOST_WORDS} words."
    if _plain(text) == _plain(caption):
        return "it repeats the original word for word."
    wanted, found = mentions(caption), mentions(text)
    for key, strength in wanted.strengths.items():
        if key not in found.strengths:
            return f"{display_name(key)} ({_DEGREES[strength]}) is missing."
        if found.strengths[key] != strength:
            return f"{display_name(key)} should be {_DEGREES[strength]}, not {_DEGREES[found.strengths[key]]}."
    if added := [key for key in found.strengths if key not in wanted.strengths]:
        return f"{display_name(added[0])} was added."
    for doubt in found.unclear:
        if not set(doubt.keys) & set(wanted.strengths):
            return f"the word {doubt.text!r} may be read as another emotion."
    return ""


def _by_key(captions: Iterable[tuple[str, str]]) -> dict[str, str]:
    texts: dict[str, str] = {}
    for key, caption in captions:
        if key in texts:
            raise UsageError(f"Two captions have the key {key!r}; give each one of its own.")
        texts[key] = caption
    return texts


def _requests(captions: Mapping[str, str], variants: int, seed: int) -> Iterator[Request]:
    if not 1 <= variants <= 10:
        raise UsageError(f"variants is {variants}; expected 1 to 10.")
    for key, caption in captions.items():
        body = chat_body(
            _SYSTEM, _question(caption, variants, _draw(key, seed)), schema=_SCHEMA, schema_name="paraphrases",
            max_tokens=200 + 150 * variants, seed=seed,
        )  # fmt: skip
        yield Request(key, "chat", body, check=_check(caption, variants))


_SCHEMA: Mapping[str, Any] = {
    "type": "object",
    "properties": {"captions": {"type": "array", "items": {"type": "string"}}},
    "required": ["captions"],
    "additionalProperties": False,
}


def _question(caption: str, variants: int, draw: random.Random) -> str:
    kept = "\n".join(f"- {display_name(key)}: {_DEGREES[s]}" for key, s in mentions(caption).strengths.items())
    styles = ", ".join(draw.sample(_STYLES, min(variants, len(_STYLES))))
    return (
        f"Description:\n{caption}\n\nEmotions in it, to be kept as they are:\n{kept or '- none'}\n\n"
        f"Write {variants} rewritings, unlike one another: {styles}."
    )


def _draw(key: str, seed: int) -> random.Random:
    return random.Random(hashlib.sha256(f"{seed}\n{key}".encode("utf-8", "surrogatepass")).digest())


def _variants(text: str) -> list[str]:
    found = json_reply(text)
    texts = found.get("captions") if isinstance(found, dict) else found
    if not isinstance(texts, list) or not all(isinstance(one, str) for one in texts):
        raise ValueError('expected {"captions": [texts]}.')
    return [" ".join(one.split()) for one in texts]


def _check(caption: str, variants: int) -> Callable[[Reply], str]:
    def check(reply: Reply) -> str:
        try:
            texts = _variants(reply.text)
        except ValueError as error:
            return str(error)
        faults = [(i, paraphrase_fault(caption, text)) for i, text in enumerate(texts, 1)]
        told = [f"Number {i}: {fault}" for i, fault in faults if fault]
        if len(set(map(_plain, texts))) < variants:
            told.append(f"{variants} different rewritings are wanted.")
        return " ".join(told)

    return check


def _result(reply: Reply, caption: str) -> Paraphrases:
    if reply.status not in ("ok", "unusable"):
        return Paraphrases(reply.key, caption, (), message=f"{reply.status}: {reply.message}", cost=reply.cost)
    try:
        texts = list({_plain(text): text for text in _variants(reply.text)}.values())
    except ValueError as error:
        return Paraphrases(reply.key, caption, (), {"no JSON": 1}, str(error), reply.cost)
    faults = [paraphrase_fault(caption, text) for text in texts]
    kept = tuple(text for text, fault in zip(texts, faults, strict=True) if not fault)
    return Paraphrases(reply.key, caption, kept, dict(Counter(filter(None, faults))), cost=reply.cost)


def _plain(text: str) -> str:
    return " ".join(text.casefold().split())
