"""Label cells that hold Python literals, read without ever running them.

EmoNet's releases store ratings as the text of a Python dict or list. JSON's reader, which is many times faster, reads
the same text once its quotes are swapped; what it does not take goes to `ast.literal_eval`, which knows literals only.
"""

from __future__ import annotations

import ast
import json
import math
import warnings
from collections.abc import Mapping
from typing import Any

from emonet.errors import UsageError

_SHOWN = 60
"""Characters of a faulty cell that an error message quotes."""


def parse_literal(text: str) -> Any:
    """The value of a literal of dicts, lists, texts and numbers. Raises `UsageError` for anything else.

    Without a double quote or a backslash, a text in single quotes can hold no quote of its own, so that swapping the
    quotes changes nothing else.
    """
    try:
        swapped = text.replace("'", '"') if '"' not in text and "\\" not in text else text
        return json.loads(swapped, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        pass
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", SyntaxWarning)
            warnings.simplefilter("ignore", DeprecationWarning)
            return ast.literal_eval(text)
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError) as error:
        raise UsageError(f"{shortened(text)} is no literal of names and numbers.") from error


def parse_scores(text: str) -> dict[str, float]:
    """`{"name": number}`. Raises `UsageError` for another shape, a truth value or a number that is not finite."""
    return scores_of(parse_literal(text))


def scores_of(value: Any) -> dict[str, float]:
    """A parsed `{"name": number}`, checked."""
    if not isinstance(value, Mapping):
        raise UsageError(f"{shortened(repr(value))} is no dict of names and numbers.")
    for name, number in value.items():
        # A truth value is an int to Python and never a rating.
        if type(name) is not str or type(number) not in (int, float) or not _finite(number):
            raise UsageError(f"{shortened(repr({name: number}))} is no name with a finite number.")
    return dict(value)


def parse_votes(text: str) -> list[tuple[str, str, float]]:
    """(rater, name, number) of either layout of the releases: a list of `{rater: {name: number}}`, or one such dict
    with all raters. Raises `UsageError` for another shape."""
    value = parse_literal(text)
    votes = []
    for entry in value if isinstance(value, list | tuple) else [value]:
        if not isinstance(entry, Mapping) or not all(isinstance(rater, str) for rater in entry):
            raise UsageError(f"{shortened(repr(entry))} is no dict of raters.")
        for rater, scores in entry.items():
            # A label cell may hold, for each rater, again the text of a dict.
            checked = parse_scores(scores) if isinstance(scores, str) else scores_of(scores)
            votes += [(rater, name, number) for name, number in checked.items()]
    return votes


def shortened(text: str) -> str:
    """The text, or its beginning when it is long."""
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."


def _finite(number: float) -> bool:
    try:
        return math.isfinite(number)
    except OverflowError:  # a whole number too large for a float
        return False


def _no_constant(name: str) -> Any:
    raise ValueError(name)
