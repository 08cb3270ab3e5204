"""From a book to proposed categories, step by step, each step's outcome a file that people can read."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from emonet.errors import UsageError
from emonet.taxonomy.derivation._book import Book, Page, read_book
from emonet.taxonomy.derivation._chunks import Chunk, chunks_of
from emonet.taxonomy.derivation._clusters import Category, categories_of, cluster
from emonet.taxonomy.derivation._files import (
    FORMAT,
    RECORD,
    clusters_csv,
    digest,
    mention_row,
    read_mentions,
    read_pages,
    read_record,
    words_csv,
    write_chunks,
    write_json,
    write_mentions,
    write_pages,
    write_text,
)
from emonet.taxonomy.derivation._lexicon import Lexicon, read_lexicon
from emonet.taxonomy.derivation._mentions import Mention, offline_mentions
from emonet.taxonomy.derivation._metrics import agreement, coverage, published_words, stability
from emonet.taxonomy.derivation._review import format_review
from emonet.taxonomy.derivation._service import service_mentions, service_vectors
from emonet.taxonomy.derivation._settings import Settings
from emonet.taxonomy.derivation._terms import Term, quotes_of, terms_of
from emonet.taxonomy.derivation._vectors import book_vectors, unit_vectors

if TYPE_CHECKING:
    from emonet.services import Endpoint

Progress = Callable[[str], None]
STEPS = ("pages.jsonl", "chunks.jsonl", "mentions.jsonl", "words.csv", "vectors.npy", "clusters.csv", "proposal.md",
         "review.md", "metrics.json")  # fmt: skip
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
    run = _Run(folder, settings, progress, read_record(folder))
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


class _Run:
    """The folder, the settings and the record of which step was made from what."""

    def __init__(self, folder: Path, settings: Settings, progress: Progress, record: dict[str, Any]) -> None:
        self.folder, self.settings, self.progress = folder, settings, progress
        self.record = record
        self.steps: dict[str, str] = dict(record.get("steps", {}))
        self.reused: list[str] = []
        self.made_from = ""

    def pages(self, path: Path, sha256: str) -> tuple[Page, ...]:
        """The book's pages, from the file of an earlier run when the book is the same to the byte."""
        known = self.record.get("book", {})
        if known and known.get("sha256") != sha256:
            raise UsageError(
                f"{self.folder}: holds a derivation of {known.get('file')!r}, which is not {path.name!r} as it is now; "
                "choose another --output."
            )
        step = digest(sha256)
        if self._is_done("pages.jsonl", step):
            pages = read_pages(self.folder / "pages.jsonl")
        else:
            self.progress(f"reading {path.name}")
            book = read_book(path)
            pages = book.pages
            self.record = self.record | {"format": FORMAT, "book": _book_record(book)}
            write_pages(self.folder / "pages.jsonl", book)
            self._done("pages.jsonl", step)
        self.made_from = step
        return pages

    def mentions(self, chunks: Sequence[Chunk], lexicon: Lexicon, endpoint: Endpoint | None) -> tuple[Mention, ...]:
        s = self.settings
        by = [endpoint.base_url, endpoint.model] if endpoint is not None and s.finder == "service" else lexicon.name
        step = digest(self.made_from, s.chunk_words, s.finder, by, sorted(lexicon.families), s.seed)
        path = self.folder / "mentions.jsonl"
        if not self._is_done(path.name, step):
            if endpoint is not None and s.finder == "service":
                rows = self._asked(chunks, endpoint)
            else:
                found = offline_mentions(chunks, lexicon)
                rows = [mention_row(chunk, said) for chunk, said in zip(chunks, found, strict=True)]
            write_mentions(path, rows)
            if failed := [row for row in rows if row["status"] != "ok"]:
                raise UsageError(
                    f"{len(failed)} of {len(chunks)} chunks have no usable reply (first: chunk {failed[0]['chunk']}, "
                    f"{failed[0]['status']}: {failed[0]['message'][:200]}). The others are kept; run the command "
                    f"again to ask for these, or name another model. See {path}."
                )
            self._done(path.name, step)
        self.made_from = step
        return read_mentions(path)

    def _asked(self, chunks: Sequence[Chunk], endpoint: Endpoint) -> list[dict[str, Any]]:
        """Rows of `mentions.jsonl` by a language model, in the chunks' order."""
        cache = self.folder / "replies.sqlite"
        rows: dict[int, dict[str, Any]] = {}
        by_number = {chunk.number: chunk for chunk in chunks}
        for found in service_mentions(chunks, endpoint, cache=cache, seed=self.settings.seed, progress=self.progress):
            more = {"status": found.status, "message": found.message, "invented": list(found.invented)}
            rows[found.chunk] = mention_row(by_number[found.chunk], found.mentions, **more)
            self.progress(f"words: {len(rows)} of {len(chunks)} chunks")
        for number in by_number.keys() - rows.keys():
            rows[number] = mention_row(by_number[number], (), status="not_asked", message="interrupted", invented=[])
        return [rows[number] for number in sorted(rows)]

    def vectors(
        self,
        terms: Sequence[Term],
        mentions: Sequence[Mention],
        chunks: Sequence[Chunk],
        lexicon: Lexicon,
        endpoint: Endpoint | None,
    ) -> NDArray[np.float64]:
        if endpoint is not None and self.settings.vectors == "service":
            cache = self.folder / "replies.sqlite"
            vectors = unit_vectors(service_vectors(terms, endpoint, cache=cache, progress=self.progress))
        else:
            weight = self.settings.lexicon_weight
            vectors = book_vectors(terms, mentions, chunks, lexicon=lexicon, lexicon_weight=weight)
        path = self.folder / "vectors.npy"
        beside = path.with_name(".vectors.part.npy")
        np.save(beside, vectors.astype(np.float32))
        beside.replace(path)
        return vectors

    def review(
        self,
        categories: Sequence[Category],
        loose: Sequence[Term],
        mentions: Sequence[Mention],
        chunks: Sequence[Chunk],
    ) -> bool:
        """Write proposal.md, and review.md unless people have edited it; whether it was left."""
        most = self.settings.quotes
        quotes = {one.name: _quotes(one, mentions, chunks, most) for one in categories} if most else {}
        title = self.record["book"]["title"]
        source = f"Derived from {title!r} ({self.record['book']['file']}), {len(chunks)} chunks"
        text = format_review(f"Emotions of {title}", "1.0", source, categories, loose, quotes)
        proposal, review = self.folder / "proposal.md", self.folder / "review.md"
        edited = review.exists() and (not proposal.exists() or review.read_bytes() != proposal.read_bytes())
        if not edited:
            write_text(review, text)
        write_text(proposal, text)
        return edited

    def metrics(
        self,
        terms: Sequence[Term],
        vectors: NDArray[np.float64],
        labels: NDArray[np.int64],
        categories: Sequence[Category],
        mentions: Sequence[Mention],
        chunks: Sequence[Chunk],
        lexicon: Lexicon,
    ) -> Mapping[str, Any]:
        """metrics.json; the resampling, which takes longest, is kept when nothing that it depends on has changed."""
        s = self.settings
        step = digest(self.made_from, asdict(s), [term.word for term in terms], np.round(vectors, 4).tolist())
        path = self.folder / "metrics.json"
        if self._is_done(path.name, step):
            return _json_of(path)
        # A resample may name a family by another of its words.
        row = {word: at for at, term in enumerate(terms) for word in term.words}

        def regroup(kept: Sequence[Term], said: Sequence[Mention], drawn: Sequence[Chunk]) -> NDArray[np.int64]:
            if s.vectors == "service":  # an endpoint's vectors do not depend on the book
                new = vectors[[row[term.word] for term in kept]]
            else:
                new = book_vectors(kept, said, drawn, lexicon=lexicon, lexicon_weight=s.lexicon_weight)
            number = None if s.method == "hdbscan" else min(len(set(labels.tolist())), len(kept))
            return cluster(new, method=s.method, number=number)

        self.progress("measuring")
        stable = stability(
            terms, labels, mentions, chunks, regroup,
            lexicon=lexicon, resamples=s.resamples, seed=s.seed, progress=self.progress,
        )  # fmt: skip
        own = {word: one.name for one in categories for term in one.terms for word in term.words}
        by_lexicon = lexicon if s.finder == "offline" else None
        measured: dict[str, Any] = {
            "coverage_of_published_words": asdict(coverage(terms, chunks, by_lexicon)),
            "agreement_with_published_categories": asdict(agreement(own, published_words())),
            "stability": None if stable is None else asdict(stable),
            "terms": len(terms),
            "categories": len(categories),
            "occurrences": len(mentions),
            "found_by": {by: sum(m.by == by for m in mentions) for by in ("lexicon", "frame", "service")},
            "lexicon": {"name": lexicon.name, "licence": lexicon.licence, "weight": s.lexicon_weight},
        }
        write_json(path, measured)
        self._done(path.name, step)
        return measured

    def save(self) -> None:
        """Write derivation.json: the book, the settings and what each step was made from."""
        self.record = self.record | {"format": FORMAT, "settings": asdict(self.settings), "steps": self.steps}
        write_json(self.folder / RECORD, self.record)

    def _is_done(self, name: str, step: str) -> bool:
        done = self.steps.get(name) == step and (self.folder / name).exists()
        if done:
            self.reused.append(name)
        return done

    def _done(self, name: str, step: str) -> None:
        self.steps[name] = step
        self.save()


