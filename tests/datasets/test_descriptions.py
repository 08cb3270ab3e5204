"""What a sample's facts say, in the layout of every release."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emonet.datasets import Description, Sample, describe
from emonet.taxonomy import EMOTIONS


def voice(facts: dict[str, Any], *, key: str = "1", source: str = "") -> Description:
    return describe(Sample(key, b"1", "mp3", "voice", facts, source=source))


def face(facts: dict[str, Any]) -> Description:
    return describe(Sample("1", b"1", "png", "face", facts))


def test_emolia_holds_scores_beside_the_other_facts() -> None:
    scores = {f"{one.aliases['voice_checkpoint']}_best": k / 10 for k, one in enumerate(EMOTIONS)}
    facts = {
        **scores, "score_overall_quality": 3.5, "text": "Hallo.", "duration": 2.5, "speaker": "DE_7", "language": "de",
        "dnsmos": 3.2, "cps": 12.0, "emotion_caption": "A calm voice.", "Unheard_best": 1.0,
    }  # fmt: skip
    said = voice(facts)
    assert len(said.scores) == 41
    assert said.scores["jealousy_envy"] == scores["Jealousy_&_Envy_best"]
    assert said.scores["score_overall_quality"] == 3.5
    assert (said.text, said.duration_s, said.speaker, said.language) == ("Hallo.", 2.5, "DE_7", "de")
    assert (said.caption, said.emotion, said.unread) == ("A calm voice.", None, ("Unheard_best",))


def test_a_few_numbers_under_names_of_attributes_are_no_scores() -> None:
    assert voice({"age": 34, "valence": 0.2}).scores == {}
    assert voice({"age": 34}).demographics == {"age": "34"}


def test_folder_script_and_its_hub_upload_hold_scores_under_emotions() -> None:
    scores = {"Anger": 1.5, "Warm_vs._Cold": -0.5}
    for emotions in (scores, json.dumps(scores)):
        said = voice({"caption": "Angry.", "emotions": emotions, "source_audio_file": "a.mp3"})
        assert (said.scores, said.caption) == ({"anger": 1.5, "warm_vs_cold": -0.5}, "Angry.")


def test_got_talent_is_told_by_its_tar_and_its_annotation() -> None:
    tar = "english_alloy_intense_fear_terror_vocalbursts_fixed.tar"
    raw = voice({"whisper_transcription": "No!", "SNAC 24 kHz": [1, 2], "playtime_sec": 4.2}, source=tar)
    assert (raw.emotion, raw.speaker, raw.language, raw.text, raw.duration_s) == ("fear", "alloy", "en", "No!", 4.2)
    text = "<Fear>4#trembling</Fear>\n<transcription_start>No!</transcription_start>"
    enhanced = voice({"annotation": text, "duration": 3, "detailed_caption": "She trembles."}, source=tar)
    assert (enhanced.scores, enhanced.text, enhanced.caption) == ({"fear": 4}, "No!", "She trembles.")


def test_emonet_voice_holds_votes_for_one_label() -> None:
    label = "[{'human-4': {'Impatience%20and%20Irritability': 2}}, {'human-1': {'Impatience and Irritability': 0}}]"
    said = voice({"label": label})
    assert said.votes == (("human-4", "impatience_and_irritability", 2), ("human-1", "impatience_and_irritability", 0))
    assert said.emotion == "impatience_and_irritability"


def test_emonet_face_hq_holds_votes_for_many() -> None:
    label = str({"human-1": {"Positive High-Energy Emotions|Amusement": 5}, "human-2": str({"Other|Fear": 1})})
    said = face({"label": label})
    assert said.votes == (("human-1", "amusement", 5), ("human-2", "fear", 1))
    assert said.emotion is None


@pytest.mark.parametrize(
    "facts",
    [
        {
            "prompt": "a portrait",
            "demographics": {"ethnicity": "Asian", "gender": "woman", "age": 40},
            "emotion": "Awe",
        },
        {
            "Prompt": "a portrait",
            "Ethnicity": "Asian",
            "Gender": "woman",
            "Age": "40",
            "Emotion": "awe, awestruck, wonder",
        },
    ],
)
def test_generated_portraits_tell_their_prompt(facts: dict[str, Any]) -> None:
    said = face(facts)
    assert (said.emotion, said.prompt) == ("awe", "a portrait")
    assert said.demographics == {"ethnicity": "Asian", "gender": "woman", "age": "40"}


def test_labels_of_annotations_are_scores_too() -> None:
    assert face({"annotations": {"Positive High-Energy Emotions|Elation": 3, "Odd One": 1}}).scores == {"elation": 3}
    assert face({"emotion": "Hopelessness"}).emotion == "helplessness"
    assert face({"emotion": "neutral"}).emotion is None


def test_output_of_the_face_model_is_no_vote() -> None:
    results = {"model_anger_best": {"raw": 1.0, "mean_subtracted": 0.5, "softmax": 0.1}}
    assert face({"results": results}).votes == ()


_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=5,
)
_names = st.sampled_from(["emotions", "label", "annotation", "text", "duration", "age", "demographics", "Anger_best"])


@given(st.dictionaries(_names, _json | st.sampled_from(["<Fear>2</Fear>", "{'a': {'Fear': 1}}", "[{", "{"])))
def test_any_facts_are_read_without_fault(facts: dict[str, Any]) -> None:
    voice(facts)
    face(facts)


@pytest.mark.shared
def test_published_records_of_emolia(shared: Path) -> None:
    """The scores of three published records, in the reference's table."""
    with (shared / "reference" / "voice_observed_scores.csv").open() as file:
        table = list(csv.DictReader(file))
    for record in [name for name in table[0] if name != "dimension"]:
        facts = {
            row["dimension"] if row["dimension"].startswith("score_") else f"{row['dimension']}_best": float(
                row[record]
            )
            for row in table
            if row[record]
        }
        said = voice(facts)
        assert len(said.scores) == len(facts)
        assert said.unread == ()
