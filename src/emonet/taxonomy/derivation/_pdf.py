"""Pages of a PDF by pypdf, with the labels that are printed on them."""

from __future__ import annotations

import io
import logging
from pathlib import Path

from emonet.errors import require
from emonet.taxonomy.derivation._book import UnreadableBookError


def pdf_pages(path: Path, content: bytes) -> tuple[str, list[tuple[str, str]]]:
    """Title and ("p. label", raw text) of each page. Raises `UnreadableBookError` for an encrypted or broken file."""
    pypdf = require("pypdf", extra="taxonomy", feature="Reading a PDF")
    logger = logging.getLogger("pypdf")
    level = logger.level
    logger.setLevel(logging.ERROR)  # it tells of every small departure from the standard
    try:
        reader = pypdf.PdfReader(io.BytesIO(content), strict=False)
        if reader.is_encrypted and not reader.decrypt(""):
            raise UnreadableBookError(
                str(path), "the PDF is encrypted with a password; save a copy without one (if you may) and use that."
            )
        labels = reader.page_labels
        pages = [(f"p. {label}", page.extract_text() or "") for label, page in zip(labels, reader.pages, strict=False)]
        return str((reader.metadata or {}).get("/Title") or "").strip(), pages
    except UnreadableBookError:
        raise
    except Exception as error:  # pypdf raises many kinds, also AttributeError and RecursionError, for broken files
        if isinstance(error, pypdf.errors.DependencyError):
            reason = "the PDF is encrypted with AES, which needs: pip install 'pypdf[crypto]'; or save it without."
            raise UnreadableBookError(str(path), reason) from error
        reason = f"the PDF is broken ({type(error).__name__}: {error}); open and save it anew, for example with qpdf."
        raise UnreadableBookError(str(path), reason) from error
    finally:
        logger.setLevel(level)
