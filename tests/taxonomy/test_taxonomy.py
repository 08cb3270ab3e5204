"""The taxonomy: counts of the paper, names of every release, lookup by any spelling."""

from __future__ import annotations

import csv
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emonet.errors import UnknownNameError
from emonet.taxonomy import (
    ATTRIBUTES,
    EMOTIONS,
    GROUPS,
    attribute,
    checkpoint_name,
    coarse_class,
    dimension_key,
    emotion,
    resolve,
)


def test_counts_are_the_published_ones() -> None:
    """40 emotions, groups of 9, 6, 6, 10, 2, 4 and 3, and 248 words after dropping the two repeats."""
    assert len(EMOTIONS) == len({e.key for e in EMOTIONS}) == 40
    sizes = Counter(e.group for e in EMOTIONS)
    assert [sizes[group] for group in GROUPS] == [9, 6, 6, 10, 2, 4, 3]
    assert sum(len(e.words) for e in EMOTIONS) == 248
    kinds = Counter((a.modality, a.kind) for a in ATTRIBUTES)
    assert kinds == {("voice", "attribute"): 15, ("voice", "quality"): 4, ("face", "attribute"): 4}


@given(st.sampled_from(EMOTIONS), st.data())
def test_every_spelling_resolves_in_any_case(record, data) -> None:
    """Each release's spelling leads back to the emotion, however it is cased or wrapped."""
    spelling = data.draw(st.sampled_from([record.key, record.name, *record.aliases.values(), *record.spellings]))
    wrapped = data.draw(st.sampled_from(["{}", "model_{}_best.pth", "{}_best", " {} "])).format(spelling)
    cased = data.draw(st.sampled_from([str.upper, str.lower, str.title, str]))(wrapped)
    assert emotion(cased) is record


@pytest.mark.parametrize(
    ("spelling", "key"),
    [
        ("Hopelessness", "helplessness"),
        ("model_jealousy_&_envy_best.pth", "jealousy_envy"),
        ("Jealousy___Envy", "jealousy_envy"),
        ("Jealousy_and_Envy", "jealousy_envy"),
        ("Impatience%20and%20Irritability", "impatience_and_irritability"),
        ("Longing & Lust|Sexual Lust", "sexual_lust"),
        ("Hope/Optimism", "hope_enthusiasm_optimism"),
        ("Pleasure", "pleasure_ecstasy"),
        ("model_High-Pitched_vs._Low-Pitched_best.pth", "high_pitched_vs_low_pitched"),
        ("High_Pitched_vs._Low_Pitched", "high_pitched_vs_low_pitched"),
        ("score_overall_quality", "score_overall_quality"),
    ],
)
def test_awkward_spellings(spelling: str, key: str) -> None:
    """The names that break naive code."""
    assert dimension_key(spelling, "voice") == key


def test_unknown_name_answers_with_the_nearest() -> None:
    """A typing error is answered with the name that was meant."""
    with pytest.raises(UnknownNameError, match="Did you mean 'Contempt'"):
        emotion("contemt")
    with pytest.raises(UnknownNameError, match="Did you mean 'Recording Quality'"):
        attribute("recordin quality", modality="voice")


@given(st.text(max_size=40))
def test_lookup_never_fails_otherwise(name: str) -> None:
    """Any text is either a known name or an UnknownNameError."""
    try:
        found = resolve(name).key
    except UnknownNameError:
        return
    assert found


def test_shared_names_differ_by_modality() -> None:
    """Arousal is 0..7 for faces and 0..4 for voices."""
    assert attribute("Arousal", modality="face").high == 7
    assert attribute("Arousal", modality="voice").high == 4
    assert attribute("gender", modality="voice").low_pole == "masculine"


def test_coarse_classes() -> None:
    """LAION's mapping onto eight-emotion corpora; some emotions have no counterpart."""
    assert coarse_class("shame") == "disgust"
    assert coarse_class("Shame", "emodb") == "sadness"
    assert coarse_class("sexual_lust") is None
    with pytest.raises(UnknownNameError):
        coarse_class("shame", "iemocap")


@pytest.mark.shared
def test_agrees_with_the_reference_tables(shared: Path) -> None:
    """Names, groups, words, checkpoint files and scales are those of the published tables."""
    with (shared / "reference" / "taxonomy.csv").open() as file:
        for row, record in zip(csv.DictReader(file), EMOTIONS, strict=True):
            assert (record.name, record.group) == (row["canonical"], row["group"])
            assert f"model_{checkpoint_name(record.key, 'face')}_best.pth" == row["face_checkpoint"]
            assert record.aliases["binary"] == row["binary_label"]
            assert set(record.words) == {word.strip() for word in row["example_words"].split(";")}
    with (shared / "reference" / "voice_dimensions.csv").open() as file:
        for row in csv.DictReader(file):
            record = resolve(row["file_name"], modality="voice")
            assert record.aliases["voice_checkpoint"] == row["name"]
            if row["kind"] != "emotion":
                scale = attribute(row["name"], modality="voice")
                assert (scale.low, scale.high) == (float(row["scale_min"]), float(row["scale_max"]))
                assert (scale.low_pole, scale.high_pole) == (row["low_pole"], row["high_pole"])
