"""Reading a model's words."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emonet.benchmark.raters._parsing import parse_reply
from emonet.benchmark.raters._questions import AnswerScale, Question
from emonet.taxonomy import EMOTIONS

KEYS = ("amusement", "anger", "jealousy_envy", "hope_enthusiasm_optimism")
ALL = Question("i", KEYS)
ONE = Question("i", ("anger",), "anger")
WHOLE = AnswerScale(0, 7, whole=True)
SHARE = AnswerScale(0, 1, whole=False, share=True)


def values(text: str, question: Question = ALL, scale: AnswerScale = WHOLE) -> dict[str, float]:
    """Values of an answer that must be usable."""
    parsed = parse_reply(text, question, scale, "face")
    assert parsed.status == "ok", parsed.message
    return dict(parsed.values)


@pytest.mark.parametrize(
    "text",
    [
        '{"emotions": [{"emotion": "Jealousy & Envy", "intensity": 3}]}',
        '{"emotions": {"Jealousy & Envy": 3}}',
        '{"Jealousy & Envy": 3.0, "Anger": 0}',
        '```json\n{"emotions": [{"emotion": "jealousy_envy", "intensity": 3}]}\n```',
        'Here it is:\n```\n{"emotions": {"JEALOUSY & ENVY": 3}}\n```\nI hope that helps.',
        'The face {tense} shows: {"emotions": {"Jealousy / Envy": 3}}.',
    ],
)
def test_forms_that_mean_the_same(text: str) -> None:
    """Lists, objects, fences, words around and any spelling of the taxonomy are all understood."""
    assert values(text) == {"amusement": 0, "anger": 0, "jealousy_envy": 3, "hope_enthusiasm_optimism": 0}


def test_no_emotion_is_an_answer() -> None:
    """An empty list is a neutral face, all zeros."""
    assert values('{"emotions": []}') == dict.fromkeys(KEYS, 0.0)


def test_one_emotion_alone() -> None:
    """A single number under its one key."""
    assert values('{"intensity": 4}', ONE) == {"anger": 4}
    assert values('{"intensity": 0.4}', ONE, SHARE) == {"anger": 0.4}


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("", "empty"),
        ("{}", 'lacks the key "emotions"'),
        ("[]", "list"),
        ('{"emotions": 3}', "neither a list nor an object"),
        ('{"emotions": ["Anger"]}', "an entry"),
        ('{"emotions": [], "note": "x"}', '"note"'),
        ('{"Anger": 8}', "a whole number from 0 to 7"),
        ('{"Anger": -1}', "a whole number from 0 to 7"),
        ('{"Anger": 2.5}', "a whole number from 0 to 7"),
        ('{"Anger": true}', "true"),
        ('{"Anger": "3"}', '"3"'),
        ('{"Anger": NaN}', "no JSON object"),
        ('{"Anger": 1, "Anger": 2}', "no JSON object"),
        ('{"Anger": 1, "anger": 2}', "comes twice"),
        ('{"Joy": 2}', '"Joy" is none of the listed names'),
        ('{"Elation": 0}', '"Elation" is none of the listed names'),
        ('{"Anger": 1} or {"Anger": 2}', "2 JSON objects"),
        ('{"intensity": 2}', '"intensity" is none'),
    ],
)
def test_what_is_no_answer(text: str, fault: str) -> None:
    """Strict on names, numbers and form, and each message says what is wrong."""
    parsed = parse_reply(text, ALL, WHOLE, "face")
    assert (parsed.status, dict(parsed.values)) == ("malformed", {})
    assert fault in parsed.message


@pytest.mark.parametrize(
    "text",
    [
        "I'm sorry, but I can't help with identifying people.",
        "I cannot infer emotions from a photograph.",
        "I’m unable to assist with that request.",
        "As an AI, I do not judge faces.",
        "Sorry - I won't analyze this image.",
    ],
)
def test_refusals_in_words(text: str) -> None:
    """A denial without an answer is a refusal, not a malformed reply."""
    assert parse_reply(text, ALL, WHOLE, "face").status == "refused"


@pytest.mark.parametrize(
    "text", ["A happy face.", '{"emotions": "I cannot help with that"}', "Anger 3, I am not sorry"]
)
def test_other_words_are_no_refusals(text: str) -> None:
    """Without a denial, or with an attempt at an answer, it is malformed and asked again."""
    assert parse_reply(text, ALL, WHOLE, "face").status == "malformed"


def test_an_answer_with_an_apology_is_an_answer() -> None:
    """Words of regret around a usable answer change nothing."""
    assert values('I cannot identify people, but: {"Anger": 2}')["anger"] == 2


_VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=10)
    | st.sampled_from(["Anger", "anger"]),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(["emotions", "emotion", "intensity", "Anger", "Amusement", "Pain", "x"]), inner, max_size=4
        )
    ),
    max_leaves=15,
)
_TEXTS = (
    st.text()
    | _VALUES.map(json.dumps)
    | st.tuples(st.text(max_size=20), _VALUES.map(json.dumps), st.text(max_size=20)).map("".join)
    | st.text(alphabet='{}[]":,`0123456789eE.-Anger json\\u \n', max_size=80)
)


@given(text=st.none() | _TEXTS, question=st.sampled_from([ALL, ONE]), scale=st.sampled_from([WHOLE, SHARE]))
def test_any_text_is_read_without_error_or_invention(text: str | None, question: Question, scale: AnswerScale) -> None:
    """Whatever a model says: no exception, and either exactly what was asked, on the scale, or no value at all."""
    parsed = parse_reply(text, question, scale, "face")
    if parsed.status == "ok":
        assert tuple(parsed.values) == question.dimensions
        assert all(scale.holds(value) for value in parsed.values.values())
    else:
        assert not parsed.values
        assert parsed.message


@given(strengths=st.dictionaries(st.sampled_from([emotion.key for emotion in EMOTIONS]), st.integers(0, 7)))
def test_every_well_formed_answer_is_understood(strengths: dict[str, int]) -> None:
    """All 40 emotions by their names, in both forms."""
    names = {emotion.key: emotion.name for emotion in EMOTIONS}
    question = Question("i", tuple(names))
    wanted = {key: float(strengths.get(key, 0)) for key in names}
    listed = {"emotions": [{"emotion": names[key], "intensity": value} for key, value in strengths.items()]}
    named = {"emotions": {names[key]: value for key, value in strengths.items()}}
    for answer in (listed, named):
        assert values(json.dumps(answer), question) == wanted


@pytest.mark.parametrize(
    "text", ["[" * 100_000, '{"a":' * 50_000, "{" * 5000, "9" * 5000, '{"Anger": ' + "9" * 4000 + "}"]
)
def test_monsters_are_malformed(text: str) -> None:
    """Depth and size break nothing."""
    assert parse_reply(text, ALL, WHOLE, "face").status == "malformed"
