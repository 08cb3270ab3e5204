"""Books: three kinds of file, what typesetting did to the words, and files that are no books."""

from __future__ import annotations

import textwrap
import zipfile
from pathlib import Path

import pytest

pytest.importorskip("pypdf", reason="the taxonomy extra is not installed")
import pypdf
from hypothesis import given
from hypothesis import strategies as st

from emonet.errors import UsageError
from emonet.taxonomy.derivation import UnreadableBookError, read_book
from emonet.taxonomy.derivation._tidy import tidy_pages
from made_books import write_epub, write_pdf


def _words(book) -> list[str]:
    return " ".join(page.text for page in book.pages).split()


def test_a_plain_text_has_paragraphs_as_places(tmp_path: Path) -> None:
    """Blank lines divide; every word is there once."""
    path = tmp_path / "a.txt"
    path.write_text("Fear comes\nfirst.\n\n\nThen anger.\r\n\r\nThen calm.", encoding="utf-8")
    book = read_book(path)
    assert [(page.place, page.text.split()) for page in book.pages] == [
        ("par. 1", ["Fear", "comes", "first."]),
        ("par. 2", ["Then", "anger."]),
        ("par. 3", ["Then", "calm."]),
    ]
    assert (book.kind, book.title, book.words) == ("txt", "a", 7)


def test_form_feeds_divide_a_text_into_pages(tmp_path: Path) -> None:
    """As in texts that a PDF was turned into."""
    (tmp_path / "a.txt").write_text("one\ftwo\n\nmore", encoding="utf-8")
    assert [page.place for page in read_book(tmp_path / "a.txt").pages] == ["p. 1", "p. 2"]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_encodings_of_plain_text(tmp_path: Path, encoding: str) -> None:
    """By the byte order mark, else UTF-8, else Windows-1252."""
    (tmp_path / "a.txt").write_bytes("naïve “ennui” – Angst".encode(encoding))
    assert _words(read_book(tmp_path / "a.txt")) == ["naïve", "“ennui”", "–", "Angst"]


def test_a_pdf_has_the_labels_that_are_printed_on_its_pages(tmp_path: Path, text: str) -> None:
    """The same words as the text it was made from, without running heads and page numbers."""
    words = text.split()
    bodies = [textwrap.wrap(" ".join(words[at : at + 250]), 80) for at in range(0, len(words), 250)]
    pages = [[f"{40 + k}   ON THE FEELINGS", *body, f"page {40 + k}"] for k, body in enumerate(bodies)]
    book = read_book(write_pdf(tmp_path / "b.pdf", pages, first_label=40))
    assert [page.place for page in book.pages] == [f"p. {40 + k}" for k in range(len(pages))]
    assert _words(book) == words


def test_an_epub_is_read_in_the_order_of_its_spine(tmp_path: Path, lectures: list[str]) -> None:
    """Chapter and paragraph are the place; scripts, styles and titles of files are no text."""
    bodies = [
        "".join(f"<p>{paragraph}</p><script>var fear;</script>" for paragraph in lecture.split("\n\n"))
        for lecture in lectures
    ]
    book = read_book(write_epub(tmp_path / "b.epub", bodies))
    assert book.title == "On the Feelings"
    assert _words(book) == " ".join(lectures).split()
    assert book.pages[0].place == "ch. 1, par. 1"
    assert book.pages[-1].place.startswith("ch. 8, par.")


def test_an_epub_that_marks_printed_pages_has_them_as_places(tmp_path: Path) -> None:
    """Page breaks of EPUB 2 and 3."""
    body = (
        '<p>before <span epub:type="pagebreak" title="12"/> fear <span role="doc-pagebreak" id="page_13"></span>joy</p>'
    )
    book = read_book(write_epub(tmp_path / "b.epub", [body]))
    assert [(page.place, page.text) for page in book.pages] == [
        ("ch. 1", "before"),
        ("p. 12", "fear"),
        ("p. 13", "joy"),
    ]


def test_words_cut_at_line_ends_are_joined_and_ligatures_spelled_out() -> None:
    """A hyphen stays where the book has the word with one elsewhere; a word cut by a page end is on the first."""
    pages = tidy_pages(
        ["The happi-\nness of ﬁsh, self-\nesteem, self-esteem, and de-", "spair came."], running_heads=False
    )
    assert pages[0].split() == "The happiness of fish, self-esteem, self-esteem, and despair".split()
    assert pages[1] == "came."


@given(st.lists(st.text(st.characters(codec="utf-8"), max_size=80), max_size=6))
def test_tidying_never_fails_and_keeps_the_number_of_pages(pages: list[str]) -> None:
    """Whatever characters a book holds."""
    assert len(tidy_pages(pages)) == len(pages)


def test_a_run_of_letters_without_end_takes_no_time_without_end() -> None:
    """Nor do blank lines after a hyphen; books hold strange things."""
    pages = tidy_pages(["a" * 300_000, "ab-" + "\n" * 300_000, "-" * 300_000, " " * 300_000], running_heads=True)
    assert len(pages[0]) == 300_000


