"""Scripts from templates: fitting sentences in four languages that never name the emotion."""

from __future__ import annotations

from itertools import product

import pytest

from emonet.synthesis.voices import LANGUAGES, Burst, Part, Script, make_design, write_scripts
from emonet.synthesis.voices._data import burst_names, lines_of, played, sounded
from emonet.synthesis.voices._scripts import joined, marked_text, names_emotion, told_language
from emonet.taxonomy import EMOTIONS


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_emotion_has_twelve_texts_that_do_not_name_it(language: str) -> None:
    for record in EMOTIONS:
        lines = lines_of(record.key, language)
        texts = {
            " ".join(joined(pieces, lines.names[0])) for pieces in product(lines.openings, lines.cores, lines.closings)
        }
        assert len(texts) >= 12
        assert len(lines.cores) == len(played(record.key).scenes)
        for text in texts:
            assert names_emotion(text, record.key, language) == "", text
            assert 10 <= len(text.split()) <= 50, text
            assert "{" not in text
            assert text.lstrip("¡¿")[0].isupper()


@pytest.mark.parametrize("language", LANGUAGES)
def test_texts_are_told_to_be_in_their_language(language: str) -> None:
    scripts = write_scripts(make_design(languages=[language]))
    told = [told_language(script.text) for script in scripts]
    assert set(told) <= {language, ""}
    assert told.count(language) > 0.95 * len(told)


def test_texts_of_languages_tell_the_same_scenes() -> None:
    for record in EMOTIONS:
        assert len({len(lines_of(record.key, language).cores) for language in LANGUAGES}) == 1


def test_parts_of_one_emotion_get_different_sentences() -> None:
    scripts = write_scripts(make_design(emotions=["fear"]))
    assert len({script.text for script in scripts}) == 11
    assert scripts == write_scripts(make_design(emotions=["fear"]))
    assert scripts != write_scripts(make_design(emotions=["fear"]), seed=1)


def test_the_direction_says_scene_strength_accent_challenge_and_bursts() -> None:
    design = make_design(
        voices=1, emotions=["anger"], accents={"en": ["Texan"]}, challenges=["whisper"], intensities=[4]
    )
    (script,) = write_scripts(design)
    for told in (script.scene, "as intense as it gets", "Texan accent", "Whisper throughout", "Speak English"):
        assert told in script.direction
    assert all(sounded(burst.name).cue in script.direction for burst in script.bursts)
    assert "quicker" in script.direction


def test_strong_emotions_have_two_bursts_at_different_places() -> None:
    scripts = write_scripts(make_design(intensities=(1, 4)))
    for script in scripts:
        assert len(script.bursts) == (1 if script.part.intensity == 1 else 2)
        assert len({burst.place for burst in script.bursts}) == len(script.bursts)
        assert {burst.name for burst in script.bursts} <= set(played(script.part.emotion).bursts) <= set(burst_names())


def test_bursts_are_marked_where_they_are() -> None:
    part = Part("k", "ash", "relief", "en", "none", "none", 3, 0)
    bursts = (Burst("Relief Sigh", "start"), Burst("Chuckle", "middle"), Burst("Yawn", "end"))
    script = Script(part, ("It is over.", "All is well."), bursts, "A street.", "")
    assert marked_text(script) == "[sighs with relief] It is over. [chuckles] All is well. [yawns]"
    assert script.text == "It is over. All is well."
    assert script.words == 6


def test_pieces_that_end_with_a_comma_are_joined() -> None:
    assert joined(("Hm. You know, {name},", "a river is one.", "¿y ahora?"), "Kim") == (
        "Hm. You know, Kim, a river is one.",
        "¿Y ahora?",
    )


@pytest.mark.parametrize(
    ("text", "emotion", "language", "word"),
    [
        ("I am so angry with you.", "anger", "en", "angry"),
        ("Das macht mich wütend!", "anger", "de", "wütend"),
        ("What a physical pain.", "pain", "en", "pain"),
        ("They made fun of us.", "amusement", "en", "fun"),
        ("He has a Panzer.", "anger", "en", ""),  # "anger" must begin a word
        ("J'ai tellement honte.", "shame", "fr", "honte"),
        ("Qué vergüenza.", "shame", "es", "vergüenza"),
    ],
)
def test_words_that_name_an_emotion_are_found(text: str, emotion: str, language: str, word: str) -> None:
    assert names_emotion(text, emotion, language) == word
