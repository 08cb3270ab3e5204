"""The folder of a derivation: one file for each step, whole or not at all, and what each was made from."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import os
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from emonet.errors import UsageError
from emonet.taxonomy.derivation._book import Book, Page
from emonet.taxonomy.derivation._chunks import Chunk
from emonet.taxonomy.derivation._clusters import Category
from emonet.taxonomy.derivation._mentions import Mention
from emonet.taxonomy.derivation._terms import Term

RECORD = "derivation.json"
FORMAT = "emonet-derivation-1"


def write_text(path: Path, text: str) -> None:
    """Write a file beside its place and move it there."""
    handle, beside = tempfile.mkstemp(prefix=f".{path.name[:80]}.", dir=path.parent)
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="") as file:
            file.write(text)
        Path(beside).chmod(0o644)
        os.replace(beside, path)
    except BaseException:
        Path(beside).unlink(missing_ok=True)
        raise


def digest(*parts: Any) -> str:
    """A short fingerprint of values that JSON can hold."""
    text = json.dumps(parts, ensure_ascii=False, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def read_record(folder: Path) -> dict[str, Any]:
    """derivation.json, or an empty record; `UsageError` when it is none of ours."""
    path = folder / RECORD
    if not path.exists():
        return {}
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise UsageError(
            f"{path}: cannot be read ({error}); delete it to begin anew, or choose another folder."
        ) from error
    if not isinstance(data, dict) or data.get("format") != FORMAT:
        raise UsageError(f"{path}: not a record of this version ({FORMAT}); choose another folder.")
    return data


def write_json(path: Path, data: Mapping[str, Any]) -> None:
    """JSON for people and programs."""
    write_text(path, json.dumps(data, ensure_ascii=False, indent=1) + "\n")


def write_lines(path: Path, items: Iterable[Mapping[str, Any]]) -> None:
    """One JSON object a line."""
    write_text(path, "".join(json.dumps(item, ensure_ascii=False) + "\n" for item in items))


def read_lines(path: Path) -> list[dict[str, Any]]:
    """As written by `write_lines`."""
    try:
        # Not splitlines: JSON leaves characters alone that Unicode counts as line ends.
        return [json.loads(line) for line in path.read_text(encoding="utf-8").split("\n") if line]
    except (OSError, ValueError) as error:
        raise UsageError(f"{path}: cannot be read ({error}); delete it and run the command again.") from error


def write_pages(path: Path, book: Book) -> None:
    """Places and texts of a book."""
    write_lines(path, ({"place": page.place, "text": page.text} for page in book.pages))


def read_pages(path: Path) -> tuple[Page, ...]:
    """As written by `write_pages`."""
    return tuple(Page(item["place"], item["text"]) for item in read_lines(path))


def write_chunks(path: Path, chunks: Sequence[Chunk]) -> None:
    """Chunks with their places."""
    write_lines(path, (asdict(chunk) | {"words": len(chunk.words)} for chunk in chunks))


def write_mentions(path: Path, rows: Iterable[Mapping[str, Any]]) -> None:
    """One line a chunk: what was found in it and how that went."""
    write_lines(path, rows)


def mention_row(chunk: Chunk, mentions: Sequence[Mention], **more: Any) -> dict[str, Any]:
    """The line of one chunk."""
    words = [
        {
            "form": m.form,
            "kind": m.kind,
            "word": m.word,
            "length": m.length,
            "place": chunk.place_of(m.word),
            "by": m.by,
        }
        for m in mentions
    ]
    return {"chunk": chunk.number, "status": "ok", **more, "mentions": words}


def read_mentions(path: Path) -> tuple[Mention, ...]:
    """Every mention, in order."""
    return tuple(
        Mention(row["chunk"], m["word"], m["form"], m["kind"], m["by"], m["length"])
        for row in read_lines(path)
        for m in row["mentions"]
    )


def words_csv(terms: Sequence[Term]) -> str:
    """One row a term: its words, counts, chunks and places."""
    rows = (
        (t.word, _listed(t.words), _listed(t.kinds), t.count, len(t.chunks), _counted(t.places), _counted(t.forms),
         _listed(t.by))
        for t in terms
    )  # fmt: skip
    return _csv(("word", "words", "kinds", "count", "chunks", "places", "forms", "found_by"), rows)


def clusters_csv(categories: Sequence[Category], loose: Sequence[Term]) -> str:
    """One row a term: its category, group and centrality; no category for terms that are in none."""
    rows = [
        (one.name, one.group, term.word, _listed(term.words), term.count, near)
        for one in categories
        for term, near in zip(one.terms, one.centrality, strict=True)
    ]
    return _csv(
        ("category", "group", "word", "words", "count", "centrality"),
        [*rows, *(("", "", term.word, _listed(term.words), term.count, "") for term in loose)],
    )


def read_clusters(path: Path) -> dict[str, str]:
    """Each word → its category."""
    try:
        with path.open(encoding="utf-8", newline="") as file:
            return {
                word: row["category"]
                for row in csv.DictReader(file)
                if row["category"]
                for word in row["words"].split("; ")
            }
    except (OSError, KeyError, UnicodeDecodeError, csv.Error) as error:
        raise UsageError(
            f"{path}: no table of categories ({error!r}); expected clusters.csv of a derivation."
        ) from error


def _csv(header: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
    return out.getvalue()


def _listed(items: Iterable[str]) -> str:
    return "; ".join(items)


def _counted(items: Mapping[str, int]) -> str:
    return "; ".join(f"{name} ({count})" if count > 1 else name for name, count in items.items())
