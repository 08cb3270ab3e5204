"""EmoNet-Face Binary put through the protocol again: the release's stage counts, and a generated twin."""

from __future__ import annotations

import dataclasses
from collections import Counter
from pathlib import Path

import pytest
from made_judgements import pictures

from emonet.annotation.protocols import SyntheticRater, binary, replay_binary, simulate
from emonet.datasets import LabelledSet, read_face_binary
from emonet.errors import UsageError


@pytest.fixture
def generated(tmp_path: Path) -> tuple[LabelledSet, Counter[int]]:
    """Judgements of a simulated project in the release's layout, read back, and how many targets' were given in each
    stage. As in the release, one trio judges targets in turn and another person contrasts, so that roles can be told.
    """
    rows: list[tuple[str, str, bool, str]] = []
    stages: Counter[int] = Counter()
    raters = [SyntheticRater(f"r{number}", 0.8) for number in range(3)]
    for start, emotion, contrast in ((0, "Elation", "Sadness"), (40, "Pain", "Relief")):
        items = pictures(40, emotion.lower())
        run = simulate(binary(contrast=False), items, raters, seed=start, prevalence=0.7)
        for unit in run.units:
            number = f"{start + int(unit.key[1:4]):05d}"
            answers = sorted((one for one in run.judgements if one.unit == unit.key), key=lambda one: one.stage)
            for one, name in zip(answers, ("human-1", "human-2", "human-4"), strict=False):
                rows.append((number, name, one.values[emotion.lower()] > 0, emotion))
            rows.append((number, "human-3", False, contrast))
            stages.update(one.stage for one in answers)
    path = tmp_path / "binary.csv"
    lines = ["path,annotator,value,emotion", *(",".join(map(str, row)) for row in sorted(rows))]
    path.write_text("\n".join(lines) + "\n")
    return read_face_binary(path), stages


def test_generated_judgements_give_the_stages_they_were_made_in(
    generated: tuple[LabelledSet, Counter[int]],
) -> None:
    labelled, stages = generated
    replay = replay_binary(labelled)
    assert replay.ratings == {"target": tuple(stages[stage] for stage in (1, 2, 3)), "contrast": (80,)}
    assert (replay.open, replay.unasked) == (0, 0)
    types = Counter(decision.type for decision in replay.decisions.values())
    assert replay.triple_positive == types["3:0 present"] == replay.present["target"][2]


def test_a_judgement_after_a_no_would_not_have_been_asked_for(tmp_path: Path) -> None:
    path = tmp_path / "binary.csv"
    path.write_text("path,annotator,value,emotion\n00000,human-1,False,Elation\n00000,human-2,False,Elation\n")
    replay = replay_binary(read_face_binary(path))
    assert (replay.ratings["target"], replay.unasked) == ((1, 0, 0), 1)


def test_another_set_is_refused(generated: tuple[LabelledSet, object]) -> None:
    labelled = dataclasses.replace(generated[0], items=generated[0].items.drop("target"))
    with pytest.raises(UsageError, match="read_face_binary"):
        replay_binary(labelled)


@pytest.mark.shared
def test_the_releases_judgements_give_the_published_stage_counts(shared: Path) -> None:
    replay = replay_binary(read_face_binary(shared / "data" / "ratings" / "emonet_face_binary.csv"))
    assert replay.ratings == {"target": (19_999, 14_670, 11_018), "contrast": (19_999,)}
    assert replay.present["target"] == (16_566, 11_018, 9_075)
    assert replay.triple_positive == 9_075
    assert replay.unasked == 0  # no judgement lies outside the protocol
    types = Counter((decision.outcome, decision.type) for decision in replay.decisions.values())
    assert types == {
        ("agreed", "3:0 present"): 9_075,
        ("disputed", "2:1"): 1_943,
        ("disputed", "1:1"): 3_652,
        ("rated", "1:0 absent"): 22_291,
        ("rated", "1:0 present"): 1_141,  # contrasts
        (None, "1:0 present"): 1_896,  # targets nobody was asked about again: 1,893 of the first 2,000, and 3 others
    }
