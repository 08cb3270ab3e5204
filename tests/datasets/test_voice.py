"""EmoNet-Voice and emolia-bench from generated files of their layouts."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from emonet.datasets import read_emolia_bench, read_voice
from emonet.errors import UsageError

LABELS = [
    "[{'human-4': {'Shame': 2}}, {'human-1': {'Shame': 0}}]",
    "[{'human-4': {'Impatience%20and%20Irritability': 1}}, {'human-2': {'Impatience%20and%20Irritability': 1}}, "
    "{'human-6': {'Impatience%20and%20Irritability': 2}}]",
    "[{'human-4': {'Jealousy / Envy': 0}}, {'human-1': {'Jealousy / Envy': 0}}]",
    "[{'human-2': {'Arousal': 2}}, {'human-1': {'Arousal': 1}}]",
    "[{'human-2': {'Authenticity': 2}}, {'human-1': {'Authenticity': 1}}]",
]
NAMES = ["0a1b2c3d_en.mp3", "0A1B2C3D_fr.mp3", "11111111-x.mp3", "22222222.mp3", "33333333_y.mp3"]


def test_each_clip_has_the_ratings_of_its_one_label(tmp_path: Path, write_parquet: Callable[..., Path]) -> None:
    clips = [f"clip {k}".encode() for k in range(5)]
    path = write_parquet(
        tmp_path / "a.parquet", clips, names=NAMES, column="audioId", kind="Audio", facts={"label": LABELS}
    )
    labelled = read_voice(path)
    assert labelled.modality == "voice"
    assert (labelled.scale, labelled.levels) == ((0, 2), (0, 1, 2))
    assert labelled.dimensions == ("impatience_and_irritability", "shame", "jealousy_envy", "arousal", "authenticity")
    assert labelled.asked is not None
    assert labelled.asked.rows()[:2] == [("0a1b2c3d_en", "shame"), ("0A1B2C3D_fr", "impatience_and_irritability")]
    assert len(labelled.ratings.table) == 11
    votes = labelled.ratings.cube(["0A1B2C3D_fr"], ["impatience_and_irritability"])[:, 0, 0]
    assert dict(zip([rater.name for rater in labelled.ratings.raters], votes, strict=True)) == pytest.approx(
        {"human-1": np.nan, "human-2": 1, "human-4": 1, "human-6": 2}, nan_ok=True
    )
    assert labelled.read_media is not None
    assert labelled.read_media("22222222") == b"clip 3"


def test_clips_of_one_prefix_belong_together(tmp_path: Path, write_parquet: Callable[..., Path]) -> None:
    facts = {"label": LABELS}
    path = write_parquet(tmp_path / "a.parquet", [b"x"] * 5, names=NAMES, column="audioId", kind="Audio", facts=facts)
    labelled = read_voice(path)
    assert labelled.cluster == "prefix"
    assert labelled.items["prefix"].n_unique() == 4
    path = write_parquet(tmp_path / "b.parquet", [b"x"] * 5, column="audioId", kind="Audio", facts=facts)
    lost = read_voice(path)
    assert lost.cluster is None
    assert lost.items["item"][4] == "row-00004"


def test_clips_of_one_name_stay_apart(tmp_path: Path, write_parquet: Callable[..., Path]) -> None:
    path = write_parquet(
        tmp_path / "a.parquet",
        [b"1", b"2"],
        names=["a/x.mp3", "b/x.mp3"],
        column="audioId",
        facts={"label": LABELS[:2]},
    )
    labelled = read_voice(path)
    assert labelled.read_media is not None
    assert [labelled.read_media(item) for item in labelled.items["item"]] == [b"1", b"2"]


@pytest.mark.parametrize(
    ("label", "message"),
    [
        ("[{'human-1': {'Shame': 3}}]", "expected 0, 1 or 2"),
        ("[{'human-1': {'Shame': 1}}, {'human-2': {'Pride': 1}}]", "holds the labels Pride, Shame"),
        ("[]", "holds no rating"),
        ("[{'human-1': {'Shmae': 1}}]", "Did you mean 'Shame'"),
        ("[{'human-1': {'Shame': ", "no literal"),
        ("[{'human-1': {'Shame': open('x')}}]", "no literal"),
    ],
)
def test_a_faulty_row_is_named(tmp_path: Path, write_parquet: Callable[..., Path], label: str, message: str) -> None:
    facts = {"label": [LABELS[0], label]}
    path = write_parquet(tmp_path / "a.parquet", [b"x", b"y"], column="audioId", facts=facts)
    with pytest.raises(UsageError, match="data row 2") as caught:
        read_voice(path)
    assert message in str(caught.value)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=30, deadline=None)
@given(label=st.text(alphabet=st.characters(codec="utf-8"), max_size=30))
def test_any_label_cell_is_read_or_refused_with_its_row(
    tmp_path: Path, write_parquet: Callable[..., Path], label: str
) -> None:
    path = write_parquet(tmp_path / "a.parquet", [b"x", b"y"], column="audioId", facts={"label": [LABELS[0], label]})
    with pytest.raises(UsageError, match="data row 2"):
        read_voice(path)


def test_other_parquet_files_are_refused(tmp_path: Path, write_parquet: Callable[..., Path]) -> None:
    with pytest.raises(UsageError, match="no such file"):
        read_voice(tmp_path / "absent.parquet")
    with pytest.raises(UsageError, match="No parquet files"):
        read_voice(tmp_path)
    (tmp_path / "no.parquet").write_bytes(b"not parquet at all")
    with pytest.raises(UsageError, match="cannot be read as parquet"):
        read_voice(tmp_path / "no.parquet")
    path = write_parquet(tmp_path / "a.parquet", [b"x"], column="audioId", facts={"text": ["hello"]})
    with pytest.raises(UsageError, match="no column holds ratings"):
        read_voice(path)


ANNOTATIONS = """\
annotation_id,username,source_emotion,queried_emotion,task_type,file_name,rating,reaction_time_ms,sample_time_ms,\
created_at
1,ann,Awe,Awe,affirmative,a.mp3,strongly_present,900,4000,2025-11-02T10:00:00Z
2,bob,Awe,Awe,affirmative,a.mp3,weakly_present,900,4000,2025-11-02 11:00:00.5+00:00
3,ann,Awe,Jealousy___Envy,contrastive_1,b.mp3,not_present,900,4000,
"""


def test_emolia_bench_answers_become_levels(tmp_path: Path) -> None:
    path, users = tmp_path / "annotations.csv", tmp_path / "users.csv"
    path.write_text(ANNOTATIONS)
    users.write_text("username,is_active,age,gender,degree\nann,1,30,f,MSc\n")
    (tmp_path / "audio").mkdir()
    for name in ("a.mp3", "b.mp3"):
        (tmp_path / "audio" / name).write_bytes(name.encode())
    labelled = read_emolia_bench(path, users=users, audio=tmp_path / "audio")
    rows = labelled.ratings.table
    assert rows["value"].to_list() == [2, 1, 0]
    assert rows["dimension"].to_list() == ["awe", "awe", "jealousy_envy"]
    assert rows["time"].to_list() == [
        datetime(2025, 11, 2, 10, tzinfo=UTC),
        datetime(2025, 11, 2, 11, microsecond=500_000, tzinfo=UTC),
        None,
    ]
    assert rows["protocol"].to_list() == ["affirmative", "affirmative", "contrastive_1"]
    assert labelled.ratings.raters[0].facts == {"age": "30", "gender": "f", "degree": "MSc"}
    assert labelled.read_media is not None
    assert labelled.read_media("b.mp3") == b"b.mp3"


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("not_present", "absent", "data row 3: the rating is 'absent'"),
        ("2025-11-02T10:00:00Z", "yesterday", "data row 1: the time is 'yesterday'"),
        ("Awe,affirmative", "Aww,affirmative", "data row 1: unknown emotion 'Aww'"),
    ],
)
def test_a_faulty_answer_is_named(tmp_path: Path, old: str, new: str, message: str) -> None:
    path = tmp_path / "annotations.csv"
    path.write_text(ANNOTATIONS.replace(old, new))
    with pytest.raises(UsageError, match=message):
        read_emolia_bench(path)
