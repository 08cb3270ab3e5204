"""Fields of a caption: only what the text itself says, each with the words that say it."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emonet.captions.whisper import StructuredCaption, burst_classes, parse_caption
from emonet.taxonomy import EMOTIONS, Emotion


def bursts(text: str) -> list[str]:
    return [burst.name or burst.group for burst in parse_caption(text).bursts]


def test_the_whole_caption() -> None:
    """Tone with strength words, bursts of their class or group, and the speaker are read from one caption."""
    said = parse_caption(
        "A clear recording of a young woman who whispers. She sounds very angry and somewhat hopeful, lets out a "
        "breathy giggle, then sighs and clears her throat."
    )
    assert [(tone.key, tone.word, tone.strength) for tone in said.tone] == [
        ("anger", "very", "strong"),
        ("hope_enthusiasm_optimism", "somewhat", "slight"),
    ]
    assert [(burst.name, burst.group) for burst in said.bursts] == [
        ("Breathy Giggle", "laughter"),
        ("", "sighs"),
        ("Clears Throat", "throat_and_vocal_sounds"),
    ]
    assert (said.age, said.gender, said.styles) == ("young adult", "feminine", ("whispering",))
    assert said.as_json()["speaker"] == {"age": "young adult", "gender": "feminine", "styles": ["whispering"]}


@pytest.mark.parametrize(
    "text",
    [
        "",
        "A recording of good quality.",
        "There is no laughter, sobbing or sighing.",
        "The voice is never angry, without a trace of sadness.",
        "Laughter is absent.",
        "It isn't a woman, nor a child.",
    ],
)
def test_nothing_said_nothing_found(text: str) -> None:
    """Empty and neutral texts, and denials, give no field."""
    assert parse_caption(text) == StructuredCaption(text)


def test_a_denial_ends() -> None:
    """What comes after "but" or in another clause is not denied any more."""
    assert bursts("No sobs, but a quiet laugh.") == ["laughter"]
    assert bursts("No music, a sigh at the end.") == ["sighs"]
    assert parse_caption("Not a child; an adult man.").age == "adult"


def test_contradictions_stay_open() -> None:
    """Where a caption says two ages or genders, the single view is None and both mentions remain."""
    said = parse_caption("An elderly man talks with a little girl.")
    assert said.age is None
    assert said.gender is None
    assert {trait.value for trait in said.traits} == {"elderly", "child", "masculine", "feminine"}


def test_group_without_class() -> None:
    """A plain "laughs" tells laughter, not which of eight kinds."""
    (burst,) = parse_caption("He laughs.").bursts
    assert (burst.name, burst.group, burst.evidence.text) == ("", "laughter", "laughs")


def test_every_class_is_found_by_its_name() -> None:
    """Each of the 82 classes, in a sentence, gives that class and nothing else."""
    known = burst_classes()
    assert len(known) == 83
    assert len({one.group for one in known}) == 17
    for one in known[:-1]:
        (burst,) = parse_caption(f"Then {one.name.lower()}.").bursts
        assert (burst.name, burst.group, burst.evidence.text) == (one.name, one.group, one.name.lower())


@pytest.mark.parametrize("emotion", EMOTIONS, ids=lambda one: one.key)
def test_every_emotion_is_found_by_its_name(emotion: Emotion) -> None:
    """The names of the taxonomy are understood, the first where a name has several."""
    name = emotion.name.split("/")[0].lower()
    assert emotion.key in {tone.key for tone in parse_caption(f"A sense of {name}.").tone}


_WORDS = st.sampled_from(
    "a the no not never without very slightly extremely angry sad joy laughs sigh sobs woman man child elderly but and "
    "or , . ; clears her throat breathy giggle whisper softly proud relief screams young adult is isn't absent".split()
)


@given(st.one_of(st.text(max_size=80), st.lists(_WORDS, max_size=25).map(" ".join)))
def test_every_field_is_in_the_text(text: str) -> None:
    """Whatever the text: each field's evidence is that very part of it, and a strength word lies within it."""
    said = parse_caption(text)
    for one in (*said.tone, *said.bursts, *said.traits):
        at = one.evidence
        assert at.text
        assert text[at.start : at.end] == at.text
    assert all(tone.word.lower() in tone.evidence.text.lower() for tone in said.tone)
    assert said.age in (None, *(trait.value for trait in said.traits if trait.field == "age"))


@given(st.sampled_from(("laughter", "sobs", "a sigh", "screams", "a child", "an elderly woman", "whispering", "anger")))
def test_a_negation_empties_the_field(what: str) -> None:
    """ "No X" never gives X."""
    text = f"There is no {what}."
    assert parse_caption(text) == StructuredCaption(text)


@pytest.mark.shared
def test_classes_are_the_published_ones(shared: Path) -> None:
    """Names, groups and order are those of the published taxonomy."""
    with (shared / "reference" / "voice_burst_classes.csv").open(encoding="utf-8") as file:
        rows = [(int(row["class_index"]), row["class"], row["group"]) for row in csv.DictReader(file)]
    assert rows == [(one.index, one.name, one.group) for one in burst_classes()]
