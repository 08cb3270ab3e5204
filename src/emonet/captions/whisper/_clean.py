"""Clean-up of what a captioner writes: spurious capitals at the start, and blanks."""

from __future__ import annotations

import re
from typing import Literal

from emonet.errors import UsageError

Rule = Literal["careful", "published", "none"]

# One or two capitals before the capital of the first word, or before the article "A".
_DOUBLED = re.compile(r"[A-Z]{1,2}(?=[A-Z][a-z]{2}|A\s+[a-z])")
_REPEATED_ARTICLE = re.compile(r"(?:A\s+)+(?=A\s)")
_BLANKS = re.compile(r"\s+")


def clean_caption(text: str, *, rule: Rule = "careful") -> str:
    """The caption without the spurious capitals that published checkpoints put at its start, on one line.

    "published" does as LAION's servers do: where the first three characters hold two capitals, everything before the
    second one goes, which costs "AI voice" its A. "careful" (the default) cuts only where a whole word begins there
    ("AA warm voice", "TThe speaker") and leaves acronyms alone. "none" only trims.
    """
    if rule not in ("careful", "published", "none"):
        raise UsageError(f"rule is {rule!r}; expected 'careful', 'published' or 'none'.")
    plain = _BLANKS.sub(" ", text).strip()
    if rule == "published":
        capitals = [place for place, letter in enumerate(plain[:3]) if letter.isupper()]
        return plain[capitals[1] :] if len(plain) >= 3 and len(capitals) >= 2 else plain
    if rule == "careful":
        plain = _REPEATED_ARTICLE.sub("", plain, count=1) if plain.startswith("A A ") else plain
        found = _DOUBLED.match(plain)
        return plain[found.end() :] if found else plain
    return plain
