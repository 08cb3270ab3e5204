"""LAION's Got Talent: names of tars and clips, and annotations with broken tags."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emonet.datasets import TalentName, parse_talent_annotation, parse_talent_name
from emonet.datasets._words import emotion_of_words
from emonet.taxonomy import EMOTIONS

ANNOTATION = """
<Amusement>3#laughs while she speaks</Amusement>
<Jealousy & Envy>0#</Jealousy & Envy>
<High-Pitched vs. Low-Pitched>2#rather high
<Valence>-2</Valence>
<Anger>strong#not a number</Anger>
<Amusement>1#said twice</Amusement>
<Mood of the Room>4#no such dimension</Mood of the Room>
<transcription_start>Oh <laughs> no, not 3#again!</transcription_start>
"""


def test_scores_are_read_tag_by_tag() -> None:
    said = parse_talent_annotation(ANNOTATION)
    assert said.scores == {"amusement": 3, "jealousy_envy": 0, "high_pitched_vs_low_pitched": 2, "valence": -2}
    assert said.comments == {"amusement": "laughs while she speaks", "high_pitched_vs_low_pitched": "rather high"}
    assert said.speech == "Oh <laughs> no, not 3#again!"
    assert said.unread == ("Mood of the Room",)


def test_a_cut_annotation_keeps_what_was_said() -> None:
    said = parse_talent_annotation("<Fear>4#trembling</Fear>\n<Sadness>2</Sad\n<transcription_start>Please, don't")
    assert (said.scores, said.speech) == ({"fear": 4, "sadness": 2}, "Please, don't")


@given(st.text(alphabet="<>/#1ansger_-. \n"))
def test_any_text_is_read_without_fault(text: str) -> None:
    assert set(parse_talent_annotation(text).scores) <= {one.key for one in EMOTIONS} | {"age"}


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        (
            "english_alloy_intense_amusement_lighthearted_fun_mirth_joviality_laughter_playfulness_vocalbursts_fixed.tar",
            TalentName(
                "en", "alloy", "amusement", "amusement_lighthearted_fun_mirth_joviality_laughter_playfulness", False
            ),
        ),
        (
            "hf://datasets/laion/raw/ADDITONAL_STUFF_german_onyx_intense_anger_rage_fury_vocalbursts_fixed_000017.tar",
            TalentName("de", "onyx", "anger", "anger_rage_fury", False),
        ),
        (
            "voice_acting_outputs-nova-acting-challange-prompts_003.tar",
            TalentName(None, "nova", None, "", True),
        ),
        ("voice_acting_outputs-ash-emotion-prompts_012", TalentName(None, "ash", None, "", False)),
        ("german_dialogue_dataset-echo_001.tar", TalentName("de", "echo", None, "", False)),
        ("english_verse_0001.mp3", TalentName("en", "verse", None, "", False)),
        ("EN_B00001_S00000_W000000", None),
        ("intense_fear.wav", None),
    ],
)
def test_names_tell_language_voice_and_emotion(name: str, expected: TalentName | None) -> None:
    assert parse_talent_name(name) == expected


@pytest.mark.parametrize("record", EMOTIONS, ids=lambda record: record.key)
def test_every_emotion_is_found_by_its_words_in_any_order(record: object) -> None:
    from emonet.taxonomy import Emotion

    assert isinstance(record, Emotion)
    assert emotion_of_words(", ".join(reversed(record.words))) == record.key
    assert emotion_of_words("_".join(word.replace(" ", "_") for word in record.words)) == record.key
    assert emotion_of_words(record.name) == record.key


def test_words_that_fit_no_emotion_or_two_are_none() -> None:
    assert emotion_of_words("table, chair, window") is None
    assert emotion_of_words("") is None
    # A word list of an older version: most words agree.
    assert emotion_of_words("lighthearted fun, amusement, mirth, joviality, laughter, giggling") == "amusement"
