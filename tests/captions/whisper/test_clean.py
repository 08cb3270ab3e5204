"""Clean-up of spurious capitals."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emonet.captions.whisper import clean_caption
from emonet.errors import UsageError


@pytest.mark.parametrize(
    ("raw", "careful", "published"),
    [
        ("AA warm voice", "A warm voice", "A warm voice"),
        ("TThe speaker", "The speaker", "The speaker"),
        ("A A man speaks", "A man speaks", "A man speaks"),
        ("AI voice", "AI voice", "I voice"),
        ("DVDs hum", "DVDs hum", "VDs hum"),
        ("  A\n calm voice ", "A calm voice", "A calm voice"),
        ("", "", ""),
    ],
)
def test_spurious_capitals(raw: str, careful: str, published: str) -> None:
    """The careful rule leaves acronyms alone; the published one does as LAION's servers do."""
    assert clean_caption(raw) == careful
    assert clean_caption(raw, rule="published") == published


@given(st.text(max_size=60))
def test_only_the_start_goes(text: str) -> None:
    """Whatever comes in, the result is the end of the text on one line, and cleaning twice changes no more."""
    plain = " ".join(text.split())
    cleaned = clean_caption(text)
    assert clean_caption(text, rule="none") == " ".join(text.split()) or text.split() != plain.split(" ")
    assert plain.endswith(cleaned) or cleaned == ""
    assert len(clean_caption(text, rule="published")) <= len(text)


def test_unknown_rule() -> None:
    """A rule that does not exist is named."""
    with pytest.raises(UsageError, match="careful"):
        clean_caption("A voice", rule="bold")  # type: ignore[arg-type]