def _json_of(path: Path) -> Mapping[str, Any]:
    """A JSON file of one object."""
    import json

    try:
        data: Mapping[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise UsageError(f"{path}: cannot be read ({error}); delete it and run the command again.") from error
    return data


def compare(folder: str | Path, other: str | Path) -> Mapping[str, Any]:
    """Agreement of two derivations by their folders' clusters.csv; of agreement's fields, as a dictionary."""
    from emonet.taxonomy.derivation._files import read_clusters

    paths = [Path(one) / "clusters.csv" if Path(one).is_dir() else Path(one) for one in (folder, other)]
    return asdict(agreement(*(read_clusters(path) for path in paths)))


def _quotes(category: Category, mentions: Sequence[Mention], chunks: Sequence[Chunk], most: int) -> list[str]:
    """One quotation for each of the most frequent terms, then more of the first."""
    each = [quotes_of(term, mentions, chunks) for term in category.terms[:most]]
    firsts = [quotes[0] for quotes in each if quotes]
    return [*dict.fromkeys([*firsts, *(each[0][1:] if each else ())])][:most]


def _book_record(book: Book) -> dict[str, Any]:
    return {
        "file": book.path.name, "title": book.title, "kind": book.kind, "sha256": book.sha256,
        "pages": len(book.pages), "words": book.words,
    }  # fmt: skip


def _sha256(path: Path) -> str:
    import hashlib

    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise UsageError(f"{path}: cannot be read ({error.strerror}); name a .txt, .pdf or .epub file.") from error
