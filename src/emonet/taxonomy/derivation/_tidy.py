"""Text as it was before it was set: ligatures spelled out, words at line ends joined, running heads left out."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Sequence

_LIGATURES = {
    "ﬀ": "ff",
    "ﬁ": "fi",
    "ﬂ": "fl",
    "ﬃ": "ffi",
    "ﬄ": "ffl",
    "ﬅ": "st",
    "ﬆ": "st",
    "\u00ad": "",
}  # soft hyphen
_LIGATURE_TABLE = str.maketrans(_LIGATURES)
# A hyphen at a line's end, with the rest of the word in small letters on the next line. Both patterns begin at the
# beginning of a word only, or else a run of letters without end would take time without end.
_CUT = re.compile(r"(?<![^\W\d_])([^\W\d_]{2,})[-‐][^\S\n]*\n\s*([a-zà-öø-ÿ]{2,})(\S*)")
_HYPHENED = re.compile(r"(?<![^\W\d_])[^\W\d_]+(?:-[^\W\d_]+)+")
_LEAST_PAGES = 4
"""Fewer pages do not show which lines repeat."""
_SHARE = 0.3
"""Share of pages on which a line must stand to be a running head; left and right pages often differ."""


def tidy_pages(pages: Sequence[str], *, running_heads: bool = True) -> list[str]:
    """The pages' text, in the same number and order.

    A word that is cut at a line's end is joined without the hyphen unless the book elsewhere writes it with one
    ("self-\\nesteem" → "self-esteem" where "self-esteem" occurs); a word cut between two pages goes to the first.
    """
    texts = [_plain(page) for page in pages]
    if running_heads:
        texts = _without_heads(texts)
    with_hyphen = {word.casefold() for text in texts for word in _HYPHENED.findall(text)}

    def joined(match: re.Match[str]) -> str:
        hyphened = f"{match[1]}-{match[2]}"
        return f"{hyphened if hyphened.casefold() in with_hyphen else match[1] + match[2]}{match[3]}\n"

    return [_CUT.sub(joined, text).strip() for text in _joined_across(texts)]


def _plain(text: str) -> str:
    """One form of each character, ligatures as letters, line ends as \\n; other control characters are blanks."""
    text = unicodedata.normalize("NFC", text.replace("\r\n", "\n").replace("\r", "\n")).translate(_LIGATURE_TABLE)
    return re.sub(r"[^\S\n]|[\x00-\x08\x0b-\x1f\x7f\ufffe\uffff]", " ", text)


def _without_heads(texts: list[str]) -> list[str]:
    """Pages without first and last lines that stand, page numbers aside, on many pages."""
    if len(texts) < _LEAST_PAGES:
        return texts
    lines = [list(text.split("\n")) for text in texts]
    ends = [[at for at, line in enumerate(page) if line.strip()] for page in lines]
    outer = [{*found[:2], *found[-2:]} for found in ends]
    counts = Counter(
        key for page, places in zip(lines, outer, strict=True) for key in {_head(page[at]) for at in places}
    )
    least = max(3, int(_SHARE * len(texts)))
    return [
        "\n".join(line for at, line in enumerate(page) if at not in places or counts[_head(line)] < least)
        for page, places in zip(lines, outer, strict=True)
    ]


def _head(line: str) -> str:
    """What is the same in a running head on every page: letters, numbers of any value as #."""
    return re.sub(r"\d+|\b[ivxlc]+\b", "#", re.sub(r"\s+", " ", line.strip().casefold()))


def _joined_across(texts: list[str]) -> list[str]:
    """The second half of a word that is cut between two pages is moved to the first page."""
    out = list(texts)
    for at in range(len(out) - 1):
        if re.search(r"[^\W\d_]{2}[-‐]$", out[at].rstrip()) and (
            rest := re.match(r"\s*([a-zà-öø-ÿ]{2,}\S*)", out[at + 1])
        ):
            out[at] = f"{out[at].rstrip()}\n{rest[1]}"
            out[at + 1] = out[at + 1][rest.end() :]
    return out
