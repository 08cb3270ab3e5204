"""The examples in docs/captions.md give what the page says."""

from __future__ import annotations

import doctest
import re
from pathlib import Path

from emonet.captions import TEMPLATES, caption_scores

PAGE = Path(__file__).resolve().parents[2] / "docs" / "captions.md"


def test_the_examples_run() -> None:
    text = PAGE.read_text(encoding="utf-8").replace("```python\n", "\n").replace("```\n", "\n")
    case = doctest.DocTestParser().get_doctest(text, {}, "captions.md", str(PAGE), 0)
    assert len(case.examples) >= 6
    assert doctest.DocTestRunner().run(case).failed == 0


def test_the_table_shows_every_template_as_it_is() -> None:
    rows = dict(re.findall(r"^\| `(\w+)` \| (.*) \|$", PAGE.read_text(encoding="utf-8"), re.MULTILINE))
    scores = {
        "dims": {"AGEV": 2.6, "GEND": 5, "REGS": 1.0, "TEMP": 4.6, "METL": 5.0},
        "emo": {"Anger": 1.2, "Awe": 0.0, "Sadness": 0.95, "Interest": 0.2},
        "genu": 2.0,
    }
    for name in TEMPLATES:
        assert rows[name] == caption_scores(scores, template=name, seed=5, attributes=1, emotions=2).text
