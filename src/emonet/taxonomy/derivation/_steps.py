"""The steps of a derivation: each reads its file when nothing that it depends on has changed, and else makes it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from emonet.errors import UsageError
from emonet.taxonomy.derivation._book import Book, Page, read_book
from emonet.taxonomy.derivation._chunks import Chunk
from emonet.taxonomy.derivation._clusters import Category, cluster
from emonet.taxonomy.derivation._files import (
    FORMAT,
    RECORD,
    digest,
    mention_row,
    read_mentions,
    read_pages,
    write_json,
    write_mentions,
    write_pages,
    write_text,
)
from emonet.taxonomy.derivation._lexicon import Lexicon
from emonet.taxonomy.derivation._mentions import Mention, offline_mentions
from emonet.taxonomy.derivation._metrics import agreement, coverage, published_words, stability
from emonet.taxonomy.derivation._review import format_review
from emonet.taxonomy.derivation._service import service_mentions, service_vectors
from emonet.taxonomy.derivation._settings import Settings
from emonet.taxonomy.derivation._terms import Term, quotes_of
from emonet.taxonomy.derivation._vectors import book_vectors, unit_vectors

if TYPE_CHECKING:
    from emonet.services import Endpoint

Progress = Callable[[str], None]


class Steps:
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
