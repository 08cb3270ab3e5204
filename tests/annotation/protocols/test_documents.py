"""Ready protocols by name, their JSON, and what a protocol must not be."""

from __future__ import annotations

import dataclasses
import json
import runpy
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emonet.annotation.protocols import (
    PROTOCOLS,
    Choice,
    FormField,
    Protocol,
    Stage,
    best_worst,
    binary,
    check_protocol,
    hq,
    matching,
    pairs,
    presence,
    protocol,
    protocol_from_dict,
    protocol_to_dict,
    questionnaire,
)
from emonet.datasets import contrast_pairs, read_face_binary
from emonet.errors import UnknownNameError, UsageError
from emonet.taxonomy import EMOTIONS


def test_every_emotion_has_one_opposing_emotion() -> None:
    partners = matching()
    assert set(partners) == {emotion.key for emotion in EMOTIONS}
    assert all(partners[other] == name and other != name for name, other in partners.items())


@pytest.mark.shared
def test_the_matching_is_that_of_the_release(shared: Path) -> None:
    labelled = read_face_binary(shared / "data" / "ratings" / "emonet_face_binary.csv")
    assert {frozenset(pair) for pair in matching().items()} == {frozenset(pair) for pair in contrast_pairs(labelled)}


def test_the_pages_example_runs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    page = Path(__file__).parents[3] / "docs" / "annotation-protocols.md"
    script = tmp_path / "example.py"
    script.write_text(page.read_text(encoding="utf-8").partition("```python\n")[2].partition("```")[0])
    runpy.run_path(str(script))
    assert "Decision(stage=" in capsys.readouterr().out


@pytest.mark.parametrize("name", sorted(PROTOCOLS))
def test_ready_protocols_survive_json(name: str) -> None:
    made = protocol(name)
    assert made.name == name
    assert protocol_from_dict(json.loads(json.dumps(protocol_to_dict(made)))) == made


@given(
    st.integers(1, 9),
    st.lists(st.sampled_from([emotion.key for emotion in EMOTIONS]), min_size=1, unique=True),
    st.sampled_from(["face", "voice"]),
)
def test_options_survive_json(raters: int, dimensions: list[str], modality: str) -> None:
    made = hq(raters=raters, dimensions=dimensions, modality=modality)  # type: ignore[arg-type]
    assert protocol_from_dict(json.loads(json.dumps(protocol_to_dict(made)))) == made
    assert made.dimensions == tuple(dimensions)


def test_protocols_are_found_by_name_and_unknown_ones_are_told() -> None:
    assert protocol("Best_Worst", set_size=5) == best_worst(set_size=5)
    assert protocol("presence", third="disagree").consensus == "majority"
    with pytest.raises(UnknownNameError, match="Did you mean 'binary'"):
        protocol("binray")
    with pytest.raises(UsageError, match=r"'binary' has no option 'raters'; it takes: modality, dimensions"):
        protocol("binary", raters=4)


def test_contrasts_are_kept_where_both_partners_are_asked() -> None:
    assert binary(dimensions=("elation", "sadness", "anger")).contrast == {"elation": "sadness", "sadness": "elation"}
    assert binary(contrast=False).contrast == {}


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"format": 2}, "format 2; this version of emonet reads 1"),
        ({"colour": "red"}, "unknown field 'colour'"),
        ({"rules": {"target": [{"raters": 1, "entr": "agree"}]}}, r"unknown field 'rules.target.0.entr'"),
        ({"question": "stars"}, "field 'question'"),
        ({"scale": [0]}, "field 'scale.1'"),
        ({"rules": {"boss": [{"raters": 1}]}}, "field 'rules.boss"),
    ],
)
def test_faulty_documents_are_named(change: dict[str, Any], told: str) -> None:
    with pytest.raises(UsageError, match=told):
        protocol_from_dict({**protocol_to_dict(presence()), **change})


def test_a_document_is_an_object() -> None:
    with pytest.raises(UsageError, match="of type list"):
        protocol_from_dict([])


@pytest.mark.parametrize(
    ("made", "change", "told"),
    [
        (binary(), {"dimensions": ()}, "names no dimensions"),
        (binary(), {"dimensions": ("elation", "elation"), "contrast": {}}, "named twice"),
        (binary(), {"prompt": "Well?"}, "no {emotion}"),
        (binary(), {"contrast": {"elation": "joy"}}, "contrast of 'elation' is 'joy'"),
        (binary(), {"rules": {"contrast": (Stage(1),)}}, "no rule for units of the role 'target'"),
        (binary(), {"rules": {"target": (Stage(1),)}}, "no rule for units of the role 'contrast'"),
        (presence(), {"rules": {"target": (Stage(1, "agree"),)}}, "entered 'always'"),
        (presence(), {"rules": {"target": (Stage(0),)}}, "fewer than one rater"),
        (presence(), {"choices": (Choice(1.0, "a", "1"), Choice(2.0, "b", "2"))}, "must mean absent"),
        (presence(), {"choices": (Choice(0.0, "a", "1"), Choice(1.0, "b", "1"))}, "different keys"),
        (presence(), {"scale": (0.0, 1.0)}, "outside its scale"),
        (hq(), {"scale": (7.0, 0.0)}, "the lower first"),
        (hq(), {"step": 2.0}, "does not divide"),
        (hq(), {"step": 0.0}, "does not divide"),
        (hq(), {"gold_every": -1}, "gold_every is -1"),
        (hq(), {"set_size": 2}, "set_size is 2"),
        (pairs(), {"set_size": 3}, "set_size is 3"),
        (best_worst(), {"set_size": 2}, "set_size is 2"),
        (questionnaire(), {"form": ()}, "form without fields"),
        (questionnaire(), {"form": (FormField("a", "A", "select"),)}, "select without options"),
        (questionnaire(), {"form": (FormField("a", "A", "text"), FormField("a", "B", "text"))}, "have one name"),
    ],
)
def test_unusable_protocols_are_named(made: Protocol, change: dict[str, Any], told: str) -> None:
    with pytest.raises(UsageError, match=told):
        check_protocol(dataclasses.replace(made, **change))
