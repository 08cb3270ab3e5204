"""What is written is read back the same, here and by WebDataset's own reader, with the same bytes each time."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from emonet.datasets import Sample, Shard, list_shards, read_samples, write_shards
from emonet.datasets._tar_writer import member_name
from emonet.errors import UnknownNameError, UsageError

KINDS = ("webdataset", "parquet", "folder")
SAMPLES = [
    Sample("a", b"RIFF\0\0\0\0WAVEx", "wav", "voice", {"n": 1, "none": None}, "MIT", "written", "radio"),
    Sample("de/b.1", b"fLaC", "flac", "voice", {"list": [1, {"x": 0.5}], "text": "Grüße"}, "", "", "radio"),
    Sample("Mr.Smith", b"\xff\xd8\xff", "jpg", "face", {}, "CC0-1.0", "", "shop"),
    Sample("Mr.Smith.jpg", b"\xff\xd8\xff2", "jpg", "face", {}, "CC0-1.0", "", "shop"),
    Sample("../50%/.up", b"\x89PNG", "png", "face", {"up": True}, "", "", "shop"),
    Sample("unknown", b"what is it", "", None, {}, "", "", "shop"),
    Sample("lost", None, "", None, {"why": "gone"}, "", "", "shop", problem="the shard holds no media for it"),
]


def back(shards: tuple[Shard, ...]) -> list[Sample]:
    return [replace(one, problem=one.problem and SAMPLES[-1].problem) for one in _all(shards)]


def _all(shards: tuple[Shard, ...]) -> Iterator[Sample]:
    for shard in shards:
        yield from read_samples(shard.address, kind=shard.kind)


@pytest.mark.parametrize("kind", KINDS)
def test_samples_come_back_as_they_were(tmp_path: Path, kind: Any) -> None:
    shards = write_shards(SAMPLES, tmp_path / "out", kind=kind, per_shard=3)
    assert back(shards) == SAMPLES
    assert list_shards(tmp_path / "out") == shards
    assert len(shards) == (1 if kind == "folder" else 3)


@pytest.mark.parametrize("kind", KINDS)
def test_equal_samples_give_equal_bytes(tmp_path: Path, kind: Any) -> None:
    digests = []
    for name in ("one", "two"):
        shuffled = [replace(one, facts=dict(reversed(list(one.facts.items())))) for one in SAMPLES]
        write_shards(SAMPLES if name == "one" else shuffled, tmp_path / name / "out", kind=kind)
        files = sorted(path for path in (tmp_path / name / "out").rglob("*") if path.is_file())
        digests.append([(path.name, hashlib.sha256(path.read_bytes()).hexdigest()) for path in files])
    assert digests[0] == digests[1]


_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=5,
)
_clean = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=30)
_samples = st.builds(
    Sample,
    key=_clean,
    media=st.binary(min_size=1, max_size=40),
    extension=st.just("wav"),
    modality=st.just("voice"),
    facts=st.dictionaries(_clean, _values, max_size=3).map(
        lambda facts: {f"f{name}": value for name, value in json.loads(json.dumps(facts)).items()}
    ),
    licence=_clean,
    consent=_clean,
    source=_clean,
)


@pytest.mark.parametrize("kind", ["webdataset", "parquet"])
@given(samples=st.lists(_samples, min_size=1, max_size=6, unique_by=lambda one: one.key))
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_sample_comes_back(tmp_path: Path, kind: Any, samples: list[Sample]) -> None:
    shards = write_shards(samples, tmp_path, kind=kind, per_shard=4, overwrite=True)
    assert list(_all(shards)) == samples


@given(st.lists(st.text(max_size=300), max_size=5))
def test_member_names_are_distinct_and_stay_inside(keys: list[str]) -> None:
    made = [member_name(key) for key in keys]
    assert len(set(made)) == len(set(keys))
    for name in made:
        parts = name.split("/")
        assert not {"", ".", ".."} & set(parts)
        assert not any(part.startswith(".") for part in parts)
        assert all(len(part.encode("utf-8", "surrogatepass")) < 240 for part in parts)
        assert "." not in parts[-1]


def test_webdataset_reads_the_tars(tmp_path: Path) -> None:
    theirs = pytest.importorskip("webdataset.tariterators", reason="the reader it is compared with is not installed")
    (shard,) = write_shards(SAMPLES[:5], tmp_path)
    with Path(shard.address).open("rb") as file:
        rows = list(theirs.group_by_keys(theirs.tar_file_expander([{"url": "a", "stream": file}])))
    assert [row["__key__"] for row in rows] == [member_name(one.key) for one in SAMPLES[:5]]
    for row, sample in zip(rows, SAMPLES, strict=False):
        assert row[sample.extension] == sample.media
        assert json.loads(row["json"])["licence"] == sample.licence


def test_shards_end_at_their_number_and_at_their_size(tmp_path: Path) -> None:
    samples = [Sample(str(k), bytes(100), "wav", "voice") for k in range(10)]
    by_count = write_shards(samples, tmp_path / "count", per_shard=4)
    by_size = write_shards(samples, tmp_path / "size", max_bytes=300)
    assert [len(list(read_samples(shard.address))) for shard in by_count] == [4, 4, 2]
    assert [len(list(read_samples(shard.address))) for shard in by_size] == [3, 3, 3, 1]


def test_the_index_tells_what_is_there(tmp_path: Path) -> None:
    (shard,) = write_shards(SAMPLES, tmp_path, name="train")
    index = json.loads((tmp_path / "train.json").read_text())
    content = Path(shard.address).read_bytes()
    assert index["samples"] == len(SAMPLES)
    assert index["shards"] == [
        {"file": "train-000000.tar", "samples": len(SAMPLES), "bytes": len(content),
         "sha256": hashlib.sha256(content).hexdigest()}
    ]  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
def test_what_fails_half_way_leaves_nothing(tmp_path: Path, kind: Any) -> None:
    def broken() -> Iterator[Sample]:
        yield from SAMPLES[:4]
        raise RuntimeError("the source broke")

    with pytest.raises(RuntimeError, match="the source broke"):
        write_shards(broken(), tmp_path / "out", kind=kind, per_shard=2)
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


def test_old_shards_are_kept_unless_they_are_to_be_replaced(tmp_path: Path) -> None:
    write_shards(SAMPLES, tmp_path, per_shard=1)
    with pytest.raises(UsageError, match=r"already holds shard-000000\.tar; choose another"):
        write_shards(SAMPLES[:1], tmp_path)
    write_shards(SAMPLES, tmp_path, name="other")
    (shard,) = write_shards(SAMPLES[:2], tmp_path, overwrite=True)
    assert sorted(path.name for path in tmp_path.glob("shard*")) == ["shard-000000.tar", "shard.json"]
    assert back((shard,)) == SAMPLES[:2]
    with pytest.raises(UsageError, match="choose an empty folder"):
        write_shards(SAMPLES, tmp_path, kind="folder", overwrite=True)


@pytest.mark.parametrize(
    ("samples", "message"),
    [
        ([], "no samples to write"),
        ([SAMPLES[0], SAMPLES[0]], "'a' comes twice"),
        ([replace(SAMPLES[0], facts={"source": 1})], "hold 'source', which is a field"),
        ([replace(SAMPLES[0], facts={"x": float("nan")})], "are no JSON values"),
        ([replace(SAMPLES[0], facts={"x": b"1"})], "are no JSON values"),
    ],
)
@pytest.mark.parametrize("kind", KINDS)
def test_samples_that_cannot_be_written_are_named(
    tmp_path: Path, kind: Any, samples: list[Sample], message: str
) -> None:
    with pytest.raises(UsageError, match=message):
        write_shards(samples, tmp_path / "out", kind=kind)


def test_wrong_calls_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UnknownNameError, match="parquet"):
        write_shards(SAMPLES, tmp_path, kind="zip")  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="per_shard 0"):
        write_shards(SAMPLES, tmp_path, per_shard=0)
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match="is a file"):
        write_shards(SAMPLES, tmp_path / "file")
