"""Chapters of an EPUB (W3C EPUB 3.3: a zip with XHTML documents in the order of the package's spine)."""

from __future__ import annotations

import io
import posixpath
import re
import zipfile
import zlib
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote

from emonet.taxonomy.derivation._book import UnreadableBookError, decode, paragraphs

_MOST_ENTRY_BYTES = 64 * 2**20
_MOST_BYTES = 512 * 2**20
_MOST_ENTRIES = 20_000
_BLOCKS = frozenset(
    "p div h1 h2 h3 h4 h5 h6 li ul ol dl dt dd blockquote br hr tr td th table section article aside header footer "
    "figure figcaption pre title".split()
)
_HIDDEN = frozenset("script style head svg math nav".split())


def epub_pages(path: Path, content: bytes) -> tuple[str, list[tuple[str, str]]]:
    """Title and (place, raw text) of the spine's documents.

    A place is "ch. 3, par. 7", or the printed page, "p. 12", where the book marks page breaks. Raises
    `UnreadableBookError` for a broken or locked file, or one that unpacks to too much.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as book:
            return _read(path, book)
    except zipfile.BadZipFile as error:
        raise UnreadableBookError(str(path), f"the EPUB is no readable zip ({error}); download it anew.") from error
    except (zlib.error, EOFError, NotImplementedError, RuntimeError) as error:
        raise UnreadableBookError(str(path), f"the EPUB cannot be unpacked ({error}); download it anew.") from error


def _read(path: Path, book: zipfile.ZipFile) -> tuple[str, list[tuple[str, str]]]:
    if len(book.infolist()) > _MOST_ENTRIES or sum(entry.file_size for entry in book.infolist()) > _MOST_BYTES:
        raise UnreadableBookError(
            str(path), f"unpacks to over {_MOST_ENTRIES:,} files or {_MOST_BYTES:,} bytes, which is no book."
        )
    names = set(book.namelist())
    if "META-INF/encryption.xml" in names and b"EncryptedData" in _entry(path, book, "META-INF/encryption.xml"):
        locked = decode(path, _entry(path, book, "META-INF/encryption.xml"))
        if re.search(r"\.x?html?[\"']", locked):  # fonts alone may be obfuscated in a free book
            raise UnreadableBookError(str(path), "the EPUB is locked (DRM); use a copy without a lock.")
    package = _package_name(path, book)
    markup = _Package()
    markup.feed(decode(path, _entry(path, book, package)))
    folder = posixpath.dirname(package)
    pages: list[tuple[str, str]] = []
    for number, reference in enumerate(markup.spine, 1):
        if not (href := markup.items.get(reference)):
            continue
        name = posixpath.normpath(posixpath.join(folder, unquote(href.partition("#")[0])))
        if name not in names:
            raise UnreadableBookError(str(path), f"the EPUB lacks {name!r}, which its spine names; download it anew.")
        reader = _Chapter(f"ch. {number}")
        reader.feed(decode(path, _entry(path, book, name)))
        reader.close()
        pages += [(place, text) for place, text in reader.pages() if text.strip()]
    return markup.title.strip(), pages


def _entry(path: Path, book: zipfile.ZipFile, name: str) -> bytes:
    """One file of the zip; what it unpacks to is measured and not believed."""
    with book.open(name) as file:
        content = file.read(_MOST_ENTRY_BYTES + 1)
    if len(content) > _MOST_ENTRY_BYTES:
        raise UnreadableBookError(str(path), f"{name!r} unpacks to over {_MOST_ENTRY_BYTES:,} bytes, which is no text.")
    return content


def _package_name(path: Path, book: zipfile.ZipFile) -> str:
    if "META-INF/container.xml" in book.namelist():
        container = decode(path, _entry(path, book, "META-INF/container.xml"))
        if (found := re.search(r"full-path\s*=\s*[\"']([^\"']+)", container)) and found[1] in book.namelist():
            return found[1]
    if packages := [name for name in book.namelist() if name.endswith(".opf")]:
        return packages[0]
    raise UnreadableBookError(str(path), "the zip has no EPUB package (.opf), so it is no EPUB.")


class _Package(HTMLParser):
    """Manifest, spine and title of the package document."""

    def __init__(self) -> None:
        super().__init__()
        self.items: dict[str, str] = {}
        self.spine: list[str] = []
        self.title = ""
        self._in_title = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given, tag = dict(attrs), tag.rpartition(":")[2]
        if tag == "item" and "html" in (given.get("media-type") or "html"):
            self.items[given.get("id") or ""] = given.get("href") or ""
        elif tag == "itemref":
            self.spine.append(given.get("idref") or "")
        self._in_title = tag == "title" and not self.title

    def handle_data(self, data: str) -> None:
        if self._in_title:
            self.title += data

    def handle_endtag(self, tag: str) -> None:
        self._in_title = False


class _Chapter(HTMLParser):
    """Text of one document, divided where it marks the page breaks of the printed book."""

    def __init__(self, place: str) -> None:
        super().__init__()
        self._pages: list[tuple[str, list[str]]] = [(place, [])]
        self._hidden: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in _HIDDEN:
            self._hidden.append(tag)
        if tag in _BLOCKS:
            self._add("\n\n" if tag != "br" else "\n")
        given = dict(attrs)
        if "pagebreak" in (given.get("epub:type") or "") or given.get("role") == "doc-pagebreak":
            said = given.get("title") or given.get("aria-label") or given.get("id") or ""
            label = re.sub(r"^\W*(page|pg|p)?[\W_]*", "", said, flags=re.IGNORECASE).strip(" .")
            self._pages.append((f"p. {label}" if label else self._pages[-1][0], []))

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag in _HIDDEN:  # <script/> hides nothing
            self._hidden.pop()

    def handle_endtag(self, tag: str) -> None:
        if tag in self._hidden:
            del self._hidden[self._hidden.index(tag) :]
        if tag in _BLOCKS:
            self._add("\n\n")

    def handle_data(self, data: str) -> None:
        # Line ends of the markup mean nothing; those of blocks were added above.
        self._add(re.sub(r"\s+", " ", data))

    def _add(self, text: str) -> None:
        if not self._hidden:
            self._pages[-1][1].append(text)

    def pages(self) -> list[tuple[str, str]]:
        """(place, text): printed pages as they are, a chapter without any paragraph by paragraph."""
        texts = [(place, "".join(parts)) for place, parts in self._pages]
        if len(texts) > 1:
            return texts
        place, text = texts[0]
        return [(f"{place}, par. {number}", part) for number, part in enumerate(paragraphs(text), 1)]
