"""What is picked and how strongly it is worded, on generated scores."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from captions.made_scores import made_baseline, made_scores
from emonet.captions import Said, caption_scores, select
from emonet.captions._selection import ALWAYS
from emonet.errors import UsageError
from emonet.taxonomy import EMOTIONS

BASELINE = made_baseline()  # every median 1, every spread 0.5


def at(z: float) -> float:
    """The score with this deviation."""
    return 1.0 + z * (0.5 + 1e-6)


def words(said: tuple[Said, ...]) -> list[tuple[str, str]]:
    """(key, word) pairs."""
    return [(one.key, one.word) for one in said]


@pytest.mark.parametrize(
    ("z", "word"),
    [(2.001, "extremely"), (1.999, "very"), (1.501, "very"), (1.499, "notably"), (1.001, "notably"),
     (0.999, "somewhat"), (0.501, "somewhat"), (0.499, None), (-0.499, None), (-0.501, "absent"), (-3.0, "absent")],
)  # fmt: skip
def test_a_deviation_decides_the_degree(z: float, word: str | None) -> None:
    found = select({"anger": at(z)}, BASELINE)
    assert words(found.emotions) == ([("anger", word)] if word else [])


def test_the_largest_deviations_are_picked_before_small_ones_are_dropped() -> None:
    scores = {"anger": at(0.4), "sadness": at(-2.2), "awe": at(0.6), "fear": at(0.7)}
    assert words(select(scores, BASELINE, emotions=2).emotions) == [("sadness", "absent"), ("fear", "somewhat")]
    assert words(select({"anger": at(0.4)}, BASELINE, emotions=0).emotions) == []


def test_attributes_that_are_always_told_come_last_and_only_once() -> None:
    scores = {"TEMP": at(3), "AGEV": 2.6, "GEND": 5, "REGS": 1.2, "METL": at(4), "BRGT": at(0.1)}
    found = select(scores, BASELINE, attributes=2)
    assert [(said.key, said.word, said.band) for said in found.attributes] == [
        ("GEND", "absolute", 4), ("METL", "extremely", None), ("AGEV", "absolute", 2), ("REGS", "absolute", 0),
        ("TEMP", "extremely", None),
    ]  # fmt: skip
    assert sorted(said.key for said in found.attributes if said.always) == sorted(ALWAYS)


@pytest.mark.parametrize(
    ("value", "band"), [(1.49, 0), (1.5, 1), (2.49, 1), (2.5, 2), (3.49, 2), (3.5, 3), (4.49, 3), (4.5, 4), (-9, 0)]
)
def test_age_gender_and_register_follow_absolute_bands(value: float, band: int) -> None:
    for key in ("AGEV", "GEND", "REGS"):
        (said,) = select({key: value}, BASELINE).attributes
        assert said.band == band


@pytest.mark.parametrize(
    ("gender", "said"), [(0.49, False), (-0.49, False), (0.5, True), (-0.5, True), (2.0, True), (float("nan"), True)]
)
def test_an_unsure_gender_is_not_told(gender: float, said: bool) -> None:
    found = select({"GEND": 5.0, "ei_gender": gender}, BASELINE)
    assert ("GEND" in [one.key for one in found.attributes]) is said
    assert found.gender_gated is not said
    assert "gender" not in caption_scores({"gender": 0.2, "age": 4.0}).traits


@pytest.mark.parametrize(
    ("gender", "trait"),
    [(-2.0, "clearly masculine"), (-1.5, "clearly masculine"), (-0.5, "mostly masculine"), (0.5, "mostly feminine"),
     (1.5, "clearly feminine")],
)  # fmt: skip
def test_the_released_gender_head_counts_from_masculine_to_feminine(gender: float, trait: str) -> None:
    assert caption_scores({"Gender": gender}).traits["gender"] == trait


def test_a_gate_that_is_off_lets_every_gender_through() -> None:
    assert select({"GEND": 3.0, "gender": 0.0}, BASELINE, gender_gate=0).attributes[0].band == 2


@pytest.mark.parametrize(
    ("z", "gate", "word"), [(0.0, "open", "extremely"), (-0.001, "capped", "notably"), (-0.999, "capped", "notably"),
                            (-1.001, "dropped", None)],
)  # fmt: skip
def test_what_sounds_staged_is_toned_down_or_left_out(z: float, gate: str, word: str | None) -> None:
    found = select({"anger": at(5), "sadness": at(-2), "genuineness": at(z)}, BASELINE)
    assert found.gate == gate
    assert words(found.emotions) == ([] if word is None else [("anger", word), ("sadness", "absent")])


@pytest.mark.parametrize(("z", "level"), [(0.501, 3), (0.499, 2), (0.0, 2), (-0.001, 1), (-0.999, 1), (-1.001, 0)])
def test_genuineness_has_four_steps(z: float, level: int) -> None:
    assert select({"genuineness": at(z)}, BASELINE).descriptor == level


@pytest.mark.parametrize(("z", "said"), [(0.501, True), (0.499, False), (-0.499, False), (-0.501, True)])
def test_vocal_bursts_are_mentioned_when_unusual(z: float, said: bool) -> None:
    assert select({"blend": at(z)}, BASELINE).blend_said is said


def test_nothing_is_said_of_what_was_not_judged() -> None:
    scores = {"anger": float("nan"), "METL": None, "genuineness": float("inf"), "no such dimension": 5.0}
    found = select(scores, BASELINE)
    assert (found.emotions, found.attributes, found.genuineness, found.gate) == ((), (), None, "open")


def test_scores_may_be_grouped_named_freely_and_wrapped() -> None:
    grouped = {
        "dims": {"METL": {"reg": at(3), "score": 0}},
        "emo": {"Jealousy & Envy": {"value": at(2.5)}},
        "genu": 1.0,
    }
    flat = {"METL": at(3), "model_Jealousy_%26_Envy_best.pth": at(2.5), "genuineness": 1.0}
    assert select(grouped, BASELINE) == select(flat, BASELINE)


@given(st.integers(0, 5000), st.integers(0, 2**40))
def test_shuffling_changes_the_order_and_nothing_else(clip: int, seed: int) -> None:
    plain = select(made_scores(clip), BASELINE, seed=seed)
    mixed = select(made_scores(clip), BASELINE, seed=seed, shuffle=True)
    assert sorted(map(repr, plain.emotions)) == sorted(map(repr, mixed.emotions))
    assert [s for s in plain.attributes if s.always] == [s for s in mixed.attributes if s.always]
    assert sorted(map(repr, plain.attributes)) == sorted(map(repr, mixed.attributes))
    assert mixed == select(made_scores(clip), BASELINE, seed=seed, shuffle=True)


@given(st.dictionaries(st.sampled_from([record.key for record in EMOTIONS]), st.floats()))
def test_any_scores_give_a_selection_that_agrees_with_them(scores: dict[str, float]) -> None:
    for said in select(scores, BASELINE).emotions:
        assert math.isfinite(scores[said.key])
        assert abs(said.z) >= 0.5
        assert (said.word == "absent") == (scores[said.key] < 1)


@pytest.mark.parametrize("options", [{"emotions": -1}, {"attributes": -1}, {"gender_gate": -0.1}])
def test_wrong_counts_are_refused(options: dict[str, int]) -> None:
    with pytest.raises(UsageError, match="0 or more"):
        select({}, BASELINE, **options)  # type: ignore[arg-type]
