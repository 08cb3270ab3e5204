"""From a book to proposed categories, step by step, each step's outcome a file that people can read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from emonet.errors import UsageError
from emonet.taxonomy.derivation._chunks import chunks_of
from emonet.taxonomy.derivation._clusters import Category, categories_of, cluster
from emonet.taxonomy.derivation._files import (
    clusters_csv,
    read_record,
    words_csv,
    write_chunks,
    write_text,
)
from emonet.taxonomy.derivation._lexicon import read_lexicon
from emonet.taxonomy.derivation._metrics import agreement
from emonet.taxonomy.derivation._settings import Settings
from emonet.taxonomy.derivation._steps import Progress, Steps
from emonet.taxonomy.derivation._terms import Term, terms_of

if TYPE_CHECKING:
    from emonet.services import Endpoint

_LEAST_TERMS = 3


@dataclass(frozen=True, slots=True)
class Derived:
    """What a derivation found. `review`: the file to edit; `review_kept`: it had been edited and was left as it is, so
    that the new proposal stands in proposal.md only. `reused`: steps that were taken from an earlier run."""

    folder: Path
    book: str
    words: int
    chunks: int
    terms: tuple[Term, ...]
    categories: tuple[Category, ...]
    loose: tuple[Term, ...]
    metrics: Mapping[str, Any]
    review: Path
    review_kept: bool
    reused: tuple[str, ...]


def derive(
    book: str | Path,
    folder: str | Path,
    settings: Settings | None = None,
    *,
    endpoint: Endpoint | None = None,
    embedding_endpoint: Endpoint | None = None,
    progress: Progress = lambda line: None,
) -> Derived:
    """Derive a taxonomy from a .txt, .pdf or .epub file into `folder`.

    The folder then holds pages.jsonl, chunks.jsonl, mentions.jsonl, words.csv, vectors.npy, clusters.csv, proposal.md,
    review.md (to edit), metrics.json and derivation.json. Running it again takes what did not change from the files;
    replies of services are in replies.sqlite and are not asked for twice. A review.md that people have edited is never
    overwritten. Raises `UsageError` when the folder is of another book, when an endpoint is missing, and when a
    service gave no usable reply for some chunks (run it again to go on).
    """
    settings, folder, book = settings or Settings(), Path(folder), Path(book)
    check_endpoints(settings, endpoint, embedding_endpoint)
    lexicon, sha256 = read_lexicon(settings.lexicons), _sha256(book)
    folder.mkdir(parents=True, exist_ok=True)
    run = Steps(folder, settings, progress, read_record(folder))
    pages = run.pages(book, sha256)
    chunks = chunks_of([(page.place, page.text) for page in pages], settings.chunk_words)
    write_chunks(folder / "chunks.jsonl", chunks)
    progress(f"{sum(len(chunk.words) for chunk in chunks):,} words in {len(chunks):,} chunks")
    mentions = run.mentions(chunks, lexicon, endpoint)
    terms = terms_of(mentions, chunks, lexicon, least=settings.least_count)
    if len(terms) < _LEAST_TERMS:
        raise UsageError(
            f"{book}: {len(terms)} words for feelings were found, too few to group. Give a longer text, a lexicon "
            "that fits it (English is expected), or a service that finds the words."
        )
    write_text(folder / "words.csv", words_csv(terms))
    progress(f"{len(terms):,} terms, {len(mentions):,} occurrences")
    vectors = run.vectors(terms, mentions, chunks, lexicon, embedding_endpoint)
    labels = cluster(vectors, method=settings.method, number=settings.categories)
    categories, loose = categories_of(terms, vectors, labels, lexicon)
    write_text(folder / "clusters.csv", clusters_csv(categories, loose))
    kept = run.review(categories, loose, mentions, chunks)
    metrics = run.metrics(terms, vectors, labels, categories, mentions, chunks, lexicon)
    run.save()
    return Derived(
        folder, run.record["book"]["title"], sum(len(chunk.words) for chunk in chunks), len(chunks), terms, categories,
        loose, metrics, folder / "review.md", kept, tuple(run.reused),
    )  # fmt: skip


def check_endpoints(settings: Settings, endpoint: Endpoint | None, embedding_endpoint: Endpoint | None) -> None:
    """`UsageError` when a step by service has no endpoint."""
    if settings.finder == "service" and endpoint is None:
        raise UsageError("Words are to be found by a service; name its address and model (--url, --model).")
    if settings.vectors == "service" and embedding_endpoint is None:
        raise UsageError("Vectors are to come from a service; name its model (--embedding-model).")


def compare(folder: str | Path, other: str | Path) -> Mapping[str, Any]:
    """Agreement of two derivations by their folders' clusters.csv; of agreement's fields, as a dictionary."""
    from emonet.taxonomy.derivation._files import read_clusters

    paths = [Path(one) / "clusters.csv" if Path(one).is_dir() else Path(one) for one in (folder, other)]
    return asdict(agreement(*(read_clusters(path) for path in paths)))


def _sha256(path: Path) -> str:
    import hashlib

    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise UsageError(f"{path}: cannot be read ({error.strerror}); name a .txt, .pdf or .epub file.") from error
