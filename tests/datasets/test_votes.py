"""Corpora that publish counts of votes or nameless slots."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from emonet.datasets import gold, read_cremad, read_ferplus, read_mdns
from emonet.errors import UnknownNameError, UsageError

FERPLUS = """usage,image,neutral,happiness,surprise,sadness,anger,disgust,fear,contempt,unknown,NF
Training,a.png,4,0,0,1,3,2,0,0,0,0
Training,b.png,0,10,0,0,0,0,0,0,0,0
PublicTest,c.png,0,0,5,0,0,0,3,0,1,1
"""
CREMAD = """clip,modality,anger,disgust,fear,happiness,neutral,sadness,numResponses,agreement,emoVote,meanEmoResp
1001_IEO_NEU_XX,voice,0,0,0,1,10,0,11,0.9091,N,71.73
1001_IEO_NEU_XX,face,0,0,0,0,9,0,9,1.0,N,60.1
1002_IEO_ANG_HI,voice,8,1,0,0,1,0,10,0.8,A,55.5
"""
MDNS = (
    "item,task,rater_slot,angry,happy,sad,fear,surprise,disgust,cruelty,outrage,dread,contempt,betrayal,amazement,"
    "desperation,morbidness,hopeful,spooked,unbelief,disappointment,horror,devastation,remorse\n"
    "f1,primary,0,4,0,0,0,0,4,,,,,,,,,,,,,,,\n"
    "f1,primary,1,2,0,0,0,0,0,,,,,,,,,,,,,,,\n"
    "f1,compound,0,,,,,,,0,0,0,3,0,0,0,0,0,0,0,1,0,0,0\n"
)


@pytest.mark.parametrize("seed", [0, 1])
def test_votes_become_ratings_whose_means_are_the_shares(tmp_path: Path, seed: int) -> None:
    path = tmp_path / "votes.csv"
    path.write_text(FERPLUS)
    labelled = read_ferplus(path, seed=seed)
    shares = dict(zip(labelled.dimensions, gold(labelled, "mean").T, strict=True))
    # Of c.png's ten votes, "unknown" and "no face" say nothing, so eight count.
    assert shares["elation"] == pytest.approx([0, 1, 0])
    assert shares["anger"] == pytest.approx([0.3, 0, 0])
    assert shares["astonishment_surprise"] == pytest.approx([0, 0, 5 / 8])
    assert "random order, not people" in labelled.notes[0]


def test_slots_are_shuffled_so_that_none_favours_a_class(tmp_path: Path) -> None:
    path = tmp_path / "votes.csv"
    rows = [f"Training,{k}.png,0,5,0,0,5,0,0,0,0,0" for k in range(400)]
    path.write_text("\n".join([FERPLUS.splitlines()[0], *rows]))
    labelled = read_ferplus(path)
    happy = labelled.ratings.cube(list(labelled.items["item"]), ["elation"])[..., 0]
    assert np.abs(happy.mean(axis=1) - 0.5).max() < 0.1
    assert (happy.sum(axis=0) == 5).all()
    again = read_ferplus(path)
    assert again.ratings.table.equals(labelled.ratings.table)


def test_rows_that_repeat_another_are_left_out_and_contradictions_refused(tmp_path: Path) -> None:
    path = tmp_path / "votes.csv"
    path.write_text(FERPLUS + "Training,b.png,0,10,0,0,0,0,0,0,0,0\n")
    labelled = read_ferplus(path)
    assert len(labelled.items) == 3
    assert "1 that repeat another" in labelled.notes[1]
    path.write_text(FERPLUS + "Training,b.png,1,9,0,0,0,0,0,0,0,0\n")
    with pytest.raises(UsageError, match=r"data row 4: 'b\.png' occurs twice"):
        read_ferplus(path)


def test_one_part_can_be_read(tmp_path: Path) -> None:
    path = tmp_path / "votes.csv"
    path.write_text(FERPLUS)
    assert list(read_ferplus(path, usage=["PublicTest"]).items["item"]) == ["c.png"]
    with pytest.raises(UnknownNameError, match="PublicTest"):
        read_ferplus(path, usage=["publictest"])


@pytest.mark.parametrize("bad", ["-1", "2.5", "many", "nan"])
def test_a_faulty_count_is_named(tmp_path: Path, bad: str) -> None:
    path = tmp_path / "votes.csv"
    path.write_text(FERPLUS.replace("b.png,0,10", f"b.png,0,{bad}"))
    with pytest.raises(UsageError, match="data row 2"):
        read_ferplus(path)


def test_a_sitting_of_cremad_is_read_with_its_actors(tmp_path: Path) -> None:
    path = tmp_path / "votes.csv"
    path.write_text(CREMAD)
    labelled = read_cremad(path, shown="voice")
    assert (labelled.modality, labelled.cluster) == ("voice", "actor")
    assert labelled.items["actor"].to_list() == ["1001", "1002"]
    assert labelled.items["mean_intensity"].to_list() == [71.73, 55.5]
    shares = dict(zip(labelled.dimensions, gold(labelled, "mean").T, strict=True))
    assert shares["anger"] == pytest.approx([0, 0.8])
    assert read_cremad(path, shown="face").modality == "face"
    with pytest.raises(UnknownNameError, match="face, voice"):
        read_cremad(path, shown="both")


def test_slots_of_different_questionnaires_are_different_raters(tmp_path: Path) -> None:
    path = tmp_path / "mdns.csv"
    path.write_text(MDNS)
    labelled = read_mdns(path)
    assert [rater.name for rater in labelled.ratings.raters] == ["compound-0", "primary-0", "primary-1"]
    means = dict(zip(labelled.dimensions, gold(labelled, "mean")[0], strict=True))
    assert (means["anger"], means["contempt"], means["disappointment"]) == (3, 3, 1)
    assert "no person" in labelled.notes[0]
    only = read_mdns(path, tasks=["primary"], expressions={"angry": "Anger", "disgust": "Disgust"})
    assert only.dimensions == ("disgust", "anger")


def test_faults_of_mdns_are_named(tmp_path: Path) -> None:
    path = tmp_path / "mdns.csv"
    path.write_text(MDNS.replace("primary,1,2", "primary,1,5"))
    with pytest.raises(UsageError, match="data row 2: the column 'angry' holds '5'; expected a number from 0 to 4"):
        read_mdns(path)
    with pytest.raises(UsageError, match="each for another emotion"):
        read_mdns(path, expressions={"happy": "Elation", "hopeful": "Elation"})
    with pytest.raises(UnknownNameError, match="joyful"):
        read_mdns(path, expressions={"joyful": "Elation"})


@pytest.mark.shared
def test_the_shared_votes_are_read_whole(shared: Path) -> None:
    ratings = shared / "data" / "ratings"
    assert len(read_cremad(ratings / "cremad_votes.csv").items) == 7442
    assert len(read_mdns(ratings / "mdns_face_intensity.csv").items) == 1000
    assert len(read_ferplus(ratings / "ferplus_votes.csv", usage=["PublicTest"]).items) == 3579
