"""Words for feelings by a language model, and vectors by an embeddings endpoint; each word is checked in its chunk."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from emonet.errors import UsageError
from emonet.taxonomy.derivation._chunks import Chunk
from emonet.taxonomy.derivation._mentions import Mention, occurrences, plain_word
from emonet.taxonomy.derivation._terms import Term

if TYPE_CHECKING:
    from emonet.services import Endpoint, Reply, Request

SYSTEM = (
    "You list the words of a text that name emotions or affective states. List nouns and adjectives only, also rare, "
    "literary and mixed ones, bodily and cognitive states that are felt (fatigue, pain, confusion), and terms of up to "
    "three words. Give each word exactly as it stands in the text, in small letters, once. Leave out words that only "
    "speak of emotion in general (emotion, feeling, mood), verbs, and words for expressions or deeds. An empty list is "
    "a right answer."
)
SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "words": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {"word": {"type": "string"}, "kind": {"type": "string", "enum": ["noun", "adjective"]}},
                "required": ["word", "kind"],
                "additionalProperties": False,
            },
        }
    },
    "required": ["words"],
    "additionalProperties": False,
}
_MOST_INVENTED = 0.5
_LONGEST = 3


@dataclass(frozen=True, slots=True)
class Found:
    """What came of one chunk. `status` as in `emonet.services.Reply`; `invented`: words of the reply that do not occur
    in the chunk and were left out."""

    chunk: int
    status: str
    mentions: tuple[Mention, ...] = ()
    invented: tuple[str, ...] = ()
    message: str = ""
    cached: bool = False
    cost: float | None = None


def word_requests(chunks: Sequence[Chunk], *, seed: int = 0) -> tuple[Request, ...]:
    """One question a chunk, whose reply is refused unless it is the asked JSON and mostly made of the chunk's words."""
    from emonet.services import Request, chat_body

    def request(chunk: Chunk) -> Request:
        body = chat_body(SYSTEM, chunk.text, schema=SCHEMA, schema_name="words", temperature=0.0, seed=seed)
        return Request(f"chunk-{chunk.number}", "chat", body, check=lambda reply: _fault(reply, chunk))

    return tuple(request(chunk) for chunk in chunks)


def service_mentions(
    chunks: Sequence[Chunk],
    endpoint: Endpoint,
    *,
    cache: Path,
    seed: int = 0,
    progress: Callable[[str], None] = lambda line: None,
) -> Iterator[Found]:
    """Mentions of each chunk as the model names them, in the order in which replies come; every occurrence counts.

    Replies are kept in `cache`, so that a second run asks only for what is missing. Raises `ModelError` when the
    service will never answer (wrong key or model).
    """
    from emonet.services import ask

    by_key = {f"chunk-{chunk.number}": chunk for chunk in chunks}
    for reply in ask(word_requests(chunks, seed=seed), endpoint, cache=cache, progress=progress):
        chunk = by_key[reply.key]
        if reply.status != "ok":
            yield Found(chunk.number, reply.status, message=reply.message, cost=reply.cost)
            continue
        mentions, invented = _located(_words(reply), chunk)
        yield Found(chunk.number, "ok", mentions, invented, cached=reply.cached, cost=reply.cost)


def service_vectors(
    terms: Sequence[Term],
    endpoint: Endpoint,
    *,
    cache: Path,
    progress: Callable[[str], None] = lambda line: None,
) -> list[tuple[float, ...]]:
    """A vector for each term ("the feeling of anger (angry)") by an embeddings endpoint, in the terms' order.

    Raises `UsageError` naming the terms that got none, or vectors of unequal length.
    """
    from emonet.services import Request, ask

    requests = [Request(f"term-{term.word}", "embedding", {"input": embedding_text(term)}) for term in terms]
    replies: Mapping[str, Reply] = {
        reply.key: reply for reply in ask(requests, endpoint, cache=cache, progress=progress)
    }
    failed = [reply for reply in replies.values() if reply.status != "ok" or not reply.vector]
    if failed or len(replies) < len(terms):
        first = f" The first says: {failed[0].message or failed[0].status}" if failed else ""
        count = max(len(failed), len(terms) - len(replies))
        raise UsageError(
            f"The embeddings model {endpoint.model!r} gave no vector for {count} of {len(terms)} words.{first} Run the "
            "command again to go on."
        )
    vectors = [replies[request.key].vector for request in requests]
    if len({len(vector) for vector in vectors}) > 1:
        raise UsageError(f"The model {endpoint.model!r} gives vectors of unequal length; name another.")
    return vectors


def embedding_text(term: Term) -> str:
    """What the embeddings endpoint is sent for a term."""
    more = f" ({', '.join(term.words[1:4])})" if len(term.words) > 1 else ""
    return f"the feeling of {term.word}{more}"


def _words(reply: Reply) -> list[tuple[str, str]]:
    """(word, kind) of a reply; raises `ValueError` when it is not what was asked for."""
    from emonet.services import json_reply

    found = json_reply(reply)
    listed = found.get("words") if isinstance(found, dict) else None
    if not isinstance(listed, list):
        raise ValueError('expected {"words": [{"word": ..., "kind": "noun" or "adjective"}]}')
    out = []
    for item in listed:
        if not isinstance(item, dict) or not isinstance(item.get("word"), str) or item.get("kind") not in _KINDS:
            raise ValueError(f"expected a word with its kind, noun or adjective, not {json.dumps(item)[:80]}")
        plain = " ".join(filter(None, map(plain_word, item["word"].split())))
        out.append((plain or item["word"], item["kind"]))
    return list(dict.fromkeys(out))


_KINDS = ("noun", "adjective")


def _fault(reply: Reply, chunk: Chunk) -> str:
    """Why a reply cannot be used; empty when it can."""
    try:
        words = _words(reply)
    except ValueError as error:
        return str(error)
    _, invented = _located(words, chunk)
    if words and len(invented) > _MOST_INVENTED * len(words):
        return f"{len(invented)} of {len(words)} words do not occur in the text: {', '.join(invented[:5])}"
    return ""


def _located(words: Sequence[tuple[str, str]], chunk: Chunk) -> tuple[tuple[Mention, ...], tuple[str, ...]]:
    """Every occurrence of each word; a position belongs to the longest term, and to its first kind."""
    found: dict[int, Mention] = {}
    invented = []
    taken: set[int] = set()
    for word, kind in sorted(words, key=lambda pair: -len(pair[0].split())):
        length = len(word.split())
        places = occurrences(chunk, word) if 0 < length <= _LONGEST else ()
        if not places:
            invented.append(word)
        for at in places:
            if taken.isdisjoint(range(at, at + length)):
                taken |= set(range(at, at + length))
                found[at] = Mention(chunk.number, at, word, kind, "service", length)  # type: ignore[arg-type]
    return tuple(found[at] for at in sorted(found)), tuple(invented)
