"""What a derivation will take, before anything is sent or written."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from emonet.taxonomy.derivation._book import read_book
from emonet.taxonomy.derivation._chunks import chunks_of
from emonet.taxonomy.derivation._derive import check_endpoints
from emonet.taxonomy.derivation._lexicon import read_lexicon
from emonet.taxonomy.derivation._service import word_requests
from emonet.taxonomy.derivation._settings import Settings

if TYPE_CHECKING:
    from emonet.services import CostEstimate, Endpoint

WORDS_PER_S = 20_000.0
"""Words that are tagged, looked up and grouped in a second on one core, without resampling. Measured: 37,000 with the
tests' text 65 times over (docs/taxonomy-derivation.md); other books have more different words."""
_SECONDS_PER_CALL = 4.0
"""Assumed length of a chat call with a chunk of 500 words, when no pace limit is slower."""


@dataclass(frozen=True, slots=True)
class Plan:
    """`calls`: chat calls, one a chunk; `embedding_calls` are not known before the words are found: at most about one
    for 60 words of text. `cost`: of the chat calls, as `emonet.services.estimate_cost` tells it, None offline."""

    book: str
    kind: str
    pages: int
    words: int
    chunks: int
    calls: int
    embeddings: bool
    cost: CostEstimate | None
    seconds: float


def plan(
    book: str | Path,
    settings: Settings | None = None,
    *,
    endpoint: Endpoint | None = None,
    embedding_endpoint: Endpoint | None = None,
) -> Plan:
    """Chunks, calls, cost and time of a derivation; the book is read, nothing is sent or written."""
    settings = settings or Settings()
    check_endpoints(settings, endpoint, embedding_endpoint)
    read_lexicon(settings.lexicons)
    read = read_book(book)
    chunks = chunks_of(read, settings.chunk_words)
    seconds, cost, calls = 2 + read.words / WORDS_PER_S, None, 0
    if settings.finder == "service" and endpoint is not None:
        from emonet.services import estimate_cost

        requests = word_requests(chunks, seed=settings.seed)
        calls, cost = len(requests), estimate_cost(requests, endpoint)
        paced = calls * 60 / endpoint.requests_per_minute if endpoint.requests_per_minute else 0.0
        seconds += max(paced, calls * _SECONDS_PER_CALL / endpoint.concurrency)
    return Plan(
        read.title,
        read.kind,
        len(read.pages),
        read.words,
        len(chunks),
        calls,
        settings.vectors == "service",
        cost,
        seconds,
    )
