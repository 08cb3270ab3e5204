"""Reading a text back: negation, word forms, degrees, words of several meanings, and every caption that we make."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from captions.made_scores import made_baseline, made_scores
from emonet.captions import TEMPLATES, caption_scores, mentions
from emonet.captions._wording import wording
from emonet.taxonomy import EMOTIONS

_BASELINE = made_baseline()
DEGREES = {"extremely": "extreme", "very": "strong", "notably": "moderate", "somewhat": "slight"}


@pytest.mark.parametrize("template", TEMPLATES)
@given(clip=st.integers(0, 10_000), seed=st.integers(0, 2**40), shuffle=st.booleans(), emotions=st.integers(0, 8))
def test_every_caption_is_read_back_as_it_was_meant(
    template: str, clip: int, seed: int, shuffle: bool, emotions: int
) -> None:
    caption = caption_scores(
        made_scores(clip), baseline=_BASELINE, template=template, shuffle=shuffle, seed=seed, emotions=emotions
    )
    read = mentions(caption.text)
    assert read.said == tuple(
        (said.key, said.strength if template != "tags" else tagged(said.word)) for said in caption.emotions
    )
    assert not read.unclear


def tagged(word: str) -> str:
    """Tags tell "extremely" and "very" alike."""
    return {**DEGREES, "extremely": "strong", "absent": "none"}[word]


@pytest.mark.parametrize("key", [record.key for record in EMOTIONS])
def test_every_synonym_in_every_form_is_its_emotion_and_no_other(key: str) -> None:
    words = wording().emotions[key]
    for adjective in words.adjectives:
        for degree, strength in (
            ("extremely", "extreme"),
            ("very", "strong"),
            ("notably", "moderate"),
            ("somewhat", "slight"),
        ):
            assert mentions(f"The voice sounds {degree} {adjective}.").said == ((key, strength),)
        assert mentions(f"It does not sound {adjective}.").said == ((key, "none"),)
    for noun in words.nouns:
        for absent in wording().absent:
            assert mentions(f"It is fast, {absent.format(noun=noun)}; nothing else.").said == ((key, "none"),)
        assert mentions(f"A strong sense of {noun} is heard.").said == ((key, "strong"),)
    for known in words.known:
        assert mentions(f"A voice: {known}.").present == (key,)


@pytest.mark.parametrize("record", EMOTIONS, ids=lambda record: record.key)
def test_each_word_of_the_taxonomy_is_understood_or_called_unclear(record: object) -> None:
    for word in record.words:  # type: ignore[attr-defined]
        read = mentions(f"{word} is heard")
        keys = {place.key for place in read.places} | {key for place in read.unclear for key in place.keys}
        assert record.key in keys, word  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("not angry", [("anger", "none")]),
        ("She isn't really angry.", [("anger", "none")]),
        ("There is no trace of anger or fear.", [("anger", "none"), ("fear", "none")]),
        ("Without any anger, fear or shame.", [("anger", "none"), ("fear", "none"), ("shame", "none")]),
        ("Neither sad nor angry", [("sadness", "none"), ("anger", "none")]),
        ("no anger, but very sad", [("anger", "none"), ("sadness", "strong")]),
        ("no anger and very sad", [("anger", "none"), ("sadness", "strong")]),
        ("no anger, sad", [("anger", "none"), ("sadness", "moderate")]),
        ("free of sadness; joyful", [("sadness", "none"), ("elation", "moderate")]),
        ("Anger is absent.", [("anger", "none")]),
        ("The fear is not audible at all.", [("fear", "none")]),
        ("not only sad but angry", [("sadness", "moderate"), ("anger", "moderate")]),
        ("not without pride", [("pride", "moderate")]),
        ("very sad and angry", [("sadness", "strong"), ("anger", "strong")]),
        ("very sad, angry", [("sadness", "strong"), ("anger", "moderate")]),
        ("a hint of fear and deep sorrow", [("fear", "slight"), ("sadness", "strong")]),
        ("overwhelming grief", [("sadness", "extreme")]),
        ("The joy is extreme.", [("elation", "extreme")]),
        ("a strong, audible sense of longing", [("longing", "strong")]),
        ("sounds angrily at first, later furious and extremely angry", [("anger", "extreme")]),
        ("emotional\n numbness", [("emotional_numbness", "moderate")]),
        ("benign envy", [("longing", "moderate")]),
        ("In spite of the noise, it is contented.", [("contentment", "moderate")]),
        ("The content of the recording is a lecture.", []),
        ("She sounds content.", [("contentment", "moderate")]),
        ("Nervous Giggle, then silence", []),
        ("Anything but happy, and far from proud", [("elation", "none"), ("pride", "none")]),
        ("The anger in this voice is very strong.", [("anger", "strong")]),
        ("Distress is very pronounced.", [("distress", "strong")]),
        ("a tone tinged with sadness", [("sadness", "slight")]),
        ("fear that is barely noticeable", [("fear", "slight")]),
        ("fear is not present but anger is", [("fear", "none"), ("anger", "moderate")]),
        ("little interest and no enthusiasm", [("interest", "slight"), ("hope_enthusiasm_optimism", "none")]),
        ("a nervous voice", [("fear", "moderate")]),
        ("", []),
    ],
)
def test_a_text_is_read_as_people_read_it(text: str, said: list[tuple[str, str]]) -> None:
    assert list(mentions(text).said) == said


def test_a_word_of_two_meanings_is_not_counted() -> None:
    read = mentions("a voice full of loathing")
    assert read.said == ()
    assert [place.keys for place in read.unclear] == [("contempt", "disgust")]


def test_a_mention_says_where_it_is() -> None:
    text = "It sounds very sad, with no trace of fear."
    sad, fear = mentions(text).places
    assert (text[sad.start : sad.end], sad.word, sad.denied) == ("sad", "very", False)
    assert (text[fear.start : fear.end], fear.denied) == ("fear", True)


@given(st.text())
def test_any_text_can_be_read(text: str) -> None:
    for place in mentions(text).places:
        assert text[place.start : place.end] == place.text