def test_what_cannot_be_read_says_why_and_what_to_do(tmp_path: Path) -> None:
    """Another kind of file, an empty one, a missing one, bytes."""
    (tmp_path / "a.docx").write_bytes(b"x")
    with pytest.raises(UsageError, match=r"expected one of \.txt"):
        read_book(tmp_path / "a.docx")
    (tmp_path / "a.txt").write_bytes(b"")
    with pytest.raises(UnreadableBookError, match="empty"):
        read_book(tmp_path / "a.txt")
    with pytest.raises(UnreadableBookError, match="No such file"):
        read_book(tmp_path / "b.txt")
    (tmp_path / "c.txt").write_bytes(b"ab\x00cd")
    with pytest.raises(UnreadableBookError, match="zero bytes"):
        read_book(tmp_path / "c.txt")


def test_a_scan_without_text_is_told_apart(tmp_path: Path) -> None:
    """Pages of pictures only."""
    with pytest.raises(UnreadableBookError, match="text recognition"):
        read_book(write_pdf(tmp_path / "scan.pdf", [[], []]))


def test_encrypted_and_broken_pdfs(tmp_path: Path) -> None:
    """A password is needed; half a file; not a PDF at all. One with an empty password is read."""
    plain = write_pdf(tmp_path / "a.pdf", [["fear and joy"]])
    for password in ("secret", ""):
        writer = pypdf.PdfWriter(clone_from=plain)
        writer.encrypt(password, "owner", algorithm="RC4-128")
        writer.write(tmp_path / f"locked{password}.pdf")
    with pytest.raises(UnreadableBookError, match="encrypted"):
        read_book(tmp_path / "lockedsecret.pdf")
    assert _words(read_book(tmp_path / "locked.pdf")) == ["fear", "and", "joy"]
    (tmp_path / "half.pdf").write_bytes(plain.read_bytes()[:200])
    (tmp_path / "none.pdf").write_bytes(b"%PDF-1.4\nnothing")
    for name in ("half.pdf", "none.pdf"):
        with pytest.raises(UnreadableBookError, match="broken"):
            read_book(tmp_path / name)


def test_broken_locked_and_overlarge_epubs(tmp_path: Path) -> None:
    """No zip, half a zip, a zip without a book, a chapter that is missing, a lock, and a bomb."""
    good = write_epub(tmp_path / "good.epub", ["<p>fear</p>"]).read_bytes()
    (tmp_path / "a.epub").write_bytes(b"no zip")
    (tmp_path / "b.epub").write_bytes(good[: len(good) // 2])
    for name in ("a.epub", "b.epub"):
        with pytest.raises(UnreadableBookError, match="no readable zip"):
            read_book(tmp_path / name)
    with zipfile.ZipFile(tmp_path / "c.epub", "w") as book:
        book.writestr("a.html", "<p>x</p>")
    with pytest.raises(UnreadableBookError, match="no EPUB package"):
        read_book(tmp_path / "c.epub")
    with zipfile.ZipFile(tmp_path / "d.epub", "w") as book:
        book.writestr(
            "a.opf", '<manifest><item id="a" href="gone.html"/></manifest><spine><itemref idref="a"/></spine>'
        )
    with pytest.raises(UnreadableBookError, match=r"lacks 'gone\.html'"):
        read_book(tmp_path / "d.epub")
    lock = {"META-INF/encryption.xml": b'<EncryptedData><CipherReference URI="OEBPS/text/c1.xhtml"/></EncryptedData>'}
    with pytest.raises(UnreadableBookError, match="locked"):
        read_book(write_epub(tmp_path / "e.epub", ["<p>fear</p>"], extra=lock))


def test_a_zip_bomb_is_not_unpacked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By what is announced, and by what is found when the announcement lies."""
    from emonet.taxonomy.derivation import _epub

    path = write_epub(tmp_path / "bomb.epub", ["<p>" + "fear " * 20_000 + "</p>"])
    assert path.stat().st_size < 3000
    monkeypatch.setattr(_epub, "_MOST_ENTRY_BYTES", 50_000)
    with pytest.raises(UnreadableBookError, match="unpacks to over 50,000"):
        read_book(path)
    monkeypatch.setattr(_epub, "_MOST_BYTES", 60_000)
    with pytest.raises(UnreadableBookError, match="which is no book"):
        read_book(path)


def test_a_changed_byte_never_escapes_as_another_error(tmp_path: Path) -> None:
    """A book with a fault somewhere is read, or refused in words."""
    pdf = write_pdf(tmp_path / "a.pdf", [["fear and joy"]]).read_bytes()
    epub = write_epub(tmp_path / "a.epub", ["<p>fear and joy</p>"]).read_bytes()
    for content, name in ((pdf, "x.pdf"), (epub, "x.epub")):
        for at in range(0, len(content), 23):
            (tmp_path / name).write_bytes(content[:at] + bytes([content[at] ^ 0x55]) + content[at + 1 :])
            try:
                read_book(tmp_path / name)
            except UnreadableBookError as error:
                assert name in str(error)  # noqa: PT017
