"""A book as pages of plain text, whatever file it comes from; errors that say what to do about the file."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from emonet.errors import UnreadableMediaError, UsageError

BookKind = Literal["txt", "pdf", "epub"]
_MOST_BYTES = 512 * 2**20
SUFFIXES = {".txt": "txt", ".text": "txt", ".md": "txt", ".pdf": "pdf", ".epub": "epub"}


class UnreadableBookError(UnreadableMediaError):
    """A book that holds no text for us: encrypted, scanned, broken, or a zip that unpacks to too much."""


@dataclass(frozen=True, slots=True)
class Page:
    """`place`: where a reader finds it: the label of a page ("p. 12"), chapter and paragraph of an EPUB that marks no
    pages ("ch. 3, par. 7"), the paragraph of a plain text ("par. 7") or, where form feeds divide it, the page.
    `text`: tidied."""

    place: str
    text: str


@dataclass(frozen=True, slots=True)
class Book:
    """`sha256` is that of the file, by which a derivation knows whether it is still the same book."""

    path: Path
    kind: BookKind
    title: str
    sha256: str
    pages: tuple[Page, ...]

    @property
    def words(self) -> int:
        """Words of all pages, as white space parts them."""
        return sum(len(page.text.split()) for page in self.pages)


def read_book(path: str | Path) -> Book:
    """Text of a .txt, .pdf or .epub file with its pages.

    Ligatures are spelled out, words that a line break has cut in two are joined, and lines that repeat at the top or
    foot of the pages (running heads, page numbers) are left out. Raises `UsageError` for a file of another kind and
    `UnreadableBookError` for one without text.
    """
    path = Path(path)
    kind = SUFFIXES.get(path.suffix.casefold())
    if kind is None:
        raise UsageError(f"{path}: not a kind of book that is read here; expected one of {', '.join(SUFFIXES)}.")
    try:
        size = path.stat().st_size
        if size > _MOST_BYTES:
            raise UnreadableBookError(str(path), f"{size:,} bytes; at most {_MOST_BYTES:,} are read. Divide the book.")
        content = path.read_bytes()
    except OSError as error:
        raise UnreadableBookError(str(path), f"cannot be read ({error.strerror}).") from error
    if not content:
        raise UnreadableBookError(str(path), "the file is empty.")
    title, pages = _read(kind, path, content)
    if not any(page.text.split() for page in pages):
        raise UnreadableBookError(
            str(path),
            "no text was found. If its pages are pictures (a scan), run text recognition over it first, for example "
            "with ocrmypdf.",
        )
    return Book(path, kind, title or path.stem, hashlib.sha256(content).hexdigest(), tuple(pages))  # type: ignore[arg-type]


def _read(kind: str, path: Path, content: bytes) -> tuple[str, list[Page]]:
    from emonet.taxonomy.derivation._tidy import tidy_pages

    if kind == "pdf":
        from emonet.taxonomy.derivation._pdf import pdf_pages

        title, raw = pdf_pages(path, content)
    elif kind == "epub":
        from emonet.taxonomy.derivation._epub import epub_pages

        title, raw = epub_pages(path, content)
    else:
        title, raw = "", _text_pages(path, content)
    texts = tidy_pages([text for _, text in raw], running_heads=kind == "pdf")
    return title, [Page(place, text) for (place, _), text in zip(raw, texts, strict=True)]


def _text_pages(path: Path, content: bytes) -> list[tuple[str, str]]:
    """Pages of a plain text, which form feeds divide, or else its paragraphs, which blank lines do."""
    text = decode(path, content).replace("\r\n", "\n").replace("\r", "\n")
    if "\f" in text:
        return [(f"p. {number}", part) for number, part in enumerate(text.split("\f"), 1)]
    return [(f"par. {number}", part) for number, part in enumerate(paragraphs(text), 1)]


def paragraphs(text: str) -> list[str]:
    """Parts of a text between blank lines."""
    return [part for part in re.split(r"\n[^\S\n]*\n\s*", text) if part.strip()]


def decode(path: Path, content: bytes) -> str:
    """Text of bytes: by the byte order mark, else UTF-8, else Windows-1252, which books of plain text often are in."""
    for mark, encoding in ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16")):
        if content.startswith(mark):
            try:
                return content.decode(encoding)
            except UnicodeDecodeError as error:
                raise UnreadableBookError(str(path), f"marked as {encoding}, but byte {error.start} is not.") from error
    if b"\x00" in content[:4096]:
        raise UnreadableBookError(str(path), "holds zero bytes, so it is no plain text; export it as UTF-8.")
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError:
        return content.decode("cp1252", errors="replace")
