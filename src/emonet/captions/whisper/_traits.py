"""Words that tell the speaker's age band, gender presentation and style.

Age bands follow the taxonomy's seven levels, the last two joined, as captions do not keep them apart. Gender is how the
voice presents, not a fact about a person.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from typing import Any

_AGES = {
    "young adult": r"young[- ]adults?|young (?:man|woman|men|women|lady|gentleman|guy)|"
    r"young (?:male|female) (?:speaker|voice)|"
    r"in (?:his|her|their) (?:early |late |mid[- ]?)?(?:twenties|20s)|twenty-something",
    "infant": r"infants?|bab(?:y|ies)|toddlers?",
    "child": r"child(?:ren)?(?:['’]s)?|kids?|little (?:boy|girl)|young (?:boy|girl)|child-?like",
    "teenager": r"teen(?:s|aged?|agers?)?|adolescents?",
    "adult": r"adults?|middle-aged|grown[- ]?(?:man|woman|up)|mature|"
    r"in (?:his|her|their) (?:early |late |mid[- ]?)?(?:thirties|forties|fifties|30s|40s|50s)",
    "elderly": r"elderly|very old|older (?:man|woman|person|speaker|voice|male|female|adult)s?|"
    r"old (?:man|woman|person)|senior|aged (?:man|woman|voice|speaker)|"
    r"in (?:his|her|their) (?:early |late |mid[- ]?)?(?:sixties|seventies|eighties|60s|70s|80s)",
}
_GENDERS = {
    "feminine": r"female|feminine|wom[ae]n(?:['’]s)?|girls?|lady|ladies",
    "masculine": r"male|masculine|m[ae]n(?:['’]s)?|boys?|guys?|gentlem[ae]n",
    "androgynous": r"androgynous|gender[- ]?(?:neutral|ambiguous)|ambiguous(?:ly)? gender(?:ed)?",
}
_STYLES = {
    "whispering": r"whisper(?:s|ed|ing|y)?",
    "shouting": r"shout(?:s|ed|ing|y)?|yell(?:s|ed|ing)?",
    "ranting": r"rant(?:s|ed|ing)?",
    "mumbling": r"mumbl(?:es?|ed|ing)|mutter(?:s|ed|ing)?",
    "singing": r"sing(?:s|ing|-song|song)?",
    "narrating": r"narrat(?:es?|ed|ing|ion|or|ive)|storytelling",
    "conversational": r"conversational(?:ly)?|casual(?:ly)?|informal(?:ly)?",
    "formal": r"formal(?:ly)?",
    "dramatic": r"dramatic(?:ally)?|theatrical(?:ly)?",
    "monotone": r"monotone|monotonous(?:ly)?",
    "expressive": r"expressive(?:ly)?|animated(?:ly)?",
    "tense": r"tense(?:ly)?|strained",
    "pressed": r"pressed",
    "breathy": r"breathy|breathily|breathiness",
    "loud": r"loud(?:ly|er)?",
    "soft": r"soft(?:ly)?(?:[- ]spoken)?|quiet(?:ly)?",
    "fast": r"fast(?:-paced)?|rapid(?:ly)?|hurried(?:ly)?",
    "slow": r"slow(?:ly|-paced)?",
    "hesitant": r"hesitant(?:ly)?|halting(?:ly)?",
    "confident": r"confident(?:ly)?|assertive(?:ly)?",
    "serious": r"serious(?:ly)?|solemn(?:ly)?",
    "humorous": r"humorous(?:ly)?|joking(?:ly)?",
}
# Sounds that these words may belong to instead ("a soft hum", "a fast breath") are bursts, not a way of speaking.
_NOT_STYLE = r"(?!\s+(?:hum|sigh|sob|laugh|chuckle|giggle|breath|gasp|whistle|cough|groan|moan|music|noise|background))"


def find_traits(text: str) -> Iterator[tuple[Any, str, int, int]]:
    """(field, value, start, end) of every word for age, gender or style in `text`, denied or not."""
    taken: dict[str, list[tuple[int, int]]] = {}
    for field, value, pattern in _patterns():
        held = taken.setdefault(field, [])
        for found in pattern.finditer(text):
            # The longest reading goes first, so "young adult" is not an "adult" as well.
            if field == "style" or all(found.end() <= start or found.start() >= end for start, end in held):
                held.append(found.span())
                yield field, value, *found.span()


@cache
def _patterns() -> tuple[tuple[str, str, re.Pattern[str]], ...]:
    tables = (("age", _AGES, ""), ("gender", _GENDERS, ""), ("style", _STYLES, _NOT_STYLE))
    return tuple(
        (field, value, re.compile(rf"(?<![\w-])(?:{words})(?!\w){after}", re.IGNORECASE))
        for field, table, after in tables
        for value, words in table.items()
    )
