"""Every published test vector of the caption rules: the same dimensions, degrees, bands and gates."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from emonet.captions import Baseline, Said, Selection, caption_scores, mentions, read_baseline, select
from emonet.captions._selection import tier
from emonet.taxonomy import resolve

pytestmark = pytest.mark.shared
CASES = (
    "real_1", "real_2", "real_3", "gender_gated", "gender_not_gated_at_threshold", "sentence_mode", "gate_capped",
    "gate_dropped", "gate_open_at_median", "all_at_median",
)  # fmt: skip


@pytest.fixture(scope="module")
def cases(shared: Path) -> dict[str, dict[str, Any]]:
    """Name → case."""
    data = json.loads((shared / "reference" / "voice_caption_vectors.json").read_text(encoding="utf-8"))
    return {case["id"]: case for case in data["cases"]}


@pytest.fixture(scope="module")
def published() -> Baseline:
    """The published baseline."""
    return read_baseline()


def test_no_published_case_is_left_out(cases: dict[str, dict[str, Any]]) -> None:
    assert tuple(cases) == CASES


@pytest.mark.parametrize("name", CASES)
def test_a_published_case_is_selected_alike(cases: dict[str, dict[str, Any]], published: Baseline, name: str) -> None:
    case = cases[name]
    scores = scores_of(case, cases, published)
    selection = select(scores, published, **options_of(case))
    expected = case["expected"]
    if "voicenet" in expected:
        assert [attribute(said) for said in selection.attributes] == expected["voicenet"]
    else:  # all scores usual: which five are picked is left open
        assert max(abs(said.z) for said in selection.attributes) == expected["max_abs_z"]
    assert [emotion(said, selection) for said in selection.emotions] == [
        entry | {"emotion": resolve(entry["emotion"]).key} for entry in expected["emotions"]
    ]
    assert selection.genuineness is not None
    assert selection.blend is not None
    assert expected["genuineness"] == {
        "z": hundredths(selection.genuineness),
        "gate": selection.gate,
        "descriptor_level": selection.descriptor,
    }
    assert expected["blend"] == {
        "z": hundredths(selection.blend),
        "mentioned": selection.blend_said,
        "direction": direction(selection.blend),
    }


@pytest.mark.parametrize("name", CASES)
def test_the_text_of_a_published_case_says_its_emotions(
    cases: dict[str, dict[str, Any]], published: Baseline, name: str
) -> None:
    caption = caption_scores(scores_of(cases[name], cases, published), **options_of(cases[name]))
    assert mentions(caption.text).said == tuple((said.key, said.strength) for said in caption.emotions)


def scores_of(case: dict[str, Any], cases: dict[str, dict[str, Any]], published: Baseline) -> dict[str, Any]:
    """A case's input, with what it takes from another case and what it changes there."""
    if isinstance(case.get("input"), str):
        return {key: row.median for key, row in published.statistics.items()}
    scores = dict(case.get("input") or cases[case["input_ref"]]["input"])
    for key, value in case.get("override", {}).items():
        scores[key] = {**scores[key], **value} if isinstance(value, dict) else value
    if (gender := case.get("options", {}).get("ei_gender")) is not None:
        scores["ei_gender"] = gender
    return scores


def options_of(case: dict[str, Any]) -> dict[str, Any]:
    """A case's options under our names."""
    given = case.get("options", {})
    names = {"k_voicenet": "attributes", "k_emonet": "emotions", "always_on": "always"}
    return {names[key]: value for key, value in given.items() if key in names}


def hundredths(z: float) -> float:
    """Rounded as published, without a negative zero."""
    return round(z, 2) + 0.0


def direction(z: float) -> str:
    """Zero counts as above."""
    return "above" if z >= 0 else "below"


def attribute(said: Said) -> dict[str, Any]:
    """An attribute as the vectors write it."""
    entry = {"dim": said.key, "z": hundredths(said.z), "direction": direction(said.z), "always_on": said.always}
    return entry | {"tier": said.word} | ({} if said.band is None else {"band": said.band})


def emotion(said: Said, selection: Selection) -> dict[str, Any]:
    """An emotion as the vectors write it; these tell a degree for emotions below the baseline as well."""
    word = said.word if said.word != "absent" else tier(said.z)
    return {"emotion": said.key, "z": hundredths(said.z), "direction": direction(said.z), "tier": word}
