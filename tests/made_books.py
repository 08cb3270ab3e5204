"""A short book on the feelings, as plain text, as PDF and as EPUB, all made here."""

from __future__ import annotations

import zipfile
from collections.abc import Sequence
from pathlib import Path

TEXT = Path(__file__).parent / "data" / "on_the_feelings.txt"
"""Written for these tests, in the manner of a nineteenth-century course of lectures; under the package's licence."""


def write_pdf(path: Path, pages: Sequence[Sequence[str]], *, first_label: int = 1) -> Path:
    """A PDF of lines in Helvetica; a page without lines shows a grey box, as a scan shows a picture."""
    kids = " ".join(f"{4 + 2 * k} 0 R" for k in range(len(pages)))
    labels = f"/PageLabels << /Nums [0 << /S /D /St {first_label} >>] >>"
    objects = [
        f"<< /Type /Catalog /Pages 2 0 R {labels} >>",
        f"<< /Type /Pages /Kids [{kids}] /Count {len(pages)} >>",
        "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>",
    ]
    for k, lines in enumerate(pages):
        drawn = "0.5 g 50 50 400 600 re f"
        if lines:
            escaped = (line.replace("\\", r"\\").replace("(", r"\(").replace(")", r"\)") for line in lines)
            drawn = "BT /F1 10 Tf 12 TL 50 760 Td " + " ".join(f"({line}) Tj T*" for line in escaped) + " ET"
        objects.append(
            f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Resources << /Font << /F1 3 0 R >> >> "
            f"/Contents {5 + 2 * k} 0 R >>"
        )
        objects.append(f"<< /Length {len(drawn.encode('cp1252'))} >>\nstream\n{drawn}\nendstream")
    out, places = bytearray(b"%PDF-1.4\n"), []
    for number, content in enumerate(objects, 1):
        places.append(len(out))
        out += f"{number} 0 obj\n{content}\nendobj\n".encode("cp1252")
    table = len(out)
    out += f"xref\n0 {len(objects) + 1}\n0000000000 65535 f \n".encode()
    out += b"".join(f"{place:010d} 00000 n \n".encode() for place in places)
    out += f"trailer << /Size {len(objects) + 1} /Root 1 0 R >>\nstartxref\n{table}\n%%EOF\n".encode()
    path.write_bytes(out)
    return path


def write_epub(path: Path, chapters: Sequence[str], *, extra: dict[str, bytes] | None = None) -> Path:
    """An EPUB of XHTML bodies, in a spine that is not the order of the files' names."""
    names = [f"c{len(chapters) - k}.xhtml" for k in range(len(chapters))]
    items = "".join(
        f'<item id="i{k}" href="text/{name}" media-type="application/xhtml+xml"/>' for k, name in enumerate(names)
    )
    spine = "".join(f'<itemref idref="i{k}"/>' for k in range(len(names)))
    package = (
        '<?xml version="1.0"?><package xmlns="http://www.idpf.org/2007/opf" '
        'xmlns:dc="http://purl.org/dc/elements/1.1/"><metadata><dc:title>On the Feelings</dc:title></metadata>'
        f"<manifest>{items}</manifest><spine>{spine}</spine></package>"
    )
    container = '<container><rootfiles><rootfile full-path="OEBPS/book.opf"/></rootfiles></container>'
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as book:
        book.writestr("mimetype", "application/epub+zip")
        book.writestr("META-INF/container.xml", container)
        book.writestr("OEBPS/book.opf", package)
        for name, body in zip(names, chapters, strict=True):
            book.writestr(f"OEBPS/text/{name}", f"<html><head><title>no text</title></head><body>{body}</body></html>")
        for name, content in (extra or {}).items():
            book.writestr(name, content)
    return path
