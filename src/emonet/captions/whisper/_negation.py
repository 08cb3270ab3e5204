"""Whether a place in a sentence is denied: "no laughter or sobs", "free of any anger"."""

from __future__ import annotations

import re

_NEGATION = re.compile(
    r"(?<!\w)(?:no|not|never|without|nor|neither|none|lacks|lacking|lack of|absence of|absent of|devoid of|free of|"
    r"free from|nothing of|hardly any|rather than|instead of|cannot|\w+n['’]t)(?!\w)",
    re.IGNORECASE,
)
_TURN = re.compile(
    r"[.;:!?\n•·]|(?<!\w)(?:but|yet|although|though|however|while|instead(?! of)|only)(?!\w)",
    re.IGNORECASE,
)
_LIST = re.compile(r"(?<!\w)(?:or|nor)(?!\w)", re.IGNORECASE)
_LATER_DENIAL = re.compile(
    r"\s*(?:(?:is|are|was|were|seems?|remains?)\s+)?(?:absent|missing|lacking|"
    r"not (?:heard|present|audible|there))(?!\w)",
    re.IGNORECASE,
)


def denied(text: str, start: int, end: int) -> bool:
    """Whether `text[start:end]` stands under a negation before it, or is called absent right after it.

    A negation reaches to the end of its clause: to a stop, a "but" and the like, or a comma, unless the words after the
    comma go on with "or" or "nor". Where it is not clear the place counts as denied, since nothing must be made up.
    """
    if _LATER_DENIAL.match(text, end):
        return True
    turns = [found.end() for found in _TURN.finditer(text, 0, start)]
    clause = turns[-1] if turns else 0
    negations = [found.end() for found in _NEGATION.finditer(text, clause, start)]
    if not negations:
        return False
    between = text[negations[-1] : start]
    if "," not in between:
        return True
    stop = _TURN.search(text, end)
    return bool(_LIST.search(text, negations[-1], stop.start() if stop else len(text)))
